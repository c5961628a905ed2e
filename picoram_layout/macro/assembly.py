"""The macro's blocks side by side: row side left of the array, outputs below, the guard ring around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from picoram_layout.array.array import array
from picoram_layout.cells.dac_strip import supply_island
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Block, Canvas, Library
from picoram_layout.logic.draw import WELL
from picoram_layout.logic.wiring import RAILS
from picoram_layout.macro.edge import LAYER, Edge, draw_edge, solve_edge
from picoram_layout.macro.grid import Strap, draw_grid, rungs, straps
from picoram_layout.macro.guard_ring import guard_ring, solve_ring
from picoram_layout.macro.inputs import DONE, draw_inputs, solve_inputs
from picoram_layout.periphery.base_lines import SAMPLE, SAMPLE_LAST, SHARE
from picoram_layout.periphery.column_side import fillers, solve_side
from picoram_layout.periphery.risers import OVER, Riser, control, outputs_on_base, solve_risers
from picoram_layout.periphery.risers import pins as output_pins
from picoram_layout.periphery.risers import straps as output_straps
from picoram_layout.periphery.row_driver import row_drivers, solve_driver
from picoram_layout.periphery.row_foot import row_foot
from picoram_layout.periphery.straps import met3_width, met4_width, stack, stack_pads, strap_places
from picoram_layout.plan import Plan
from picoram_layout.spec import Problem, SpecError


@dataclass(frozen=True)
class Part:
    """A placed block: its name and kind in the floorplan, and its lower left corner (um)."""

    name: str
    kind: str
    block: Block
    x: float
    y: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Lower left and upper right corner (um)."""
        far = self.x + self.block.width, self.y + self.block.height
        return self.x, self.y, round(far[0], 6), round(far[1], 6)


@dataclass(frozen=True)
class Macro:
    """The finished macro: its cell, its parts by name, the power grid."""

    top: Block
    parts: dict[str, Part]
    straps: tuple[Strap, ...]
    rungs: tuple[Strap, ...]


def _parts(lib: Library, plan: Plan, low: float, room: float) -> tuple[dict[str, Part], float, float]:
    """Blocks and their places, the macro's width and height.

    The array stands on the outputs, ``low`` above the lower edge, its first row beside that row's driver, the
    drivers on their foot; below the foot are the base and ``room`` for wires.
    """
    cells, outputs = array(lib, plan), outputs_on_base(lib, plan)
    drivers, foot = row_drivers(lib, plan), row_foot(lib, plan)
    left, base = _under_foot(plan)
    edge = margin(plan)
    if left and foot.height - plan.y[0] + base + room > outputs.height:
        raise _too_many(plan, "their decoders would reach the base")
    x = round(edge + max(foot.width, left), 6)
    y = round(low + max(outputs.height, base + room + foot.height - plan.y[0]), 6)
    row, beside = round(y + plan.y[0], 6), round(x - drivers.width, 6)
    parts = (
        Part("row drivers", "row drivers", drivers, beside, row),
        Part("row foot", "row foot", foot, round(x - foot.width, 6), round(row - foot.height, 6)),
        Part("array", "array", cells, x, y),
        Part("outputs", "outputs", outputs, round(x - left, 6), round(y - outputs.height, 6)),
    )
    found = {part.name: part for part in parts}
    right = max(cells.width, outputs.width - left)
    return found, round(x + right + edge, 6), round(y + cells.height + edge, 6)


def _too_many(plan: Plan, why: str) -> SpecError:
    """The refusal of inputs whose decoders have no room beside these outputs."""
    array = plan.spec.array
    way = f"must be less than {array.inputs} with {array.outputs} outputs, or have more outputs"
    return SpecError("", [Problem("array.inputs", array.inputs, f"{why}; {way}")])


def _under_foot(plan: Plan) -> tuple[float, float]:
    """How far the base reaches under the foot, and how high it is there."""
    left, high = solve_risers(plan).side
    return (left, high) if left else (0.0, 0.0)


def margin(plan: Plan) -> float:
    """Room for the guard ring around the blocks."""
    pdk, ring = plan.pdk, solve_ring(plan.pdk)
    rail = solve_driver(plan, 0).problem.rows[0].rail  # half of it lies beyond the drivers' edge
    beside = (ring.width + ring.wire) / 2 + pdk.space("met1") + rail
    return pdk.up(max(ring.width + ring.gap, beside))


def macro(lib: Library, plan: Plan) -> Macro:
    """The whole macro; its cell has the spec's name."""
    pdk, c = plan.pdk, Canvas(lib, plan.spec.name)
    low, room = margin(plan), 0.0
    while True:
        parts, width, height = _parts(lib, plan, low, room)
        upright, made = _solved(plan, parts, low, height)
        if made is None:
            room = pdk.up(room + met3_width(pdk) + pdk.space("met3"))
            if room > parts["row foot"].block.height:  # more than side by side they would ever take
                raise _too_many(plan, "wires of their decoders find no room below them")
            continue
        edge = _edge(plan, parts["outputs"], made, width)
        if edge.height <= low:
            break
        low = edge.height
    for part in parts.values():
        c.place(part.block, part.x, part.y, nets=_nets(plan, part))
    guard_ring(lib, c, width, height)
    _, first, _, last = parts["row drivers"].box
    across = rungs(plan, parts["array"].y, width)
    draw_grid(c, plan, upright, across, first, last)
    draw_inputs(c, plan, made, low, parts["row foot"].box[:2], last)
    _join_outputs(c, plan, parts)
    _tie_ring(c, plan, upright, height)
    draw_edge(c, edge, low, {_edge_name(net, "outputs"): parts["outputs"].y for net in output_pins(plan)})
    return Macro(c.done(width, height, {"spec": plan.spec.name}), parts, tuple(upright), tuple(across))


def _solved(
    plan: Plan, parts: dict[str, Part], low: float, height: float
) -> tuple[list[Strap], list[Riser] | None]:
    """Straps over the drivers, and the wires of the row side down to ``low`` (None: no room)."""
    drivers, foot, outputs = parts["row drivers"], parts["row foot"], parts["outputs"]
    upright = straps(plan, drivers.x, drivers.y, foot.y, height)
    below = [round(outputs.x + x, 6) for _, x, low in output_straps(plan) if not low]
    floor = round(low + _under_foot(plan)[1], 6)
    left, _, right, top = drivers.box
    return upright, solve_inputs(plan, (foot.x, foot.y), (left, top), floor, right, below, upright)


def _join_outputs(c: Canvas, plan: Plan, parts: dict[str, Part]) -> None:
    """The straps between the outputs go on to the array's supplies: VDD's in met4, GND's in met3."""
    pdk, cells = plan.pdk, parts["array"]
    w4, w3, wide = met4_width(pdk), met3_width(pdk), supply_island(pdk)
    rail = solve_side(plan).problem.base  # the first one, GND's
    for filler in fillers(plan):
        at = {net: round(cells.x + filler.x + x, 6) for net, x in strap_places(pdk, filler.width).items()}
        c.box("met4", at["VDD"] - w4 / 2, cells.y, at["VDD"] + w4 / 2, cells.y + plan.end.vdd)
        middle, y = round(cells.x + filler.x + pdk.down(filler.width / 2), 6), round(cells.y - rail, 6)
        c.box("met3", at["GND"] - w3 / 2, y - w3 / 2, middle + wide / 2, y + w3 / 2)
        c.box("met3", middle - wide / 2, y - w3 / 2, middle + wide / 2, cells.y)


def _tie_ring(c: Canvas, plan: Plan, upright: Sequence[Strap], height: float) -> None:
    """The guard ring's upper side to the straps of GND."""
    pdk = plan.pdk
    y = pdk.down(height - max(high for _, high in stack_pads(pdk).values()) / 2)
    short, long = via_pad(pdk, "met1", "via")
    half = pdk.up2(short) / 2
    for strap in upright:
        if strap.net == "GND":
            stack(c, strap.at, y)
            c.box("met1", strap.at - half, y - long / 2, strap.at + half, height)


def _edge(plan: Plan, outputs: Part, made: Sequence[Riser], width: float) -> Edge:
    """Pins of all signals at the lower edge, and their wires to the blocks above."""
    upright = {_edge_name(riser.net, "row foot"): riser.x for riser in made}
    inputs: dict[str, float] = {}
    for net, (layer, at) in output_pins(plan).items():
        group = inputs if layer == LAYER else upright
        group[_edge_name(net, outputs.name)] = round(outputs.x + at, 6)
    return solve_edge(plan, upright, inputs, width)


def _edge_name(net: str, part: str) -> str:
    """What a block's net is called at the macro's edge."""
    return _RENAMED.get((part, net), net.replace("_IN", ""))


_RENAMED = {("outputs", OVER): "DONE", ("outputs", "LOAD_IN"): "CODE_LD"}


def _nets(plan: Plan, part: Part) -> dict[str, str]:
    """Nets of a block's pins in the macro: supplies by name, wells by their block's, pins as at the edge.

    A line that follows a pin is not called like it.
    """
    nets = {f"RIPPLE[{plan.rows}]": DONE}
    for pin in part.block.circuit.pins:
        bus, bracket, number = pin.partition("[")
        supply = bus.partition("_")[0]
        if supply in RAILS:
            nets[pin] = supply
        elif supply == WELL:
            nets[pin] = f"{pin}_{part.name.upper().replace(' ', '_')}"
        elif bus.endswith("_IN") or (part.name, pin) in _RENAMED:
            nets[pin] = _edge_name(pin, part.name)
        elif bus in _FOLLOWED:
            nets[pin] = f"{bus}_LINE{bracket}{number}"
    if part.name == "array":
        nets |= {pin: f"{line}_LINE" for pin, line in control(plan).items()}
    return nets


# Lines that follow a pin of the same name.
_FOLLOWED = frozenset(
    ("BUS", "ENL", "ENR", "PCH", "SOUTB", "ACCGB", "SEGB", "LOAD", SAMPLE, SAMPLE_LAST, SHARE)
)
