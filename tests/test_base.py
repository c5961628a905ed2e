"""The base below the outputs: what it drives, how it fits, and the wires between it and the output side."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.layout import Block, Library
from picoram_layout.logic.devices import devices, rows_for
from picoram_layout.logic.wiring import columns
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.pdk import Pdk, load_pdk, pdk_names
from picoram_layout.periphery import adc_analog, adc_digital, base, base_lines, risers
from picoram_layout.periphery.adc_side import output_side, places
from picoram_layout.periphery.narrow import Rows, all_fit
from picoram_layout.periphery.straps import met4_width
from picoram_layout.plan import Plan, make_plan
from picoram_layout.simulation.circuits import Transistor, flat
from picoram_layout.spec import load_spec
from tests.switch_level import Switches

SPECS = Path(__file__).parent.parent / "specs"


def plan_of(name: str = "picoram_40kb", **changes: Any) -> Plan:
    spec = load_spec(SPECS / f"{name}.yaml")
    return make_plan(spec.model_copy(update={"array": spec.array.model_copy(update=changes)}))


def check(library: Library, block: Block) -> None:
    rules = [rule.id for rule in library.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, block.name, library.pdk, only=rules).by_rule == {}
    extracted = extract(library.layout, block.name, library.pdk)
    assert compare(extracted, library.netlist, block.name, library.devices).differences == []


# -- drivers -----------------------------------------------------------------------------------------------


@cache
def drivers() -> tuple[Plan, tuple[Transistor, ...]]:
    """The drawn drivers of an array of 16 rows."""
    plan = plan_of(inputs=16)
    library = Library(plan.pdk)
    block = base_lines.column_drivers(library, plan)
    return plan, flat(library.netlist, block.name).transistors


def test_what_hangs_on_a_line_grows_with_what_it_crosses() -> None:
    plan, narrow, low = plan_of(), plan_of(outputs=4), plan_of(inputs=72)
    strips = (base_lines.SAMPLE, base_lines.SAMPLE_LAST, base_lines.SHARE)
    for line in base_lines.LINES:
        full = base_lines.load(plan, line)
        assert base_lines.load(narrow, line) < full, line
        half = base_lines.load(low, line)
        assert (1.5 * half < full < 2 * half) if line in strips else (half <= full), line
    smp, last, share = (base_lines.load(plan, line) for line in strips)
    assert last < share < smp  # one switch, four of least width, those of all but one group
    by_rows = [base_lines.fingers(plan_of(inputs=rows), "SMP") for rows in (16, 72, 144)]
    assert by_rows == sorted(by_rows)


def test_no_drawn_inverter_drives_more_than_it_can() -> None:
    """At most four times its own gates, at last 0.18 pF for each um of nMOS: less than 1 ns in sky130."""
    plan, drawn = drivers()
    for line in base_lines.LINES:
        nets = f"{line}_IN", f"{line}_B"
        first, last = (sum(t.w for t in drawn if t.g == net and t.kind == "nfet") for net in nets)
        assert 0 < last <= 4 * first, line
        longer = 2 if line in (base_lines.SHARE, base_lines.SAMPLE_LAST) else 1  # may take twice as long
        assert base_lines.load(plan, line) <= longer * 180 * last, line


def test_each_line_follows_its_input() -> None:
    switches = Switches(drivers()[1])
    for chosen in (None, *base_lines.LINES):
        nets = switches.drive({f"{line}_IN": int(line == chosen) for line in base_lines.LINES})
        assert [line for line in base_lines.LINES if nets[line]] == ([chosen] if chosen else [])


def test_every_control_wire_of_the_strips_has_its_driver() -> None:
    plan = plan_of()
    wires = {line: [net for net, _ in base_lines.strips_of(plan, line)] for line in ("SMP", "SMPZ", "SHR")}
    assert wires["SMPZ"] == ["SMP[4]"]
    assert wires["SMP"] == [f"SMP[{k}]" for k in range(4)]
    assert wires["SHR"] == [f"SHR[{k}]" for k in range(1, 5)]
    assert {net: line for line, nets in wires.items() for net in nets} == risers.control(plan)
    assert len(risers.control(plan)) == 2 * len(plan.strips) - 1


# -- places ------------------------------------------------------------------------------------------------


def test_the_base_fits_below_the_macro() -> None:
    width, height = base.size(plan_of())
    assert height <= 12.5
    assert width <= 160


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.lists(st.integers(0, 30), min_size=5, max_size=7, unique=True),
)
def test_slots_are_dealt_in_order_with_the_least_sum_of_distances(wanted: list[int], free: list[int]) -> None:
    wanted, free = sorted(wanted), sorted(free)
    found = risers.assigned(wanted, free)
    assert found == sorted(set(found))

    def cost(chosen: Any) -> int:
        return sum(abs(x - free[k]) for x, k in zip(wanted, chosen, strict=True))

    assert cost(found) == min(map(cost, itertools.combinations(range(len(free)), len(wanted))))


def test_slots_keep_clear_of_straps_and_of_each_other() -> None:
    pdk, straps = load_pdk("sky130"), [3.0, 3.7, 9.0]
    found = risers.slots(pdk, 0.0, 12.0, straps)
    pitch = met4_width(pdk) + pdk.space("met4")
    assert len(found) > 12
    assert all(b - a >= pitch - 1e-6 for a, b in itertools.pairwise(sorted([*found, 3.0, 9.0])))


@pytest.mark.parametrize("name", ["picoram_40kb", "picoram_tiny"])
def test_all_signals_are_at_the_lower_edge(name: str) -> None:
    plan = plan_of(name)
    found, outputs = risers.pins(plan), plan.spec.array.outputs
    wanted = {f"{net}[{k}]" for net in ("DI", "DO") for k in range(plan.columns)}
    wanted |= {f"CODE[{k}]" for k in range(9 * outputs)} | {"VTH", "VTHL", "EN", "START", "PD"}
    assert set(found) == wanted | {"IREF_R", "IREF_C", "END"} | {f"{line}_IN" for line in base_lines.LINES}
    upright = sorted([x for layer, x in found.values() if layer == "met4"])
    pitch = met4_width(plan.pdk) + plan.pdk.space("met4")
    assert all(b - a >= pitch - 1e-6 for a, b in itertools.pairwise(upright))


def test_a_wire_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risers, "slots", lambda *_: [1.0, 2.0])
    risers.solve_risers.cache_clear()
    text = r"^array\.outputs: 4: of 101 wires from edge to edge 2 find room .*; must be less than 4 with 4"
    with pytest.raises(InputError, match=text):
        risers.solve_risers(plan_of("picoram_tiny"))


# -- drawings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("picoram_tiny", {}),
        ("picoram_40kb", {"inputs": 64, "outputs": 1, "weight_bits": 6, "input_bits": 1}),
        ("picoram_40kb_scaled65", {"inputs": 32, "outputs": 2, "weight_bits": 5, "input_bits": 1}),
    ],
)
def test_outputs_on_their_base_are_clean_and_match(name: str, changes: dict[str, int]) -> None:
    plan = plan_of(name, **changes)
    library = Library(plan.pdk)
    check(library, risers.outputs_on_base(library, plan))


def test_slices_of_unequal_outputs_stand_side_by_side() -> None:
    plan = plan_of(inputs=32, outputs=4, weight_bits=5, input_bits=2)  # a strip within an output
    assert len(places(plan)) > 1
    library = Library(plan.pdk)
    check(library, output_side(library, plan))


def transistors(pdk: Pdk, rows: Rows) -> Counter[tuple[str, str, frozenset[str], float, float]]:
    """What rows of gates are made of: nets, width and length of each transistor."""
    found: Counter[tuple[str, str, frozenset[str], float, float]] = Counter()
    for row, gates in zip(rows_for(pdk, rows), rows, strict=True):
        for dev in devices(row, columns(gates)):
            found[dev.side, dev.gate, frozenset((dev.source.net, dev.drain.net)), dev.w, row.gate_l] += 1
    return found


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("part", [adc_analog, adc_digital])
def test_a_narrow_slice_has_the_transistors_of_a_wide_one(pdk: str, part: ModuleType) -> None:
    process = load_pdk(pdk)
    column = plan_of("picoram_40kb" if pdk == "sky130" else "picoram_40kb_scaled65").t.width
    wide, narrow = (part.fitted(process, bits * column) for bits in (4, 3))
    assert all_fit(process, narrow, 3 * column)
    assert not all_fit(process, wide, 3 * column)
    assert transistors(process, narrow) == transistors(process, wide)


@pytest.mark.parametrize("name", ["picoram_40kb", "picoram_40kb_scaled65"])
def test_outputs_of_three_bits_are_clean_and_match(name: str) -> None:
    plan = plan_of(name, inputs=8, outputs=8, weight_bits=3, input_bits=3)
    library = Library(plan.pdk)
    check(library, risers.outputs_on_base(library, plan))
