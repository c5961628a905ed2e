"""The whole macro of the shipped 40 Kb specs: clean, matching, and with the pins of the table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import klayout.db as kdb
import numpy as np
import pytest

from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.layout import Library
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.macro.assembly import Macro, macro
from picoram_layout.macro.edge import side_by_side, solve_edge
from picoram_layout.macro.supply import Network, estimate
from picoram_layout.netlist.circuit import set_capacitors
from picoram_layout.plan import Plan, capacitance, make_plan
from picoram_layout.spec import load_spec
from picoram_layout.views.pins import bit_names, pins

SPECS = Path(__file__).parent.parent / "specs"


@dataclass(frozen=True)
class Case:
    """A drawn macro."""

    plan: Plan
    library: Library
    made: Macro


@pytest.fixture(scope="module", params=["picoram_40kb", "picoram_40kb_scaled65"])
def case(request: pytest.FixtureRequest) -> Case:
    plan = make_plan(load_spec(SPECS / f"{request.param}.yaml"))
    library = Library(plan.pdk)
    made = macro(library, plan)
    set_capacitors(library.netlist, library.devices, capacitance(plan).value_fF)
    return Case(plan, library, made)


def test_no_rule_is_broken(case: Case) -> None:
    assert run_drc(case.library.layout, case.made.top.name, case.plan.pdk).by_rule == {}


def test_layout_and_netlist_match(case: Case) -> None:
    top, library = case.made.top.name, case.library
    found = compare(extract(library.layout, top, case.plan.pdk), library.netlist, top, library.devices)
    assert found.differences == []


def test_storage_per_area_of_the_whole_macro(case: Case) -> None:
    mm2 = case.made.top.width * case.made.top.height / 1e6
    assert case.plan.bits / 1024 / mm2 >= {"sky130": 150, "scaled65": 560}[case.plan.pdk.name]


def test_row_drivers_are_narrow(case: Case) -> None:
    x1, _, x2, _ = case.made.parts["row drivers"].box
    assert x2 - x1 <= 35


def test_pins_are_those_of_the_table_and_reach_the_edge(case: Case) -> None:
    top, table = case.made.top, pins(case.plan)
    assert set(top.ports) == set(bit_names(table))
    for pin in table:
        for name in pin.bits:
            boxes = [port.box for port in top.ports[name]]
            edges = (
                [y1 for _, y1, _, _ in boxes]
                if pin.kind == "signal"
                else [min(x1, y1, top.width - x2, top.height - y2) for x1, y1, x2, y2 in boxes]
            )
            assert min(edges) == pytest.approx(0.0)


def test_signals_are_on_met2_on_tracks_and_large_enough(case: Case) -> None:
    """VREF is a supply's wire: a strap at the upper edge."""
    top, pdk = case.made.top, case.plan.pdk
    pitch, offset = pdk.tracks["met2"]
    signals = [name for pin in pins(case.plan) if pin.kind == "signal" for name in pin.bits]
    taken = set()
    for name in (*signals, "VTH", "VTHL", "IREF_R", "IREF_C"):
        (port,) = top.ports[name]
        x1, y1, x2, y2 = port.box
        track = ((x1 + x2) / 2 - offset) / pitch
        assert port.layer == "met2"
        assert track == pytest.approx(round(track), abs=1e-6)
        assert y1 == 0.0
        assert x2 - x1 >= pdk.width("met2") - 1e-9
        assert (x2 - x1) * (y2 - y1) >= pdk.area("met2") - 1e-9
        taken.add(round(track))
    assert len(taken) == len(signals) + 4


def test_nothing_is_drawn_beyond_the_boundary(case: Case) -> None:
    box, top = case.made.top.cell.dbbox(), case.made.top
    assert (box.left, box.bottom, box.right, box.top) == pytest.approx((0.0, 0.0, top.width, top.height))


def test_spans_lie_side_by_side_on_the_fewest_levels() -> None:
    assert side_by_side([(0.0, 4.0), (1.0, 2.0), (3.0, 5.0), (5.5, 6.0)], 0.5) == [0, 1, 1, 0]


def test_more_pins_than_tracks_are_refused(case: Case) -> None:
    with pytest.raises(
        InputError, match=r"^array\.outputs: 8: 3 pins at the lower edge have 2 tracks; must be "
    ):
        solve_edge(case.plan, {}, {"A": 0.1, "B": 0.2, "C": 0.3}, 2 * case.plan.pdk.tracks["met2"][0])


def test_parts_do_not_overlap_but_for_the_base_below_the_foot(case: Case) -> None:
    boxes = [kdb.DBox(*part.box) for part in case.made.parts.values() if part.name != "outputs"]
    for k, one in enumerate(boxes):
        assert all((one & other).area() < 1e-6 for other in boxes[k + 1 :])
    for part in case.made.parts.values():
        x1, y1, x2, y2 = part.box
        assert x1 >= 0
        assert y1 >= 0
        assert x2 <= case.made.top.width
        assert y2 <= case.made.top.height


def test_every_rung_meets_the_straps_of_its_supply(case: Case) -> None:
    for rung in case.made.rungs:
        crossed = [s for s in case.made.straps if s.net == rung.net and s.start < rung.at < s.end]
        assert len(crossed) == 2


def test_a_wire_between_signals_is_found(case: Case) -> None:
    """Two pins joined at the lower edge: the comparison sees it."""
    top, layer = case.made.top, case.library.layer("met2")
    a, b = (top.port(net).box for net in ("CODE[0]", "CODE[1]"))
    shape = top.cell.shapes(layer).insert(kdb.DBox(min(a[0], b[0]), a[1], max(a[2], b[2]), a[1] + 0.1))
    name, library = top.name, case.library
    found = compare(extract(library.layout, name, case.plan.pdk), library.netlist, name, library.devices)
    top.cell.shapes(layer).erase(shape)
    assert found.differences


def test_the_network_is_ohms_law() -> None:
    """Two resistors in series and two in parallel, by hand."""
    network = Network()
    a, b = network.nodes(2)
    network.resistor(0, a, 10.0)
    network.resistor(a, b, 20.0)
    network.resistor(a, b, 20.0)
    ((volts, flows),) = network.solve([np.array([0.0, 0.0, 3.0])])  # mA out of b
    assert abs(volts[a]) == pytest.approx(30.0)
    assert abs(volts[b]) == pytest.approx(60.0)
    assert [abs(f) for f in flows] == pytest.approx([3.0, 1.5, 1.5])


def test_drop_grows_with_fewer_straps(case: Case) -> None:
    if not case.plan.pdk.power:
        assert estimate(case.plan, case.made.straps, case.made.rungs, case.plan.y[:-1]) == []
        return
    y = [case.made.parts["array"].y + (a + b) / 2 for a, b in pairwise(case.plan.y)]
    all_of = estimate(case.plan, case.made.straps, case.made.rungs, y)
    ends = [rung for rung in case.made.rungs if not y[0] < rung.at < y[-1]]
    fewer = estimate(case.plan, case.made.straps, ends, y)
    for more, less in zip(all_of, fewer, strict=True):
        assert less["drop_mV"] > more["drop_mV"] > 0
