"""Row DAC: one full row with all its strips; every input code, sampled and shared onto the capacitors.

Each column is its MAC unit with the capacitor, LBL held at VDD by the precharge device; bitcells are idle.
Data lines and phase signals are ideal sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from picoram_layout.simulation.circuits import GND, VDD, Cell, merged, part_of, renamed, selected
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import SAMPLE, Phases
from picoram_layout.simulation.results import Job, Result

# Greatest deviation from the line through the end points at tt (steps of the DAC).
INL_LIMIT = 0.1
TAP = 0.005  # resolution of the data lines' levels (parts of VREF)
_OPTIONS = "method=gear reltol=1e-4 abstol=1e-14 chgtol=1e-18 gmin=1e-15"


@dataclass(frozen=True)
class Row:
    """A row of the array: columns of each group, the strip left of each group, a cluster.

    ``fingers`` of each sampling switch: the netlist has them as one device. ``taps``: level of a 1 on each
    data line, most significant first, as a part of VREF; none: all at VREF.
    """

    groups: tuple[int, ...]
    strips: tuple[Cell, ...]
    cluster: Cell
    fingers: tuple[int, ...]
    taps: tuple[float, ...] = ()

    @property
    def bits(self) -> int:
        """Bits of an input."""
        return len(self.groups) - 1

    def level(self, line: int, vref: float) -> float:
        """Level of a 1 on a data line (V)."""
        return vref * (self.taps[line] if self.taps else 1.0)


def chain(row: Row, deck: Deck, xl: str, data: Sequence[str]) -> None:
    """Switches and wires of all strips between XL's pieces (nets ``xl`` with the group's number).

    ``data`` are nets of the data lines, GND for the last strip; gates are on ``smp``, ``smpz`` (the last
    strip's) and ``shr``.
    """
    for k, strip in enumerate(row.strips):
        sampling = strip.gated_by("SMP")
        ends = {net for t in sampling for net in (t.d, t.s)} - {"XL_R", GND}
        gate = "smpz" if k == row.bits else "smp"
        nets = {"SMP": gate, "SHR": "shr", "XL_R": f"{xl}{k}", "XL_L": f"{xl}{k - 1}"}
        nets |= dict.fromkeys(ends, data[k])
        switches = Cell("strip", (), (*sampling, *strip.gated_by("SHR")), ())
        for t in renamed(switches, nets).transistors:
            count = row.fingers[k] if t.g == gate else 1
            deck.mos(part_of(t, count), count)
        wires = (
            (nets.get(a, GND), nets.get(b, GND), value)
            for a, b, value in strip.capacitors
            if {a, b} & {"XL_R", "XL_L"}
        )
        for wire in merged(wires):
            deck.capacitor(*wire)


def drive(row: Row, deck: Deck, code: int, vref: float) -> None:
    """Switches of all strips, and the data lines' sources: a bit's tap of ``vref``, or GND."""
    chain(row, deck, "xl", [*(f"d{k}" for k in range(row.bits)), GND])
    for k in range(row.bits):
        bit = (code >> (row.bits - 1 - k)) & 1
        deck.source(f"d{k}", [(0.0, bit * row.level(k, vref))], 0.0)


def job(
    row: Row,
    code: int,
    condition: Condition,
    vref: float,
    phases: Phases = SAMPLE,
    deck: Deck | None = None,
    capacitor_sigma: float = 0.0,
    measures: Sequence[str] = (),
) -> Job:
    """One conversion. A ``deck`` may bring mismatch; ``capacitor_sigma`` (relative): of the capacitors.

    ``measures`` are further lines of the analysis.
    """
    deck = deck or Deck(f"DAC code {code}", condition)
    for signal in phases.signals:
        deck.source(signal.lower(), phases.levels(signal, condition.vdd), phases.edge)
    drive(row, deck, code, vref)
    starts: dict[str, float] = {}
    column = 0
    for k, count in enumerate(row.groups):
        starts[f"xl{k}"] = 0.0
        for _ in range(count):
            place(row.cluster, deck, column, f"xl{k}", capacitor_sigma)
            starts |= {f"t{column}": 0.0, f"lbl{column}": condition.vdd}
            column += 1
    deck.start(starts)
    mean = "+".join(f"v(t{c})" for c in range(column))
    deck.add(f"Bmean mean 0 V=({mean})/{column}")
    analysis = [f".tran 0.1n {phases.end:g}n uic"]
    analysis += [f".meas tran {name} find v(mean) at={time:g}n" for name, time in phases.moments.items()]
    last = phases.moments["shared"]
    analysis += [
        f".meas tran first find v(t0) at={last:g}n",
        f".meas tran last find v(t{column - 1}) at={last:g}n",
        *measures,
    ]
    name = f"DAC code {code} {condition}"
    return Job(name, deck.text(_OPTIONS, analysis), ("shared", "first", "last"), seconds=300)


def place(cluster: Cell, deck: Deck, column: int, xl: str, sigma: float = 0.0) -> None:
    """A column's MAC unit and capacitor; VL at GND, LBL precharged, no cell selected."""
    nets = {"XL": xl, "T": f"t{column}", "LBL": f"lbl{column}", "VL": GND, "VL_UP": GND, "GBLB": VDD}
    nets |= {"SOUT": GND, "ACC": GND, "PCHB": GND, "SEG": VDD}
    parts = list(selected(cluster, None))
    moved = renamed(
        Cell(cluster.name, (), tuple(t for t, _ in parts), live_capacitors(cluster, ("XL", "T", "LBL"))),
        nets,
        f"c{column}_",
    )
    for t, (_, m) in zip(moved.transistors, parts, strict=True):
        if t.g != VDD or t.kind != "pfet":  # the dummy
            deck.mos(t, m)
    for a, b, value in moved.capacitors:
        if deck.mismatch is not None and f"t{column}" in (a, b) and GND in (a, b):
            value *= 1 + deck.mismatch.gauss(0.0, sigma)
        deck.capacitor(a, b, value)


def live_capacitors(cluster: Cell, nets: Sequence[str]) -> tuple[tuple[str, str, float], ...]:
    """Capacitors of these nets; to any other net as to GND, unless it is a phase signal's."""
    moving = {*nets, "SOUT", "ACC", "PCHB", "SEG", "VL", "VL_UP"}
    found = []
    for a, b, value in cluster.capacitors:
        if a in nets or b in nets:
            found.append((a if a in moving else GND, b if b in moving else GND, value))
    return merged(found)


def jobs(row: Row, condition: Condition, vref: float) -> list[Job]:
    """All codes at one condition."""
    return [job(row, code, condition, vref) for code in range(1 << row.bits)]


def taps(levels: Sequence[float]) -> tuple[float, ...]:
    """Levels (parts of VREF) that make bits binary, from those (V) that all codes give at VREF itself.

    What a group of columns adds to XL besides its columns is not in proportion to them, so that equal levels
    are not binary. It is a ratio of capacitances: levels found at one condition serve all.
    """
    codes = np.arange(len(levels))
    bits = len(levels).bit_length() - 1
    table = np.column_stack([(codes[:, None] >> np.arange(bits)) & 1, np.ones(len(codes))])
    steps = np.linalg.lstsq(table, np.asarray(levels, dtype=float), rcond=None)[0][:bits]
    wanted = steps.sum() / (len(levels) - 1) * 2.0 ** np.arange(bits)
    return tuple(round(round(float(tap) / TAP) * TAP, 6) for tap in (wanted / steps)[::-1])


def linearity(levels: Sequence[float]) -> dict[str, Any]:
    """INL (from the line through the end points, and from the best line) and DNL in steps."""
    v = np.asarray(levels, dtype=float)
    codes = np.arange(len(v))
    step = (v[-1] - v[0]) / (len(v) - 1)
    ends = (v - v[0] - step * codes) / step
    slope, offset = np.polyfit(codes, v, 1)
    best = (v - offset - slope * codes) / slope
    dnl = np.diff(v) / step - 1
    return {
        "step_V": float(step),
        "offset_V": float(v[0]),
        "inl": [round(float(e), 4) for e in ends],
        "dnl": [round(float(e), 4) for e in dnl],
        "worst_inl": float(abs(ends).max()),
        "worst_inl_best_line": float(abs(best).max()),
        "worst_dnl": float(abs(dnl).max()),
    }


def summary(row: Row, condition: Condition, results: Sequence[Result], vref: float) -> dict[str, Any]:
    """Levels and linearity from all codes at one condition."""
    levels = [result.values["shared"] for result in results]
    found = linearity(levels)
    return {
        "corner": condition.corner,
        "temp_C": condition.temp,
        "vdd_V": condition.vdd,
        "levels_V": levels,
        **found,
        "gain": found["step_V"] * (1 << row.bits) / vref,
        "unsettled_V": max(abs(r.values["first"] - r.values["last"]) for r in results),
    }
