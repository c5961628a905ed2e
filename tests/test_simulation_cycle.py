"""The compute cycle's phases and circuit around the array, and what is derived from the ADC's runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from picoram_layout.simulation import adc, adc_noise, adc_slice, adc_spread, below, converter, dac, mac, sram
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor
from picoram_layout.simulation.converter import Ring
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import DRAINING, EMPTYING, compute
from picoram_layout.simulation.results import Result, Store
from picoram_layout.simulation.simulate import Circuits
from picoram_layout.simulation.source import circuits
from picoram_layout.spec import load_spec
from picoram_layout.spec.shipped import find_spec
from tests.conftest import needs_ngspice


@cache
def tiny() -> Circuits:
    return circuits(load_spec(find_spec(Path("picoram_tiny"))))


@cache
def output() -> sram.Bench:
    return tiny().output()


def result(**values: float) -> Result:
    return Result("", values, {}, 0.0)


def lines(deck: Deck, start: str = "M") -> list[list[str]]:
    return [line.split() for line in deck.lines if line.startswith(start)]


@pytest.mark.parametrize("ripple", [0.0, 16.0, 35.6])
@pytest.mark.parametrize("word", [0.3, 3.9])
def test_what_follows_the_ripple_waits_for_it(ripple: float, word: float) -> None:
    made = compute(ripple, {"WLL": word, "ACC": 2.0})
    at = {signal: [time for time, _ in steps] for signal, steps in made.signals.items()}
    assert at["SMPZ"][1] >= at["WLL"][1] + word
    assert at["ACC"][1] == pytest.approx(at["SMPZ"][1] + EMPTYING)
    assert at["ACC"][2] == pytest.approx(at["ACC"][1] + ripple + DRAINING)
    order = [at["ACC"][2], at["VLRST"][1], at["SOUT"][1], at["SEG"][1], at["COL"][1], made.end]
    assert order == sorted(order)
    assert made.edge_of("WLL") == word
    assert made.signals["SMP"] == ((0.0, 0),)  # data lines stay at their levels
    assert made.signals["SHR"] == ((0.0, 1),)


def test_only_the_last_strip_is_on_smpz() -> None:
    row, deck = tiny().row(), Deck("", Condition())
    dac.chain(row, deck, "x", [*(f"d{k}" for k in range(row.bits)), GND])
    ends: dict[str, set[frozenset[str]]] = {gate: set() for gate in ("smp", "smpz", "shr")}
    for _, d, g, s, *_ in lines(deck):
        ends[g].add(frozenset((d, s)))
    assert ends["smp"] == {frozenset((f"d{k}", f"x{k}")) for k in range(row.bits)}
    assert ends["smpz"] == {frozenset((GND, f"x{row.bits}"))}
    assert ends["shr"] == {frozenset((f"x{k}", f"x{k + 1}")) for k in range(row.bits)}


def test_others_are_all_columns_of_a_row_but_the_outputs_own() -> None:
    bench = tiny().bench()
    assert sum(bench.others) == sum(bench.row.groups) - bench.weight_bits
    for vector in mac.vectors(bench, 16, 3, 0):
        assert vector.falling.shape == (bench.rows, len(bench.row.groups))
        assert (vector.falling <= np.array(bench.others)).all()


def test_what_is_drawn_below_joins_the_benchs_nets() -> None:
    made = tiny().below
    assert made is not None
    deck = Deck("", Condition())
    nets = {"AL": "al", **{line: line.lower() for line in below.LINES}}
    nets |= {f"VL{k}": f"v{k}" for k in range(made.bits)}
    starts = below.put(deck, made, nets, 0.5)
    found = lines(deck)
    gates = {g for _, _, g, *_ in found}
    assert {"vlrst", "alrst", "col"} <= gates
    for k in range(made.bits):
        assert any({d, s} == {"al", f"v{k}"} and g == "col" for _, d, g, s, *_ in found)
        assert any({d, s} == {GND, f"v{k}"} and g == "vlrst" for _, d, g, s, *_ in found)
        assert starts[f"below_GBLB{k}"] == 1.8
    assert all(words[-1] == "m=0.5" for words in found)
    free = {net for _, d, g, s, *_ in found for net in (d, g, s)} - set(nets.values()) - {GND, VDD}
    assert all(net.startswith("below_") for net in free)


def test_what_is_below_is_whole_below_the_rows_it_is_drawn_for() -> None:
    bench = tiny().bench()
    for part, parts in ((1, set()), (2, {"m=0.5"})):
        small = bench.reduced(bench.rows // part)
        job = mac.job(small, mac.vectors(small, 16, 0, 0)[0], [0.0], Condition(), "")
        resets = [words for words in map(str.split, job.deck.splitlines()) if words[2:3] == ["vlrst"]]
        assert resets
        assert {word for words in resets for word in words if word.startswith("m=")} == parts


def test_rows_that_are_not_accessed_take_their_drivers_time() -> None:
    bench = output()
    chosen = sram.accesses(bench.bits)
    plain, slow = (
        sram.job(bench, chosen, Condition(), edges).deck.splitlines() for edges in (None, {"ACC": 2.0})
    )
    assert [a.split()[0] for a, b in zip(plain, slow, strict=True) if a != b] == ["VACC"]


def test_a_waiting_slice_hangs_its_own_devices_on_al() -> None:
    def fet(kind: str, d: str, g: str, s: str) -> Transistor:
        return Transistor(kind, d, g, s, GND, 1.0, 0.15, 0.1, 0.1, 1.0, 1.0)

    slice_ = Cell(
        "a",
        (),
        (fet("pfet", "X1", "AL", "T1"), fet("nfet", "B2", "AZB", "AL"), fet("nfet", "X1", "X1", GND)),
        (("AL", GND, 2.0), ("AL", "VTH", 1.0), ("X1", GND, 5.0)),
    )
    found = below.reader(slice_)
    assert [(t.kind, t.d, t.g, t.s) for t in found.transistors] == [
        ("pfet", VDD, "AL", VDD),
        ("nfet", GND, GND, "AL"),
    ]
    assert found.capacitors == (("AL", GND, 3.0),)


def test_mismatch_is_offset_and_slope() -> None:
    hits = [(400.0, 20.0), (404.0, 24.0), (396.0, 16.0)]  # moved as a whole: no spread of the slope
    results = [result(hit=1e-9 * t) for pair in hits for t in pair]
    found = adc_spread.mismatch(results, 2.0)
    assert found["offset_lsb"] == pytest.approx(2.0)
    assert found["slope"] == pytest.approx(0.0, abs=1e-12)
    assert found["longest_ns"] == pytest.approx(404.0)


def test_neighbours_are_compared_with_later_ones() -> None:
    times = dict(zip(adc_spread.NEIGHBOURS, (200.0, 200.5, 199.0, 201.0), strict=True))
    found = adc_spread.crosstalk([result(hit=1e-9 * t) for t in times.values()], 0.5)
    assert found["shift_lsb"] == pytest.approx({"early": 1.0, "just before": -2.0, "together": 2.0})
    assert found["worst_lsb"] == pytest.approx(2.0)


def test_a_current_that_follows_the_ring_keeps_the_steps() -> None:
    typical = {"ns_per_lsb": 1.0, "ring": {"step_ns": 1.0}}
    slow = Ring(2.0, (0.0,) * 8, 0.0)
    assert adc_spread.followed({"ns_per_lsb": 1.0}, slow, typical) == pytest.approx(adc_slice.IREF_R / 2)
    assert adc_spread.followed({"ns_per_lsb": 2.0}, slow, typical) == pytest.approx(adc_slice.IREF_R)
    condition = Condition()
    times = [2.0 * (400.0 - (v - adc.LOW) / adc.LSB) for v in adc_spread.levels(condition)]
    even = [result(hit=1e-9 * t) for t in times]
    found = adc_spread.followed_summary(condition, 6e-6, slow, even)
    assert found["met"]
    assert found["codes"] == pytest.approx(363, abs=1)
    fast = adc_spread.followed_summary(condition, 6e-6, Ring(2.1, (0.0,) * 8, 0.0), even)
    assert not fast["met"]  # too few codes


def test_noise_is_the_sum_of_its_parts() -> None:
    frequency = np.geomspace(1.0, 1e10, 101)
    white, gain = 40e-9, 1000.0
    cmp1 = Result(
        "",
        {"trip": 0.46, "gain": gain},
        {"noise.txt": np.column_stack([frequency, np.full(101, white), np.full(101, 1e-9)]).tolist()},
        0.0,
    )
    current = 1e-12  # A per root of Hz, white: sqrt(time / 2) on the capacity
    ramp = Result(
        "",
        {},
        {
            "noise.txt": np.column_stack(
                [frequency, frequency, np.where(frequency < 1e8, current * 1e6, 0.0)]
            ).tolist()
        },
        0.0,
    )
    hits = [result(hit=1e-9 * t) for t in (99.0, 100.0, 101.0, 100.0)]
    found = adc_noise.summary(Condition(), [cmp1, ramp, result(capacity=3.5e-12)], hits, 2.0, 400.0)
    parts = found["parts_lsb"]
    assert parts["Cmp1, white"] == pytest.approx(0.5)
    assert parts["Cmp1, slower"] == pytest.approx(0.0, abs=1e-9)
    assert parts["kT/C of AL"] == pytest.approx(34.4e-6 / adc.LSB, rel=0.01)
    wanted = current * (400e-9 / 2) ** 0.5 / 3.5e-12 / adc.LSB
    assert parts["ramp's current"] == pytest.approx(wanted, rel=0.2)
    assert found["all_lsb"] == pytest.approx(sum(p**2 for p in parts.values()) ** 0.5)


@needs_ngspice
def test_edges_of_two_periods_tell_the_ring_as_a_long_run_does(tmp_path: Path) -> None:
    plan, condition = tiny().plan, Condition()
    drawn = converter.oscillator(plan.pdk, 1)
    long = converter.ring(drawn, condition)
    short = converter.measured_ring(Store(tmp_path).run([converter.ring_job(drawn, condition)])[0])
    assert short.step == pytest.approx(long.step, rel=1e-3)
    assert short.error == pytest.approx(long.error, abs=2e-3)
    assert short.current == pytest.approx(long.current, rel=0.05)
