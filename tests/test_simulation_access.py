"""The row side and column lines' drivers in front of SRAM accesses."""

from __future__ import annotations

from dataclasses import replace

from picoram_layout.simulation import access_side, ngspice, sram
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.drivers import Load
from picoram_layout.simulation.models import Condition
from tests.conftest import needs_ngspice
from tests.test_simulation import needs_models
from tests.test_simulation_cycle import output, tiny


def fet(kind: str, d: str, g: str, s: str, a_d: float = 0.1) -> Transistor:
    rail = GND if kind == "nfet" else VDD
    return Transistor(kind, d, g, s, rail, 1.0, 0.15, a_d, 0.1, 1.0, 1.0)


def inverter(a: str, y: str) -> list[Transistor]:
    return [fet("nfet", y, a, GND), fet("pfet", y, a, VDD)]


CHAIN = Cell(
    "c",
    ("A", "Y", "Z"),
    (*inverter("A", "m"), *inverter("m", "Y"), *inverter("m", "other"), *inverter("other", "Z")),
    (("m", "other", 1.0), ("A", GND, 2.0), ("Z", "other", 3.0)),
)


def test_a_cone_has_what_makes_its_nets_and_the_loads_on_them() -> None:
    found = access_side.cone(CHAIN, ["Y"])
    kept = [(t.kind, t.d, t.g, t.s) for t in found.transistors]
    made = [(t.kind, t.d, t.g, t.s) for t in (*inverter("m", "Y"), *inverter("A", "m"))]
    assert set(kept[: len(made)]) == set(made)
    assert set(kept[len(made) :]) == {("nfet", GND, "m", GND), ("pfet", VDD, "m", VDD)}
    assert {(a, b): v for a, b, v in found.capacitors} == {("m", GND): 1.0, ("A", GND): 2.0}
    assert access_side.inputs(found) == ["A"]


def test_fingers_are_one_transistor_with_the_mean_of_their_diffusions() -> None:
    one, other = fet("nfet", "Y", "A", GND, 0.3), fet("nfet", GND, "A", "Y", 0.2)
    [(t, count)] = access_side.grouped([one, other])
    ends = {t.d: t.a_d, t.s: t.a_s}
    assert count == 2
    assert ends == {"Y": (0.3 + 0.1) / 2, GND: (0.1 + 0.2) / 2}


def test_a_line_carries_all_its_drivers_in_equal_parts() -> None:
    deck, load = Deck("", Condition()), Load(((fet("nfet", "x", "g", "y"), 12.0),), 8.0)
    starts = access_side.ladder(deck, "L", access_side.Line(400.0, load), 1.8)
    ohms = [float(line.split()[3]) for line in deck.lines if line.startswith("R")]
    farads = [line.split() for line in deck.lines if line.startswith("C")]
    gates = [line for line in deck.lines if line.startswith("M")]
    assert (sum(ohms), len(ohms)) == (400.0, access_side.SECTIONS)
    assert {words[1] for words in farads} == {f"L_{k + 1}" for k in range(access_side.SECTIONS)}
    assert all(f"m={12 / access_side.SECTIONS:g}" in line for line in gates)
    assert starts == dict.fromkeys(("L", *(words[1] for words in farads)), 1.8)


def test_pins_choose_the_first_and_the_last_row() -> None:
    side = output().side
    first, last = ({k: v for k, v in at.items() if k.startswith("RA")} for at in side.address)
    assert sum(first.values()) == 0
    assert sum(v << int(k[3:-1]) for k, v in last.items()) == tiny().plan.rows - 1
    assert all(set(chosen.values()) <= side.lines.keys() for chosen in side.chosen)
    at = list(side.lines)  # in one order in every process: a deck's text finds its stored run
    assert all(at.index(side.chosen[0][net]) <= at.index(line) for net, line in side.chosen[1].items())


@needs_ngspice
@needs_models
def test_words_come_back_from_the_rows_that_the_pins_choose() -> None:
    bench, condition = output(), Condition()
    chosen = sram.accesses(bench.bits)[:3]
    job = sram.job(bench, chosen, condition)
    found = ngspice.run(job.deck, job.wanted, seconds=300).values
    assert sram.wrong(bench, chosen, found, condition.vdd) == 0
    *writes, read = chosen
    told = [*writes, replace(read, word=read.word ^ 1)]
    assert sram.wrong(bench, told, found, condition.vdd) == 1
    both = [replace(access, row=1 - access.row) for access in chosen]  # as if the rows were exchanged
    assert sram.wrong(bench, both, found, condition.vdd) > 0
