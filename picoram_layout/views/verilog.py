"""Verilog views: the macro's ports, its behavioural model, a reference controller and their test bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.periphery.adc_digital import CODE_BITS
from picoram_layout.plan import Plan
from picoram_layout.simulation import adc_slice
from picoram_layout.simulation.phases import VREF
from picoram_layout.views import sequence as seq
from picoram_layout.views.pins import ACC_GATE, ACC_OPEN, pins
from picoram_layout.views.templates import environment

Ints = NDArray[np.int64]

FULL = 1 << CODE_BITS

# Files by what they are: a macro's name with this ending.
VERILOG = {"stub": "_stub.v", "model": "_model.sv", "controller": "_controller.v", "testbench": "_tb.v"}


@dataclass(frozen=True)
class Model:
    """Parameters of the behavioural model (V, ns): what simulations gave at tt, 27 C, 1.8 V.

    AL as in ``docs/simulation.md``. ``ramp`` and ``delay`` are the straight line through both ends of the
    transfer in ``docs/adc.md``: AL = 0.055 V is hit 447.6 ns after the ramp's start, 0.397 V after 77.5 ns.
    ``ramp_state``: RAMPB falls at 2.6 states of the ring's period, and a hit counts as 0.1 ns earlier than it
    is (``docs/logic.md``).
    """

    supply: float = 1.8
    gain: float = 0.5887
    offset: float = 0.0548
    weight_offset: float = 0.0105
    vth: float = adc_slice.VTH
    ramp: float = 0.0009241
    delay: float = 9.31
    state: float = 0.985
    ramp_state: float = 2.5


MODEL = Model()


def write_verilog(folder: Path, name: str, plan: Plan) -> dict[str, Path]:
    """Write all Verilog files of a macro of this name; the files by what they are."""
    context, templates = _context(name, plan), environment()
    files = {}
    for kind, ending in VERILOG.items():
        files[kind] = folder / f"{name}{ending}"
        files[kind].write_text(templates.get_template(f"{kind}.v.j2").render(**context), encoding="utf-8")
    return files


def codes(plan: Plan, x: Ints, w: Ints, model: Model = MODEL) -> Ints:
    """The model's codes: ``x`` has an input for each row, ``w`` a weight for each row and output."""
    a = plan.spec.array
    levels, top = 2.0**a.input_bits, 2.0**a.weight_bits - 1
    vref = model.supply * VREF
    ideal = (x @ w) * vref / (plan.rows * levels * top)
    al = model.gain * ideal + model.offset + model.weight_offset * w.sum(axis=0) / (plan.rows * top)
    time = np.maximum(model.vth - al, 0.0) / model.ramp + model.delay
    steps = np.floor(model.ramp_state + time / model.state).astype(np.int64)
    return np.where(steps < FULL - 2, FULL - 1 - steps, 0)


def _context(name: str, plan: Plan) -> dict[str, Any]:
    """What the templates are filled with."""
    table, a = pins(plan), plan.spec.array
    order = seq.sequence(plan)
    steps = [_numbered(order.steps, k) for k in range(len(order.steps))]
    return {
        "name": name,
        "pins": table,
        "w": {pin.name: pin.width or 1 for pin in table},
        "rows": plan.rows,
        "columns": plan.columns,
        "cells": a.cells_per_cluster,
        "outputs": a.outputs,
        "weight_bits": a.weight_bits,
        "input_bits": a.input_bits,
        "code_bits": CODE_BITS,
        "acc_gate": f"{'' if ACC_OPEN else '!'}{ACC_GATE.lower()}",
        "full": FULL,
        "controls": list(seq.REST),
        "bits": _bits,
        "ps": lambda ns: round(1000 * ns),
        "steps": steps,
        "step_bits": len(steps).bit_length(),
        "convert": next(step["name"] for step in steps if step["wait"] == "DONE"),
        "ends": {op: f"{op}_{_last(order.steps, op)}" for op in order.operations},
        "load": {"setup": seq.LOAD_SETUP, "pulse": seq.LOAD_PULSE, "hold": seq.LOAD_HOLD},
        "times": asdict(seq.times()),
        "ripple": seq.ripple(plan),
        "m": MODEL,
        "source": "tt, 27 C, 1.8 V, 144 rows of 4 x 4 bit",
    }


def _numbered(steps: Sequence[seq.Step], k: int) -> dict[str, Any]:
    """A step, and whether it is its operation's last one."""
    after = steps[k + 1].name if k + 1 < len(steps) else ""
    return {**vars(steps[k]), "last": _operation(after) != _operation(steps[k].name)}


def _operation(step: str) -> str:
    return step.rpartition("_")[0]


def _last(steps: Sequence[seq.Step], operation: str) -> int:
    return sum(_operation(step.name) == operation for step in steps) - 1


def _bits(levels: Mapping[str, int]) -> str:
    """Levels of all control pins as a binary number; the first one is bit 0."""
    return "".join(str(levels.get(pin, rest)) for pin, rest in reversed([*seq.REST.items()]))
