"""Gates of the row side's foot: what decodes addresses, and what drives the lines of all row drivers.

- Row address lines: RA's bits, lowest first, choose one line of PA, PB and PC each; while ALLB is low all of
  them are high (compute cycles).
- CSB[k], active low: while WL is high, the cell that CA chooses.
- the others follow their inputs, called ``_IN``; RIPPLE[0] follows ACC_IN.

A line ends in two inverters. Where a cell select runs on several tracks each has its own last one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from picoram_layout.logic.gates import GND, Gate, inverter, nand
from picoram_layout.periphery.row_driver import address_parts
from picoram_layout.plan import Plan

_FULL = 144  # rows that a line's fingers hold for
_TALLEST = 288  # rows from which on drivers get no wider: the line's own resistance rules
_WIDE = 2  # widths of a driver's finger (nMOS; pMOS twice that), in the PDK's least
_FINGERS = {
    "RIPPLE": 1,
    "SEGB": 2,
    "CSB": 6,
    "PA": 3,
    "PB": 3,
    "PC": 3,
}  # of a line's last inverter at full height
_MOST = 4  # the same for other lines
_TAPER = 3  # fingers of an inverter for one of the inverter before


@dataclass(frozen=True)
class Driven:
    """A line of the row drivers: gates that make it, and the inverters that drive it and each copy of it."""

    net: str
    logic: tuple[Gate, ...]
    stages: tuple[tuple[Gate, ...], ...]


@dataclass(frozen=True)
class Foot:
    """All lines, and gates that several of them share."""

    lines: tuple[Driven, ...]
    shared: tuple[Gate, ...]

    @property
    def gates(self) -> tuple[Gate, ...]:
        """All gates."""
        return (
            *self.shared,
            *(g for line in self.lines for part in (line.logic, *line.stages) for g in part),
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Nets that no gate makes."""
        made = {g.pins[-1] for g in self.gates} | {GND}
        return tuple(sorted({pin for g in self.gates for pin in g.pins[:-1]} - made))


def address_bits(plan: Plan) -> tuple[int, int, int]:
    """Bits of each part of the row address."""
    a, b, c = (max(0, math.ceil(math.log2(count))) for count in address_parts(plan.rows))
    return a, b, c


def cell_bits(plan: Plan) -> int:
    """Bits of the address of a cell in its cluster."""
    return math.ceil(math.log2(plan.spec.array.cells_per_cluster))


def foot(plan: Plan, nets: Sequence[str]) -> Foot:
    """The foot of row drivers with these nets at their lower edge."""
    w = plan.pdk.channel_width
    lines = []
    for net in nets:
        first, copies = _first(net), [one for one in nets if one != net == _first(one)]
        if net != first:
            continue
        source, logic = _made(plan, net, w)
        own = [_fingers(plan, one) for one in (net, *copies)]
        before = f"{net}_B"
        early = _inverter(source, before, math.ceil(sum(own) / _TAPER), w)
        late = [_inverter(before, one, n, w) for one, n in zip((net, *copies), own, strict=True)]
        lines.append(Driven(net, logic, ((early, late[0]), *((g,) for g in late[1:]))))
    return Foot(tuple(lines), (*_row_address(plan, w), *_cell_address(plan, w)))


def _first(net: str) -> str:
    """The net that this one is a copy of, or itself."""
    name, _, number = net.rpartition("_")
    return name if name and number.isdigit() else net


def _fingers(plan: Plan, net: str) -> int:
    full = _FINGERS.get("CSB" if net.startswith("CSB") else net.partition("[")[0], _MOST)
    return max(1, round(full * min(plan.rows, _TALLEST) / _FULL))


def _inverter(a: str, y: str, fingers: int, w: float) -> Gate:
    return inverter(_WIDE * w, 2 * _WIDE * w, fingers).named(y, A=a, Y=y)


def _made(plan: Plan, net: str, w: float) -> tuple[str, tuple[Gate, ...]]:
    """The net that a line follows, and the gates that make it."""
    name, _, index = net.rstrip("]").partition("[")
    a, b, c = address_bits(plan)
    first = {"PA": 0, "PB": a, "PC": a + b}
    if name in first:
        bits = {"PA": a, "PB": b, "PC": c}[name]
        if not bits:  # a single line is always chosen
            return f"{net}_D", (inverter(w, 2 * w).named(f"{net}_D", A=GND, Y=f"{net}_D"),)
        decoded = _nand(_address("RA", first[name], bits, int(index)), f"{net}_N", w)
        return f"{net}_D", (decoded, _nand([f"{net}_N", "ALLB"], f"{net}_D", w))
    if name[:3] == "CSB":
        cell = int(name[3:])
        high = cell_bits(plan) - _LOW
        chosen = [f"WL[{cell % 2**_LOW}]", *([f"CH[{cell >> _LOW}]"] if high > 0 else [])]
        return f"{net}_D", (_nand(chosen, f"{net}_D", w),)
    source = "ACC_IN" if name == "RIPPLE" else f"{name}_IN[{index}]" if index else f"{name}_IN"
    return source, ()


_LOW = 2  # bits of the cell address that are decoded with the pulse


def _address(name: str, low: int, bits: int, value: int) -> list[str]:
    """Address bits or their complements: all high for this value."""
    return [f"{name}[{low + k}]" if value >> k & 1 else f"{name}B[{low + k}]" for k in range(bits)]


def _nand(inputs: Sequence[str], y: str, w: float) -> Gate:
    if len(inputs) == 1:
        return inverter(w, 2 * w).named(y, A=inputs[0], Y=y)
    names = [f"I{k}" for k in range(len(inputs))]
    return nand(w, 2 * w, " ".join(names)).named(y, **dict(zip(names, inputs, strict=True)), Y=y)


def _complements(name: str, bits: Iterable[int], w: float) -> list[Gate]:
    return [inverter(w, 2 * w).named(f"{name}B[{k}]", A=f"{name}[{k}]", Y=f"{name}B[{k}]") for k in bits]


def _row_address(plan: Plan, w: float) -> list[Gate]:
    return _complements("RA", range(sum(address_bits(plan))), w)


def _cell_address(plan: Plan, w: float) -> list[Gate]:
    """The pulse for each value of the low bits, and which high bits are chosen."""
    bits, cells = cell_bits(plan), plan.spec.array.cells_per_cluster
    low = min(bits, _LOW)
    made = _complements("CA", range(bits), w)
    for k in range(min(cells, 2**low)):
        made.append(_nand([*_address("CA", 0, low, k), "WL_IN"], f"WLB[{k}]", w))
        made.append(_inverter(f"WLB[{k}]", f"WL[{k}]", 1, w))
    if bits > low:
        for k in range(-(-cells // 2**low)):
            made.append(_nand(_address("CA", low, bits - low, k), f"CHB[{k}]", w))
            made.append(_inverter(f"CHB[{k}]", f"CH[{k}]", 1, w))
    return made
