"""Row drivers: which lines a row chooses, and that drivers and array are one clean, matching circuit."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from picoram_layout.array.array import array
from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import WELL
from picoram_layout.logic.rows import solve_row
from picoram_layout.logic.wiring import RAILS, Problem, Unroutable
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.netlist.circuit import set_capacitors
from picoram_layout.pdk import pdk_names
from picoram_layout.periphery import row_driver as side
from picoram_layout.periphery import row_logic
from picoram_layout.periphery.row_foot import row_foot, solve_foot
from picoram_layout.plan import Plan, capacitance, make_plan
from picoram_layout.simulation import drivers
from picoram_layout.simulation.circuits import Cell, flat
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.source import circuits
from picoram_layout.spec import Spec
from tests.conftest import needs_ngspice
from tests.switch_level import Switches

SMALL = {"inputs": 8, "outputs": 2, "weight_bits": 2, "input_bits": 2, "cells_per_cluster": 9}


def planned(pdk: str, **array_keys: Any) -> Plan:
    """The plan of a small array with some keys changed."""
    data = {"name": "small", "pdk": pdk, "array": SMALL | array_keys, "capacitor": {"target_fF": 0.1}}
    return make_plan(Spec.model_validate(data))


def violations(library: Library, top: Block) -> dict[str, int]:
    """Violations by rule; density is a matter of whole layouts."""
    rules = [rule.id for rule in library.pdk.rules if rule.kind != "density"]
    return run_drc(library.layout, top.name, library.pdk, only=rules).by_rule


def differences(library: Library, top: Block) -> list[str]:
    """What LVS finds."""
    extraction = extract(library.layout, top.name, library.pdk)
    result = compare(extraction, library.netlist, top.name, library.devices)
    assert sum(result.counts.values()) > 0
    return [str(difference) for difference in result.differences]


@cache
def with_array(pdk: str) -> tuple[Library, Block]:
    """Row drivers beside their array."""
    plan = planned(pdk)
    library = Library(plan.pdk)
    drivers, cells = side.row_drivers(library, plan), array(library, plan)
    c = Canvas(library, "left_and_array")
    c.place(drivers, 0, plan.y[0])
    c.place(cells, drivers.width, 0)
    c.export()
    top = c.done(drivers.width + cells.width, cells.height)
    set_capacitors(library.netlist, library.devices, capacitance(plan).value_fF)
    return library, top


@block
def row_side(lib: Library, plan: Plan) -> Block:
    """The row drivers on their foot, as the macro has them."""
    c = Canvas(lib, "row_side")
    below, drivers = row_foot(lib, plan), side.row_drivers(lib, plan)
    own = {}
    for pin in below.circuit.pins:
        name, bracket, number = pin.partition("[")
        if name in (*RAILS, WELL):
            own[pin] = f"{name}_FOOT{bracket}{number}"
    c.place(below, nets=own)
    c.place(drivers, solve_foot(plan).extra, below.height)
    c.export()
    return c.done(below.width, round(below.height + drivers.height, 6))


# -- which lines a row chooses -----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [2, 3, 16, 24, 144, 250, 256, 4096])
def test_parts_of_the_address_tell_all_rows_apart(rows: int) -> None:
    a, b, c = side.address_parts(rows)
    assert a * b * c >= rows
    assert a > 1
    powers = [2**k for k in range(13)]
    assert a in powers
    assert b in powers
    cheaper = (
        (x, y) for x, y in itertools.product(powers[1:], powers) if x + y + -(-rows // (x * y)) < a + b + c
    )
    assert not list(cheaper)


@pytest.mark.parametrize("rows", [4, 144, 250])
def test_the_row_address_is_a_binary_number(rows: int) -> None:
    """The lowest bits choose PA's line, the next ones PB's, the highest ones PC's."""
    plan = planned("sky130", inputs=rows)
    a, b, _ = side.address_parts(rows)
    low, high = a.bit_length() - 1, a.bit_length() + b.bit_length() - 2
    for row in range(rows):
        parts = row & (a - 1), row >> low & (b - 1), row >> high
        found = side.chosen(plan, row)
        assert [found[net] for net in ("PA", "PB", "PC")] == [
            f"{net}[{k}]" for net, k in zip(("PA", "PB", "PC"), parts, strict=True)
        ]


@pytest.mark.parametrize("rows", [4, 16, 144, 256])
def test_every_row_has_an_address_of_its_own(rows: int) -> None:
    plan = planned("sky130", inputs=rows)
    lines = set(side.line_names(plan))
    chosen = [side.chosen(plan, row) for row in range(rows)]
    assert all(set(found.values()) <= lines for found in chosen)
    assert len({(x["PA"], x["PB"], x["PC"]) for x in chosen}) == rows


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("rows", [16, 256, 4096])
def test_lines_are_apart_and_each_supply_has_one_at_least(pdk: str, rows: int) -> None:
    plan = planned(pdk, inputs=rows, input_bits=1, outputs=1)
    lines = side.standing_lines(plan)
    nets = [net for net, _, _ in lines]
    assert set(side.line_names(plan)) < set(nets)
    assert 1 <= nets.count("GND") == nets.count("VDD")
    gaps = [(b - wb / 2) - (a + wa / 2) for (_, a, wa), (_, b, wb) in itertools.pairwise(lines)]
    assert all(gap >= plan.pdk.space("met3") - 1e-6 for gap in gaps)
    assert all(w >= plan.pdk.width("met3") for _, _, w in lines)
    assert lines[0][1] > 0
    assert lines[-1][1] < side.solve_driver(plan, 0).problem.height


# -- what the drawn circuit does ---------------------------------------------------------------------------


@cache
def extracted() -> Cell:
    """The circuit of eight rows' drivers, as it is drawn."""
    plan = planned("sky130")
    library = Library(plan.pdk)
    top = side.row_drivers(library, plan)
    extraction = extract(library.layout, top.name, library.pdk)
    return flat(extraction.netlist, top.name)


def switches() -> tuple[Switches, Plan]:
    """The drivers at rest: nothing addressed, nothing enabled."""
    plan, circuit = planned("sky130"), extracted()
    bus = [f"BUS[{k}]" for k in range(SMALL["input_bits"])]
    made = Switches(circuit.transistors, strong=bus)
    ends = {net for t in circuit.transistors for net in (t.d, t.s)}
    lines = [net for net in made.state if net not in ends and net not in made.fixed]
    lines += [*bus, *(f"VREF[{k}]" for k in range(SMALL["input_bits"]))]
    high_at_rest = ("CSB", "PCH", "SOUTB", "SEGB", "ACCGB", "VREF")
    made.drive({net: int(net.startswith(high_at_rest)) for net in lines})
    return made, plan


def high(made: Switches, name: str) -> set[int]:
    """Numbers of a bus's nets that are high; none of them is unknown."""
    nets = {net: level for net, level in made.state.items() if net.startswith(f"{name}[")}
    assert nets
    assert None not in nets.values()
    return {int(net[len(name) + 1 : -1]) for net, level in nets.items() if level}


def address(plan: Plan, row: int) -> dict[str, int]:
    """The address lines of one row."""
    found = side.chosen(plan, row)
    lines = [net for net in side.line_names(plan) if net[:3] in ("PA[", "PB[", "PC[")]
    return {net: int(net in found.values()) for net in lines}


def test_an_address_selects_one_row_and_all_lines_select_all() -> None:
    made, plan = switches()
    cells, cell = SMALL["cells_per_cluster"], 4
    own = {net for net in made.state if net.partition("_")[0] == f"CSB{cell}"}
    for row in range(plan.rows):
        made.drive({**address(plan, row), **dict.fromkeys(own, 0)}, ENL=1, ENR=0)
        assert high(made, "WLL") == {row * cells + cell}
        assert high(made, "WLR") == set()
        made.drive(ENR=1)  # a write
        assert high(made, "WLR") == {row * cells + cell}
        made.drive(dict.fromkeys(own, 1))
        assert high(made, "WLL") | high(made, "WLR") == set()
    made.drive({**dict.fromkeys(address(plan, 0), 1), **dict.fromkeys(own, 0)}, ENL=1, ENR=0)
    assert high(made, "WLL") == {row * cells + cell for row in range(plan.rows)}
    assert high(made, "WLR") == set()


def test_rows_keep_the_inputs_that_were_loaded_for_them() -> None:
    made, plan = switches()
    bits = SMALL["input_bits"]
    inputs = [(5 * row + 3) % 2**bits for row in range(plan.rows)]
    for row in range(plan.rows):
        made.drive({**address(plan, row), **{f"BUS[{k}]": inputs[row] >> k & 1 for k in range(bits)}})
        made.drive(LOAD=1)
        made.drive(LOAD=0)
    made.drive(address(plan, 0) | {f"BUS[{k}]": 1 - (inputs[0] >> k & 1) for k in range(bits)})
    for k in range(bits):
        assert high(made, f"D{k}") == {row for row in range(plan.rows) if inputs[row] >> k & 1}


def test_row_wires_follow_their_lines() -> None:
    made, plan = switches()
    rows, segments = set(range(plan.rows)), set(plan.cuts)
    made.drive({"RIPPLE[0]": 0}, ACCGB=0, PCH=1, SOUTB=1, SEGB=1)
    assert not any(high(made, net) for net in ("PCHB", "SOUT", "ACC", "SEG"))
    made.drive({"RIPPLE[0]": 1}, PCH=0, SOUTB=0, SEGB=0)
    assert [high(made, net) for net in ("PCHB", "SOUT", "ACC", "SEG")] == [rows, rows, rows, segments]
    made.drive(ACCGB=1)
    assert high(made, "ACC") == set()


# -- drawn -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pdk", pdk_names())
def test_drivers_of_both_kinds_have_their_rails_and_tracks_at_the_same_place(pdk: str) -> None:
    plain, segment = side.solve_drivers(planned(pdk))
    assert plain.problem.rows == segment.problem.rows
    assert plain.lines == segment.lines
    tracks = [
        {
            (p.net, p.row): p.track
            for p in d.wiring.pieces
            if (p.net, p.row) in {(f.net, f.row) for f in d.problem.feeds}
        }
        for d in (plain, segment)
    ]
    assert tracks[0] == tracks[1]


@pytest.mark.parametrize("pdk", pdk_names())
def test_drivers_and_array_are_clean(pdk: str) -> None:
    assert violations(*with_array(pdk)) == {}


@pytest.mark.parametrize("pdk", pdk_names())
def test_drivers_and_array_match_their_netlist(pdk: str) -> None:
    library, top = with_array(pdk)
    assert differences(library, top) == []


@pytest.mark.parametrize("pdk", pdk_names())
def test_the_lines_of_many_rows_are_no_antennas(pdk: str) -> None:
    plan = planned(pdk, inputs=256)
    library = Library(plan.pdk)
    top = row_side(library, plan)  # what drives the lines is a diode as well
    rules = [rule.id for rule in plan.pdk.rules if rule.kind.startswith("antenna")]
    assert rules
    assert run_drc(library.layout, top.name, plan.pdk, only=rules).by_rule == {}


def test_a_row_that_listens_to_another_address_does_not_match() -> None:
    """A via moved by one line makes another circuit: the comparison sees it."""
    plan = planned("sky130")
    library = Library(plan.pdk)
    top = side.row_drivers(library, plan)
    cell = library.layout.cell("row_driver_3")
    lines = side.solve_driver(plan, 3).lines
    a, _, _ = side.address_parts(plan.rows)
    shift = lines[f"PA[{(3 + 1) % a}]"].y - lines[f"PA[{3 % a}]"].y
    x, y = side.solve_driver(plan, 3).wiring.trunks["PA"].x, lines[f"PA[{3 % a}]"].y
    moved = 0
    for layer in ("via2", "met2", "met3"):
        for shape in cell.shapes(library.layer(layer)).each():
            box = shape.dbbox()
            if abs(box.center().x - x) < 0.01 and abs(box.center().y - y) < 0.01:
                shape.box = shape.box.moved(0, round(shift / library.layout.dbu))
                moved += 1
    assert moved
    assert differences(library, top)


@pytest.mark.parametrize(
    ("pdk", "keys"),
    [
        ("sky130", {"cells_per_cluster": 3, "input_bits": 2, "inputs": 4}),
        ("sky130", {"cells_per_cluster": 3, "input_bits": 4, "outputs": 8, "inputs": 4}),
        ("scaled65", {"cells_per_cluster": 3, "input_bits": 3, "outputs": 4, "inputs": 4}),
        ("sky130", {"cells_per_cluster": 5, "input_bits": 1, "inputs": 4}),
        ("sky130", {"cells_per_cluster": 15, "input_bits": 3, "outputs": 4, "inputs": 4}),
        ("sky130", {"weight_bits": 1, "outputs": 4, "inputs": 2}),
        ("scaled65", {"cells_per_cluster": 5, "input_bits": 4, "outputs": 8, "inputs": 4}),
        ("scaled65", {"cells_per_cluster": 15, "input_bits": 1, "inputs": 4}),
        ("scaled65", {"cells_per_cluster": 7, "input_bits": 5, "outputs": 16, "inputs": 4}),
    ],
)
def test_few_and_many_cells_and_bits(pdk: str, keys: dict[str, int]) -> None:
    plan = planned(pdk, **keys)
    library = Library(plan.pdk)
    top = side.row_drivers(library, plan)
    assert violations(library, top) == {}
    assert differences(library, top) == []


def test_what_finds_no_place_is_told_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side, "_MOST", 1)  # arrangement: no other one has room for all wires, either
    keys = {"cells_per_cluster": 3, "input_bits": 4, "outputs": 8}
    with pytest.raises(InputError, match=r"array\.input_bits: 4: .*must be less than 4 with 3 cells"):
        side.solve_drivers(planned("scaled65", **keys))
    assert side.solve_drivers(planned("scaled65", **keys | {"input_bits": 3}))


@pytest.mark.parametrize(("cells", "way"), [(3, "more"), (25, "less")])
def test_nobody_is_told_to_have_less_than_one_input_bit(cells: int, way: str) -> None:
    plan = planned("sky130", cells_per_cluster=cells, input_bits=1, outputs=1)
    why = f"too high; must be {way} than {cells} with 1 input bit and 8 inputs"
    assert str(side.too_many(plan, "too high")) == f"array.cells_per_cluster: {cells}: {why}"


def test_drivers_of_a_cell_that_are_longer_than_a_row_end_the_search() -> None:
    plan = planned("sky130")
    low: Any = SimpleNamespace(spec=plan.spec, plain=SimpleNamespace(height=1.0))
    w = plan.pdk.rule("channel_width", "gate", "diff")
    row = solve_row(plan.pdk, w, 2 * w, close=True)
    assert row_logic._words_and_logic(low, 1.0, row, w) == []
    assert row_logic._words_and_logic(plan, plan.plain.height, row, w)


def test_rows_do_not_grow_for_ever_below_their_fan(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(problem: object) -> float:
        raise Unroutable("row 0: no two tracks", 0)

    monkeypatch.setattr(side, "fan_height", full)
    plan = planned("sky130")
    w = plan.pdk.rule("channel_width", "gate", "diff")
    with pytest.raises(Unroutable, match="no two tracks"):
        side._fan((solve_row(plan.pdk, w, w),), lambda rows: Problem(rows, ((),)))


# -- simulated ---------------------------------------------------------------------------------------------


@needs_ngspice
def test_a_driver_moves_its_row_and_a_longer_row_takes_longer() -> None:
    from picoram_layout.simulation import ngspice

    data = {
        "name": "small",
        "pdk": "sky130",
        "array": SMALL | {"outputs": 8},
        "capacitor": {"target_fF": 0.1},
    }
    made = circuits(Spec.model_validate(data))
    bench = drivers.bench(made.plan, made.cell)
    typical = Condition()
    found = {}
    for times in (1, 4):
        loads = {
            net: drivers.Load(tuple((t, times * m) for t, m in load.gates), times * load.wires)
            for net, load in bench.loads.items()
        }
        job = drivers.job(replace(bench, loads=loads), typical)
        found[times] = ngspice.run(job.deck, job.wanted).values
    for name in found[1]:
        if name.endswith(("rise", "fall")):
            assert 0 < found[1][name] < found[4][name] < 10e-9, name
    chain = drivers.chain_job(bench, typical)
    per_row = ngspice.run(chain.deck, chain.wanted).values["ripple"] / (drivers.CHAIN - 2)
    assert 0.03e-9 < per_row < 0.3e-9
