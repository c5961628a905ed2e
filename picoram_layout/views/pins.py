"""The macro's pins: the one table that every view is made from.

Names, widths and levels are those at the macro's edge; what a pin does inside is told by the modules of
``periphery``. Signals leave at the lower edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from picoram_layout.periphery.adc_digital import CODE_BITS
from picoram_layout.periphery.foot_logic import address_bits, cell_bits
from picoram_layout.plan import Plan
from picoram_layout.simulation.adc_slice import VTH, VTH_OHM, VTHL
from picoram_layout.simulation.phases import VREF

Direction = Literal["input", "output", "inout"]
Kind = Literal["signal", "analog", "power", "ground"]
Active = Literal["high", "low", ""]

POWER, GROUND = "VDD", "GND"
ACC_GATE, ACC_OPEN = "ACCGB", 0  # the pin that ends ACC in all rows, and its level while ACC may be high


@dataclass(frozen=True)
class Pin:
    """A pin, or a bus of ``width`` bits (None: no bus); ``active``: the level at which the text holds."""

    name: str
    width: int | None
    direction: Direction
    kind: Kind
    block: str
    text: str
    active: Active = ""

    @property
    def supply(self) -> str:
        """The supply that its levels refer to."""
        return self.name if self.kind in ("power", "ground") else POWER

    @property
    def bits(self) -> tuple[str, ...]:
        """Names of its bits, from bit 0 on; its own name if it is no bus."""
        return (self.name,) if self.width is None else tuple(f"{self.name}[{k}]" for k in range(self.width))

    @property
    def range(self) -> str:
        """``[7:0]``, or nothing."""
        return "" if self.width is None else f"[{self.width - 1}:0]"


def pins(plan: Plan) -> tuple[Pin, ...]:
    """All pins of a plan's macro."""
    return (*_row_side(plan), *_column_side(plan), *_converter(plan), *_analog(plan), *_supplies())


def bit_names(table: Iterable[Pin]) -> tuple[str, ...]:
    """Names of all bits, as nets and ports are called."""
    return tuple(name for pin in table for name in pin.bits)


def _in(block: str, name: str, text: str, active: Active = "high", width: int | None = None) -> Pin:
    return Pin(name, width, "input", "signal", block, text, active)


def _row_side(plan: Plan) -> tuple[Pin, ...]:
    def made(name: str, text: str, active: Active = "high", width: int | None = None) -> Pin:
        return _in("row side", name, text, active, width)

    return (
        made("RA", "row address", "", sum(address_bits(plan))),
        made("CA", "cell in its cluster", "", cell_bits(plan)),
        made("WL", "pulse of the chosen cell's wordlines"),
        made("ENL", "WLL may rise"),
        made("ENR", "WLR may rise"),
        made("ALLB", "all rows are chosen (compute)", "low"),
        made("PCH", "local bitlines are held at VDD"),
        made("SOUTB", "every T is joined to its VL", "low"),
        made("SEGB", "segments of VL are joined", "low"),
        made("ACC", "ACC starts to go up the rows"),
        made(ACC_GATE, "ACC may be high; else it ends in all rows at once", "high" if ACC_OPEN else "low"),
        Pin("ACC_DONE", None, "output", "signal", "row side", "ACC has reached the last row", "high"),
        made("LOAD", "input latches of the addressed row are open"),
        made("BUS", "input of the addressed row", "", plan.spec.array.input_bits),
    )


def _column_side(plan: Plan) -> tuple[Pin, ...]:
    def made(name: str, text: str, active: Active = "high", width: int | None = None) -> Pin:
        return _in("column side", name, text, active, width)

    order = "column by column, an output's most significant weight bit first"
    return (
        made("VLRST", "every VL is held at GND"),
        made("PREB", "global bitlines are held at VDD", "low"),
        made("COL", "an output's VLs are joined to its line AL"),
        made("ALRST", "every AL is held at GND"),
        made("WE", "DI drives VL and GBLB"),
        made("RE", "read latches are open"),
        made("SMP", "sampling switches of the input bits are on"),
        made("SMPZ", "sampling switch of the terminating group is on; with SHR it empties XL"),
        made("SHR", "groups of XL are joined"),
        made("DI", f"data to be stored, {order}", "", plan.columns),
        Pin("DO", plan.columns, "output", "signal", "column side", f"data read, {order}"),
    )


def _converter(plan: Plan) -> tuple[Pin, ...]:
    def made(name: str, text: str) -> Pin:
        return _in("ADC", name, text)

    code = f"codes, {CODE_BITS} bits an output, output 0 lowest; they rise with the result"
    return (
        made("EN", "ring oscillator runs"),
        made("PD", "bias is off"),
        made("AZ", "Cmp2 balances itself at VTHL"),
        made("START", "starts a conversion: the ramps begin at the second edge of the counter's clock"),
        made("CODE_LD", "output latches of the codes are open"),
        Pin("DONE", None, "output", "signal", "ADC", "the counter is full, every conversion over", "high"),
        Pin("CODE", CODE_BITS * plan.spec.array.outputs, "output", "signal", "ADC", code),
    )


def _analog(plan: Plan) -> tuple[Pin, ...]:
    def made(name: str, block: str, text: str, width: int | None = None) -> Pin:
        return Pin(name, width, "inout", "analog", block, text)

    bits = plan.spec.array.input_bits
    return (
        made("VREF", "row side", f"level of a 1 of each input bit: VDD / {1 / VREF:.3g}", bits),
        made("VTH", "ADC", f"threshold of Cmp1: {VTH:.2f} V at 1.8 V, from {VTH_OHM / 1000:g} kOhm or less"),
        made("VTHL", "ADC", f"threshold of Cmp2: {VTHL:.2f} V at 1.8 V"),
        made("IREF_R", "ADC", "current drawn to GND: four ramps"),
        made("IREF_C", "ADC", "current drawn to GND: comparators"),
    )


def _supplies() -> tuple[Pin, ...]:
    return (
        Pin(POWER, None, "inout", "power", "all", "supply"),
        Pin(GROUND, None, "inout", "ground", "all", "ground and substrate"),
    )
