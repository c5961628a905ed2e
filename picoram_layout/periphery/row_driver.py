"""Row driver: everything that one cluster row needs on its left, on the row's own pitch.

Drawn lying down (the array is below, the row's wires leave at the lower edge), placed turned by 90 degrees.
From the array outwards:

- a NOR2 for each wordline: WL = not (row select or cell select), both active low. Cell selects run through
  all rows on met1 tracks. WLL and WLR have row selects of their own, so that compute cycles never raise WLR.
- row selects: the row's three predecoded address lines with ENL or ENR. In compute cycles all address
  lines are high. PCHB and SOUT (SEG in segment rows): inverters from lines that run through all rows.
- ACC: it rises one row after the other, by two inverters a row, and falls everywhere at once.
- for each input bit a latch, loaded from the bus while the row is addressed and LOAD is high, and a driver of
  the data line: its bit's level while the bit is set, else GND.

The lines over the logic are met3: the supplies nearest to the array. A row's own address lines are chosen by
vias, as are the supply lines that its supply wire joins (`programmed`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial

from picoram_layout.array.array import left_wires
from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import PASSES, draw_block, higher, pads, routed, trunk_vias
from picoram_layout.logic.gates import GND, VDD
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import (
    RAILS,
    Line,
    Pin,
    Problem,
    Span,
    Unroutable,
    Wiring,
    fan_height,
    line_width,
    trunk_pitch,
)
from picoram_layout.netlist.circuit import moved
from picoram_layout.periphery.row_logic import BRIDGED, Arrangement, arrangements
from picoram_layout.plan import Plan
from picoram_layout.spec.numbers import absolute_range
from picoram_layout.spec.problem import Problem as Fault
from picoram_layout.spec.problem import SpecError

_BITS, _CELLS = "array.input_bits", "array.cells_per_cluster"
SUPPLY = "SUPPLY"  # the wire on the row's free track
LOW = "LOW"  # the last group's data line where inputs have one bit: GND
SUPPLY_LINES = (GND, VDD)  # met3 lines for power straps, each so many times as fit
_SUPPLY_LINES = 2
_WIDEST = 1.0  # um, of a supply line
_TRIED = 8  # arrangements of gates, the most promising ones first
_MOST = 100  # while none of them has room for all wires
_FILLED = (1.0, 0.8)  # parts of a row's length that gates of logic may take


@dataclass(frozen=True)
class Driver:
    """A solved row driver: problem and wiring of its logic, and its lines."""

    problem: Problem
    wiring: Wiring
    lines: dict[str, Line]


def address_parts(rows: int) -> tuple[int, int, int]:
    """Lines of the three predecoded parts of the row address: the fewest that tell all rows apart.

    The first two are powers of two, so that the address is a plain binary number.
    """
    powers = [2**k for k in range(rows.bit_length() + 1)]
    ways = [
        (a, b, -(-rows // (a * b)))
        for a, b in itertools.product(powers, repeat=2)
        if a > 1 and (a * b < 2 * rows or b == 1)
    ]
    return min(ways, key=lambda way: (sum(way), max(way), way))


def line_groups(plan: Plan) -> dict[str, int]:
    """Groups of equal met3 lines over a row's logic, and how many each has."""
    bits = plan.spec.array.input_bits
    a, b, c = address_parts(plan.rows)
    return {"PA": a, "PB": b, "PC": c, "BUS": bits, "VREF": bits}


def line_names(plan: Plan) -> list[str]:
    """The lines from the array outwards, but for the supplies."""
    bits, groups = plan.spec.array.input_bits, line_groups(plan)
    names = [f"{name}[{k}]" for name in ("PA", "PB", "PC") for k in range(groups[name])]
    return names + [f"{name}[{k}]" for k in range(bits) for name in ("BUS", "VREF")]


def supply_line(supply: str, number: int) -> str:
    """Name of a supply's line in a single driver."""
    return f"{supply}_LINE[{number}]"


def chosen(plan: Plan, row: int) -> dict[str, str]:
    """Which lines a row's own nets join."""
    a, b, _ = address_parts(plan.rows)
    at = {"PA": row % a, "PB": row // a % b, "PC": row // a // b}
    return {name: f"{name}[{k}]" for name, k in at.items()}


@cache
def solve_drivers(plan: Plan) -> tuple[Driver, Driver]:
    """The drivers of plain and segment rows: the narrowest of the most promising arrangements."""
    for fill in _FILLED:
        found: list[tuple[Driver, Driver]] = []
        for tried, way in enumerate(_ways(plan, fill)):
            if found and tried >= _TRIED:
                break
            found += _drivers(plan, *way)
        if found:
            return min(found, key=lambda both: both[0].problem.height)
    raise _no_room(plan)


def check_room(plan: Plan) -> None:
    """`SpecError` if `solve_drivers` finds none: tries the same until one has room, the likeliest first."""
    for ways in itertools.zip_longest(*(_ways(plan, fill) for fill in reversed(_FILLED))):
        if any(way and next(_drivers(plan, *way), None) for way in ways):
            return
    raise _no_room(plan)


def _ways(plan: Plan, fill: float) -> Iterator[tuple[Arrangement, Arrangement]]:
    return itertools.islice(arrangements(plan, dict(_row_pins(plan, 0)), fill), _MOST)


def _drivers(plan: Plan, plain: Arrangement, segment: Arrangement) -> Iterator[tuple[Driver, Driver]]:
    """What has room of an arrangement, with rows of different heights."""
    for over, raised in ((1, 1), (1, 0), (0, 0)):
        with suppress(Unroutable):
            yield _solved(plan, plain, segment, over, raised)


def _no_room(plan: Plan) -> SpecError:
    return too_many(plan, f"wires of a row driver find no place in {plan.plain.height:g} um")


def too_many(plan: Plan, why: str) -> SpecError:
    """The refusal of more wires of the row side than there is room for: fewer input bits, or, where there is
    but one, another count of cells (three may be too low for all wires)."""
    array = plan.spec.array
    bits, cells, least = array.input_bits, array.cells_per_cluster, int(absolute_range(_CELLS)[0])
    if bits > absolute_range(_BITS)[0]:
        more = f"must be less than {bits} with {cells} cells per cluster and {plan.rows} inputs"
        return SpecError("", [Fault(_BITS, bits, f"{why}; {more}")])
    way = "less" if cells > least else "more"
    more = f"must be {way} than {cells} with {bits} input bit and {plan.rows} inputs"
    return SpecError("", [Fault(_CELLS, cells, f"{why}; {more}")])


def _solved(
    plan: Plan, plain: Arrangement, segment: Arrangement, over: int, raised: int
) -> tuple[Driver, Driver]:
    """Both drivers: rows of the same heights, what runs through both on one track.

    ``over``: rows of wordline drivers that have lines above them, too. ``raised``: how many of them, besides
    the rows after them, are as high as the lines need.
    """
    plain, segment = (replace(a, over=over) for a in (plain, segment))
    rows = _high_enough(plan, plain, raised)
    base = rows[0].rail
    for kind, a in ((False, plain), (True, segment)):
        fan, rows = _fan(rows, partial(_problem, plan, a, kind, base=0.0, tracks={}))
        base = max(base, fan)
    for _ in range(PASSES):
        one, wiring = routed(rows, partial(_problem, plan, plain, False, base=base, tracks={}), 8 * len(rows))
        tracks = {
            (feed.net, feed.row): next(
                p.track for p in wiring.pieces if (p.net, p.row) == (feed.net, feed.row)
            )
            for feed in one.feeds
        }
        two, other = routed(
            one.rows, partial(_problem, plan, segment, True, base=base, tracks=tracks), 8 * len(rows)
        )
        if two.rows == one.rows:
            at = lines(plan, one.rows, plain, base)
            return Driver(one, wiring, at), Driver(two, other, at)
        rows = two.rows
    raise Unroutable("drivers of plain and segment rows find no common heights")


def _fan(
    rows: tuple[Row, ...], problem: Callable[[tuple[Row, ...]], Problem]
) -> tuple[float, tuple[Row, ...]]:
    """Room that the row's wires need below these rows, and those so high that all contacts reach tracks.

    Where they turn, the supply's via to the lowest rail keeps away from them. `Unroutable` where rows would
    have to be higher than `routed` makes them.
    """
    pdk, more = rows[0].pdk, 8 * len(rows)
    while True:
        try:
            room = fan_height(problem(rows))
            return room and pdk.up2(room + pdk.space("met2") + via_pad(pdk, "met2", "via")[1] / 2), rows
        except Unroutable as error:
            if not error.rows or not more:
                raise
            more -= 1
            rows = tuple(higher(row) if k in error.rows else row for k, row in enumerate(rows))


def solve_driver(plan: Plan, row: int) -> Driver:
    """The driver of a row's kind."""
    return solve_drivers(plan)[row in plan.cuts]


def _problem(
    plan: Plan,
    a: Arrangement,
    segment: bool,
    rows: tuple[Row, ...],
    base: float,
    tracks: dict[tuple[str, int], float],
) -> Problem:
    """What has to be wired: gates, lines, the row's wires."""
    at = lines(plan, rows, a, base)
    number = _examples(plan)[segment]
    wires = _row_pins(plan, number)
    return Problem(
        rows,
        a.gates,
        tuple(at.values()),
        tuple(Pin(net, "bottom", y) for net, y in wires),
        _spans(plan, at, base, round(base + sum(row.height for row in rows), 6)),
        a.feeds,
        bridged=BRIDGED,
        width=plan.row(number).height,
        tracks=tracks,
        base=base,
        edges=_edges(plan, segment, rows[0]),
    )


def _edges(plan: Plan, segment: bool, row: Row) -> tuple[float, float]:
    """Where the outermost trunks of row wires are at most: clear of the next driver's wires and vias."""
    kinds = [
        (plan.row(number).height, [y for _, y in left_wires(plan, number)]) for number in _examples(plan)
    ]
    apart, pitch = trunk_pitch(row)[1], plan.pdk.width("met2") + plan.pdk.space("met2")
    before = max(max(ys) - height for height, ys in kinds)  # the last wire of the driver below
    after = min(min(ys) for _, ys in kinds)
    width = kinds[segment][0]
    return max(apart / 2, before + pitch), width - max(apart / 2, pitch - after)


def _examples(plan: Plan) -> tuple[int, int]:
    """A plain row and a segment row (a plan of one weight bit has none)."""
    return 0, min(plan.cuts, default=0)


def _row_pins(plan: Plan, row: int) -> list[tuple[str, float]]:
    """Wires of a row as the driver calls them, and their places."""
    wires = [(_pin(plan, net, row), y) for net, y in left_wires(plan, row)]
    if plan.spec.array.input_bits == 1:
        wires[-1] = LOW, wires[-1][1]
    return wires


def _pin(plan: Plan, net: str, row: int) -> str:
    """A row wire of the array as the driver calls it: WLL3, D2, ACC."""
    name, _, index = net.rstrip("]").partition("[")
    if name[:2] == "WL":
        return f"{name}{int(index) - row * plan.spec.array.cells_per_cluster}"
    return SUPPLY if name in RAILS else name


def lines(plan: Plan, rows: Sequence[Row], a: Arrangement, base: float) -> dict[str, Line]:
    """The lines of met3: signals from the last row on down to the decoder, or as far as they need; then
    supplies.

    Those take what is left of the height, up to `_WIDEST` each.
    """
    pdk, w, space = plan.pdk, line_width(plan.pdk), plan.pdk.space("met3")
    names = line_names(plan)
    where = {net: k for k, gates in enumerate(a.gates) for g in gates for net in g.pins}
    names.sort(key=lambda net: where[net if net in where else net.partition("[")[0]])  # near their gates
    start, top = (base + sum(r.height for r in rows[:k]) for k in (a.words - a.over, len(rows)))
    each = len(SUPPLY_LINES) * (w + space)
    pitch = pdk.down(max(w + space, (top - start) / len(names)))
    count = max(1, min(_SUPPLY_LINES, math.floor((top - base - len(names) * pitch) / each + 1e-6)))
    low = round(top - len(names) * pitch, 6)
    own = [supply_line(net, k) for k in range(count) for net in SUPPLY_LINES]
    room = pdk.down((low - base) / len(own))
    wide = min(2 * pdk.down((room - space) / 2), pdk.up2(max(_WIDEST, w)))
    first = {
        name: Line(name, "met3", pdk.down(low - (k + 0.5) * room), wide)
        for k, name in enumerate(reversed(own))
    }
    return first | {
        name: Line(name, "met3", pdk.down(low + (k + 0.5) * pitch), w) for k, name in enumerate(names)
    }


def standing_lines(plan: Plan) -> list[tuple[str, float, float]]:
    """The met3 lines as they stand in the column of drivers, all its height: net (GND and VDD several times),
    centre from the column's left edge and width (um)."""
    d = solve_driver(plan, 0)
    found = [(_line_net(name), round(d.problem.height - line.y, 6), line.w) for name, line in d.lines.items()]
    return sorted(found, key=lambda line: line[1])


def _line_net(name: str) -> str:
    """The net of a driver's line in the column of all rows."""
    return name.partition("_")[0]


def _line_pitch(plan: Plan) -> float:
    return line_width(plan.pdk) + plan.pdk.space("met3")


def _high_enough(plan: Plan, a: Arrangement, raised: int) -> tuple[Row, ...]:
    """Rows of gates, those of decoder and bits, and so many before, as high as a large array's lines need."""
    words, others = a.rows[: a.words - raised], a.rows[a.words - raised :]
    missing = len(line_names(plan)) * _line_pitch(plan) - sum(
        row.height for row in a.rows[a.words - a.over :]
    )
    more = max(0.0, plan.pdk.up2(missing / len(others)))
    return *words, *(row.solved(row.height + more) for row in others)


def _spans(plan: Plan, at: dict[str, Line], base: float, top: float) -> tuple[Span, ...]:
    """What trunks cover so that vias can choose their lines, and the supply's whole length."""
    groups = line_groups(plan)
    spans = [Span(net, at[f"{net}[0]"].y, at[f"{net}[{groups[net] - 1}]"].y) for net in ("PA", "PB", "PC")]
    low = [Span(LOW, 0.0, base)] if plan.spec.array.input_bits == 1 else []
    return *spans, *low, Span(SUPPLY, 0.0, top)


def rails(d: Driver, supply: str) -> dict[str, float]:
    """Names of a supply's rails and their heights (um)."""
    heights = [d.problem.base]
    for row in d.problem.rows:
        heights.append(round(heights[-1] + row.height, 6))
    return {f"{supply}[{k}]": heights[k] for k in range(0 if supply == GND else 1, len(heights), 2)}


@block
def row_driver(lib: Library, plan: Plan, segment: bool) -> Block:
    """The driver of every row of this kind but for the vias that choose its lines."""
    d = solve_drivers(plan)[segment]
    return draw_block(lib, "row_driver_segment" if segment else "row_driver", d.problem, d.wiring)


@block
def programmed(lib: Library, plan: Plan, row: int) -> Block:
    """The driver of one row, lying down: its lines chosen, its supply wire tied to the rails."""
    c, d = Canvas(lib, f"row_driver_{row}"), solve_driver(plan, row)
    made = row_driver(lib, plan, row in plan.cuts)
    supply = plan.supply(row)
    straps = [name for name in d.lines if name.startswith(f"{supply}_LINE")]
    nets = chosen(plan, row) | dict.fromkeys((SUPPLY, *straps, *rails(d, supply)), supply)
    first, at = next(iter(rails(d, GND).items()))
    c.place(made, nets=nets | {LOW: nets.get(first, first)})
    ties = {net: [("via2", d.lines[line].y)] for net, line in chosen(plan, row).items()}
    ties[SUPPLY] = [("via", y) for y in rails(d, supply).values()]
    ties[SUPPLY] += [("via2", d.lines[name].y) for name in straps]
    if LOW in d.wiring.trunks:
        ties[LOW] = [("via", at)]
    for net, vias in ties.items():
        trunk = d.wiring.trunks[net]
        for cut, y in vias:
            parts.via(c, cut, trunk.x, y)
        pads(c, trunk.x, [*trunk_vias(d.problem, d.wiring, trunk), *vias])
    c.export()
    return c.done(made.width, made.height, {"row": row})


@block
def row_drivers(lib: Library, plan: Plan) -> Block:
    """The drivers of all rows, upright, to the left of the array: y = 0 is the first row's lower boundary."""
    c = Canvas(lib, "row_drivers")
    cells = plan.spec.array.cells_per_cluster
    width = 0.0
    for r in range(plan.rows):
        unit, d = programmed(lib, plan, r), solve_driver(plan, r)
        width = unit.height
        nets = {pin: _row_net(pin, r, cells) for pin in unit.circuit.pins}
        nets |= {net: supply for supply in RAILS for net in rails(d, supply)}
        nets |= {name: _line_net(name) for name in d.lines}
        c.place(unit, 0, plan.y[r] - plan.y[0], turned=True, nets=nets)
    c.export()
    return c.done(width, plan.y[-1] - plan.y[0])


def _row_net(pin: str, row: int, cells: int) -> str:
    """The net of a driver's pin in the column of all rows."""
    if pin in ("ACCI", "ACCO"):
        return f"RIPPLE[{row + (pin == 'ACCO')}]"
    if pin[:3] in ("WLL", "WLR"):
        return moved([f"{pin[:3]}[{pin[3:]}]"], {pin[:3]: row * cells}).popitem()[1]
    own = pin in ("ACC", "PCHB", "SOUT", "SEG") or (pin[0] == "D" and pin[1:].isdigit())
    return f"{pin}[{row}]" if own else pin
