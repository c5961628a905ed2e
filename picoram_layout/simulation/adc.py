"""The ADC slice's static transfer: time of the ramp over AL's level, quantised by the ring's phases.

The time is simulated at levels spread over the range, and at fine steps in three places of it. Codes change
where the time passes an edge of the ring; the levels between the simulated ones come from a polynomial, whose
greatest distance from any simulated time is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.simulation.adc_slice import AZ_END, START, STEP, Levels, Slice, conversion, job
from picoram_layout.simulation.converter import STATES, Ring
from picoram_layout.simulation.mac import LEVELS
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE, SAMPLE
from picoram_layout.simulation.results import Job, Result

Reals = NDArray[np.float64]

LOW, HIGH = 0.055, 0.397  # V at 1.8 V: AL of the all-zero and the all-one result (`mac`)
LSB = (HIGH - LOW) / LEVELS
COARSE, FINE = 45, 5  # levels over the range; of each fine place
FINE_STEP = 0.25  # LSB
_DEGREE = 5
INL_LIMIT, DNL_LIMIT, TIME_LIMIT = 1.0, 0.5, 500.0  # LSB, LSB, ns
CYCLE = SAMPLE.end + COMPUTE.end  # ns of the array before the conversion
CYCLE_LIMIT = 1000.0

SAVED_LIMIT = 0.5  # of the slice's energy at mid scale, by the dual threshold
AFTER = 290.0  # ns from the ramp's start that the energy of a conversion from mid scale is taken over

# What `places` are of an ideal ring.
IDEAL = (0.0,) * STATES


def levels(vdd: float) -> list[float]:
    """AL's levels of the transfer's runs, in order (V)."""
    fine = [
        LOW + part * (HIGH - LOW) + k * FINE_STEP * LSB
        for part in (0.2, 0.5, 0.8)
        for k in range(1, FINE + 1)
    ]
    return sorted(v * vdd / 1.8 for v in [*np.linspace(LOW, HIGH, COARSE).tolist(), *fine])


def jobs(s: Slice, condition: Condition) -> list[Job]:
    """Runs of the transfer at one condition."""
    return [job(s, condition, al, f"ADC {1000 * al:.2f} mV {condition}") for al in levels(condition.vdd)]


def corner_jobs(s: Slice, conditions: Sequence[Condition]) -> list[Job]:
    """Both ends of the range and its middle at each condition."""
    return [
        job(s, c, al * c.vdd / 1.8, f"ADC {al:.3f} {c}", Levels(), 700.0)
        for c in conditions
        for al in (LOW, (LOW + HIGH) / 2, HIGH)
    ]


def transfer(
    al: Sequence[float], times: Sequence[float], state: float = STEP, late: Sequence[float] = IDEAL
) -> dict[str, Any]:
    """INL and DNL of the codes that times (ns) at these levels (V) give with a ring of this state's time."""
    v, t = np.asarray(al), np.asarray(times)
    curve = np.polynomial.Polynomial.fit(v, t, _DEGREE)
    distance = float(abs(curve(v) - t).max())
    falling = bool((np.diff(t[np.argsort(v)]) < 0).all())
    dense = np.linspace(v.min(), v.max(), 200_001)
    time = curve(dense)
    first, last = int(np.ceil(time.min() / state)), int(np.floor(time.max() / state))
    numbers = np.arange(first, last + 1)
    edges = (numbers + np.asarray(late)[numbers % STATES]) * state
    edges = edges[(edges > time.min()) & (edges < time.max())]
    at: Reals = np.interp(edges, time[::-1], dense[::-1])[::-1]  # rising levels
    line = np.polynomial.Polynomial.fit(np.arange(len(at)), at, 1)
    width = float(line.deriv()(0))
    inl = (at - line(np.arange(len(at)))) / width
    dnl = np.diff(at) / width - 1
    return {
        "codes": len(at) + 1,
        "monotonic": falling and bool((np.diff(at) > 0).all()),
        "inl": float(abs(inl).max()),
        "dnl": float(abs(dnl).max()),
        "code_V": width,
        "ns_per_lsb": float(-np.polyfit(v, t, 1)[0] * LSB),
        "distance_ns": distance,
        "curves": {"code_edge_V": at.tolist(), "inl": inl.tolist(), "dnl": dnl.tolist()},
    }


def places(ring: Ring) -> tuple[float, ...]:
    """Place of each of the ring's edges in its period, in states, less its number."""
    sums = np.cumsum(ring.error)
    return tuple(float(x) for x in sums - np.mean(sums))


def summary(condition: Condition, results: Sequence[Result], ring: Ring) -> dict[str, Any]:
    """The transfer at one condition with this ring, and what it has to reach."""
    al = levels(condition.vdd)
    times = [1e9 * r.values["hit"] for r in results]
    found = transfer(al, times, ring.step, places(ring))
    longest = START - AZ_END + max(times)
    cycle = CYCLE + longest
    met = {
        "levels": found["codes"] >= LEVELS,
        "monotonic": found["monotonic"],
        "inl": found["inl"] <= INL_LIMIT,
        "dnl": found["dnl"] <= DNL_LIMIT,
        "conversion": longest <= TIME_LIMIT,
        "cycle": cycle <= CYCLE_LIMIT,
    }
    return {
        "condition": str(condition),
        **found,
        "points": [{"al_V": a, "time_ns": t} for a, t in zip(al, times, strict=True)],
        "ring": {"step_ns": ring.step, "longest_error": max(map(abs, ring.error))},
        "conversion_ns": longest,
        "cycle_ns": cycle,
        "limits": {
            "levels": LEVELS,
            "inl": INL_LIMIT,
            "dnl": DNL_LIMIT,
            "conversion_ns": TIME_LIMIT,
            "cycle_ns": CYCLE_LIMIT,
        },
        "checks": met,
        "met": all(met.values()),
    }


def corners(conditions: Sequence[Condition], results: Sequence[Result]) -> list[dict[str, Any]]:
    """Slope and curvature of the time at each condition, from three levels; all had to be converted."""
    rows = []
    for k, c in enumerate(conditions):
        low, middle, high = (1e9 * r.values["hit"] for r in results[3 * k : 3 * k + 3])
        lead = min(1e9 * (r.values["hit"] - r.values["en1"]) for r in results[3 * k : 3 * k + 3])
        rows.append(
            {
                "corner": c.corner,
                "temp_C": c.temp,
                "vdd_V": c.vdd,
                "longest_ns": low,
                "ns_per_lsb": (low - high) / LEVELS,
                "bow_lsb": (middle - (low + high) / 2) / ((low - high) / LEVELS),
                "lead_ns": lead,
            }
        )
    return rows


def energy_jobs(s: Slice, condition: Condition) -> list[Job]:
    """A conversion from mid scale, and one with Cmp1 and the phases on from its start (VTHL at 0)."""
    al = (LOW + HIGH) / 2 * condition.vdd / 1.8
    return [
        conversion(s, condition, al, f"ADC energy, {name} {condition}", Levels(vthl=vthl), AFTER)
        for name, vthl in (("gated", Levels().vthl), ("always on", 0.0))
    ]


def energy(condition: Condition, results: Sequence[Result]) -> dict[str, Any]:
    """Energy (pJ) of both conversions, analog and digital part, and the part that gating saves."""
    parts = [
        {
            part: -1e12 * condition.vdd * r.values[key]
            for part, key in (("analog", "charge"), ("digital", "digital"))
        }
        for r in results
    ]
    gated, always = (sum(part.values()) for part in parts)
    saved = 1 - gated / always
    return {
        "gated_pJ": parts[0],
        "always_on_pJ": parts[1],
        "saved": saved,
        "limit": SAVED_LIMIT,
        "met": saved >= SAVED_LIMIT,
    }
