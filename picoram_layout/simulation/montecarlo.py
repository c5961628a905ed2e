"""Spread of an output from one sample to the next: mismatch of every transistor and capacitor.

Transistors: a model card each, drawn from the process's mismatch parameters (`models.MISMATCH`); capacitors:
`CAPACITOR_UM`. Two reduced circuits stand for the array:

- one row DAC with all its columns. Its levels for the single bits give every code's error, because the
  charges of the groups add; rows of an output draw their errors from these samples.
- an output with fewer rows. Rows are independent and AL is their mean, so that the spread of the full height
  is smaller by the root of the ratio of rows. The switches of the periphery are smaller in proportion to the
  rows, and so is their share of the spread.

The weights are known: what an output gives with all inputs zero can be taken off. Each sample is run twice,
and both spreads are reported.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.simulation import dac, mac
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.results import Job, Result

Floats = NDArray[np.float64]

SPREAD_LIMIT = 0.59  # LSB rms
# Rows to draw from; the same for any number of samples, so that more samples reuse the first ones' runs.
DAC_SAMPLES = 40
ROWS = 16
# Relative standard deviation of a MOM capacitor: this over the root of twice its area (um over um).
# Source: sky130_fd_pr, cells/cap_vpp_02p7x06p1_m1m2m3m4_shieldl1 and its three longer sisters:
# 0.0283 / sqrt(2 x width x length). Its other finger capacitors (4.4 x 4.6 and larger) agree within 10 %.
CAPACITOR_UM = 0.0283


def capacitor_sigma(area: float) -> float:
    """Relative standard deviation of a MOM capacitor over this area (um2)."""
    return CAPACITOR_UM / math.sqrt(2 * area)


def seed(purpose: str, sample: int) -> random.Random:
    """The same numbers for the same sample, whatever else is run."""
    return random.Random(f"picoram {purpose} {sample}")


def dac_jobs(row: dac.Row, condition: Condition, vref: float, samples: int, sigma: float) -> list[Job]:
    """Code 0 and the single bits of each sample."""
    codes = [0, *(1 << k for k in range(row.bits))]
    return [
        dac.job(
            row,
            code,
            condition,
            vref,
            deck=Deck(f"DAC code {code} sample {n}", condition, seed("dac", n)),
            capacitor_sigma=sigma,
        )
        for n in range(samples)
        for code in codes
    ]


def dac_errors(bits: int, results: Sequence[Result], samples: int) -> Floats:
    """Deviation (V) of each code (columns) from the mean of all samples (rows)."""
    table = np.array([r.values["shared"] for r in results]).reshape(samples, bits + 1)
    zero, steps = table[:, :1], table[:, 1:] - table[:, :1]
    codes = np.arange(1 << bits)
    taken = (codes[:, None] >> np.arange(bits)) & 1
    levels = zero + steps @ taken.T
    return levels - levels.mean(axis=0)


def mac_jobs(
    bench: mac.Bench,
    levels: Sequence[float],
    errors: Floats,
    condition: Condition,
    samples: int,
    sigma: float,
) -> list[Job]:
    """Each sample with random inputs and with all inputs zero; the same inputs and weights in all samples."""
    vector = mac.vectors(bench, len(levels), 1, seed=1)[-1]
    still = replace(vector, x=np.zeros_like(vector.x))
    found = []
    for n in range(samples):
        pick = seed("rows", n)
        rows = [pick.randrange(len(errors)) for _ in range(bench.rows)]
        for kind, chosen in (("random", vector), ("zero", still)):
            name = f"MAC sample {n} {kind} {condition}"
            found.append(
                mac.job(
                    bench,
                    chosen,
                    levels,
                    condition,
                    name,
                    mismatch=seed("mac", n),
                    capacitor_sigma=sigma,
                    row_errors=[float(errors[k, int(code)]) for k, code in zip(rows, chosen.x, strict=True)],
                )
            )
    return found


def span_jobs(bench: mac.Bench, levels: Sequence[float], condition: Condition) -> list[Job]:
    """All zero and all one without mismatch: the range that an LSB is a part of."""
    chosen = mac.vectors(bench, len(levels), 0, seed=0)[:2]
    return [mac.job(bench, v, levels, condition, f"MAC {v.name}") for v in chosen]


def summary(
    rows: int, full_rows: int, span: Sequence[Result], results: Sequence[Result], errors: Floats, step: float
) -> dict[str, Any]:
    """Spread of AL in LSB at the full height, as it is and without the part that weights alone give."""
    lsb = (span[1].values["al"] - span[0].values["al"]) / mac.LEVELS
    al = np.array([r.values["al"] for r in results]).reshape(-1, 2)
    scale = math.sqrt(rows / full_rows)
    raw = float(al[:, 0].std(ddof=1)) / lsb
    corrected = float((al[:, 0] - al[:, 1]).std(ddof=1)) / lsb
    return {
        "samples": len(al),
        "dac_samples": len(errors),
        "rows": rows,
        "full_rows": full_rows,
        "lsb_V": lsb,
        "reduced_spread_lsb": raw,
        "spread_lsb": raw * scale,
        "spread_without_offset_lsb": corrected * scale,
        "dac_spread_steps": (errors.std(axis=0, ddof=1) / step).round(5).tolist(),
        "al_V": al[:, 0].tolist(),
        "al_zero_V": al[:, 1].tolist(),
        "limit_lsb": SPREAD_LIMIT,
        "met": raw * scale <= SPREAD_LIMIT,
    }
