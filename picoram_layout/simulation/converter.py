"""The ADC's ring in ngspice, drawn, with its wires: its steps and its current."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picoram_layout.layout import Library
from picoram_layout.logic.wiring import Problem, Wiring
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.oscillator import STAGES, ring_oscillator, solve_oscillator
from picoram_layout.simulation.circuits import GND, VDD, Cell, flat, renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.ngspice import SimulationError, run
from picoram_layout.simulation.results import Job, Result
from picoram_layout.wires.blocks import block_wires

STATES = 2 * STAGES
LINE_PHASE = 90.0  # of each phase of the ring, slices included
EDGE = 0.1  # ns
_LATE = 6  # the ring's period that is measured from
PHASES = [f"PH{k}" for k in range(STAGES)]

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Ring:
    """The ring's mean step (ns), by what part each of the eight is longer, and the supply current (uA)."""

    step: float
    error: tuple[float, ...]
    current: float


def oscillator(pdk: Pdk, slices: int) -> Cell:
    """Draw the ring for so many slices, and add its wires."""
    lib = Library(pdk)
    name = ring_oscillator(lib, slices).name
    return drawn_block(lib, name, {"ring_oscillator": solve_oscillator(pdk, slices)})


def drawn_block(lib: Library, name: str, parts: Mapping[str, tuple[Problem, Wiring]]) -> Cell:
    """A drawn block as a circuit with the wires of its parts; nets' names have no brackets."""
    return _plain(
        flat(lib.netlist, name, {part: block_wires(lib, part, *solved) for part, solved in parts.items()})
    )


def ring(cell: Cell, condition: Condition) -> Ring:
    """Steps of the ring over the later half of ten periods."""
    deck = ring_deck(cell, condition, LINE_PHASE)
    end = 10 * STATES * 1.2 * slower(condition)
    out = waveforms(deck, PHASES, end, 0.01)
    edges = [edge for edge in state_edges(out, condition.vdd) if edge[0] > end / 2]
    count = (len(edges) - 1) // STATES * STATES
    if count < STATES:
        raise SimulationError(f"ring: no two periods in {end:g} ns")
    times = np.array([time for time, _ in edges[: count + 1]])
    steps = np.diff(times).reshape(-1, STATES).mean(axis=0)
    step = float(steps.mean())
    order = np.argsort([state for _, state in edges[:STATES]])
    late = out["time"] > times[0]
    current = mean_current(out["time"][late], out["i"][late])
    return Ring(step, tuple(float(x) for x in (steps / step - 1)[order]), current)


def ring_job(cell: Cell, condition: Condition) -> Job:
    """The ring by the times of its edges in two late periods, for `measured_ring`."""
    deck, half = ring_deck(cell, condition, LINE_PHASE), condition.vdd / 2
    end = (_LATE + 3) * STATES * 1.2 * slower(condition)
    wanted = [f"{way}{k}_{n}" for k in range(STAGES) for way in ("rise", "fall") for n in (_LATE, _LATE + 2)]
    analysis = [f".tran 0.01n {end:g}n", f".meas tran i avg i(v{VDD}) from={end / 2:g}n to={end:g}n"]
    for name in wanted:
        way, n = name[:4], name.split("_")[1]
        analysis.append(f".meas tran {name} when v(PH{name[4]})={half:g} {way}={n}")
    return Job(f"ring {condition}", deck.text("reltol=1e-3 method=gear", analysis), ("i", *wanted))


def measured_ring(result: Result) -> Ring:
    """What `ring_job` found: as `ring`, but that the current is a mean over about four periods."""
    v = result.values
    edges = [(way, k) for way in ("rise", "fall") for k in range(STAGES)]  # in the order of the states
    period = 1e9 * (v[f"rise0_{_LATE + 2}"] - v[f"rise0_{_LATE}"]) / 2
    step = period / STATES
    times = np.array([1e9 * v[f"{way}{k}_{_LATE}"] for way, k in edges])
    places = (times - times[0]) % period
    steps = np.diff([*places, period])
    return Ring(step, tuple(float(x) for x in steps / step - 1), -1e6 * v["i"])


def mean_current(time: Signal, current: Signal) -> float:
    """Mean of what a supply gives (uA)."""
    return float(-np.trapezoid(current, time) / np.ptp(time) * 1e6)


def _plain(cell: Cell) -> Cell:
    """A circuit without brackets in names: ngspice's expressions do not take them."""
    nets = {net for t in cell.transistors for net in (t.d, t.g, t.s)}
    nets |= {net for a, b, _ in cell.capacitors for net in (a, b)}
    return renamed(cell, {net: net.replace("[", "").replace("]", "") for net in nets | set(cell.ports)})


def slower(condition: Condition) -> float:
    """About how much slower than at tt the ring may be at a condition."""
    return 2.0 if condition.corner in ("ss", "sf") or condition.vdd < 1.7 else 1.0


def ring_deck(cell: Cell, condition: Condition, line: float) -> Deck:
    """The ring, which starts after 1 ns, with lines."""
    deck = Deck("ADC", condition)
    deck.cell(cell)
    deck.source("EN", [(0, 0), (1, condition.vdd)], EDGE)
    for net in PHASES:
        deck.capacitor(net, GND, line)
    return deck


def waveforms(deck: Deck, nets: Sequence[str], end: float, step: float, more: str = "") -> dict[str, Signal]:
    """Voltages of nets over time (ns), and the supply's current (A)."""
    wanted = " ".join([*(f"v({net})" for net in nets), f"i(v{VDD})"])
    control = [".control", "run", "set wr_singlescale", f"wrdata out.txt {wanted}", ".endc"]
    text = deck.text(
        "reltol=1e-3 method=gear", [f".save {wanted}", f".tran {step:g}n {end:g}n{more}", *control]
    )
    rows = run(text, files=("out.txt",)).vectors["out.txt"]
    return dict(zip(["time", *nets, "i"], [rows[:, 0] * 1e9, *rows[:, 1:].T], strict=True))


def crossings(time: Signal, level: Signal, threshold: float) -> list[tuple[float, bool]]:
    """When a signal crosses a threshold, and whether upwards."""
    above = level > threshold
    found = []
    for k in np.nonzero(above[1:] != above[:-1])[0]:
        part = (threshold - level[k]) / (level[k + 1] - level[k])
        found.append((float(time[k] + part * (time[k + 1] - time[k])), bool(above[k + 1])))
    return found


def state_edges(out: Mapping[str, Signal], vdd: float) -> list[tuple[float, int]]:
    """Edges of the phases in order: time, and the state that begins."""
    found = []
    for k, net in enumerate(PHASES):
        edges = crossings(out["time"], out[net], vdd / 2)
        found += [(time, k if up else k + STAGES) for time, up in edges]
    return sorted(found)
