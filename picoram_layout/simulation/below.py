"""What stands below an output's columns in a compute cycle, as drawn: column side, the ADC's gates on AL.

The column side is the block that LVS compares, with its wires: switches of VL and AL, write drivers,
precharge, read-out. Nothing is written or read: PREB, WE, RE and DI rest at GND.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, flat, merged, renamed
from picoram_layout.simulation.deck import Deck

if TYPE_CHECKING:
    from picoram_layout.plan import Plan

LINES = ("VLRST", "ALRST", "COL")  # that move in a compute cycle
_RESTING = ("PREB", "WE", "RE")
_HIGH = ("WEB", "REB")  # their complements
# The same of each column, before and after its number; the latch holds a 1.
_COLUMN_HIGH = (("GBLB", ""), ("one", "b"), ("q", ""))
_PREFIX = "below_"


@dataclass(frozen=True)
class Below:
    """The column side of one output of ``bits`` columns, drawn for ``rows``; what a slice hangs on AL while
    it waits."""

    block: Cell
    reader: Cell
    bits: int
    rows: int


def column_block(plan: Plan) -> Cell:
    """The drawn column side of the first output with its wires' capacitance."""
    from picoram_layout.layout import Library
    from picoram_layout.periphery.column_side import column_logic, outputs, solve_side
    from picoram_layout.wires.blocks import block_wires

    lib, wires = Library(plan.pdk), outputs(plan)[0].wires
    made = column_logic(lib, plan, wires)
    return flat(
        lib.netlist, made.name, {made.name: block_wires(lib, made.name, *solve_side(plan).kinds[wires])}
    )


def reader(analog: Cell) -> Cell:
    """The slice's transistors on AL between rails, and AL's wire: Cmp1 and the ramp are off then."""

    def resting(t: Transistor) -> Transistor:
        rail = GND if t.kind == "nfet" else VDD
        d, g, s = (net if net == "AL" else rail for net in (t.d, t.g, t.s))
        return replace(t, d=d, g=g, s=s, b=rail)

    parts = tuple(resting(t) for t in analog.transistors if "AL" in (t.d, t.g, t.s))
    return Cell("reader", ("AL",), parts, (("AL", GND, analog.total("AL")),))


def put(
    deck: Deck,
    below: Below,
    nets: Mapping[str, str],
    scale: float = 1.0,
    read: bool = True,
    prefix: str = "",
) -> dict[str, float]:
    """The devices, ``scale`` of them, between ``nets`` (of VL0.., AL and `LINES`); levels of its own nets.

    ``read``: with what the slice hangs on AL. ``prefix``: of its own nets.
    """
    prefix += _PREFIX
    known = {**nets, **dict.fromkeys(_RESTING, GND)}
    known |= {f"DI{k}": GND for k in range(below.bits)}
    for cell in (below.block, below.reader) if read else (below.block,):
        moved = renamed(cell, known, prefix)
        for t in moved.transistors:
            deck.mos(t, scale)
        for a, b, value in merged(moved.capacitors):
            deck.capacitor(a, b, value * scale)
    high = [*_HIGH, *(f"{net}{k}{end}" for k in range(below.bits) for net, end in _COLUMN_HIGH)]
    return {f"{prefix}{net}": deck.condition.vdd for net in high}
