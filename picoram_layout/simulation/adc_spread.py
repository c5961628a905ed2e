"""The ADC slice beyond its typical self: mismatch, neighbours on its lines, currents that follow the ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from picoram_layout.simulation import adc, adc_slice
from picoram_layout.simulation.adc_slice import IREF_R, Levels, Slice
from picoram_layout.simulation.converter import Ring
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.mac import LEVELS as WANTED
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.montecarlo import seed
from picoram_layout.simulation.results import Job, Result

SAMPLES = 20
SLOWEST = 1.4  # a sample's ramp may be slower than the typical one by
LEVELS = 17  # of a transfer with a current that follows the ring
SLICES = 8
# Where the neighbours' ramps end: long after the one that is looked at, long before, 10 LSB before, with it
NEIGHBOURS = {"late": adc.LOW, "early": adc.HIGH, "just before": 10 * adc.LSB, "together": 0.0}
_MIDDLE = (adc.LOW + adc.HIGH) / 2


def mismatch_jobs(s: Slice, condition: Condition) -> list[Job]:
    """Both ends of the range with each sample's transistors (slice and bias)."""
    return [
        adc_slice.job(
            s,
            condition,
            al * condition.vdd / 1.8,
            f"ADC sample {n} {al:.3f} {condition}",
            end=SLOWEST * adc_slice.END,
            base=Deck("ADC slice", condition, seed("adc", n)),
        )
        for n in range(SAMPLES)
        for al in (adc.LOW, adc.HIGH)
    ]


def mismatch(results: Sequence[Result], ns_per_lsb: float) -> dict[str, Any]:
    """Spread (one sigma) of the offset at the range's upper end and of the slope."""
    low, high = (np.array([1e9 * r.values["hit"] for r in results[k::2]]) for k in (0, 1))
    slope = low - high
    return {
        "samples": len(low),
        "offset_lsb": float(high.std(ddof=1)) / ns_per_lsb,
        "offset_V": float(high.std(ddof=1)) / ns_per_lsb * adc.LSB,
        "slope": float(slope.std(ddof=1) / slope.mean()),
        "longest_ns": float(low.max()),
        "hit_high_ns": high.tolist(),
        "hit_low_ns": low.tolist(),
    }


def crosstalk_jobs(s: Slice, condition: Condition) -> list[Job]:
    """A slice at mid scale, and seven others on its lines that end elsewhere."""
    scale = condition.vdd / 1.8
    return [
        adc_slice.together(
            s,
            condition,
            [_MIDDLE * scale]
            + [(_MIDDLE + al if al < 0.05 else al) * scale for al in [NEIGHBOURS[name]] * (SLICES - 1)],
            f"ADC, neighbours {name} {condition}",
        )
        for name in NEIGHBOURS
    ]


def crosstalk(results: Sequence[Result], ns_per_lsb: float) -> dict[str, Any]:
    """By how much (LSB) a slice's time moves with its neighbours, against neighbours that end later."""
    times = {name: 1e9 * r.values["hit"] for name, r in zip(NEIGHBOURS, results, strict=True)}
    shift = {name: (time - times["late"]) / ns_per_lsb for name, time in times.items() if name != "late"}
    return {
        "slices": SLICES,
        "vth_ohm": adc_slice.VTH_OHM,
        "shift_lsb": shift,
        "worst_lsb": max(map(abs, shift.values())),
    }


def followed(found: Mapping[str, Any], ring: Ring, typical: Mapping[str, Any]) -> float:
    """The IREF_R (A) that keeps as many steps of the ring in the range as the typical slice has.

    ``found`` is the ramp at the condition with the typical current: time goes with the current's inverse.
    """
    wanted = typical["ns_per_lsb"] / typical["ring"]["step_ns"]
    return float(IREF_R * found["ns_per_lsb"] / ring.step / wanted)


def extremes(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Numbers of the conditions with the slowest ring, the fastest one, and the least exact ramp."""
    slowest, fastest = (way(range(len(rows)), key=lambda k: rows[k]["step_ns"]) for way in (max, min))
    bent = max(range(len(rows)), key=lambda k: abs(rows[k]["bow_lsb"]))
    return list(dict.fromkeys((slowest, fastest, bent)))


def levels(condition: Condition) -> list[float]:
    """AL's levels (V) of such a transfer, in order."""
    return (np.linspace(adc.LOW, adc.HIGH, LEVELS) * condition.vdd / 1.8).tolist()


def followed_jobs(s: Slice, condition: Condition, current: float, ring: Ring) -> list[Job]:
    """The transfer at a condition with this IREF_R."""
    end = adc_slice.END * max(1.0, 1.1 * ring.step)
    with_current = replace(Levels(), iref_r=current)
    return [
        adc_slice.job(s, condition, al, f"ADC {al:.4f} IREF_R followed {condition}", with_current, end)
        for al in levels(condition)
    ]


def followed_summary(
    condition: Condition, current: float, ring: Ring, results: Sequence[Result]
) -> dict[str, Any]:
    """Codes and errors of that transfer with the condition's own ring."""
    times = [1e9 * r.values["hit"] for r in results]
    found = adc.transfer(levels(condition), times, ring.step, adc.places(ring))
    kept = found["codes"] >= WANTED and found["monotonic"]
    return {
        "corner": condition.corner,
        "temp_C": condition.temp,
        "vdd_V": condition.vdd,
        "iref_r_A": current,
        "step_ns": ring.step,
        "longest_ns": max(times),
        **{key: found[key] for key in ("codes", "monotonic", "inl", "dnl", "distance_ns")},
        "met": kept and found["inl"] <= adc.INL_LIMIT and found["dnl"] <= adc.DNL_LIMIT,
    }
