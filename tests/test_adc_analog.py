"""The ADC slice's analog part: it converts, and its blocks are clean and match."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from picoram_layout.layout import Library
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.periphery.adc_analog import analog_rows
from picoram_layout.simulation import adc, adc_slice, ngspice
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.source import circuits
from picoram_layout.spec import load_spec
from picoram_layout.spec.shipped import find_spec
from tests.conftest import needs_ngspice


@cache
def drawn() -> adc_slice.Slice:
    """The slice of the shipped macro, on its array's load."""
    array = circuits(load_spec(find_spec(Path("picoram_40kb"))))
    return adc_slice.Slice(*array.slice, array.bench())


def values(al: float, levels: adc_slice.Levels = adc_slice.NOMINAL) -> dict[str, float]:
    job = adc_slice.job(drawn(), Condition(), al, "test", levels)
    return ngspice.run(job.deck, job.wanted, seconds=120).values


@needs_ngspice
def test_levels_are_times_that_differ_by_one_step_each() -> None:
    low, high = values(0.30), values(0.39)
    steps = 0.09 / adc.LSB
    assert (low["hit"] - high["hit"]) * 1e9 == pytest.approx(steps * adc_slice.STEP, rel=0.05)
    assert low["hit"] - low["en1"] > 20e-9  # Cmp1 has had time to settle


@needs_ngspice
def test_cmp2_gates_cmp1() -> None:
    """With VTHL at 0 Cmp1 is on from the start: the time is the same, the charge is not."""
    gated, always = values(0.25), values(0.25, replace(adc_slice.Levels(), vthl=0.0))
    assert always["en1"] < 2e-9 < gated["en1"]
    assert always["hit"] == pytest.approx(gated["hit"], abs=2e-9)
    assert -always["charge"] > -1.2 * gated["charge"]


def test_an_even_transfer_has_no_error_and_a_bent_one_has() -> None:
    al = np.linspace(adc.LOW, adc.HIGH, 40)
    even = 430.0 - (al - adc.LOW) / adc.LSB * 1.0
    found = adc.transfer(al.tolist(), even.tolist(), 1.0)
    assert found["monotonic"]
    assert found["inl"] < 0.01
    assert found["dnl"] < 0.01
    middle = (adc.LOW + adc.HIGH) / 2
    bent = even + 8.0 * ((al - middle) / (adc.HIGH - adc.LOW)) ** 2
    assert adc.transfer(al.tolist(), bent.tolist(), 1.0)["inl"] == pytest.approx(1.3, abs=0.1)
    places = (0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert adc.transfer(al.tolist(), even.tolist(), 1.0, places)["dnl"] == pytest.approx(0.4, abs=0.02)
    folded = even.copy()
    folded[20] += 20.0
    assert not adc.transfer(al.tolist(), folded.tolist(), 1.0)["monotonic"]


@pytest.mark.parametrize("pdk", pdk_names())
def test_currents_come_from_equal_fingers(pdk: str) -> None:
    """Cmp1's second stage has half its tail's fingers, and the mirror's devices are as many as each other."""
    rows = analog_rows(load_pdk(pdk))
    sources = rows[0][0].p
    assert sources.count("T1D") == 2 * sources.count("Z1D")
    pairs = next(g for g in rows[2] if "X1" in g.n)
    gates = pairs.p[1::2]
    assert gates.count("AL") == gates.count("VTH")


@pytest.mark.parametrize("pdk", pdk_names())
def test_a_slice_is_low_enough(pdk: str) -> None:
    from picoram_layout.cells import CATALOGUE

    made = CATALOGUE["adc_slice"].draw(Library(load_pdk(pdk)))
    unit = load_pdk(pdk).channel_width / 0.42
    assert made.height <= 120.0 * unit
