"""The column side: below the array, for each output the switches, write drivers and latches of its columns.

A block is solved with its pins below, and placed upside down: the columns' wires enter at the upper edge,
data and AL leave at the lower one. Where the array has a DAC strip between two outputs a filler carries on
the lines (met3), rails and wells and leads the strip's control wires down; a strip between two columns of one
output passes through its block. All lengths in um.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.devices import row_for
from picoram_layout.logic.draw import PASSES, WELL, draw_block, routed
from picoram_layout.logic.gates import VDD, Gate
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import (
    Line,
    Pin,
    Problem,
    Unroutable,
    Wiring,
    fan_height,
    line_width,
    reached_above,
    solve,
)
from picoram_layout.periphery.column_logic import LEAST_BITS, LINES, arrange
from picoram_layout.periphery.straps import (
    by_supply,
    met4_width,
    rail_straps,
    rails_of,
    strap_places,
    strap_reach,
)
from picoram_layout.plan import Plan
from picoram_layout.spec.problem import Problem as Fault
from picoram_layout.spec.problem import SpecError

REACHED = 2  # rows before the lower edge in which wires that leave there can be joined from above

Wires = tuple[tuple[str, float], ...]  # nets with their places


@dataclass(frozen=True)
class Output:
    """Where an output's columns are: left edge, width, wires from the array (x from the left edge)."""

    number: int
    x: float
    width: float
    wires: Wires


@dataclass(frozen=True)
class Side:
    """The solved column side: outputs, and problem and wiring of each kind of them by its wires."""

    outputs: tuple[Output, ...]
    kinds: dict[Wires, tuple[Problem, Wiring]]

    @property
    def width(self) -> float:
        """From the array's left edge to the last output's right one (um)."""
        last = self.outputs[-1]
        return round(last.x + last.width, 6)

    @property
    def problem(self) -> Problem:
        """One of the kinds' problems: rows and lines are the same in all."""
        return next(iter(self.kinds.values()))[0]

    def solved(self, output: Output) -> tuple[Problem, Wiring]:
        """Problem and wiring of an output."""
        return self.kinds[output.wires]


def column_wires(plan: Plan) -> list[tuple[float, float, float]]:
    """Left edge of each column, centres of its VL and its GBLB."""
    vl, gblb = plan.t.lanes["VL"], plan.t.width - plan.t.xn
    inside = round((vl.x1 + vl.x2) / 2, 6), gblb
    found: list[tuple[float, float, float]] = []
    for (_, x0), size in zip(plan.x, plan.groups, strict=True):
        for k in range(size):
            x = x0 + k * plan.t.width
            at = [plan.t.width - dx for dx in inside] if len(found) % 2 else list(inside)
            found.append((round(x, 6), round(x + at[0], 6), round(x + at[1], 6)))
    return found


def strip_wires(plan: Plan) -> list[tuple[str, float]]:
    """Control wires of the DAC strips and their centres."""
    found = []
    for strip, (x, _) in zip(plan.strips, plan.x, strict=True):
        for name in ("SMP", "SHR"):
            if strip.has(name):
                lane = strip.lane(name)
                found.append((f"{name}[{strip.index}]", round(x + (lane.x1 + lane.x2) / 2, 6)))
    return found


def outputs(plan: Plan) -> tuple[Output, ...]:
    """All outputs from the left; a block calls its own columns 0, 1, .. from the left."""
    bits, columns = plan.spec.array.weight_bits, column_wires(plan)
    made = []
    for n in range(plan.spec.array.outputs):
        mine = columns[n * bits : (n + 1) * bits]
        x, end = mine[0][0], round(mine[-1][0] + plan.t.width, 6)
        wires = [(f"VL{k}", vl) for k, (_, vl, _) in enumerate(mine)]
        wires += [(f"GBLB{k}", gblb) for k, (_, _, gblb) in enumerate(mine)]
        wires += [(net, at) for net, at in strip_wires(plan) if x < at < end]
        made.append(Output(n, x, round(end - x, 6), tuple((net, round(at - x, 6)) for net, at in wires)))
    return tuple(made)


def check_bits(plan: Plan) -> None:
    """`SpecError` for weights of so few bits that their columns are narrower than their gates."""
    bits = plan.spec.array.weight_bits
    if bits < LEAST_BITS:
        why = f"must be {LEAST_BITS} or more: fewer columns are narrower than what an output has below them"
        raise SpecError("", [Fault("array.weight_bits", bits, why, LEAST_BITS)])


@cache
def solve_side(plan: Plan) -> Side:
    """Wire all kinds of outputs in rows of the same heights; `SpecError` for weights of too few bits."""
    check_bits(plan)
    places, gates = outputs(plan), arrange(plan)
    kinds = {output.wires: output for output in places}
    rows = tuple(row_for(plan.pdk, row) for row in gates)
    base = max(_landing(plan), *(fan_height(_problem(plan, o, gates, 0.0, rows)) for o in kinds.values()))
    for _ in range(PASSES):
        solved = {}
        for wires, output in kinds.items():
            solved[wires] = routed(rows, partial(_problem, plan, output, gates, base))
            rows = solved[wires][0].rows
        if all(problem.rows == rows for problem, _ in solved.values()):
            return Side(places, solved)
    raise Unroutable(f"rows of {len(kinds)} kinds of outputs find no common heights")


def _landing(plan: Plan) -> float:
    """Below the rows: room for the vias of the array's wires."""
    pdk = plan.pdk
    rail = row_for(pdk, arrange(plan)[0]).rail
    return pdk.up2(via_pad(pdk, "met1", "via")[1] + pdk.space("met1") + rail)


def _problem(
    plan: Plan, output: Output, gates: tuple[tuple[Gate, ...], ...], base: float, rows: tuple[Row, ...]
) -> Problem:
    """What has to be wired: gates, lines, the columns' wires, and what leaves below."""
    pins = [Pin(net, "bottom", x) for net, x in output.wires]
    pins += [Pin(net, "top") for net in below(plan, output)]
    lines = tuple(Line(net, "met3", y, line_width(plan.pdk)) for net, y in _heights(plan, rows, base).items())
    plain = Problem(rows, gates, lines, tuple(pins), width=output.width, base=base)
    return reached_above(plain, [net for net in below(plan, output) if net != "AL"], REACHED)


def below(plan: Plan, output: Output) -> list[str]:
    """Nets that leave at the far edge."""
    bits = range(plan.spec.array.weight_bits)
    through = [net for net, _ in output.wires if net[:3] in ("SMP", "SHR")]
    return ["AL", *(f"DI{k}" for k in bits), *(f"DO{k}" for k in bits), *through]


def _heights(plan: Plan, rows: tuple[Row, ...], base: float) -> dict[str, float]:
    """Centres of the lines, dealt to the rows: away from the rails, whose straps' stacks have met3, too."""
    found, y = {}, base
    for number, row in enumerate(rows):
        mine = [net for k, net in enumerate(LINES) if k * len(rows) // len(LINES) == number]
        for k, net in enumerate(mine, 1):
            found[net] = plan.pdk.down(y + row.height * k / (len(mine) + 1))
        y += row.height
    return found


@dataclass(frozen=True)
class Filler:
    """Between outputs: left edge, width, and the wires that lead down from the array."""

    x: float
    width: float
    wires: Wires


def fillers(plan: Plan) -> tuple[Filler, ...]:
    """What is left between the outputs."""
    made, x = [], 0.0
    for output in outputs(plan):
        if output.x > x:
            wires = tuple((net, round(at - x, 6)) for net, at in strip_wires(plan) if x < at < output.x)
            made.append(Filler(x, round(output.x - x, 6), wires))
        x = round(output.x + output.width, 6)
    return tuple(made)


def _filler_problem(plan: Plan, filler: Filler) -> Problem:
    """Lines, rails and wells of the outputs, without gates."""
    made = solve_side(plan).problem
    pins = [pin for net, at in filler.wires for pin in (Pin(net, "bottom", at), Pin(net, "top"))]
    empty = tuple(() for _ in made.rows)
    return Problem(made.rows, empty, made.lines, tuple(pins), width=filler.width, base=made.base)


@cache
def filler_wiring(plan: Plan, filler: Filler) -> Wiring:
    """The wires that lead down through a filler."""
    return solve(_filler_problem(plan, filler))


@block
def column_logic(lib: Library, plan: Plan, wires: Wires) -> Block:
    """The block of one kind of output, its columns' wires at the lower edge."""
    side = solve_side(plan)
    number = list(side.kinds).index(wires)
    return draw_block(lib, f"column_logic_{number}" if number else "column_logic", *side.kinds[wires])


@block
def column_output(lib: Library, plan: Plan, wires: Wires) -> Block:
    """One output as it stands below the array: its wires' met1 at the upper edge."""
    problem, _ = solve_side(plan).kinds[wires]
    made = column_logic(lib, plan, wires)
    c = Canvas(lib, made.name.replace("logic", "output"))
    c.place(made, mirror_y=True)
    _landings(c, plan, problem, wires)
    c.export()
    return c.done(made.width, made.height)


@block
def column_filler(lib: Library, plan: Plan, filler: Filler) -> Block:
    """A filler as it stands below the array, with met4 straps that join the rails of each supply."""
    problem = _filler_problem(plan, filler)
    wiring = filler_wiring(plan, filler)
    name = f"column_filler_{fillers(plan).index(filler)}"
    made = draw_block(lib, f"{name}_wires", problem, wiring)
    c = Canvas(lib, name)
    c.place(made, mirror_y=True, nets=_supplies(made.circuit.pins))
    _landings(c, plan, problem, filler.wires)
    rails = [(net, round(problem.height - y, 6)) for net, y in rails_of(problem)]
    wires = [trunk.x for trunk in wiring.trunks.values()]
    reach, first = strap_reach(plan.pdk), round(problem.height - problem.base, 6)
    rail_straps(c, rails, wires, filler.width, (-reach, round(first + reach, 6)))
    at, half = strap_places(plan.pdk, filler.width)[VDD], met4_width(plan.pdk) / 2
    c.box("met4", at - half, first, at + half, problem.height)  # GND's keeps away from the array's wide met4
    c.export()
    return c.done(made.width, made.height)


def _landings(c: Canvas, plan: Plan, problem: Problem, wires: Wires) -> None:
    """From the array's met1 to the block's met2."""
    w, h = via_pad(plan.pdk, "met1", "via")
    half = plan.pdk.up2(plan.t.line) / 2
    for net, x in wires:
        y = problem.height - plan.pdk.up(h / 2)
        parts.via(c, "via", x, y)
        parts.rect(c, "met1", x, y, w, h)
        c.box("met1", x - half, y, x + half, problem.height)
        parts.rect(c, "met2", x, y, *via_pad(plan.pdk, "met2", "via"))
        c.port(net, "met1", x - half, y, x + half, problem.height)


@block
def column_side(lib: Library, plan: Plan) -> Block:
    """All outputs side by side: the upper edge meets the array's lower one, x as there."""
    c = Canvas(lib, "column_side")
    for output in outputs(plan):
        made = column_output(lib, plan, output.wires)
        c.place(made, output.x, 0, nets=_nets(plan, output.number, made.circuit.pins))
    for filler in fillers(plan):
        c.place(column_filler(lib, plan, filler), filler.x, 0)
    c.export()
    side = solve_side(plan)
    return c.done(side.width, side.problem.height)


def _nets(plan: Plan, output: int, pins: Iterable[str]) -> dict[str, str]:
    """Nets of an output's pins in the whole side."""
    bits = plan.spec.array.weight_bits
    nets = {
        f"{name}{k}": f"{name}[{output * bits + k}]"
        for name in ("VL", "GBLB", "DI", "DO")
        for k in range(bits)
    }
    nets["AL"] = f"AL[{output}]"
    return nets | _supplies(pins)


def _supplies(pins: Iterable[str]) -> dict[str, str]:
    """Rails by their supplies' names, each row of wells by its number."""
    return by_supply(pins) | {pin: f"{pin[:2]}_COLUMNS{pin[2:]}" for pin in pins if pin.startswith(WELL)}


def leaving(plan: Plan) -> dict[str, float]:
    """Nets at the lower edge and their places (um from the array's left edge)."""
    side, found = solve_side(plan), dict[str, float]()
    for output in side.outputs:
        trunks, nets = side.solved(output)[1].trunks, _nets(plan, output.number, ())
        found |= {nets.get(net, net): round(output.x + trunks[net].x, 6) for net in below(plan, output)}
    for filler in fillers(plan):
        trunks = filler_wiring(plan, filler).trunks
        found |= {net: round(filler.x + trunks[net].x, 6) for net, _ in filler.wires}
    return found
