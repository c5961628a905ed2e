"""How the nets of cells are called in rows, blocks of rows and the array.

Row wires have the row's number as their index (wordlines: the word's), column wires the column's. Supplies
that neither a row nor a pair of rows joins are one net per column there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from picoram_layout.netlist.circuit import moved

if TYPE_CHECKING:
    from picoram_layout.array.rows import RowKind
    from picoram_layout.plan import Plan

_ROW_WIRES = ("SOUT", "ACC", "PCHB", "SEG")
_COLUMN_WIRES = ("VL", "VL_UP", "GBLB", "NW")
_WORDLINES = ("WLL", "WLR")
_GROUNDS = ("GND_L", "GND_R")
_SUPPLY_OF = {
    "GND_L": "GND",
    "GND_R": "GND",
    "VDD": "VDD",
    "VDD_L": "VDD",
    "VDD_R": "VDD",
    "VDD_STRIP": "VDD",
}


def cluster_nets(plan: Plan, kind: RowKind, pins: Iterable[str], r: int, column: int) -> dict[str, str]:
    """Nets of a cluster in row ``r`` of a row or pair, in column ``column``."""
    nets = _row_nets(plan, pins, r) | {net: f"{net}[{column}]" for net in _COLUMN_WIRES}
    nets |= {"XL": f"XL[{r}]"} | moved(pins, {"DATA": r * len(plan.plain.data)})
    if kind.rows == 2:
        return nets | dict.fromkeys(_GROUNDS, "GND")
    return nets | {net: f"{net}[{column}]" for net in loose(plan, kind)}


def loose(plan: Plan, kind: RowKind) -> tuple[str, ...]:
    """Supplies that a single row does not join from column to column."""
    return _GROUNDS if plan.supply(kind.parity) == "VDD" else ("VDD",)


def _row_nets(plan: Plan, pins: Iterable[str], r: int) -> dict[str, str]:
    """Nets of a cluster's or strip's row wires in row ``r``."""
    words = dict.fromkeys(_WORDLINES, r * plan.spec.array.cells_per_cluster)
    return {net: f"{net}[{r}]" for net in _ROW_WIRES} | moved(pins, words)


def by_column(pins: Iterable[str], columns: int) -> dict[str, str]:
    """Nets of pins that many columns further right."""
    return moved(pins, dict.fromkeys((*_COLUMN_WIRES, *_GROUNDS, "VDD"), columns))


def by_row(plan: Plan, pins: Iterable[str], rows: int) -> dict[str, str]:
    """Nets of a row's pins that many rows further up."""
    a = plan.spec.array
    by = dict.fromkeys((*_ROW_WIRES, *(f"D{b}" for b in range(a.input_bits))), rows)
    return moved(pins, by | dict.fromkeys(_WORDLINES, rows * a.cells_per_cluster))


def _data(plan: Plan, line: int, r: int, ended: int) -> str:
    """Net on the track of a data line, the first ``ended`` of which have given way to ground."""
    bits = plan.spec.array.input_bits
    return f"D{bits - 2 - line}[{r}]" if ended <= line < bits - 1 else "GND"


def group_nets(
    plan: Plan, kind: RowKind, group: int, pins: Iterable[str], nets: Mapping[str, str]
) -> dict[str, str]:
    """Nets of a DAC group's part in its row: its piece of XL, data lines by their bit, ground."""
    lines = len(plan.plain.data)
    here = {"PLATE": "GND"}
    for r in range(kind.rows):
        here[f"XL[{r}]"] = f"XL{group}[{r}]"
        here |= {f"DATA[{r * lines + j}]": _data(plan, j, r, group) for j in range(lines)}
    within = {pin: nets.get(pin, pin) for pin in pins}
    return {pin: here.get(net, net) for pin, net in within.items()}


def strip_nets(plan: Plan, kind: RowKind, index: int, r: int, pins: Iterable[str]) -> dict[str, str]:
    """Nets of DAC strip ``index`` in row ``r`` of a row or pair."""
    nets = _row_nets(plan, pins, r) | {"GND_LOW": "GND"}
    nets |= {"XL_L": f"XL{index - 1}[{r}]", "XL_R": f"XL{index}[{r}]"}
    nets |= {"SMP": f"SMP[{index}]", "SHR": f"SHR[{index}]", "D": f"D{plan.spec.array.input_bits - 1}[{r}]"}
    nets |= {f"DATA[{j}]": _data(plan, j, r, index - 1) for j in range(len(plan.plain.data))}
    if kind.rows == 1 and plan.supply(kind.parity) == "GND":
        nets["VDD"] = f"VDD_STRIP[{index}]"
    return nets


def end_nets(pins: Iterable[str], column: int) -> dict[str, str]:
    """Nets of a dummy column in its end."""
    here = {pin: f"{pin}[{column}]" for pin in pins if pin not in _WORDLINES and pin != "SUB"}
    return here | dict.fromkeys(_WORDLINES, "WL")


def supplies(pins: Iterable[str]) -> dict[str, str]:
    """Nets of pins that are one column's or strip's piece of a supply, where all pieces meet."""
    return {pin: _SUPPLY_OF[bus] for pin in pins if (bus := pin.partition("[")[0]) in _SUPPLY_OF}
