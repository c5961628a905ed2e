"""The ADC's digital part in ngspice, from drawn blocks with their wires: the ring's steps, codes of hits.

Ring, counter and slices run as they are wired in the macro. HIT and EN1 are sources: the analog part is
simulated elsewhere. A position is a time in steps of the ring since the count was 0 and the state 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picoram_layout.layout import Library
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.adc_digital import CODE_BITS, adc_digital, solve_slice
from picoram_layout.periphery.counter import BITS, counter, solve_counter
from picoram_layout.periphery.oscillator import STAGES, ring_oscillator, solve_oscillator
from picoram_layout.simulation.circuits import GND, VDD, Cell, flat, renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.ngspice import SimulationError, run
from picoram_layout.simulation.results import Job, Result
from picoram_layout.wires.blocks import block_wires

STATES = 2 * STAGES
LINE_FF = 25.0  # of each line outside the slices: about 150 um of met3
LINE_PHASE = 90.0  # of each phase of the ring, slices included
_EDGE = 0.1  # ns
_LATE = 6  # the ring's period that is measured from
_PHASES = [f"PH{k}" for k in range(STAGES)]
_COUNT = [f"COUNT{k}" for k in range(BITS)]
_CLEAR = 27.0  # steps with START low, which clear the counter
_TO_RAMP = 14.15  # from START to RAMPB, where hits are planned from; positions are then measured
_IN_PERIOD = 2.6  # the position at which RAMPB falls

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """The drawn blocks as circuits with wires; nets' names have no brackets."""

    oscillator: Cell
    counter: Cell
    slice: Cell


@dataclass(frozen=True)
class Ring:
    """The ring's mean step (ns), by what part each of the eight is longer, and the supply current (uA)."""

    step: float
    error: tuple[float, ...]
    current: float


@dataclass(frozen=True)
class Hit:
    """A hit: where it was, the count that the slice took (511 - CODE), and after how many ns it took it."""

    position: float
    count: int
    taken: float


def blocks(pdk: Pdk, slices: int, width: float) -> Blocks:
    """Draw the blocks for so many slices of this width (um), and add their wires."""
    lib, places = Library(pdk), (pdk.up(0.4 * width), pdk.up(0.6 * width))
    drawn = (
        (ring_oscillator(lib, slices).name, {"ring_oscillator": solve_oscillator(pdk, slices)}),
        (counter(lib, slices).name, {f"counter_{k}": s for k, s in enumerate(solve_counter(pdk, slices))}),
        (adc_digital(lib, width, *places).name, {"adc_digital": solve_slice(pdk, width, *places)}),
    )
    cells = (
        flat(lib.netlist, name, {part: block_wires(lib, part, *solved) for part, solved in parts.items()})
        for name, parts in drawn
    )
    return Blocks(*map(_plain, cells))


def ring(cells: Blocks, condition: Condition) -> Ring:
    """Steps of the ring over the later half of ten periods."""
    deck = _deck(cells, condition, LINE_PHASE)
    end = 10 * STATES * 1.2 * _slow(condition)
    out = _run(deck, _PHASES, end, 0.01)
    edges = [edge for edge in _edges(out, condition.vdd) if edge[0] > end / 2]
    count = (len(edges) - 1) // STATES * STATES
    if count < STATES:
        raise SimulationError(f"ring: no two periods in {end:g} ns")
    times = np.array([time for time, _ in edges[: count + 1]])
    steps = np.diff(times).reshape(-1, STATES).mean(axis=0)
    step = float(steps.mean())
    order = np.argsort([state for _, state in edges[:STATES]])
    late = out["time"] > times[0]
    current = _mean_current(out["time"][late], out["i"][late])
    return Ring(step, tuple(float(x) for x in (steps / step - 1)[order]), current)


def ring_job(cells: Blocks, condition: Condition) -> Job:
    """The ring by the times of its edges in two late periods, for `measured_ring`."""
    deck, half = _deck(cells, condition, LINE_PHASE), condition.vdd / 2
    end = (_LATE + 3) * STATES * 1.2 * _slow(condition)
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


def escape(cells: Blocks, condition: Condition) -> float:
    """How long (ns) the ring holds still after a start with both outputs of each stage equal.

    `SimulationError` if they stay equal: four inverting stages could do so.
    """
    deck = Deck("ADC", condition)
    deck.cell(cells.oscillator)
    deck.source("EN", [(0, condition.vdd)], _EDGE)
    nodes = {f"{net}{k}": condition.vdd * (k % 2) for k in range(STAGES) for net in "AB"}
    deck.start({**nodes, "on": condition.vdd, "off": 0.0})
    end = 60 * _slow(condition)
    out = _run(deck, ["A0", "B0"], end, 0.02, " uic")
    apart = out["time"][np.abs(out["A0"] - out["B0"]) > 0.8 * condition.vdd]
    if not len(apart) or apart[-1] < 0.9 * end:
        raise SimulationError(f"ring: outputs of its stages stay equal at {condition}")
    return float(apart[0])


def hits(cells: Blocks, condition: Condition, step: float, positions: Sequence[float]) -> list[Hit]:
    """One conversion with a slice for each position (about, above 20) at which it is hit; ``step`` in ns."""
    v, deck = condition.vdd, _deck(cells, condition, LINE_FF)
    shared = {net: net for net in (*_PHASES, *_COUNT, "END", "LOAD", "START", "RAMPB")}
    start = _CLEAR * step
    times = [start + (_TO_RAMP + p - _IN_PERIOD) * step for p in positions]
    deck.cell(renamed(cells.counter, shared, "counter."))
    for net in (*_COUNT, "END", "RAMPB"):
        deck.capacitor(net, GND, LINE_FF)
    for k, time in enumerate(times):
        deck.cell(renamed(cells.slice, shared, f"s{k}."))
        deck.source(f"s{k}.HIT", [(0, 0), (time, v)], _EDGE)
        deck.source(f"s{k}.EN1", [(0, 0), (time - 12 * step, v)], _EDGE)
    load = max(times) + STATES * step
    deck.source("START", [(0, 0), (start, v)], _EDGE)
    deck.source("LOAD", [(0, 0), (load, v), (load + 2.5 * step, 0)], _EDGE)
    codes = [f"s{k}.CODE{bit}" for k in range(len(times)) for bit in range(CODE_BITS)]
    takes = [f"s{k}.take" for k in range(len(times))]
    out = _run(deck, [*_PHASES, "RAMPB", *codes, *takes], load + 5 * step, 0.02 * step)
    edges, ramp = _edges(out, v), _crossings(out["time"], out["RAMPB"], v / 2)[0][0]
    first = sum(time < ramp for time, _ in edges) - 1  # the edge before the ramp, in period 0
    found = []
    for k, time in enumerate(times):
        at = time + _EDGE / 2
        j = sum(t < at for t, _ in edges) - 1
        position = edges[first][1] + j - first + (at - edges[j][0]) / (edges[j + 1][0] - edges[j][0])
        taken = next((t for t, up in _crossings(out["time"], out[f"s{k}.take"], v / 2) if up), np.inf)
        found.append(Hit(position, 2**CODE_BITS - 1 - _code(out, k, v), taken - at))
    return found


def slice_current(cells: Blocks, condition: Condition, step: float, on: bool) -> float:
    """Supply current (uA) of a slice that waits for HIT, EN1 high (``on``) or low; its lines are sources."""
    v, deck, period = condition.vdd, Deck("ADC", condition), STATES * step
    deck.cell(cells.slice)
    for k, net in enumerate(_PHASES):
        deck.add(f"V{net} {net} 0 PULSE(0 {v} {(k + 2) * step}n .2n .2n {period / 2 - 0.2}n {period}n)")
    for k, net in enumerate(_COUNT):
        high = 2**k * period
        deck.add(f"V{net} {net} 0 PULSE(0 {v} {4 * step}n .2n .2n {high - 0.2}n {2 * high}n)")
    for net, level in (("EN1", v * on), ("HIT", 0.0), ("END", 0.0), ("LOAD", 0.0)):
        deck.source(net, [(0, level)], _EDGE)
    out = _run(deck, ["take"], 10 * period, 0.02 * step)
    late = out["time"] > 2 * period
    return _mean_current(out["time"][late], out["i"][late])


def _mean_current(time: Signal, current: Signal) -> float:
    """Mean of what a supply gives (uA)."""
    return float(-np.trapezoid(current, time) / np.ptp(time) * 1e6)


def _plain(cell: Cell) -> Cell:
    """A circuit without brackets in names: ngspice's expressions do not take them."""
    nets = {net for t in cell.transistors for net in (t.d, t.g, t.s)}
    nets |= {net for a, b, _ in cell.capacitors for net in (a, b)}
    return renamed(cell, {net: net.replace("[", "").replace("]", "") for net in nets | set(cell.ports)})


def _slow(condition: Condition) -> float:
    """About how much slower than at tt the ring may be at a condition."""
    return 2.0 if condition.corner in ("ss", "sf") or condition.vdd < 1.7 else 1.0


def _deck(cells: Blocks, condition: Condition, line: float) -> Deck:
    """The ring, which starts after 1 ns, with lines."""
    deck = Deck("ADC", condition)
    deck.cell(cells.oscillator)
    deck.source("EN", [(0, 0), (1, condition.vdd)], _EDGE)
    for net in _PHASES:
        deck.capacitor(net, GND, line)
    return deck


def _run(deck: Deck, nets: Sequence[str], end: float, step: float, more: str = "") -> dict[str, Signal]:
    """Voltages of nets over time (ns), and the supply's current (A)."""
    wanted = " ".join([*(f"v({net})" for net in nets), f"i(v{VDD})"])
    control = [".control", "run", "set wr_singlescale", f"wrdata out.txt {wanted}", ".endc"]
    text = deck.text(
        "reltol=1e-3 method=gear", [f".save {wanted}", f".tran {step:g}n {end:g}n{more}", *control]
    )
    rows = run(text, files=("out.txt",)).vectors["out.txt"]
    return dict(zip(["time", *nets, "i"], [rows[:, 0] * 1e9, *rows[:, 1:].T], strict=True))


def _crossings(time: Signal, level: Signal, threshold: float) -> list[tuple[float, bool]]:
    """When a signal crosses a threshold, and whether upwards."""
    above = level > threshold
    found = []
    for k in np.nonzero(above[1:] != above[:-1])[0]:
        part = (threshold - level[k]) / (level[k + 1] - level[k])
        found.append((float(time[k] + part * (time[k + 1] - time[k])), bool(above[k + 1])))
    return found


def _edges(out: Mapping[str, Signal], vdd: float) -> list[tuple[float, int]]:
    """Edges of the phases in order: time, and the state that begins."""
    found = []
    for k, net in enumerate(_PHASES):
        edges = _crossings(out["time"], out[net], vdd / 2)
        found += [(time, k if up else k + STAGES) for time, up in edges]
    return sorted(found)


def _code(out: Mapping[str, Signal], number: int, vdd: float) -> int:
    """A slice's code at the end; `SimulationError` if a bit is no level."""
    levels = [float(out[f"s{number}.CODE{bit}"][-1]) / vdd for bit in range(CODE_BITS)]
    if any(0.1 < level < 0.9 for level in levels):
        raise SimulationError(f"slice {number}: levels {', '.join(f'{x:.2f}' for x in levels)} VDD")
    return sum((level > 0.5) << bit for bit, level in enumerate(levels))
