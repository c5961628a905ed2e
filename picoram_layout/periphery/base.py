"""The base: the strip below everything, with bias, ring, counter and the drivers of the column lines.

Blocks stand side by side, each with straps of met4 on its right that join its rails. What they give leaves at
the upper edge; inputs are at the lower one. All lengths in um.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import WELL, draw_block, trunk_vias
from picoram_layout.logic.wiring import RAILS, Problem, Wiring, solve, widest
from picoram_layout.periphery import adc_bias, base_lines, counter, oscillator
from picoram_layout.periphery.straps import met4_width, rail_straps, rails_of, strap_places, strap_reach
from picoram_layout.plan import Plan

CLOCK = "PH[2]"  # from the ring to its line, and from there to the counter


@dataclass(frozen=True)
class Exit:
    """A net at an edge of a block, and its met2 from the block's last row on, with the vias on it."""

    net: str
    x: float
    low: float
    vias: tuple[float, ...]


@dataclass(frozen=True)
class Part:
    """A block of the base: its place, size without and width with its straps, problems from the left."""

    name: str
    x: float
    block: float
    width: float
    solved: tuple[tuple[Problem, Wiring], ...]

    @property
    def height(self) -> float:
        """Height of the block."""
        return self.solved[0][0].height

    @property
    def straps(self) -> tuple[float, ...]:
        """Centres of its straps."""
        at = round(self.x + self.block, 6)
        pdk = self.solved[0][0].rows[0].pdk
        return tuple(round(at + x, 6) for x in strap_places(pdk, self.width - self.block).values())

    def pins(self, edge: str) -> list[Exit]:
        """Nets at an edge."""
        found, x = [], self.x
        for problem, wiring in self.solved:
            for pin in problem.pins:
                if pin.edge == edge:
                    trunk, low = wiring.trunks[pin.net], problem.height - problem.rows[-1].height
                    vias = tuple(y for _, y in trunk_vias(problem, wiring, trunk))
                    found.append(Exit(pin.net, round(x + trunk.x, 6), round(low, 6), vias))
            x += problem.width or widest(problem)
        return found


@cache
def parts(plan: Plan) -> tuple[Part, ...]:
    """The blocks from the left, kept apart as their wells need."""
    pdk, slices = plan.pdk, plan.spec.array.outputs
    made = {
        "BIAS": (adc_bias.solve_bias(pdk),),
        "RING": (oscillator.solve_oscillator(pdk, slices),),
        "COUNTER": counter.solve_counter(pdk, slices),
        "LINES": (base_lines.solve_lines(plan),),
    }
    straps = pdk.up2(2 * (met4_width(pdk) + pdk.space("met4") + pdk.space("met3")))  # lines end beside
    found, x = [], 0.0
    for name, solved in made.items():
        width = round(sum(problem.width or widest(problem) for problem, _ in solved), 6)
        found.append(Part(name, x, width, round(width + straps, 6), solved))
        x = round(x + width + straps + pdk.space("nwell"), 6)
    return tuple(found)


def size(plan: Plan) -> tuple[float, float]:
    """Width and height of the base."""
    last = parts(plan)[-1]
    return round(last.x + last.width, 6), max(part.height for part in parts(plan))


def leaving(plan: Plan) -> list[Exit]:
    """Nets at the upper edge."""
    return [pin for part in parts(plan) for pin in part.pins("top")]


def entering(plan: Plan) -> dict[str, float]:
    """Nets at the lower edge and their places."""
    return {pin.net: pin.x for part in parts(plan) for pin in part.pins("bottom")}


@block
def base_straps(lib: Library, plan: Plan, number: int) -> Block:
    """Beside a block: its rails and wells go on, below a strap of each supply."""
    part = parts(plan)[number]
    of, width = part.solved[0][0], round(part.width - part.block, 6)
    problem = Problem(of.rows, tuple(() for _ in of.rows), width=width, base=of.base)
    c = Canvas(lib, f"base_straps_{part.name.lower()}")
    made = draw_block(lib, f"{c.cell.name}_rails", problem, solve(problem))
    c.place(made, nets={pin: pin.partition("[")[0] for pin in made.circuit.pins if pin.startswith(RAILS)})
    reach = strap_reach(lib.pdk)
    rail_straps(c, rails_of(problem), [], width, (0.0, round(of.height + reach, 6)))
    c.export()
    return c.done(width, of.height)


@block
def base(lib: Library, plan: Plan) -> Block:
    """All blocks side by side."""
    c = Canvas(lib, "base")
    slices = plan.spec.array.outputs
    drawn = {
        "BIAS": adc_bias.adc_bias(lib),
        "RING": oscillator.ring_oscillator(lib, slices),
        "COUNTER": counter.counter(lib, slices),
        "LINES": base_lines.column_drivers(lib, plan),
    }
    for number, part in enumerate(parts(plan)):
        beside = base_straps(lib, plan, number)
        for made, x in ((drawn[part.name], part.x), (beside, round(part.x + part.block, 6))):
            nets = {}
            for pin in made.circuit.pins:
                name, bracket, index = pin.partition("[")
                if name in RAILS:
                    nets[pin] = f"{name}_{part.name}"
                elif name == WELL:
                    nets[pin] = f"{name}_{part.name}{bracket}{index}"
            if part.name == "COUNTER" and made.name == "counter":
                nets[CLOCK] = f"{CLOCK}_COUNTER"
            c.place(made, x, 0.0, nets=nets)
    c.export()
    return c.done(*size(plan))
