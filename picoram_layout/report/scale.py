"""Lengths for scale bars."""

from __future__ import annotations

import math


def round_below(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that does not exceed the value (> 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (5, 2, 1) if m * power <= value * (1 + 1e-9))
