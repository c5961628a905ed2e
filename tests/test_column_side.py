"""The column side: its sizes, its place below an array, and words through it."""

from __future__ import annotations

from pathlib import Path

import pytest

from picoram_layout.array.array import array
from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.layout import Canvas, Library
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.netlist.circuit import set_capacitors
from picoram_layout.pdk import load_pdk
from picoram_layout.periphery.column_logic import halved
from picoram_layout.periphery.column_side import column_side, leaving, outputs, solve_side
from picoram_layout.plan import Plan, capacitance, make_plan
from picoram_layout.spec import load_spec

SPECS = Path(__file__).parent.parent / "specs"


def plan_of(name: str, **changes: int) -> Plan:
    spec = load_spec(SPECS / f"{name}.yaml")
    return make_plan(spec.model_copy(update={"array": spec.array.model_copy(update=changes)}))


def test_switches_are_halved_from_bit_to_bit() -> None:
    made = halved(load_pdk("sky130"), 144, 4, 24.0)
    assert [round(f.w * f.count, 6) for f in made] == [24.0, 12.0, 6.0, 3.0]
    assert len({f.w for f in made}) == 1
    least = halved(load_pdk("sky130"), 16, 4, 8.0)
    assert [round(f.w * f.count, 2) for f in least] == [3.36, 1.68, 0.84, 0.42]


def test_weights_of_two_bits_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"array\.weight_bits: 2: must be 3 or more: .*; nearest legal value: 3"
    ):
        solve_side(plan_of("picoram_40kb", weight_bits=2, inputs=16))


def test_every_wire_of_the_array_has_its_place_and_every_output_leaves() -> None:
    plan = plan_of("picoram_40kb", inputs=16)
    wires = [net for output in outputs(plan) for net, _ in output.wires]
    assert sum(net.startswith("VL") for net in wires) == plan.columns
    assert {"SMP[4]", "SHR[4]"} <= set(wires)  # a DAC strip within the last output
    found = leaving(plan)
    assert {f"AL[{n}]" for n in range(8)} | {f"DO[{k}]" for k in range(32)} <= set(found)
    assert {f"SMP[{k}]" for k in range(5)} <= set(found)


@pytest.mark.parametrize("name", ["picoram_40kb", "picoram_40kb_scaled65"])
def test_the_column_side_meets_an_array(name: str) -> None:
    plan = plan_of(name, inputs=16)
    library = Library(plan.pdk)
    side, above = column_side(library, plan), array(library, plan)
    c = Canvas(library, "array_and_columns")
    c.place(side, nets={"GND": "GND_COLUMNS", "VDD": "VDD_COLUMNS"})  # supplies meet elsewhere
    c.place(above, 0, side.height)
    c.export()
    top = c.done(above.width, side.height + above.height)
    rules = [rule.id for rule in plan.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, top.name, plan.pdk, only=rules).by_rule == {}
    set_capacitors(library.netlist, library.devices, capacitance(plan).value_fF)
    found = compare(extract(library.layout, top.name, plan.pdk), library.netlist, top.name, library.devices)
    assert not found.differences
