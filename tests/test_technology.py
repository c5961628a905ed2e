"""KLayout's files of every PDK agree with the PDK's data, and KLayout understands them."""

from __future__ import annotations

import klayout.db as kdb
import pytest
from klayout import lay

from picoram_layout.pdk import Pdk, load_pdk, pdk_names
from picoram_layout.report.technology import layer_properties, lyp, lyt, styles, technology


@pytest.fixture(params=pdk_names())
def pdk(request: pytest.FixtureRequest) -> Pdk:
    return load_pdk(request.param)


def test_shipped_files_are_the_generated_ones(pdk: Pdk) -> None:
    """`python -m picoram_layout.report.technology` writes them anew."""
    assert layer_properties(pdk).read_text(encoding="utf-8") == lyp(pdk)
    assert technology(pdk).read_text(encoding="utf-8") == lyt(pdk)


def test_every_layer_has_a_style(pdk: Pdk) -> None:
    found = {style.source for style in styles(pdk)}
    tables = (pdk.drawn, pdk.marks, pdk.labels, pdk.pins)
    assert found == {numbers for table in tables for numbers in table.values()}


def test_klayout_reads_the_layer_colours(pdk: Pdk) -> None:
    view = lay.LayoutView()
    view.load_layer_props(str(layer_properties(pdk)))
    nodes = list(view.each_layer())
    assert [(n.name, f"{n.source_layer}/{n.source_datatype}") for n in nodes] == [
        (s.name, f"{s.source[0]}/{s.source[1]}") for s in styles(pdk)
    ]
    assert [n.eff_frame_color() & 0xFFFFFF for n in nodes] == [int(s.frame[1:], 16) for s in styles(pdk)]


@pytest.fixture
def opened(pdk: Pdk) -> kdb.Technology:
    found = kdb.Technology()
    found.load(str(technology(pdk)))
    return found


def test_klayout_reads_the_technology(opened: kdb.Technology, pdk: Pdk) -> None:
    assert opened.dbu == pdk.dbu
    assert opened.name == f"picoram_{pdk.name}"
    assert opened.eff_layer_properties_file() == str(layer_properties(pdk))


def connectivity(opened: kdb.Technology) -> kdb.NetTracerConnectivity:
    component = opened.component("connectivity")
    assert isinstance(component, kdb.NetTracerTechnologyComponent)
    return next(iter(component.each()))


def test_the_net_tracer_stops_at_a_gate(opened: kdb.Technology, pdk: Pdk) -> None:
    """From met1 down to the drain at x < 0; the source at x > 0 is another net."""
    layout = kdb.Layout()
    cell = layout.create_cell("top")
    for name, box in {
        "diff": (-2, 0, 2, 1),
        "poly": (-0.1, -1, 0.1, 2),
        "licon": (-1.5, 0.4, -1.3, 0.6),
        "li1": (-1.6, 0.3, -1.2, 0.7),
        "mcon": (-1.5, 0.4, -1.3, 0.6),
        "met1": (-1.7, 0.2, -1.1, 0.8),
    }.items():
        cell.shapes(layout.layer(*pdk.drawn[name])).insert(kdb.DBox(*box))
    stack = connectivity(opened)
    tracer = kdb.NetTracer()
    tracer.trace(stack, layout, cell, kdb.Point(-1400, 500), layout.layer(*pdk.drawn["met1"]))
    found = [(e.layer(), e.bbox().to_dtype(layout.dbu)) for e in tracer.each_element()]
    reached = {layout.get_info(layer) for layer, _ in found}
    assert {kdb.LayerInfo(*pdk.drawn[n]) for n in ("licon", "li1", "mcon", "met1")} < reached
    assert kdb.LayerInfo(*pdk.drawn["poly"]) not in reached
    assert min(box.left for _, box in found) == -2
    assert max(box.right for _, box in found) == -0.1


def test_the_net_tracer_follows_the_whole_stack(opened: kdb.Technology, pdk: Pdk) -> None:
    """One box on every layer of the wiring stack: from the lowest wire to the highest."""
    layout = kdb.Layout()
    cell = layout.create_cell("top")
    for name in pdk.stack:
        cell.shapes(layout.layer(*pdk.drawn[name])).insert(kdb.DBox(0, 0, 1, 1))
    stack = connectivity(opened)
    tracer = kdb.NetTracer()
    tracer.trace(stack, layout, cell, kdb.Point(500, 500), layout.layer(*pdk.drawn[pdk.stack[0]]))
    reached = {layout.get_info(e.layer()) for e in tracer.each_element()}
    assert reached == {kdb.LayerInfo(*pdk.drawn[name]) for name in pdk.stack}
