"""The ADC's digital part in ngspice, drawn blocks with their wires."""

from __future__ import annotations

import math
from functools import cache

import pytest

from picoram_layout.pdk import load_pdk
from picoram_layout.simulation.converter import STATES, Ring, ring
from picoram_layout.simulation.models import Condition
from tests.conftest import needs_ngspice
from tests.conversion import Blocks, blocks, escape, hits, slice_current

TYPICAL = Condition()


@cache
def drawn() -> Blocks:
    """Blocks for eight slices of the sky130 macro."""
    return blocks(load_pdk("sky130"), 8, 15.64)


@cache
def simulated(condition: Condition) -> Ring:
    """The ring at a condition."""
    return ring(drawn().oscillator, condition)


@needs_ngspice
def test_steps_of_the_ring() -> None:
    made = simulated(TYPICAL)
    assert 0.95 <= made.step <= 1.1
    assert len(made.error) == STATES
    assert sum(made.error) == pytest.approx(0, abs=1e-6)
    assert max(map(abs, made.error)) <= 0.1
    assert 50 <= made.current <= 400


@needs_ngspice
def test_the_ring_is_faster_where_transistors_are() -> None:
    fast = simulated(Condition("ff", 105.0, 1.98))
    assert fast.step < 0.9 * simulated(TYPICAL).step
    assert max(map(abs, fast.error)) <= 0.1


@needs_ngspice
def test_the_ring_leaves_equal_levels() -> None:
    """The strongest nMOS with the weakest pMOS is where keepers hold least."""
    assert escape(drawn(), Condition("fs", 105.0, 1.98)) < 20


@needs_ngspice
def test_a_slice_saves_while_the_phases_stay_outside() -> None:
    off, on = (slice_current(drawn(), TYPICAL, simulated(TYPICAL).step, enabled) for enabled in (False, True))
    assert 0 < 5 * off < on < 200


@needs_ngspice
def test_hits_on_both_sides_of_a_counter_boundary() -> None:
    before, after = hits(drawn(), TYPICAL, simulated(TYPICAL).step, [23.6, 24.6])
    for hit in (before, after):
        assert hit.count in {math.floor(hit.position - 0.3), math.floor(hit.position)}
    assert before.count % STATES == STATES - 1
    assert after.count == before.count + 1
    # state 7 is taken at once, state 0 waits for state 4, when the counter has long changed
    assert before.taken < 1.0 < 3.0 < after.taken < 4.6
