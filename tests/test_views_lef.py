"""The LEF, as KLayout reads it, against the layout that it is an abstract of."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import klayout.db as kdb
import pytest

from picoram_layout.array.array import array
from picoram_layout.layout import Library
from picoram_layout.periphery.row_foot import row_foot
from picoram_layout.views.lef import write_lef
from picoram_layout.views.loads import loads
from picoram_layout.views.pins import Pin, pins
from tests.views import pins_block, plan_of, written

METALS = ("li1", "met1", "met2", "met3", "met4", "met5")


class Abstract:
    """A LEF file as KLayout reads it: shapes by layer and purpose, in dbu."""

    def __init__(self, path: Path) -> None:
        options = kdb.LoadLayoutOptions()
        options.lefdef_config.dbu = 0.001
        self.layout = kdb.Layout()
        self.layout.read(str(path), options)
        (self.cell,) = self.layout.top_cells()

    def shapes(self, name: str) -> kdb.Region:
        """Shapes of a layer like ``met4.PIN``."""
        for info in self.layout.layer_infos():
            if info.name == name:
                return kdb.Region(self.cell.begin_shapes_rec(self.layout.find_layer(info)))
        return kdb.Region()

    def labels(self, layer: str) -> Counter[tuple[str, kdb.Point]]:
        """Names of pins at the middles of their rectangles."""
        index = next(i for i in self.layout.layer_infos() if i.name == f"{layer}.LABEL")
        shapes = self.cell.shapes(self.layout.find_layer(index))
        return Counter((s.text.string, kdb.Point(s.text.x, s.text.y)) for s in shapes.each())


def boxes(region: kdb.Region) -> Counter[kdb.Box]:
    region.merged_semantics = False
    return Counter(polygon.bbox() for polygon in region.each())


@pytest.mark.parametrize("spec", ["picoram_tiny", "picoram_40kb_scaled65"])
def test_size_and_pins_are_those_of_the_layout(tmp_path: Path, spec: str) -> None:
    top = written(tmp_path, plan_of(spec))
    gds = kdb.Layout()
    gds.read(str(tmp_path / f"{spec}.gds"))
    cell, pdk = gds.top_cell(), plan_of(spec).pdk
    lef = Abstract(tmp_path / f"{spec}.lef")
    assert lef.cell.name == spec
    outline = kdb.Region(cell.begin_shapes_rec(gds.layer(*pdk.marks["boundary"])))
    assert boxes(lef.shapes("OUTLINE")) == boxes(outline)
    for layer in ("met4", "met5"):
        drawn = kdb.Region(cell.begin_shapes_rec(gds.layer(*pdk.pins[layer])))
        assert boxes(lef.shapes(f"{layer}.PIN")) == boxes(drawn)
        texts = gds.layer(*pdk.labels[layer])
        assert {name for name, _ in lef.labels(layer)} == {s.text.string for s in cell.shapes(texts).each()}
        ports = [port for found in top.ports.values() for port in found if port.layer == layer]
        middles = Counter((p.net, kdb.DBox(*p.box).center().to_itype(pdk.dbu)) for p in ports)
        assert lef.labels(layer) <= middles  # KLayout names the last rectangle of a pin


@pytest.mark.parametrize("spec", ["picoram_tiny", "picoram_40kb_scaled65"])
def test_obstructions_cover_all_but_pins_and_their_spacing(tmp_path: Path, spec: str) -> None:
    written(tmp_path, plan_of(spec))
    pdk, lef = plan_of(spec).pdk, Abstract(tmp_path / f"{spec}.lef")
    area = lef.shapes("OUTLINE")
    assert boxes(lef.shapes("met1.OBS")) == boxes(area)
    space = round(max(pdk.space("met4"), pdk.rule("wide_space", "met4")) / 0.001)
    pin, obs = lef.shapes("met4.PIN"), lef.shapes("met4.OBS").merged()
    assert (obs & pin.sized(space)).is_empty()
    assert (area - obs - pin.sized(space)).is_empty()
    # met5: only what is drawn there and no pin
    assert [str(box) for box in boxes(lef.shapes("met5.OBS"))] == ["(0,30000;4000,32000)"]
    # metals that are not drawn at all stay free
    for layer in ("li1", "met2", "met3"):
        assert lef.shapes(f"{layer}.OBS").is_empty()


def test_the_arrays_own_pins(tmp_path: Path) -> None:
    """A real layout, its pins on met1, met2 and met5."""
    plan = plan_of("picoram_tiny")
    lib = Library(plan.pdk)
    top = array(lib, plan)
    table = [
        Pin(net, None, "inout", "power" if net == "VDD" else "ground" if net == "GND" else "signal", "", "")
        for net in top.ports
    ]
    write_lef(tmp_path / "array.lef", top, table, plan)
    lef = Abstract(tmp_path / "array.lef")
    for layer in METALS:
        index = top.cell.layout().layer(*plan.pdk.pins[layer])
        assert boxes(lef.shapes(f"{layer}.PIN")) == boxes(kdb.Region(top.cell.shapes(index)))
    assert (lef.shapes("met5.OBS") & lef.shapes("met5.PIN")).is_empty()
    drawn = kdb.Region(top.cell.begin_shapes_rec(top.cell.layout().layer(*plan.pdk.drawn["met5"])))
    inside = drawn & lef.shapes("OUTLINE")
    assert (inside - lef.shapes("met5.OBS") - lef.shapes("met5.PIN")).is_empty()
    for layer in METALS[:-1]:
        assert not lef.shapes(f"{layer}.OBS").is_empty()


def test_a_pin_without_a_port_is_refused(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    top = pins_block(Library(plan.pdk), plan)
    del top.ports["SMPZ"]
    with pytest.raises(ValueError, match="picoram_tiny: no port for SMPZ"):
        write_lef(tmp_path / "t.lef", top, pins(plan), plan)


def test_head(tmp_path: Path) -> None:
    top = written(tmp_path, plan_of("picoram_tiny"))
    text = (tmp_path / "picoram_tiny.lef").read_text()
    for line in (
        "DATABASE MICRONS 1000 ;",
        "MACRO picoram_tiny",
        "CLASS BLOCK ;",
        "ORIGIN 0 0 ;",
        f"SIZE {top.width:g} BY {top.height:g} ;",
        "SYMMETRY X Y ;",
    ):
        assert text.count(line) == 1
    use = dict(re.findall(r"PIN (\S+)\s+DIRECTION \w+ ;\s+USE (\w+) ;", text))
    assert (use["VDD"], use["GND"], use["VREF[2]"], use["RA[0]"]) == ("POWER", "GROUND", "ANALOG", "SIGNAL")


def test_loads_are_the_gates_of_the_netlist(tmp_path: Path) -> None:
    """RA[2] drives its inverter and the NANDs of its group in the foot; lengths 0.15 um."""
    plan = plan_of("picoram_tiny")
    top = row_foot(Library(plan.pdk), plan)
    flat = top.circuit.netlist.dup()
    flat.flatten()
    (circuit,) = (c for c in flat.each_circuit() if c.name == top.name)
    names = tuple(pin.expanded_name() for pin in circuit.each_pin())
    found = loads(top, names)
    for name in names:
        net = circuit.net_by_name(name)
        gates = [t.device() for t in net.each_terminal() if t.terminal_def().name == "G"]
        area = sum(d.parameter("W") * d.parameter("L") for d in gates)
        assert found[name].gate == pytest.approx(area)
    assert found["RA[2]"].gate > 0
    table = [Pin("RA[2]", None, "input", "signal", "", ""), Pin("ENL", None, "output", "signal", "", "")]
    write_lef(tmp_path / "t.lef", top, table, plan, found)
    text = (tmp_path / "t.lef").read_text()
    assert f"ANTENNAGATEAREA {found['RA[2]'].gate:g} ;" in text
    assert f"ANTENNADIFFAREA {found['ENL'].diffusion:g} ;" in text
