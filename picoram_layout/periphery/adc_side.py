"""All ADC slices below the column side, and both together: all that each output has below the array.

A slice is as wide as its output and takes AL where its column block leaves it; they share a rail. Between
slices fillers carry on lines, rails and wells, as they do between the column blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import PASSES, WELL, draw_block
from picoram_layout.logic.gates import GND
from picoram_layout.logic.wiring import RAILS, Problem, Unroutable, Wiring, solve
from picoram_layout.periphery.adc_analog import OUTPUTS, Place, outputs, slice_width, solve_analog
from picoram_layout.periphery.adc_digital import CODE_BITS, solve_slice
from picoram_layout.periphery.adc_slice import adc_slice
from picoram_layout.periphery.column_side import Output, Wires, column_side, fillers, solve_side
from picoram_layout.periphery.straps import rail_straps, rails_of, strap_reach
from picoram_layout.plan import Plan

_FIRST = "GND_FIRST"  # the rail that slices share with the column side, whose straps join it


@cache
def places(plan: Plan) -> dict[Wires, Place]:
    """Where the slices of each kind of outputs stand: rows as long as the narrowest has room for, all as high
    as the highest of them."""
    side = solve_side(plan)
    kinds = {output.wires: output for output in side.outputs}
    analog: tuple[float, ...] = ()
    digital: tuple[float, ...] = ()
    for _ in range(PASSES):
        made = {
            wires: Place(
                output.width,
                side.solved(output)[1].trunks["AL"].x,
                f"_{number}" if number else "",
                analog,
                digital,
                slice_width(plan),
            )
            for number, (wires, output) in enumerate(kinds.items())
        }
        solved = [_solved(plan, place) for place in made.values()]
        before = analog, digital
        analog, digital = (_highest(part) for part in zip(*solved, strict=True))
        if before == (analog, digital):
            return made
    raise Unroutable(f"rows of slices for {len(kinds)} kinds of outputs find no common heights")


def _highest(parts: Sequence[tuple[Problem, Wiring]]) -> tuple[float, ...]:
    """What is below the rows and each row, at the highest."""
    all_heights = [(problem.base, *(row.height for row in problem.rows)) for problem, _ in parts]
    return tuple(map(max, zip(*all_heights, strict=True)))


def _solved(plan: Plan, place: Place) -> tuple[tuple[Problem, Wiring], tuple[Problem, Wiring]]:
    at = outputs(plan.pdk, place.width, place.al, place.analog, place.room)
    return (
        solve_analog(plan.pdk, place.width, place.al, place.analog, place.room),
        solve_slice(plan.pdk, place.width, at["HIT"], at["EN1"], place.digital, place.room),
    )


def place_of(plan: Plan, output: Output) -> Place:
    """Where an output's slice stands."""
    return places(plan)[output.wires]


def solved_slice(plan: Plan, output: Output) -> tuple[tuple[Problem, Wiring], tuple[Problem, Wiring]]:
    """Analog and digital part of an output's slice, solved."""
    return _solved(plan, place_of(plan, output))


def _parts(plan: Plan) -> tuple[Problem, Problem]:
    """Analog and digital rows of the slices: the same in all."""
    (analog, _), (digital, _) = solved_slice(plan, solve_side(plan).outputs[0])
    return analog, digital


@dataclass(frozen=True)
class Heights:
    """Where things are in the output side: a block's own height is turned upside down."""

    columns: float  # lower edge of the column side
    column: float  # what a height in a column block is taken from
    analog: float
    digital: float


def heights(plan: Plan) -> Heights:
    """The output side's heights."""
    analog, digital = _parts(plan)
    top = round(analog.height - digital.base + digital.height, 6)
    columns = round(top - analog.base, 6)
    column = round(columns + solve_side(plan).problem.height, 6)
    return Heights(columns, column, top, digital.height)


def stacked(plan: Plan) -> dict[str, tuple[Problem, float]]:
    """Rows of the columns and of the slices' two parts from above, each with what a height in it is taken
    from."""
    at, (analog, digital) = heights(plan), _parts(plan)
    return {
        "columns": (solve_side(plan).problem, at.column),
        "analog": (analog, at.analog),
        "digital": (digital, at.digital),
    }


def lines(plan: Plan) -> list[tuple[str, float]]:
    """Lines across all outputs and their heights in the output side."""
    of = stacked(plan).values()
    return [(line.net, round(top - line.y, 6)) for problem, top in of for line in problem.lines]


def rails(plan: Plan) -> list[float]:
    """Heights of all rails in the output side."""
    return [round(top - y, 6) for problem, top in stacked(plan).values() for _, y in rails_of(problem)]


@block
def adc_filler(lib: Library, plan: Plan, width: float) -> Block:
    """Between two slices: their lines, rails and wells; straps join the rails of each supply."""
    c, y, before = Canvas(lib, f"adc_filler_{round(1000 * width)}"), 0.0, 0
    rails: list[tuple[str, float]] = []
    for part, of in zip(("analog", "digital"), _parts(plan), strict=True):
        empty = tuple(() for _ in of.rows)
        problem = Problem(of.rows, empty, of.lines, width=width, base=of.base, joined=True)
        made = draw_block(lib, f"{c.cell.name}_{part}", problem, solve(problem))
        y -= of.base if y else 0.0
        first = {} if before else {f"{GND}[0]": _FIRST}
        c.place(made, 0.0, y, nets=_rails(made.circuit.pins, before) | first)
        rails += [(net, round(y + at, 6)) for net, at in rails_of(problem)[1:]]  # the first is joined beyond
        y, before = round(y + made.height, 6), before + len(of.rows)
    rail_straps(c, rails, [], width, (0.0, round(y + strap_reach(lib.pdk), 6)))
    c.export()
    return c.done(width, y)


def _rails(pins: Sequence[str], below: int) -> dict[str, str]:
    """Rails by their supplies' names, wells by their number from the array."""
    nets = {}
    for pin in pins:
        name, _, number = pin.rstrip("]").partition("[")
        if name in RAILS:
            nets[pin] = name
        elif name == WELL:
            nets[pin] = f"{name}_ADC[{int(number) + below}]"
    return nets


@block
def adc_side(lib: Library, plan: Plan) -> Block:
    """All slices side by side; the upper edge meets the column side, x as there."""
    c, height = Canvas(lib, "adc_side"), 0.0
    for output in solve_side(plan).outputs:
        made = adc_slice(lib, place_of(plan, output))
        nets = {f"CODE[{k}]": f"CODE[{output.number * CODE_BITS + k}]" for k in range(CODE_BITS)}
        nets |= {net: f"{net}[{output.number}]" for net in ("AL", *OUTPUTS)}
        nets |= _rails(made.circuit.pins, 0) | {f"{GND}[0]": _FIRST}
        c.place(made, output.x, 0.0, mirror_y=True, nets=nets)
        height = made.height
    for filler in fillers(plan):
        c.place(adc_filler(lib, plan, filler.width), filler.x, 0.0, mirror_y=True)
    c.export()
    return c.done(solve_side(plan).width, height)


@block
def output_side(lib: Library, plan: Plan) -> Block:
    """Column blocks and slices of all outputs, as they stand below the array."""
    c = Canvas(lib, "output_side")
    slices, columns = adc_side(lib, plan), column_side(lib, plan)
    y = heights(plan).columns
    c.place(slices, nets={_FIRST: GND})
    c.place(columns, 0.0, y)
    c.export()
    return c.done(columns.width, round(y + columns.height, 6))
