"""The transistors of rows of gates: for the netlist beside a drawing, and for simulation without one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from picoram_layout.logic.gates import GND, VDD, Gate
from picoram_layout.logic.rows import Row, solve_row
from picoram_layout.logic.wiring import Columns, columns
from picoram_layout.netlist.circuit import Diffusion
from picoram_layout.pdk import Pdk
from picoram_layout.simulation import circuits
from picoram_layout.simulation.circuits import Cell, Transistor

_SUPPLIES = {GND: circuits.GND, VDD: circuits.VDD}


@dataclass(frozen=True)
class Device:
    """A transistor of a strip (``n`` or ``p``): its nets with the diffusions' sizes, channel width (um)."""

    side: str
    gate: str
    source: Diffusion
    drain: Diffusion
    w: float


def devices(row: Row, cols: Columns) -> Iterator[Device]:
    """Transistors of a row, from left to right."""
    for side, strip, widths in cols.both:
        for first, last in cols.runs(side):
            for k in range(first + 1, last, 2):
                ends = [_diffusion(row, strip[at], at in (first, last)) for at in (k - 1, k + 1)]
                yield Device(side, strip[k], ends[0], ends[1], widths[k])


def _diffusion(row: Row, net: str, outer: bool) -> Diffusion:
    """Source or drain: shared with the next gate, or the strip's end."""
    half = round(row.pitch - row.gate_l / 2, 6)
    return Diffusion(net, round(half + row.end, 6)) if outer else Diffusion(net, half, True)


def row_for(pdk: Pdk, gates: Sequence[Gate], close: bool = False) -> Row:
    """The lowest row that holds these gates."""
    unit = pdk.channel_width
    wn, wp = max(unit, *(g.wn for g in gates)), max(unit, *(g.wp for g in gates))
    split = any(g.split for g in gates)
    return solve_row(pdk, wn, wp, split, length=max(g.length for g in gates), close=close)


def rows_for(pdk: Pdk, gates: Sequence[Sequence[Gate]], close: bool = False) -> list[Row]:
    """The lowest rows for these gates, on one grid of columns as far as they share rails.

    Contacts of both neighbours of a rail stand on it, so each row's pitch is a multiple of the least one.
    """
    rows = [row_for(pdk, row, close=close) for row in gates]

    def raised(base: float) -> list[float]:
        return [pdk.up(base * math.ceil(row.pitch / base - 1e-6)) for row in rows]

    pitches = min((raised(row.pitch) for row in rows), key=sum)
    return [row.solved(pitch=pitch) for row, pitch in zip(rows, pitches, strict=True)]


def transistors(pdk: Pdk, gates: Sequence[Gate]) -> tuple[Transistor, ...]:
    """The transistors of a row of gates, with the diffusions that it would be drawn with."""
    row = row_for(pdk, gates)
    found: list[Transistor] = []
    for dev in devices(row, columns(gates)):
        kind, bulk = ("nfet", circuits.GND) if dev.side == "n" else ("pfet", circuits.VDD)
        d, g, s = (_SUPPLIES.get(net, net) for net in (dev.drain.net, dev.gate, dev.source.net))
        areas = dev.drain.area(dev.w), dev.source.area(dev.w)
        around = dev.drain.perimeter(dev.w), dev.source.perimeter(dev.w)
        found.append(Transistor(kind, d, g, s, bulk, dev.w, row.gate_l, *areas, *around))
    return tuple(found)


def schematic(pdk: Pdk, name: str, rows: Iterable[Sequence[Gate]], ports: Sequence[str]) -> Cell:
    """Rows of gates as a circuit without wires, for simulation."""
    return Cell(name, tuple(ports), tuple(t for gates in rows for t in transistors(pdk, gates)), ())
