"""LVS: drawn cells and arrays match their netlists, in whatever hierarchy; what is spoilt is told by name.

`test_wiring` holds the arrays to a circuit that is written down apart from the generators; here the
generators' own netlists, the hierarchical extraction and the comparison are under test.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import klayout.db as kdb
import pytest

from picoram_layout.array.array import array
from picoram_layout.cells import CATALOGUE
from picoram_layout.cells.dac_strip import dac_strip
from picoram_layout.layout import Block, Library
from picoram_layout.lvs.compare import LvsResult, compare, device_counts
from picoram_layout.lvs.extract import extract
from picoram_layout.netlist.circuit import moved, set_capacitors
from picoram_layout.netlist.spice import read_spice, write_cdl, write_spice
from picoram_layout.pdk import load_pdk
from picoram_layout.plan import capacitance, make_plan
from picoram_layout.simulation.models import models_folder
from picoram_layout.spec import Spec
from picoram_layout.stream import write_layout
from tests.conftest import Picoram, needs_ngspice

PDKS = ("sky130", "scaled65")
TOP = "array"
SMALL = {"inputs": 4, "outputs": 2, "weight_bits": 2, "input_bits": 2, "cells_per_cluster": 3}


@cache
def drawn(pdk: str = "sky130", style: str = "shielded") -> tuple[Library, Block]:
    """A small array with segment rows and its netlist; change copies only."""
    data = {"name": "small", "pdk": pdk, "array": SMALL, "capacitor": {"style": style, "target_fF": 0.5}}
    plan = make_plan(Spec.model_validate(data))
    library = Library(plan.pdk)
    top = array(library, plan)
    set_capacitors(library.netlist, library.devices, capacitance(plan).value_fF)
    return library, top


def check(layout: kdb.Layout, **options: Any) -> LvsResult:
    """Compare a changed copy of the small array with its netlist."""
    library, top = drawn()
    return compare(
        extract(layout, top.name, library.pdk, **options), library.netlist, top.name, library.devices
    )


def copy() -> kdb.Layout:
    """A copy of the small array."""
    return drawn()[0].layout.dup()


def shapes(layout: kdb.Layout, cell: str, layer: str) -> kdb.Shapes:
    """Shapes of a drawn layer or of its labels (``met1.label``) in a cell."""
    pdk = load_pdk("sky130")
    number = pdk.labels[layer[:-6]] if layer.endswith(".label") else pdk.drawn[layer]
    return layout.cell(cell).shapes(layout.layer(*number))


# -- what is right matches ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("pdk", PDKS)
def test_every_cell_matches_its_netlist(pdk: str, name: str) -> None:
    library, entry = Library(load_pdk(pdk)), CATALOGUE[name]
    block = entry.draw(library)
    entry.complete(library)
    result = compare(
        extract(library.layout, block.name, library.pdk), library.netlist, block.name, library.devices
    )
    assert result.differences == []
    assert sum(result.counts.values()) > 0


@pytest.mark.parametrize("counts", ["80 16 5 4 9", "16 32 4 4 9", "16 64 4 5 13", "64 16 6 4 5"])
@pytest.mark.parametrize("pdk", PDKS)
def test_strips_of_wide_rows_match(pdk: str, counts: str) -> None:
    """Their sharing switches are wide: wires of data and XL end on one track beside them."""
    array_spec = dict(zip(SMALL, map(int, counts.split()), strict=True))
    data = {"name": "w", "pdk": pdk, "array": array_spec, "capacitor": {"style": "comb", "target_fF": 0.1}}
    plan = make_plan(Spec.model_validate(data))
    for strip in plan.strips:
        library = Library(plan.pdk)
        block = dac_strip(library, plan.plain, strip, "GND", True)
        extraction = extract(library.layout, block.name, library.pdk)
        assert compare(extraction, library.netlist, block.name, library.devices).differences == []


@pytest.mark.parametrize(("pdk", "style"), [("sky130", "shielded"), ("sky130", "comb"), ("scaled65", "comb")])
def test_array_matches_its_netlist(pdk: str, style: str) -> None:
    library, top = drawn(pdk, style)
    extraction = extract(library.layout, top.name, library.pdk)
    result = compare(extraction, library.netlist, top.name, library.devices)
    assert (result.status, result.differences, result.flat) == ("match", [], False)
    clusters = SMALL["inputs"] * SMALL["outputs"] * SMALL["weight_bits"]
    assert result.counts[library.devices.capacitor.name] == clusters
    assert extraction.cut


def only_top_labels(layout: kdb.Layout) -> kdb.Layout:
    """Take away the labels of all cells but the small array: flat, they would all name nets of it."""
    for cell in layout.each_cell():
        if cell.name != TOP:
            for number in load_pdk("sky130").labels.values():
                cell.shapes(layout.layer(*number)).clear()
    return layout


def devices(netlist: kdb.Netlist) -> Counter[tuple[str, tuple[float, ...]]]:
    """Classes and compared sizes of all devices of a flat netlist."""
    found: Counter[tuple[str, tuple[float, ...]]] = Counter()
    for circuit in netlist.each_circuit():
        for device in circuit.each_device():
            kind = device.device_class()
            sizes = [round(device.parameter(p.id()), 6) for p in kind.parameter_definitions() if p.is_primary]
            found[kind.name, tuple(sizes) if kind.name != "mom" else ()] += 1
    return found


def test_cutting_diffusion_at_cell_borders_changes_no_device_and_no_net() -> None:
    """Hierarchical with and without the cut, and flat: the same devices between the same nets."""
    library, top = drawn()
    layout = only_top_labels(copy())
    names = [t.string for t in _texts(layout, top.name)]
    netlists = []
    for options in ({}, {"cut_borders": False}, {"flat": True}):
        extraction = extract(layout, top.name, library.pdk, **options)
        assert extraction.cut == (not options)
        netlist = extraction.netlist.dup()
        netlist.make_top_level_pins()
        netlist.flatten()
        library.devices.tolerate(netlist)
        circuit = netlist.circuit_by_name(top.name)
        for net in circuit.each_net():
            if net.name not in names and net.name != "SUB":
                net.name = ""
        netlists.append(netlist)
    cut, *others = netlists
    for other in others:
        assert devices(cut) == devices(other)
        assert sum(1 for _ in cut.circuit_by_name(top.name).each_net() if _.terminal_count()) == sum(
            1 for _ in other.circuit_by_name(top.name).each_net() if _.terminal_count()
        )
        comparer = kdb.NetlistComparer()
        a, b = cut.circuit_by_name(top.name), other.circuit_by_name(top.name)
        for net in a.each_net():
            if net.name:
                assert b.net_by_name(net.name), net.name
                comparer.same_nets(net, b.net_by_name(net.name))
        assert comparer.compare(cut, other)


@pytest.mark.parametrize("cell", ["bitcell", "mac", "mac_segment_cut", "dac_strip_1_vdd"])
def test_netlist_has_the_areas_that_the_drawing_has(cell: str) -> None:
    """AS and AD: the cut takes slivers, and the stubs behind borders that no diffusion meets."""
    library, top = drawn()
    extraction = extract(library.layout, top.name, library.pdk)
    total = [
        sum(
            device.parameter("AS") + device.parameter("AD")
            for device in netlist.circuit_by_name(cell).each_device()
            if isinstance(device.device_class(), kdb.DeviceClassMOS4Transistor)
        )
        for netlist in (extraction.netlist, library.netlist)
    ]
    assert total[0] == pytest.approx(total[1], rel=0.06)


def _texts(layout: kdb.Layout, cell: str) -> list[kdb.Text]:
    found = []
    for number in load_pdk("sky130").labels.values():
        found += [s.text for s in layout.cell(cell).shapes(layout.layer(*number)).each() if s.is_text()]
    return found


def test_ports_labels_and_pins_are_one_table() -> None:
    """Every cell's ports are the pins of its circuit, in order, and each has a label on its wire."""
    library, top = drawn()
    for block in library.blocks.values():
        pins = [pin.name() for pin in library.netlist.circuit_by_name(block.name).each_pin()]
        assert pins in ([*block.ports], [*block.ports, "SUB"])
        labels = {text.string for text in _texts(library.layout, block.name)}
        assert set(block.ports) <= labels
    assert set(top.ports) == {text.string for text in _texts(library.layout, top.name)}


def test_a_flattened_layout_matches() -> None:
    layout = only_top_labels(copy())
    layout.cell(TOP).flatten(True)
    assert check(layout).differences == []


def test_a_cell_that_is_another_in_one_place_is_compared_flat() -> None:
    """The hierarchies differ, the circuits do not."""
    layout = copy()
    top = layout.cell(TOP)
    placed = next(i for i in top.each_inst() if i.cell.name.startswith("row_"))
    twin = placed.cell.dup()
    twin.name = "twin"
    placed.cell_index = twin.cell_index()
    inner = next(i for i in twin.each_inst() if i.cell.name.startswith("tile_"))
    other = inner.cell.dup()
    other.name = "other_tile"
    inner.cell_index = other.cell_index()
    assert check(layout).differences == []


# -- what is wrong is told ---------------------------------------------------------------------------------


def told(layout: kdb.Layout, kind: str, *words: str) -> None:
    """LVS finds differences, one of which is of this kind and has all these words."""
    result = check(layout)
    assert result.status == "mismatch"
    texts = [f"{d.kind} {d.cell} {d.layout} {d.reference}" for d in result.differences]
    assert any(text.startswith(kind) and all(word in text for word in words) for text in texts), texts


def test_a_well_without_a_tap_is_found() -> None:
    layout = copy()
    contacts = shapes(layout, "mac", "licon")
    pdk = load_pdk("sky130")
    taps = kdb.Region(shapes(layout, "mac", "tap")) & kdb.Region(
        layout.cell("mac").begin_shapes_rec(layout.layer(*pdk.drawn["nwell"]))
    )
    kept = kdb.Region(contacts).not_interacting(taps)
    contacts.clear()
    contacts.insert(kept)
    told(layout, "device", "mac", "ntap")


def test_a_lost_substrate_tap_is_found() -> None:
    layout = copy()
    shapes(layout, "dummy_column", "tap").clear()
    told(layout, "device", "dummy_column", "ptap")


def test_a_wider_transistor_is_found_with_its_cell_and_size() -> None:
    layout = copy()
    shape = next(s for s in shapes(layout, "bitcell", "diff").each() if s.bbox().left < 500)
    shape.box = kdb.Box(shape.bbox().left - 5, shape.bbox().bottom, shape.bbox().right, shape.bbox().top)
    told(layout, "device", "bitcell", "nfet_01v8", "W=0.425", "W=0.42")


def test_a_wrong_implant_is_found() -> None:
    layout = copy()
    shapes(layout, "bitcell", "hvtp").insert(kdb.Box(1000, 0, 1900, 960))
    told(layout, "silicon", "diffusion")


@pytest.mark.parametrize(("factor", "status"), [(1.005, "match"), (1.02, "mismatch")])
def test_capacitors_are_compared_within_one_percent(factor: float, status: str) -> None:
    library, top = drawn()
    reference = library.netlist.dup()
    device = next(iter(reference.circuit_by_name("capacitor").each_device()))
    set_capacitors(reference, library.devices, device.parameter("C") * 1e15 * factor)
    result = compare(extract(library.layout, top.name, library.pdk), reference, top.name, library.devices)
    assert result.status == status


def test_a_shortened_finger_changes_the_capacitor() -> None:
    """Connected as before, but no longer the value of the netlist."""
    layout = copy()
    fingers = [
        s
        for s in shapes(layout, "capacitor", "met4").each()
        if s.bbox().left > 200 and s.bbox().width() < 400
    ]
    finger = max(fingers, key=lambda s: s.bbox().height())
    box = finger.bbox()
    finger.box = kdb.Box(box.left, box.bottom + box.height() // 2, box.right, box.top)
    told(layout, "device", "capacitor", "mom")


def rename(layout: kdb.Layout, layer: str, change: Callable[[str], str]) -> None:
    """Change the top cell's labels on a layer; an empty name takes the label away."""
    labels = shapes(layout, TOP, layer)
    texts = [s.text for s in labels.each()]
    labels.clear()
    for text in texts:
        if name := change(text.string):
            labels.insert(kdb.Text(name, text.trans))


def test_swapped_labels_are_told() -> None:
    layout = copy()
    swap = {"WLL[3]": "WLR[3]", "WLR[3]": "WLL[3]"}
    rename(layout, "met2.label", lambda name: swap.get(name, name))
    assert check(layout).status == "mismatch"


def test_a_lost_and_an_unknown_label_are_told() -> None:
    layout = copy()
    rename(layout, "met1.label", lambda name: {"VL[1]": "", "SMP[0]": "SAMPLE"}.get(name, name))
    told(layout, "name", "none VL[1]")
    told(layout, "name", "SAMPLE none")


def test_labels_of_inner_cells_at_the_top_are_told_at_once() -> None:
    """Flattened with all labels: no name is right any more."""
    layout = copy()
    layout.cell(TOP).flatten(True)
    result = check(layout)
    assert result.status == "mismatch"
    assert result.notes[0].startswith("not compared further")
    assert {d.kind for d in result.differences} == {"name"}


@pytest.mark.parametrize(
    ("layer", "cut", "net"),
    [("met2", (400, 0, 560, 60_000), "WLL[0]"), ("met1", (0, 700, 60_000, 840), "GBLB[0]")],
)
def test_a_label_on_the_stub_of_a_cut_wire_is_told(
    layer: str, cut: tuple[int, int, int, int], net: str
) -> None:
    """What is behind the cut has no name, and the name has nothing behind it."""
    layout = only_top_labels(copy())
    layout.cell(TOP).flatten(True)
    wires = shapes(layout, TOP, layer)
    kept = kdb.Region(wires) - kdb.Region(kdb.Box(*cut))
    wires.clear()
    wires.insert(kept)
    told(layout, "net", f"{net} leads to nothing")


def test_a_label_on_two_nets_is_told() -> None:
    layout = copy()
    rename(layout, "met1.label", lambda name: {"VL[1]": "VL[0]"}.get(name, name))
    told(layout, "name", "VL[0] names several nets")


def test_a_short_names_both_nets() -> None:
    layout = copy()
    shapes(layout, TOP, "met2").insert(kdb.Box(0, 0, 140, 60_000))
    result = check(layout)
    assert any("WLL[0]" in d.layout and "WLR[0]" in d.layout for d in result.differences)


# -- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["spice", "cdl"])
@pytest.mark.parametrize("pdk", PDKS)
def test_netlist_files_are_read_back_as_they_were(tmp_path: Path, pdk: str, form: str) -> None:
    library, top = drawn(pdk, "comb")
    path = tmp_path / f"small.{form}"
    if form == "spice":
        write_spice(library.netlist, path, library.devices, library.pdk, "small")
    else:
        write_cdl(library.netlist, path, library.devices, "small")
    read = read_spice(path, library.devices)
    assert device_counts(read, read.circuit_by_name(top.name).name) == device_counts(
        library.netlist, top.name
    )
    written = library.netlist.dup()
    for netlist in (written, read):
        library.devices.tolerate(netlist)
    assert kdb.NetlistComparer().compare(written, read)
    pins = [pin.name() for pin in read.circuit_by_name(top.name).each_pin()]
    assert pins == [pin.name() for pin in library.netlist.circuit_by_name(top.name).each_pin()]


@needs_ngspice
def test_ngspice_runs_the_netlist_without_a_warning(tmp_path: Path) -> None:
    """The operating point of the whole small array, with the transistor models."""
    library, top = drawn()
    write_spice(library.netlist, tmp_path / "small.spice", library.devices, library.pdk, "small")
    pins = [pin.name() for pin in library.netlist.circuit_by_name(top.name).each_pin()]
    nodes = ["0" if pin in ("GND", "SUB") else pin for pin in pins]
    models = models_folder() / "C4M.Sky130_logic_lib.spice"
    deck = ["* small", f'.lib "{models}" tt', ".include small.spice", f"Xtop {' '.join(nodes)} {TOP}"]
    deck += [
        "VVDD VDD 0 1.8",
        *(f"V{k} {node} 0 0" for k, node in enumerate(nodes) if node not in ("0", "VDD")),
    ]
    (tmp_path / "deck.sp").write_text("\n".join([*deck, ".op", ".end"]) + "\n")
    (tmp_path / ".spiceinit").write_text("set num_threads=1\n")
    run = subprocess.run(
        ["ngspice", "-b", "deck.sp"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "No. of Data Rows : 1" in run.stdout
    told = r"^\s*(warning|error|fatal)|unknown|unrecognized"
    assert not re.search(told, run.stdout + run.stderr, re.IGNORECASE | re.MULTILINE)


def test_moved_pins() -> None:
    assert moved(["VL[1]", "WLL[2]", "GND", "VLX[1]"], {"VL": 4}) == {"VL[1]": "VL[5]"}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The small array's GDS and SPICE files."""
    library, top = drawn()
    gds, spice = tmp_path / "small.gds", tmp_path / "small.spice"
    write_layout(library.layout, top.name, gds)
    write_spice(library.netlist, spice, library.devices, library.pdk, "small")
    return gds, spice


def test_command(picoram: Picoram, files: tuple[Path, Path]) -> None:
    outcome = picoram("lvs", files[0], "-o", "small.lvsdb")
    assert outcome.status == 0
    assert f"{TOP}: match (16 mom" in outcome.out
    database = kdb.LayoutVsSchematic()
    database.read("small.lvsdb")
    assert database.xref().circuit_count() > 0


def test_command_tells_cell_device_and_net(picoram: Picoram, files: tuple[Path, Path]) -> None:
    text = files[1].read_text()
    files[1].write_text(text.replace("M$1 Q QB GND_L SUB", "M$1 Q Q GND_L SUB"))
    outcome = picoram("lvs", files[0], "--netlist", files[1])
    assert outcome.status == 1
    assert "bitcell" in outcome.out
    assert "mismatch" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.gds"], "nothing.gds: no such file"),
        (["small.gds", "--netlist", "nothing.spice"], "nothing.spice: no such file"),
        (["small.gds", "--netlist", "empty.spice"], "empty.spice: holds no .SUBCKT"),
        (["small.gds", "--netlist", "other.spice"], f"other.spice: has no circuit '{TOP}'"),
        (["other.gds"], "other.gds: no netlist beside it"),
        (["small.gds", "--pdk", "sky13"], "pdk: 'sky13' is unknown"),
        (["small.gds", "-o", "no/such/folder.lvsdb"], "is in a folder that does not exist"),
        (["small.gds", "--json", "-o", "/proc/x.lvsdb"], "/proc/x.lvsdb: cannot be written: "),
    ],
)
def test_bad_input_is_one_line(
    picoram: Picoram, files: tuple[Path, Path], arguments: list[str], message: str
) -> None:
    Path("empty.spice").write_text("* nothing\n")
    Path("other.spice").write_text(".SUBCKT other A B\nR1 A B 1\n.ENDS other\n")
    Path("other.gds").write_bytes(files[0].read_bytes())
    Path("other.spice").rename("elsewhere.spice") if arguments == ["other.gds"] else None
    outcome = picoram("lvs", *arguments)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
