"""The ADC's digital part in ngspice, from drawn blocks with their wires: codes of hits, what a slice takes.

Ring, counter and slices run as they are wired in the macro. HIT and EN1 are sources: the analog part is
simulated elsewhere. A position is a time in steps of the ring since the count was 0 and the state 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from picoram_layout.layout import Library
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.adc_digital import CODE_BITS, COUNTER_BITS, adc_digital, solve_slice
from picoram_layout.periphery.counter import counter, solve_counter
from picoram_layout.periphery.oscillator import STAGES
from picoram_layout.simulation.circuits import GND, Cell, renamed
from picoram_layout.simulation.converter import (
    EDGE,
    PHASES,
    STATES,
    Signal,
    crossings,
    drawn_block,
    mean_current,
    oscillator,
    ring_deck,
    slower,
    state_edges,
    waveforms,
)
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.ngspice import SimulationError

LINE_FF = 25.0  # of each line outside the slices: about 150 um of met3
_COUNT = [f"COUNT{k}" for k in range(COUNTER_BITS)]
_CLEAR = 27.0  # steps with START low, which clear the counter
_TO_RAMP = 14.15  # from START to RAMPB, where hits are planned from; positions are then measured
_IN_PERIOD = 2.6  # the position at which RAMPB falls


@dataclass(frozen=True)
class Blocks:
    """The drawn blocks as circuits with wires; nets' names have no brackets."""

    oscillator: Cell
    counter: Cell
    slice: Cell


@dataclass(frozen=True)
class Hit:
    """A hit: where it was, the count that the slice took (511 - CODE), and after how many ns it took it."""

    position: float
    count: int
    taken: float


def blocks(pdk: Pdk, slices: int, width: float) -> Blocks:
    """Draw the blocks for so many slices of this width (um), and add their wires."""
    lib, places = Library(pdk), (pdk.up(0.4 * width), pdk.up(0.6 * width))
    parts = {f"counter_{k}": solved for k, solved in enumerate(solve_counter(pdk, slices))}
    digital = {"adc_digital": solve_slice(pdk, width, *places)}
    return Blocks(
        oscillator(pdk, slices),
        drawn_block(lib, counter(lib, slices).name, parts),
        drawn_block(lib, adc_digital(lib, width, *places).name, digital),
    )


def escape(cells: Blocks, condition: Condition) -> float:
    """How long (ns) the ring holds still after a start with both outputs of each stage equal.

    `SimulationError` if they stay equal: four inverting stages could do so.
    """
    deck = Deck("ADC", condition)
    deck.cell(cells.oscillator)
    deck.source("EN", [(0, condition.vdd)], EDGE)
    nodes = {f"{net}{k}": condition.vdd * (k % 2) for k in range(STAGES) for net in "AB"}
    deck.start({**nodes, "on": condition.vdd, "off": 0.0})
    end = 60 * slower(condition)
    out = waveforms(deck, ["A0", "B0"], end, 0.02, " uic")
    apart = out["time"][np.abs(out["A0"] - out["B0"]) > 0.8 * condition.vdd]
    if not len(apart) or apart[-1] < 0.9 * end:
        raise SimulationError(f"ring: outputs of its stages stay equal at {condition}")
    return float(apart[0])


def hits(cells: Blocks, condition: Condition, step: float, positions: Sequence[float]) -> list[Hit]:
    """One conversion with a slice for each position (about, above 20) at which it is hit; ``step`` in ns."""
    v, deck = condition.vdd, ring_deck(cells.oscillator, condition, LINE_FF)
    shared = {net: net for net in (*PHASES, *_COUNT, "END", "LOAD", "START", "RAMPB")}
    start = _CLEAR * step
    times = [start + (_TO_RAMP + p - _IN_PERIOD) * step for p in positions]
    deck.cell(renamed(cells.counter, shared, "counter."))
    for net in (*_COUNT, "END", "RAMPB"):
        deck.capacitor(net, GND, LINE_FF)
    for k, time in enumerate(times):
        deck.cell(renamed(cells.slice, shared, f"s{k}."))
        deck.source(f"s{k}.HIT", [(0, 0), (time, v)], EDGE)
        deck.source(f"s{k}.EN1", [(0, 0), (time - 12 * step, v)], EDGE)
    load = max(times) + STATES * step
    deck.source("START", [(0, 0), (start, v)], EDGE)
    deck.source("LOAD", [(0, 0), (load, v), (load + 2.5 * step, 0)], EDGE)
    codes = [f"s{k}.CODE{bit}" for k in range(len(times)) for bit in range(CODE_BITS)]
    takes = [f"s{k}.take" for k in range(len(times))]
    out = waveforms(deck, [*PHASES, "RAMPB", *codes, *takes], load + 5 * step, 0.02 * step)
    edges, ramp = state_edges(out, v), crossings(out["time"], out["RAMPB"], v / 2)[0][0]
    first = sum(time < ramp for time, _ in edges) - 1  # the edge before the ramp, in period 0
    found = []
    for k, time in enumerate(times):
        at = time + EDGE / 2
        j = sum(t < at for t, _ in edges) - 1
        position = edges[first][1] + j - first + (at - edges[j][0]) / (edges[j + 1][0] - edges[j][0])
        taken = next((t for t, up in crossings(out["time"], out[f"s{k}.take"], v / 2) if up), np.inf)
        found.append(Hit(position, 2**CODE_BITS - 1 - _code(out, k, v), taken - at))
    return found


def slice_current(cells: Blocks, condition: Condition, step: float, on: bool) -> float:
    """Supply current (uA) of a slice that waits for HIT, EN1 high (``on``) or low; its lines are sources."""
    v, deck, period = condition.vdd, Deck("ADC", condition), STATES * step
    deck.cell(cells.slice)
    for k, net in enumerate(PHASES):
        deck.add(f"V{net} {net} 0 PULSE(0 {v} {(k + 2) * step}n .2n .2n {period / 2 - 0.2}n {period}n)")
    for k, net in enumerate(_COUNT):
        high = 2**k * period
        deck.add(f"V{net} {net} 0 PULSE(0 {v} {4 * step}n .2n .2n {high - 0.2}n {2 * high}n)")
    for net, level in (("EN1", v * on), ("HIT", 0.0), ("END", 0.0), ("LOAD", 0.0)):
        deck.source(net, [(0, level)], EDGE)
    out = waveforms(deck, ["take"], 10 * period, 0.02 * step)
    late = out["time"] > 2 * period
    return mean_current(out["time"][late], out["i"][late])


def _code(out: Mapping[str, Signal], number: int, vdd: float) -> int:
    """A slice's code at the end; `SimulationError` if a bit is no level."""
    levels = [float(out[f"s{number}.CODE{bit}"][-1]) / vdd for bit in range(CODE_BITS)]
    if any(0.1 < level < 0.9 for level in levels):
        raise SimulationError(f"slice {number}: levels {', '.join(f'{x:.2f}' for x in levels)} VDD")
    return sum((level > 0.5) << bit for bit, level in enumerate(levels))
