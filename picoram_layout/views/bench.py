"""Scripts for the test bench: random weights and inputs, and what numpy expects of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from picoram_layout.periphery.adc_digital import CODE_BITS
from picoram_layout.plan import Plan
from picoram_layout.views.verilog import MODEL, Model, codes

PRODUCTS = 4  # matrix-vector products of a script


def script(plan: Plan, seed: int = 0, model: Model = MODEL, products: int = PRODUCTS) -> str:
    """Write all weights, read them back, then load inputs and compute with one cell after the other.

    The first inputs are all at their most, the second all 0; the last ones are loaded while the cycle before
    converts.
    """
    a, draw = plan.spec.array, np.random.default_rng(seed)
    weights = draw.integers(0, 1 << a.weight_bits, (a.cells_per_cluster, plan.rows, a.outputs))
    most = (1 << a.input_bits) - 1
    lines = []
    for command in "wr":
        for r in range(plan.rows):
            for cell in range(a.cells_per_cluster):
                lines.append(f"{command} {r} {cell} {joined(weights[cell, r], a.weight_bits):x}")
    for n in range(products):
        cell = n % a.cells_per_cluster
        x = {0: np.full(plan.rows, most), 1: np.zeros(plan.rows, dtype=np.int64)}.get(
            n, draw.integers(0, most + 1, plan.rows)
        )
        loads = [(r, int(x[r])) for r in range(plan.rows)]
        if n and n == products - 1:
            r, data = loads.pop()
            lines.append(f"p {cell} {r} {data:x}")
        lines += [f"l {r} {data:x}" for r, data in loads]
        found = codes(plan, x, weights[cell], model)
        lines.append(f"c {cell} {joined(found, CODE_BITS):x}")
    return "\n".join(lines) + "\n"


def joined(values: Iterable[int], bits: int) -> int:
    """Numbers side by side, the first one lowest."""
    return sum(int(value) << (k * bits) for k, value in enumerate(values))
