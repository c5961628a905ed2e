"""The foot of the row side: decoders and line drivers below the column of row drivers.

Solved with its pins below, and placed upside down. Between it and the row drivers is the landing: lines
(met3) and tracks (met1) arrive there closer than met2 wires can stand, so they first turn to places that are
far enough apart, each on its own layer, and go on in met2. All lengths in um.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate
from picoram_layout.logic.rows import Row
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.wiring import (
    RAILS,
    Pin,
    Problem,
    Unroutable,
    Wiring,
    columns,
    fan_height,
    isotonic,
    trunk_pitch,
    turn_levels,
)
from picoram_layout.periphery.foot_logic import foot
from picoram_layout.periphery.row_driver import solve_driver, standing_lines
from picoram_layout.periphery.row_places import Wires, ordered
from picoram_layout.periphery.straps import by_supply, met4_width, rails_of, stack, strap_reach
from picoram_layout.plan import Plan

_VIA = {"met3": "via2", "met1": "via"}  # from a layer to met2
_DIODE = "SEGB"  # long, with so few gates that charge from etching its track would harm them
_NEAR = 0.3  # part of the distance that is allowed from a diode to a tap
_WIDER, _MOST_WIDER = 0.025, 24  # steps, as parts of the drivers' width, by which a crowded foot is wider
_FILL = 0.85  # part of a row's length that gates may take: the rest is for taps


@dataclass(frozen=True)
class Arrival:
    """A wire at the lower edge of the row drivers: its net, layer, centre and width."""

    net: str
    layer: str
    x: float
    w: float


@dataclass(frozen=True)
class SolvedFoot:
    """Arriving wires from the left, the places they turn to; problem and wiring of the rows."""

    arrivals: tuple[Arrival, ...]
    xs: tuple[float, ...]
    problem: Problem
    wiring: Wiring
    extra: float  # how far it reaches to the left of the drivers


def arrivals(plan: Plan) -> tuple[Arrival, ...]:
    """Lines and tracks of the row drivers, turned by a quarter as they stand."""
    d = solve_driver(plan, 0)
    width = d.problem.height
    tracks = {(p.net, p.row): p.track for p in d.wiring.pieces}
    found = [
        Arrival(
            "RIPPLE[0]" if feed.net == "ACCI" else feed.net,
            "met1",
            round(width - d.problem.y(feed.row, tracks[feed.net, feed.row]), 6),
            d.problem.rows[feed.row].track,
        )
        for feed in d.problem.feeds
        if feed.left
    ]
    # supplies and levels have straps of their own above the lines
    at_top = {net for net, _, _ in standing_lines(plan) if net in RAILS or net.startswith("VREF")}
    found += [Arrival(net, "met3", x, w) for net, x, w in standing_lines(plan) if net not in at_top]
    return tuple(sorted(found, key=lambda arrival: arrival.x))


def strap_places(plan: Plan) -> dict[str, float]:
    """Where the supplies' last lines lie, next to the array: the foot's rails reach their straps (um)."""
    return {net: x for net, x, _ in standing_lines(plan) if net in RAILS}


def logic_width(plan: Plan) -> float:
    """Width of the foot's rows: they end beside those straps."""
    pdk = plan.pdk
    beside = met4_width(pdk) / 2 + max(pdk.space("met3"), pdk.space("met1"), pdk.space("met2"))
    return pdk.down(min(strap_places(plan).values()) - beside)


def spread(plan: Plan, wires: Sequence[Arrival], width: float) -> tuple[float, ...]:
    """Places for the wires in their order in this ``width``, near where they arrive.

    They are apart as vias on met2 must be, and as that layer's wires must be, where neighbours are on one
    layer; else as a via must be from a wire: vias of different layers have different heights.
    """
    pdk, d = plan.pdk, solve_driver(plan, 0)
    least = max(trunk_pitch(d.problem.rows[0]))
    pads = {layer: via_pad(pdk, "met2", cut)[0] for layer, cut in _VIA.items()}
    past = pdk.up((max(pads.values()) + pdk.width("met2")) / 2 + pdk.space("met2"))
    steps = [
        max(pads[a.layer] + pdk.space("met2"), a.w + pdk.space(a.layer)) if a.layer == b.layer else past
        for a, b in itertools.pairwise(wires)
    ]
    offsets = list(itertools.accumulate(steps, initial=0.0))
    ideal = isotonic([a.x - off for a, off in zip(wires, offsets, strict=True)])
    low, high = least / 2, width - least / 2 - offsets[-1]
    return tuple(
        pdk.up(min(max(z, low), high) + off - pdk.grid / 2) for z, off in zip(ideal, offsets, strict=True)
    )


@cache
def solve_foot(plan: Plan) -> SolvedFoot:
    """The foot, as wide as its drivers or, if its wires find no room there, wider to the left."""
    width = solve_driver(plan, 0).problem.height
    *extras, last = (plan.pdk.up(more * _WIDER * width) for more in range(_MOST_WIDER + 1))
    for extra in extras:
        with suppress(Unroutable):
            return _solved(plan, extra)
    return _solved(plan, last)


def _solved(plan: Plan, extra: float) -> SolvedFoot:
    """Gates dealt to rows in the order of their lines, and wired."""
    wires = tuple(replace(a, x=round(a.x + extra, 6)) for a in arrivals(plan))
    width = round(logic_width(plan) + extra, 6)
    xs = spread(plan, wires, width)
    made = foot(plan, [a.net for a in wires])
    at = {a.net: a.x for a in wires}
    lines = sorted(made.lines, key=lambda line: at[line.net])
    stages = [stage for line in made.lines for stage in line.stages]
    drivers = sorted(stages, key=lambda stage: at[stage[-1].pins[-1]])
    logic = [line.logic for line in lines if line.logic]
    gates = [
        row for part in (drivers, logic, [[g] for g in made.shared]) for row in _dealt(plan, part, width)
    ]
    rows = rows_for(plan.pdk, gates, close=True)
    reach = Wires(dict(zip((a.net for a in wires), xs, strict=True)), lambda net: False, frozenset())
    gates = [ordered(row, width, size, reach) for row, size in zip(gates, rows, strict=True)]
    placed = tapped(rows, gates)
    pins = [Pin(a.net, "bottom", x) for a, x in zip(wires, xs, strict=True)]
    pins += [Pin(net, "top") for net in made.inputs]

    def problem(rows: tuple[Row, ...], base: float = 0.0) -> Problem:
        return Problem(rows, placed, pins=tuple(pins), width=width, base=base)

    base = max(rows[0].rail, fan_height(problem(tuple(rows))))
    return SolvedFoot(wires, xs, *routed(rows, lambda rows: problem(rows, base), 8 * len(rows)), extra)


def _dealt(plan: Plan, groups: Sequence[Sequence[Gate]], width: float) -> list[list[Gate]]:
    """As few rows as hold the groups, each dealt to the emptiest: a row's are spread as their lines are.

    `Unroutable` if a group is longer than a row.
    """
    largest = sorted(groups, key=lambda group: -sum(len(g.n) for g in group))
    for count in range(1, max(1, len(groups)) + 1):
        for order in (groups, largest):
            rows: list[list[Gate]] = [[] for _ in range(count)]
            for group in order:
                min(rows, key=lambda row: sum(len(g.n) for g in row)).extend(group)
            sized = rows_for(plan.pdk, rows, close=True)
            if all(r.width(len(columns(g).n)) <= _FILL * width for r, g in zip(sized, rows, strict=True)):
                return rows
    raise Unroutable(f"gates of a line are longer than {_FILL * width:g} um, {_FILL:g} of the foot's rows")


@block
def foot_rows(lib: Library, plan: Plan) -> Block:
    """The rows of gates, their lines' pins at the lower edge."""
    solved = solve_foot(plan)
    return draw_block(lib, "row_foot_logic", solved.problem, solved.wiring)


def _levels(plan: Plan, solved: SolvedFoot) -> dict[str, list[float]]:
    """For the wires of each layer: how far below the drivers they turn, met3 nearer to them than met1."""
    pdk, found, before = plan.pdk, dict[str, list[float]](), 0.0
    for layer, cut in _VIA.items():
        mine = [(a, x) for a, x in zip(solved.arrivals, solved.xs, strict=True) if a.layer == layer]
        w = mine[0][0].w
        high = max(w, via_pad(pdk, layer, cut)[1])
        levels = turn_levels([a.x for a, _ in mine], [x for _, x in mine], w + pdk.space(layer))
        first = pdk.up(max(pdk.space(layer) + high / 2, pdk.area(layer) / w, before))
        found[layer] = [pdk.up(first + level * (high + pdk.space(layer))) for level in levels]
        pads = [via_pad(pdk, "met2", one)[1] / 2 for one in _VIA.values()]
        before = max(found[layer]) + sum(pads) + pdk.space("met2")
    return found


def landing_height(plan: Plan) -> float:
    """Height of the landing."""
    turns = [y for ys in _levels(plan, solve_foot(plan)).values() for y in ys]
    pdk = plan.pdk
    pads = [via_pad(pdk, layer, cut)[1] / 2 + pdk.space(layer) for layer, cut in _VIA.items()]
    return pdk.up(max(max(turns) + max(pads), _diode_low(plan) + _diode_side(plan)) + pdk.space("nwell"))


def _diode_side(plan: Plan) -> float:
    """Least width of a diode."""
    pdk = plan.pdk
    return pdk.up2(pdk.size("licon") + 2 * pdk.enclosure_adjacent("diff", "licon_diff"))


def _diode_low(plan: Plan) -> float:
    """From the foot's rows to a diode: its implant keeps away from theirs, which taps interrupt."""
    pdk, track = plan.pdk, solve_driver(plan, 0).problem.rows[0].track
    reach = pdk.up(parts.mcon_reach(pdk, track)) + pdk.space("met1") - _diode_side(plan) / 2
    return max(reach, pdk.space("nsdm") + pdk.up(pdk.enclosure("nsdm", "ndiff")))


@block
def row_foot(lib: Library, plan: Plan) -> Block:
    """Foot and landing as they stand below the row drivers: the upper edge meets their lower one."""
    solved, logic = solve_foot(plan), foot_rows(lib, plan)
    c, pdk = Canvas(lib, "row_foot"), lib.pdk
    c.place(logic, mirror_y=True, nets=by_supply(logic.circuit.pins))
    top = round(logic.height + landing_height(plan), 6)
    turns = {layer: iter(ys) for layer, ys in _levels(plan, solved).items()}
    w2 = pdk.width("met2")
    for a, x in zip(solved.arrivals, solved.xs, strict=True):
        y, cut, half = round(top - next(turns[a.layer]), 6), _VIA[a.layer], a.w / 2
        high = max(a.w, via_pad(pdk, a.layer, cut)[1]) / 2  # no notch beside the via's pad
        c.box(a.layer, a.x - half, y - high, a.x + half, top)
        c.box(a.layer, min(a.x, x) - half, y - high, max(a.x, x) + half, y + high)
        parts.via(c, cut, x, y)
        parts.rect(c, "met2", x, y, *via_pad(pdk, "met2", cut))
        c.box("met2", x - w2 / 2, logic.height, x + w2 / 2, y)
        c.port(a.net, a.layer, a.x - half, y, a.x + half, top)
        if a.net == _DIODE:
            _diode(c, plan, x, logic.height, y)
    _straps(c, plan, solved.problem, top)
    c.export()
    return c.done(round(solve_driver(plan, 0).problem.height + solved.extra, 6), top)


def _straps(c: Canvas, plan: Plan, problem: Problem, top: float) -> None:
    """A strap of met4 for each supply beside the rows, below the drivers' one; all rails go on to it."""
    pdk, half, extra = plan.pdk, problem.rows[0].rail, solve_foot(plan).extra
    at = {net: round(x + extra, 6) for net, x in strap_places(plan).items()}
    for net, y0 in rails_of(problem):
        x, y = at[net], round(problem.height - y0, 6)
        c.box("met1", problem.width, y - half, x + pdk.up2(via_pad(pdk, "met1", "via")[1]) / 2, y + half)
        stack(c, x, y)
    for net, x in at.items():
        c.box("met4", x - met4_width(pdk) / 2, -strap_reach(pdk), x + met4_width(pdk) / 2, top)
        c.port(net, "met4", x - met4_width(pdk) / 2, 0.0, x + met4_width(pdk) / 2, top)


def diode_area(plan: Plan) -> float:
    """Area (um2) of the diode that allows for all of SEGB's track: gates of one inverter in a segment row."""
    pdk, track = plan.pdk, solve_driver(plan, 0).problem.rows[0].track
    rule = pdk.get("antenna", "met1")
    if rule is None or not plan.cuts:
        return 0.0
    etched = 2 * (plan.y[-1] - plan.y[0] + landing_height(plan) + track) * rule.extra["thickness"]
    gates = len(plan.cuts) * 3 * pdk.channel_width * pdk.width("poly")
    return (
        max(0.0, etched / gates - (rule.value or 0.0) - rule.extra["diode_bonus"])
        / rule.extra["diode_factor"]
    )


def _diode(c: Canvas, plan: Plan, x: float, low: float, high: float) -> None:
    """An n+ diode to the substrate below a track's via at height ``high``, above rows that end at ``low``."""
    pdk, row, width = c.pdk, solve_foot(plan).problem.rows[0], solve_foot(plan).problem.width
    side, around = _diode_side(plan), pdk.up(pdk.enclosure("nsdm", "ndiff"))
    reach = pdk.up(parts.mcon_reach(pdk, row.track))
    y1 = round(low + _diode_low(plan), 6)
    y = round(y1 + side / 2, 6)  # of its contact
    y2 = max(y1 + side, pdk.down(low + landing_height(plan) - pdk.space("nwell") - around))
    near = _NEAR * pdk.rule("latchup", "ndiff_sd", "ptap", "nwell")  # the rows' taps are its own
    y2 = min(y2, max(y1 + side, pdk.down(low + near)))
    w = max(side, pdk.up2(diode_area(plan) / (y2 - y1)))
    x1 = pdk.down(min(max(x - w / 2, around), width - around - w))
    c.box("diff", x1, y1, x1 + w, y2)
    c.box("nsdm", x1 - around, y1 - around, x1 + w + around, y2 + around)
    parts.licon(c, x, y)
    parts.li_pad(c, x, y, "y")
    parts.mcon(c, x, y)
    c.box("met1", x - row.track / 2, y - reach, x + row.track / 2, high)
