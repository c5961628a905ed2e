"""Legal numbers of a spec: what depends on other keys (shift-and-add, DAC groups, size) or on the PDK."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotated_types import Ge, Le

from picoram_layout.pdk import Pdk
from picoram_layout.spec.problem import Problem
from picoram_layout.spec.sections import SECTIONS

MAX_BITS = 64 * 2**20
# Widest transistor of the bitcell in minimum widths: beyond it the cell is no longer a thin cell.
WIDEST = 2.4

NUMBERS: dict[str, type[int] | type[float]] = {
    f"{section}.{name}": info.annotation
    for section, model in SECTIONS.items()
    for name, info in model.model_fields.items()
    if info.annotation in (int, float)
}


@dataclass(frozen=True)
class Steps:
    """Legal numbers ``first, first + step, .. last`` (any number between without a step) and why."""

    first: float
    last: float
    step: float = 0.0
    why: str = ""

    def nearest(self, value: float) -> int | float:
        """The legal number next to ``value``, the smaller of two."""
        value = min(max(value, self.first), self.last)
        if self.step:
            most = math.floor((self.last - self.first) / self.step + 1e-6)
            value = self.first + min(math.ceil((value - self.first) / self.step - 0.5), most) * self.step
        return value if isinstance(value, int) else round(value, 6)

    def holds(self, value: float) -> bool:
        """Whether ``value`` is legal."""
        if not self.first - 1 < value < self.last + 1:
            return False  # before any arithmetic: whole numbers may be too large for it
        return abs(self.nearest(value) - value) < 1e-9


def most_cells(pdk: Pdk) -> int:
    """Largest odd count of cells per cluster: half a cluster is within latch-up distance of its taps."""
    from picoram_layout import limits  # it needs the specs that are checked here

    return limits.most_cells(pdk)


def steps(key: str, known: Mapping[str, Any], pdk: Pdk | None) -> Steps:
    """What ``key`` may be, given the other keys that are ``known`` to be sound."""
    first, last = absolute_range(key)
    weight_bits, input_bits = known.get("array.weight_bits"), known.get("array.input_bits")
    match key:
        case "array.inputs" if weight_bits:
            step = 2 ** (weight_bits - 1)
            why = f"must be a multiple of {step} (2^(weight_bits - 1)) from {2 * step} to {last}"
            return Steps(max(first, 2 * step), last, step, why)
        case "array.outputs" if weight_bits and input_bits:
            step = 2**input_bits // math.gcd(weight_bits, 2**input_bits)
            last = last // step * step
            why = f"must be a multiple of {step} from {step} to {last}, so that the columns "
            why += f"(outputs x weight_bits) are a multiple of {2**input_bits} (2^input_bits)"
            return Steps(step, last, step, why)
        case "array.cells_per_cluster" if pdk:
            last = most_cells(pdk)
            why = f"must be an odd number from {first} to {last} (latch-up distance to the taps)"
            return Steps(first, last, 2, why)
        case "array.cells_per_cluster":
            return Steps(first, 10**9 + 1, 2, f"must be an odd number from {first}")
        case "bitcell.pass_gate_w" | "bitcell.pull_down_w" | "bitcell.pull_up_w" if pdk:
            first = pdk.channel_width
            last = pdk.down(WIDEST * first)
            why = f"must be {first} to {last} um in steps of {pdk.grid} um ({pdk.name})"
            return Steps(first, last, pdk.grid, why)
        case "bitcell.pass_gate_w" | "bitcell.pull_down_w" | "bitcell.pull_up_w":
            return Steps(0, 1e9, 0, "must be a width in um")
        case "capacitor.target_fF":
            return Steps(first, last, 0, f"must be {first} to {last} fF")
    return Steps(first, last, 1, f"must be a whole number from {first} to {last}")


def absolute_range(key: str) -> tuple[Any, Any]:
    """Range of a number that holds whatever the other keys are, from the model."""
    section, name = key.split(".")
    metadata = SECTIONS[section].model_fields[name].metadata
    low = next((m.ge for m in metadata if isinstance(m, Ge)), 0)
    high = next((m.le for m in metadata if isinstance(m, Le)), math.inf)
    return low, high


def typed(key: str, value: Any) -> bool:
    """Whether ``value`` is a finite number of the key's type (a whole number also serves as a length)."""
    return type(value) is int or (NUMBERS[key] is float and type(value) is float and math.isfinite(value))


def number_problems(values: Mapping[str, Any], pdk: Pdk | None) -> list[Problem]:
    """Problems of the numbers among ``values`` (dotted keys): ranges, steps and the total size."""
    given = {key: values[key] for key in NUMBERS if key in values and typed(key, values[key])}
    known = {k: v for k, v in given.items() if absolute_range(k)[0] <= v <= absolute_range(k)[1]}
    problems = []
    for key, value in given.items():
        legal = steps(key, known, pdk)
        if not legal.holds(value):
            problems.append(Problem(key, value, legal.why, legal.nearest(value)))
    if not problems:
        problems = _too_large(known, steps("array.inputs", known, pdk))
    return problems


def _too_large(known: Mapping[str, Any], inputs: Steps) -> list[Problem]:
    try:
        counts = [
            known[f"array.{name}"] for name in ("inputs", "outputs", "weight_bits", "cells_per_cluster")
        ]
    except KeyError:
        return []
    total = math.prod(counts)
    if total <= MAX_BITS:
        return []
    steps_left = (MAX_BITS // (total // counts[0]) - inputs.first) // inputs.step
    product = " x ".join(map(str, counts))
    why = f"the array's {product} = {total} bits are more than {MAX_BITS} (64 Mb)"
    return [Problem("array.inputs", counts[0], why, int(inputs.first + steps_left * inputs.step))]
