"""The Verilog views in iverilog and yosys: the controller drives the model, numpy knows what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from picoram_layout.plan import Plan, make_plan
from picoram_layout.simulation.phases import COMPUTE, DRAINING, SAMPLE
from picoram_layout.spec import Spec
from picoram_layout.spec.sections import ArraySpec, CapacitorSpec
from picoram_layout.views import sequence
from picoram_layout.views.bench import joined, script
from picoram_layout.views.pins import ACC_GATE, ACC_OPEN
from picoram_layout.views.verilog import MODEL, codes, write_verilog
from tests.views import plan_of, run

NAME = "macro_test"


def plan_with(inputs: int = 16, outputs: int = 4, weights: int = 4, bits: int = 4, cells: int = 3) -> Plan:
    counts = {"inputs": inputs, "outputs": outputs, "weight_bits": weights, "input_bits": bits}
    array = ArraySpec(**counts, cells_per_cluster=cells)
    return make_plan(Spec(name=NAME, pdk="sky130", array=array, capacitor=CapacitorSpec(target_fF=1.0)))


def simulate(folder: Path, name: str, text: str, period: int = 10000, *options: str) -> str:
    """Run the test bench with a script; its output."""
    (folder / f"{name}_tb.txt").write_text(text)
    sources = [f"{name}_{part}" for part in ("model.sv", "controller.v", "tb.v")]
    options = (f"-P{name}_tb.PERIOD_PS={period}", *options)
    command = ("iverilog", "-g2012", "-Wall", "-Wno-timescale", "-o", "bench")
    assert run(folder, *command, *options, *sources) == ""
    return run(folder, "vvp", "bench")


def passes(output: str) -> bool:
    """Whether a test bench found nothing wrong."""
    assert output.count("PASS\n") + output.count("FAIL") == 1, output
    return "PASS\n" in output


@pytest.mark.parametrize("period", [1000, 3333, 10000, 100000])
def test_write_read_and_products_at_any_clock(tmp_path: Path, period: int) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    assert passes(simulate(tmp_path, "picoram_tiny", script(plan, seed=period), period))


@pytest.mark.parametrize(
    "counts",
    [
        {"outputs": 4, "weights": 3, "bits": 2, "inputs": 20, "cells": 5},
        {"outputs": 16, "weights": 6, "bits": 5, "inputs": 64},
        {"outputs": 32, "weights": 1, "bits": 5, "inputs": 3},
        {"outputs": 1, "weights": 2, "bits": 1, "inputs": 6},
    ],
    ids=str,
)
def test_other_sizes(tmp_path: Path, counts: dict[str, int]) -> None:
    plan = plan_with(**counts)
    write_verilog(tmp_path, NAME, plan)
    assert passes(simulate(tmp_path, NAME, script(plan)))


@pytest.mark.parametrize("seed", range(3))
def test_commands_in_any_order(tmp_path: Path, seed: int) -> None:
    """Weights and inputs change between products, some of the inputs while a cycle converts."""
    plan = plan_of("picoram_tiny")
    a, draw = plan.spec.array, np.random.default_rng(seed)
    w = np.zeros((a.cells_per_cluster, plan.rows, a.outputs), dtype=np.int64)
    x = np.zeros(plan.rows, dtype=np.int64)
    lines = [f"w {r} {cell} 0" for r in range(plan.rows) for cell in range(a.cells_per_cluster)]
    lines += [f"l {r} 0" for r in range(plan.rows)]
    for kind in draw.choice(list("wrlcp"), 200):
        r, cell = int(draw.integers(plan.rows)), int(draw.integers(a.cells_per_cluster))
        if kind == "w":
            w[cell, r] = draw.integers(0, 16, a.outputs)
        if kind in "lp":
            x[r] = draw.integers(0, 16)
        data = {"l": int(x[r]), "w": joined(w[cell, r], 4)}
        data |= {"p": data["l"], "r": data["w"], "c": joined(codes(plan, x, w[cell]), 9)}
        where = {"l": f"{r}", "p": f"{cell} {r}", "c": f"{cell}"}.get(kind, f"{r} {cell}")
        lines.append(f"{kind} {where} {data[kind]:x}")
    write_verilog(tmp_path, "picoram_tiny", plan)
    assert passes(simulate(tmp_path, "picoram_tiny", "\n".join(lines) + "\n", 7000 + seed))


def test_the_shipped_macro_in_one_microsecond(tmp_path: Path) -> None:
    plan = plan_of("picoram_40kb")
    write_verilog(tmp_path, "picoram_40kb", plan)
    output = simulate(tmp_path, "picoram_40kb", script(plan), 5000)
    assert passes(output)
    cycle = re.search(r"(\d+) commands, compute cycle ([\d.]+) ns", output)
    assert cycle
    assert int(cycle[1]) > 2 * plan.rows * plan.spec.array.cells_per_cluster
    assert 508 < float(cycle[2]) <= 1000


def test_codes_by_hand() -> None:
    """All inputs and weights 0 and at their most: AL of 0.055 and 0.397 V, the ends of the range."""
    plan = plan_of("picoram_40kb")
    zero = np.zeros((144, 8), dtype=np.int64)
    none, all_ = (codes(plan, x[:, 0], x) for x in (zero, zero + 15))
    # (0.46 - 0.0548) / 0.0009241 + 9.31 = 447.79 ns, 454.61 states; 511 - floor(457.11)
    assert none.tolist() == [54] * 8
    # AL = 0.5887 x 0.6 x 15 / 16 + 0.0548 + 0.0105 = 0.39644: 78.09 ns, 79.28 states; 511 - floor(81.78)
    assert all_.tolist() == [430] * 8


def test_a_wrong_result_is_found(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    lines = script(plan).splitlines()
    reads = next(k for k, line in enumerate(lines) if line[0] == "r")
    for k in (reads, len(lines) - 1):
        *start, data = lines[k].split()
        wrong = " ".join([*start, f"{int(data, 16) ^ 1:x}"])
        text = "\n".join([*lines[:k], wrong, *lines[k + 1 :]]) + "\n"
        output = simulate(tmp_path, "picoram_tiny", text)
        assert "FAIL: 1 errors" in output


def test_the_models_parameters_move_the_codes(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    bench = tmp_path / "picoram_tiny_tb.v"
    changed = {"GAIN": 0.58, "OFFSET": 0.081, "WEIGHT_OFFSET": -0.02, "STATE_NS": 1.01}
    given = ", ".join(f".{name}({value})" for name, value in changed.items())
    bench.write_text(bench.read_text().replace("picoram_tiny macro (", f"picoram_tiny #({given}) macro ("))
    other = MODEL.__class__(gain=0.58, offset=0.081, weight_offset=-0.02, state=1.01)
    assert script(plan, model=other) != script(plan)
    assert passes(simulate(tmp_path, "picoram_tiny", script(plan, model=other)))
    assert not passes(simulate(tmp_path, "picoram_tiny", script(plan)))


# Steps of the controller whose time no check of the model needs: edges that only keep their order, or
# what is waited for.
ORDER_ALONE = {
    "WRITE_0", "WRITE_3", "WRITE_4", "WRITE_6", "WRITE_7", "READ_1", "READ_4", "READ_5",
    "COMPUTE_3", "COMPUTE_9", "COMPUTE_10", "COMPUTE_12", "COMPUTE_14", "COMPUTE_16", "COMPUTE_18",
    "COMPUTE_19",
}  # fmt: skip


def test_steps_that_are_too_short_are_reported(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    file, text = tmp_path / "picoram_tiny_controller.v", script(plan, products=2)
    whole = file.read_text()
    times = [step for step in sequence.sequence(plan).steps if not step.wait]
    for step in times:
        wanted = f"T_{step.name} = cycles({round(1000 * step.time)});"
        assert whole.count(wanted) == 1
        file.write_text(whole.replace(wanted, f"T_{step.name} = cycles({round(600 * step.time)});"))
        output = simulate(tmp_path, "picoram_tiny", text, 200)
        assert passes(output) == (step.name in ORDER_ALONE), step
        assert ("ERROR" in output) != (step.name in ORDER_ALONE), step


@pytest.mark.parametrize(
    ("pin", "level", "said"),
    [
        ("ENR", "1'b1", "WLR in all rows"),
        ("SHR", "1'b1", "SMP while SHR"),
        ("SMPZ", "1'b0", "the terminating group is not sampled"),
        (ACC_GATE, f"1'b{1 - ACC_OPEN}", "write without ACC"),
        ("ALLB", "1'b1", "WLL while local bitlines are precharged|ACC before XL is emptied|SMPZ empties"),
        ("PREB", "1'b0", "WLR while GBLB is precharged"),
        ("PCH", "1'b1", "WLL while local bitlines are precharged"),
        ("SOUTB", "1'b1", "SEG ends before accumulation"),
        ("SEGB", "1'b0", "COL before VL is cut"),
        ("ALRST", "1'b1", "SOUT while VL is held"),
        ("COL", "1'b0", "AZ falls before AL has its level"),
        ("AZ", "1'b1", "the ramps start under AZ"),
        ("CODE_LD", "load_pulse", "CODE_LD after START"),
        ("LOAD", "pins[0]", "LOAD while all rows are chosen"),
        ("PD", "1'b1", "conversion without bias"),
    ],
)
def test_a_broken_protocol_is_reported(tmp_path: Path, pin: str, level: str, said: str) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    file = tmp_path / "picoram_tiny_controller.v"
    changed, count = re.subn(rf"assign {pin} = [^;]+;", f"assign {pin} = {level};", file.read_text())
    assert count == 1
    file.write_text(changed)
    output = simulate(tmp_path, "picoram_tiny", script(plan, products=1))
    assert not passes(output)
    assert re.search(f"ERROR: .*({said})|: ({said})", output), output[-2000:]


@pytest.mark.parametrize(("answer", "operation"), [("ACC_DONE", "w"), ("DONE", "c")])
def test_no_answer_of_the_macro_fails_and_hangs_nothing(tmp_path: Path, answer: str, operation: str) -> None:
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    file = tmp_path / "picoram_tiny_controller.v"
    changed = re.sub(rf"\[0\], {answer}\}}", "[0], 1'b0}", file.read_text())
    assert changed != file.read_text()
    file.write_text(changed)
    text = script(plan, products=1)
    output = simulate(tmp_path, "picoram_tiny", text)
    assert not passes(output)
    failed = {text.splitlines()[int(n) - 1][0] for n in re.findall(r"line (\d+): failed", output)}
    assert operation in failed


@pytest.mark.parametrize("spec", ["picoram_tiny", "picoram_40kb"])
def test_yosys_makes_gates_of_the_controller(tmp_path: Path, spec: str) -> None:
    write_verilog(tmp_path, spec, plan_of(spec))
    top = f"{spec}_controller"
    commands = (
        f"read_verilog {top}.v; hierarchy -check -top {top}; proc; check -assert; "
        f"select -assert-none t:$dlatch t:$adlatch t:$dlatchsr; synth -top {top}; check -assert; "
        "select -assert-none t:$_DLATCH*; select -assert-min 100 t:$_DFF*; stat"
    )
    output = run(tmp_path, "yosys", "-p", commands)
    assert "Warning" not in output, re.findall(".*Warning.*", output)


def test_the_controllers_gates_do_the_same(tmp_path: Path) -> None:
    """The netlist that yosys makes for 5 ns, in the same test bench."""
    plan = plan_of("picoram_tiny")
    write_verilog(tmp_path, "picoram_tiny", plan)
    top, bench = "picoram_tiny_controller", tmp_path / "picoram_tiny_tb.v"
    commands = (
        f"read_verilog {top}.v; chparam -set PERIOD_PS 5000 {top}; synth -flatten -top {top}; "
        f"clean -purge; rename -top {top}; write_verilog -noattr {top}.v"
    )
    run(tmp_path, "yosys", "-q", "-p", commands)
    assert "PERIOD_PS" not in (tmp_path / f"{top}.v").read_text()
    bench.write_text(bench.read_text().replace("#(.PERIOD_PS(PERIOD_PS)) controller", "controller"))
    assert passes(simulate(tmp_path, "picoram_tiny", script(plan), 5000))


@pytest.mark.parametrize("power", [False, True])
def test_the_stub_is_a_black_box_with_supplies_if_wanted(tmp_path: Path, power: bool) -> None:
    write_verilog(tmp_path, "picoram_tiny", plan_of("picoram_tiny"))
    define = "-DUSE_POWER_PINS " if power else ""
    supplies = ".VDD(v), .GND(g), " if power else ""
    (tmp_path / "top.v").write_text(
        f"module top(input v, input g, output [15:0] q); picoram_tiny u ({supplies}.DO(q)); endmodule\n"
    )
    run(
        tmp_path,
        "yosys",
        "-q",
        "-p",
        f"read_verilog {define}picoram_tiny_stub.v top.v; hierarchy -check -top top",
    )
    run(tmp_path, "iverilog", *define.split(), "-o", "t", "picoram_tiny_stub.v", "top.v")
    (tmp_path / "top.v").write_text("module top; picoram_tiny u (.VPWR(1'b1)); endmodule\n")
    with pytest.raises(AssertionError):
        run(tmp_path, "iverilog", *define.split(), "-o", "t", "picoram_tiny_stub.v", "top.v")


def test_steps_keep_the_phases_times_and_order() -> None:
    """With ACC's simulated ripple every edge of the compute cycle comes when the simulated phases have it."""
    at, now = dict[tuple[str, str], float](), 0.0
    for step in sequence.sequence(plan_of("picoram_40kb")).steps:
        if not step.name.startswith("COMPUTE"):
            continue
        for change in step.changes.split(", ") if step.changes else ():
            pin, level = change.split()
            at[pin, level] = now
        now += COMPUTE.ripple["ACC"] if step.wait == "ACC_DONE" else step.time
        if step.wait == "DONE":
            break
    pins = {"PCHB": "PCH", "SOUT": "SOUTB", "SEG": "SEGB", "WLL": "WL", "ACC": "ACC", "SMP": "SMPZ"}
    seen = 0
    for signal, steps in COMPUTE.signals.items():
        for time, high in steps[1:]:
            to = 1 - high if signal in ("PCHB", "SOUT", "SEG") else high
            assert at[pins.get(signal, signal), str(to)] == pytest.approx(SAMPLE.end + time), signal
            seen += 1
    assert seen >= 11


def test_a_slower_clock_never_shortens_a_step() -> None:
    plan = plan_of("picoram_40kb")
    for step in sequence.sequence(plan).steps:
        assert step.time > 0
        assert not step.wait or step.time >= 80
    assert sequence.times().last_row == pytest.approx(DRAINING)
