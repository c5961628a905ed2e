"""The digital part of the ADC: what the slice's gates do, and that no hit time gives a wrong code."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from picoram_layout.drc import run_drc
from picoram_layout.layout import Block, Canvas, Library
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.pdk import Pdk, load_pdk, pdk_names
from picoram_layout.periphery import adc_digital, counter, oscillator
from picoram_layout.plan import make_plan
from picoram_layout.simulation.circuits import Transistor, flat
from picoram_layout.spec import load_spec
from tests.switch_level import Switches

SPECS = Path(__file__).parent.parent / "specs"
STATES = 8
SKY = load_pdk("sky130")


def phases(state: int) -> dict[str, int]:
    """Johnson code of a state: phase k is high in states k to k + 3."""
    return {f"PH[{k}]": int((state - k) % STATES < STATES // 2) for k in range(STATES // 2)}


# -- the drawn slice ---------------------------------------------------------------------------------------


@cache
def drawn() -> tuple[Transistor, ...]:
    """Transistors of the slice's netlist; LVS proves that they are those of the layout."""
    library = Library(SKY)
    block = adc_digital.adc_digital(library, 15.64, 6.255, 9.385)
    return flat(library.netlist, block.name).transistors


class Bench:
    """A slice with ring and counter around it."""

    def __init__(self) -> None:
        self.switches = Switches(drawn())
        self.time = 0  # in states
        self.switches.drive(self.outside(), HIT=0, EN1=0, LOAD=1)

    def outside(self, end: bool = False) -> dict[str, int]:
        """Phases, and the counter, which changes in state 2."""
        count = min(max(0, (self.time - 2) // STATES), 2**adc_digital.COUNTER_BITS - 1)
        bits = {f"COUNT[{k}]": count >> k & 1 for k in range(adc_digital.COUNTER_BITS)}
        return phases(self.time % STATES) | bits | {"END": int(end)}

    def run(self, states: int, end: bool = False) -> None:
        """Let the ring go on."""
        for _ in range(states):
            self.time += 1
            self.switches.drive(self.outside(end))

    def code(self) -> int:
        """The code on the outputs."""
        bits = [self.switches.state[f"CODE[{k}]"] for k in range(adc_digital.CODE_BITS)]
        assert None not in bits, bits
        return sum((bit or 0) << k for k, bit in enumerate(bits))


@pytest.mark.parametrize("cycle", [1, 21, 42])
@pytest.mark.parametrize("state", range(STATES))
def test_the_slice_takes_state_and_count_together(cycle: int, state: int) -> None:
    bench = Bench()
    bench.time = cycle * STATES + state - 2
    bench.switches.drive(bench.outside())
    bench.switches.drive(EN1=1, LOAD=0)
    bench.run(2)
    hit = bench.time
    bench.switches.drive(HIT=1)
    assert bench.switches.state["take"] == int(state >= STATES // 2)
    bench.run(3 * STATES)  # long after: neither phases nor counter may come through
    bench.switches.drive(LOAD=1)
    bench.switches.drive(LOAD=0)
    assert bench.code() == 2**adc_digital.CODE_BITS - 1 - hit
    bench.switches.drive(HIT=0, EN1=0)
    bench.run(1)
    assert bench.code() == 2**adc_digital.CODE_BITS - 1 - hit, "kept while the next conversion runs"


def test_a_full_counter_gives_code_zero() -> None:
    bench = Bench()
    bench.time = 63 * STATES
    bench.switches.drive(bench.outside(), EN1=1, LOAD=0)
    bench.run(6)
    bench.run(1, end=True)
    bench.switches.drive(HIT=1)
    bench.run(STATES, end=True)
    bench.switches.drive(LOAD=1)
    assert bench.code() == 0


def test_phases_stay_outside_until_the_ramp_is_near_and_after_the_hit() -> None:
    bench = Bench()
    inside = [f"{net}{k}" for net in ("pb", "q", "nq") for k in range(4)] + ["take", "on"]

    def seen() -> set[str]:
        return set().union(*(moved_one() for _ in range(STATES)))

    def moved_one() -> set[str]:
        before = {net: bench.switches.state[net] for net in inside}
        bench.run(1)
        return {net for net in inside if bench.switches.state[net] != before[net]}

    assert seen() == set()
    bench.switches.drive(EN1=1)
    assert seen() == set(inside[:-2])
    bench.switches.drive(HIT=1)
    bench.run(STATES)
    assert seen() == set()


# -- hit times ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delays:
    """Delays in steps of the ring (each about 1 ns)."""

    skew: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)  # of the phases at the latches
    unsure: float = 0.05  # around an edge of a phase within which a latch may take either level
    late: float = 0.4  # from HIT to when the counter may be taken
    live: float = 0.1  # from a phase at its latch to the same phase where the counter's latches decide
    closing: float = 0.3  # from that decision to when they have closed
    change: tuple[float, float] = (0.4, 1.3)  # when counter bits may change, after state 2 began
    changes_in: int = 2

    def level(self, k: int, t: float) -> set[int]:
        """What a latch may take of phase k."""
        at = (t - self.skew[k] - k) % STATES
        edges = [abs(at - edge) for edge in (0, STATES / 2, STATES)]
        return {0, 1} if min(edges) < self.unsure else {int(at < STATES / 2)}

    def count(self, t: float) -> int | None:
        """The counter, None while it changes."""
        first, last = self.change
        early, late = ((t - self.changes_in - d) // STATES for d in (last, first))
        return int(early) if early == late else None


def codes(d: Delays, hit: float) -> Iterator[int | None]:
    """Counts (8 counter + state) that a hit at this time may give; None: the counter is caught changing."""
    for word in itertools.product(*(sorted(d.level(k, hit)) for k in range(4))):
        state = next((s for s in range(STATES) if tuple(phases(s).values()) == word), None)
        if state is None:
            yield None
            continue
        decided = hit + d.late
        if word[0] == 1:  # the first half: wait until the live phase 0 is low
            at = (decided - d.skew[0] - d.live) % STATES
            decided += STATES / 2 - at if at < STATES / 2 else 0.0
        closed = decided + d.closing
        found = {d.count(decided), d.count(closed)}
        count = found.pop() if len(found) == 1 else None
        yield None if count is None else count * STATES + state


def wrong(d: Delays, step: float = 0.01) -> list[float]:
    """Hit times of a few periods whose code may be wrong; near a boundary both sides' codes are right."""
    bad = []
    off = max(map(abs, d.skew)) + d.unsure + 1e-6
    for k in range(int(3 * STATES / step)):
        hit = 20 * STATES + k * step
        allowed = {math.floor(hit - off), math.floor(hit + off)}
        if not set(codes(d, hit)) <= allowed:
            bad.append(hit)
    return bad


# Wider than what the drawn blocks have when simulated.
WORST = [
    Delays(skew, unsure, late, live, closing, change)
    for skew in itertools.product((-0.12, 0.12), repeat=4)
    for unsure, late, live in ((0.05, 0.25, 0.1), (0.1, 1.2, 0.02))
    for closing in (0.05, 0.6)
    for change in ((0.2, 1.4),)
]


def test_no_hit_time_gives_a_wrong_code() -> None:
    assert [d for d in WORST if wrong(d, 0.02)] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        {"late": 0.0, "live": 0.3},  # the live phase is not yet what the latch took
        {"changes_in": 3, "change": (0.5, 1.5)},  # the counter changes while it is taken
        {"changes_in": 0, "change": (-0.5, 0.5)},
        {"late": 3.0},
    ],
)
def test_the_model_finds_what_is_too_late_or_too_early(spoilt: dict[str, float]) -> None:
    assert wrong(Delays(), 0.02) == []
    assert wrong(replace(Delays(), **spoilt), 0.02) != []  # type: ignore[arg-type]


# -- counter and oscillator --------------------------------------------------------------------------------


def test_the_counter_counts_stops_when_full_and_starts_in_the_same_state() -> None:
    library = Library(SKY)
    block = counter.counter(library, 8)
    switches = Switches(flat(library.netlist, block.name).transistors)

    def edge(start: int) -> tuple[int, int | None, int | None]:
        """One period; the count, END and RAMPB after its rising edge."""
        switches.drive({"PH[2]": 0}, START=start)
        nets = switches.drive({"PH[2]": 1})
        bits = [nets[f"COUNT[{k}]"] for k in range(adc_digital.COUNTER_BITS)]
        return sum((bit or 0) << k for k, bit in enumerate(bits)), nets["END"], nets["RAMPB"]

    for _ in range(4):
        edge(0)
    assert edge(0) == (0, 0, 1)
    assert [edge(1) for _ in range(2)] == [(0, 0, 1), (0, 0, 0)], "RAMPB falls at the second edge"
    for count in range(1, 2**adc_digital.COUNTER_BITS):
        assert edge(1) == (count, 0, 0)
    full = 2**adc_digital.COUNTER_BITS - 1
    assert switches.drive({"PH[2]": 0})["END"] == 1, "in the middle of the last period"
    assert [edge(1) for _ in range(2)] == [(full, 1, 0)] * 2
    assert switches.drive(START=0)["RAMPB"] == 1
    assert [edge(0) for _ in range(4)][-1] == (0, 0, 1)


def test_a_stopped_ring_stands_still_in_one_of_its_states() -> None:
    library = Library(SKY)
    block = oscillator.ring_oscillator(library, 8)
    switches = Switches(flat(library.netlist, block.name).transistors)
    levels = {f"{net}{k}": (net == "A") ^ (k % 2) for k in range(oscillator.STAGES) for net in "AB"}
    switches.state |= {**levels, "off": 1, "on": 0}
    nets = switches.drive(EN=0)
    gates = [net for net in nets if switches.gated[net]]
    assert {net: nets[net] for net in levels} == levels, "nothing drives against what sets the nodes"
    word = tuple(nets[f"PH[{k}]"] for k in range(oscillator.STAGES))
    assert word in {tuple(phases(s).values()) for s in range(STATES)}
    assert None not in [nets[net] for net in gates], "no gate floats between levels"


# -- drawings ----------------------------------------------------------------------------------------------


def pitch(pdk: Pdk) -> float:
    """Width of a slice of four columns (um)."""
    name = "picoram_40kb" if pdk.name == "sky130" else f"picoram_40kb_{pdk.name}"
    plan = make_plan(load_spec(SPECS / f"{name}.yaml"))
    return round(plan.spec.array.weight_bits * plan.t.width, 6)


BLOCKS: dict[str, Callable[[Library], Block]] = {
    "slice": lambda lib: adc_digital.adc_digital(lib, pitch(lib.pdk), *places(lib.pdk)),
    "counter": lambda lib: counter.counter(lib, 8),
    "counter_of_many": lambda lib: counter.counter(lib, 64),
    "oscillator": lambda lib: oscillator.ring_oscillator(lib, 8),
    "counter_of_32": lambda lib: counter.counter(lib, 32),
    "oscillator_of_32": lambda lib: oscillator.ring_oscillator(lib, 32),
    "oscillator_of_many": lambda lib: oscillator.ring_oscillator(lib, 64),
}


def places(pdk: Pdk) -> tuple[float, float]:
    """Where HIT and EN1 come in."""
    width = pitch(pdk)
    return pdk.up(0.4 * width), pdk.up(0.6 * width)


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_are_clean_and_match(pdk: str, name: str) -> None:
    library = Library(load_pdk(pdk))
    block = BLOCKS[name](library)
    rules = [rule.id for rule in library.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, block.name, library.pdk, only=rules).by_rule == {}
    extracted = extract(library.layout, block.name, library.pdk)
    assert compare(extracted, library.netlist, block.name, library.devices).differences == []


@pytest.mark.parametrize("pdk", pdk_names())
def test_slices_stand_side_by_side(pdk: str) -> None:
    library = Library(load_pdk(pdk))
    block = BLOCKS["slice"](library)
    c = Canvas(library, "slices")
    own = {pin for pin in block.circuit.pins if pin.startswith(("CODE", "HIT", "EN1"))}
    for k in range(3):
        c.place(block, k * block.width, 0, nets={pin: f"{pin}_{k}" for pin in own})
    top = c.done(3 * block.width, block.height)
    rules = [rule.id for rule in library.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, top.name, library.pdk, only=rules).by_rule == {}
    extracted = extract(library.layout, top.name, library.pdk)
    assert compare(extracted, library.netlist, top.name, library.devices).differences == []
