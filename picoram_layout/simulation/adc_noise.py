"""Noise of the ADC slice from its drawn netlist: Cmp1, the ramp's current, what resets leave on AL.

`.noise` is taken where the slice decides: latches' nets and Cmp2's hold node are held by sources, AL by one
at the level at which Cmp1's output is at half the supply. What Cmp1's white noise does to a decision that
the ramp passes in some tens of ns is found in time: a noise source of that density at VTH, one run for each
sample. Slower noise is an error of a whole conversion: its density is integrated from `SLOWEST` on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.simulation import adc, adc_load, adc_slice
from picoram_layout.simulation.adc_slice import NOMINAL, VTH_OHM, Levels, Slice
from picoram_layout.simulation.circuits import renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.results import Job, Result

Reals = NDArray[np.float64]

SAMPLES = 20  # runs with noise in time
SLOWEST = 1.0  # Hz: noise below is calibrated away with the offset
_WHITE = 1e8  # Hz, where Cmp1's density has left its 1/f part
_STEP = 0.5  # ns, of the noise source
_BEFORE = 0.06  # V below VTH (at 1.8 V) that the ramp starts from in the runs with noise
_END = 110.0  # ns that they last
_OHM = 1e6  # of the current's probe
_SPECTRUM, _CAPACITY = 10, "capacity"
_OPTIONS = "reltol=1e-4 gmin=1e-15"
_BOLTZMANN = 1.380649e-23


def _held(s: Slice, condition: Condition, title: str, nets: Mapping[str, float]) -> Deck:
    """The analog part and its bias with nets held at levels (parts of VDD, or V from 0.3 on as they are)."""
    deck = Deck(title, condition)
    deck.cell(renamed(s.analog, {}))
    adc_slice.bias(deck, s, NOMINAL)
    scale = condition.vdd / 1.8
    deck.add(f"Vvth vth_in 0 {NOMINAL.vth * scale:g}", f"Vvthl VTHL 0 {NOMINAL.vthl * scale:g}")
    deck.resistor("vth_in", "VTH", VTH_OHM)
    for net, level in nets.items():
        deck.add(f"Vheld_{net} {net} 0 {level:g}")
    return deck


def _states(condition: Condition, compare: bool) -> dict[str, float]:
    """Levels of the latches while the ramp goes up: Cmp1 on (``compare``) or off; Cmp2's hold node."""
    high = ("EN1", "P1", "HITB", "RON") if compare else ("EN1B", "P1B", "HITB", "RON")
    low = ("EN1B", "P1B", "HIT", "RONB") if compare else ("EN1", "P1", "HIT", "RONB")
    found = dict.fromkeys(high, condition.vdd) | dict.fromkeys((*low, "AZ", "RAMPB", "FORCE"), 0.0)
    return found | {"G2": 0.66}


def _spectrum(output: str, source: str) -> list[str]:
    """Noise from 1 Hz to 10 GHz into a file: frequency, density at the input, at the output."""
    return [
        f"noise {output} {source} dec {_SPECTRUM} {SLOWEST:g} 10g",
        "setplot noise1",
        "set wr_singlescale",
        "wrdata noise.txt inoise_spectrum onoise_spectrum",
    ]


def jobs(s: Slice, condition: Condition) -> list[Job]:
    """Cmp1 where it decides; the ramp's current; the capacity of AL."""
    vdd, scale = condition.vdd, condition.vdd / 1.8
    vth = NOMINAL.vth * scale
    deciding = _held(s, condition, "noise of Cmp1", _states(condition, True))
    deciding.add(f"Val AL 0 {vth:g} ac 1")
    control = [
        ".control",
        f"dc Val {vth - 0.02:g} {vth + 0.02:g} 20u",
        f"meas dc trip when v(z1)={vdd / 2:g}",
        "alter Val dc = trip",
        "ac dec 1 1k 10k",
        "meas ac gain find vm(z1) at=1k",
        *_spectrum("v(z1)", "Val"),
        ".endc",
    ]
    cmp1 = Job(
        f"noise of Cmp1 {condition}", deciding.text(_OPTIONS, control), ("trip", "gain"), ("noise.txt",)
    )
    ramping = _held(s, condition, "noise of the ramp", _states(condition, False))
    ramping.add(f"Val AL 0 {(adc.LOW + adc.HIGH) / 2 * scale:g}", f"Hprobe probe 0 Val {_OHM:g}")
    ramping.add("Iprobe 0 b_IREF_R 0 ac 1")
    control = [".control", "op", "print i(val)", *_spectrum("v(probe)", "Iprobe"), ".endc"]
    ramp = Job(f"noise of the ramp {condition}", ramping.text(_OPTIONS, control), (), ("noise.txt",))
    load = Deck("capacity of AL", condition)
    adc_load.attach(load, s.bench, 0.0)
    load.add(f"Val al 0 {(adc.LOW + adc.HIGH) / 2 * scale:g} ac 1")
    # VL's capacitors follow AL through their resistance up to some 10 MHz
    control = [
        ".control",
        "ac lin 1 1meg 1meg",
        f"let {_CAPACITY} = abs(imag(i(val)))/(2*pi*1e6)",
        f"print {_CAPACITY}",
        ".endc",
    ]
    return [cmp1, ramp, Job(f"capacity of AL {condition}", load.text(_OPTIONS, control), (_CAPACITY,))]


def density(result: Result) -> float:
    """Cmp1's white noise at its input (V per root of Hz)."""
    table = result.array("noise.txt")
    return float(np.interp(_WHITE, table[:, 0], table[:, 1]))


def time_jobs(s: Slice, condition: Condition, white: float) -> list[Job]:
    """Conversions from shortly below VTH, with white noise of this density at VTH; the last one without."""
    al = (NOMINAL.vth - _BEFORE) * condition.vdd / 1.8
    found = []
    for n in range(SAMPLES + 1):
        levels = Levels(vthl=0.0)  # Cmp1 is on from the start, the ramp is short
        noise = white / math.sqrt(2e-9 * _STEP) if n < SAMPLES else 0.0
        name = f"ADC noise {n} {condition}"
        found.append(adc_slice.job(s, condition, al, name, levels, _END, (noise, _STEP, n + 1)))
    return found


def _integrated(frequency: Reals, density: Reals) -> float:
    """Root of the integral of a density squared."""
    return float(np.sqrt(np.trapezoid(density**2, frequency)))


def summary(
    condition: Condition, results: Sequence[Result], hits: Sequence[Result], ns_per_lsb: float, longest: float
) -> dict[str, Any]:
    """Each part's noise in LSB (rms) and their sum; ``longest``: ns that the ramp integrates over."""
    cmp1, ramp, load = results
    lsb = adc.LSB * condition.vdd / 1.8
    capacity = load.values[_CAPACITY]
    table = cmp1.array("noise.txt")
    frequency, at_input, at_output = table.T
    white = density(cmp1)
    slow = np.sqrt(np.maximum(at_input**2 - white**2, 0.0))
    times = [1e9 * r.values["hit"] for r in hits[:-1]]
    current = ramp.array("noise.txt")
    f, amps = current[:, 0], current[:, 2] / _OHM
    window = np.abs(np.sin(np.pi * f * longest * 1e-9) / (np.pi * f))
    kelvin = condition.temp + 273.15
    parts = {
        "Cmp1, white": float(np.std(times, ddof=1)) / ns_per_lsb,
        "Cmp1, slower": _integrated(frequency[frequency <= _WHITE], slow[frequency <= _WHITE]) / lsb,
        "ramp's current": _integrated(f, amps * window) / capacity / lsb,
        "kT/C of AL": math.sqrt(_BOLTZMANN * kelvin / capacity) / lsb,
    }
    return {
        "parts_lsb": parts,
        "all_lsb": math.sqrt(sum(part**2 for part in parts.values())),
        "white_V_per_rootHz": white,
        "static_V": _integrated(frequency, at_output) / cmp1.values["gain"],
        "trip_V": cmp1.values["trip"],
        "gain": cmp1.values["gain"],
        "al_F": capacity,
        "samples": len(times),
        "mean_shift_ns": float(np.mean(times)) - 1e9 * hits[-1].values["hit"],
    }
