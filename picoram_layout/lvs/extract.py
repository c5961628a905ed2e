"""Netlist extraction: from a layout to transistors, taps, capacitors and the nets between them.

Hierarchical: KLayout recognises devices in clusters of touching diffusion. In a thin-cell array diffusion
runs through the cells' borders, so that every transistor would end up in the top cell. For recognition only,
diffusion is therefore cut at the border of each cell (two grid steps); the shared contact on the border joins
both sides. Where that would lose more than such slivers, diffusion is left whole.

Silicon does not join supplies: wells and substrate meet them through taps only, and a tap is a device.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import klayout.db as kdb

from picoram_layout.connectivity import connect_wires
from picoram_layout.drc.deck import Deck
from picoram_layout.lvs.devices import MomExtractor, TapExtractor
from picoram_layout.lvs.value import unit_value
from picoram_layout.netlist.devices import SUBSTRATE, DeviceTable, load_devices
from picoram_layout.pdk import Pdk

_DIFFUSION = "diff"


@dataclass
class Extraction:
    """An extracted layout. ``lvs`` holds shapes and netlist; ``silicon`` is diffusion and taps of no device
    (boxes in um, flat); ``cut`` says whether diffusion was cut at cell borders; ``seconds`` it took."""

    lvs: kdb.LayoutVsSchematic
    layers: dict[str, kdb.Region]
    silicon: list[kdb.DBox]
    cut: bool
    seconds: float
    deck: Deck  # owns the shapes

    @property
    def netlist(self) -> kdb.Netlist:
        """The hierarchical netlist."""
        return self.lvs.netlist()


def extract(
    layout: kdb.Layout, top: str, pdk: Pdk, *, flat: bool = False, cut_borders: bool = True
) -> Extraction:
    """Extract the cell ``top`` and all below it. The layout stays as it is.

    ``flat`` and ``cut_borders`` = False give the same circuit without hierarchy or without cutting diffusion
    (slow; for comparison).
    """
    start = time.perf_counter()
    table = load_devices(pdk)
    work = layout.dup()
    plates = _own_plates(work, pdk, table)
    cut = cut_borders and not flat and _cut_diffusion(work, work.cell(top), pdk)
    deck = Deck(work, work.cell(top), pdk, flat)
    lvs = kdb.LayoutVsSchematic(top, work.dbu) if flat else kdb.LayoutVsSchematic(deck.store)
    extraction = Extraction(lvs, {}, [], cut, 0.0, deck)
    layers = extraction.layers
    layers["substrate"] = deck.region(plates.free)
    for transistor in table.transistors.values():
        for name in (transistor.gate, transistor.source_drain):
            layers[name] = deck.layer(name)
    for tap in table.taps.values():
        layers[tap.layer] = deck.layer(tap.layer)
    for name in ("nwell", "poly", "licon", *pdk.stack):
        layers[name] = deck.layer(name)
    for name, region in layers.items():
        lvs.register(region, name)
    _devices(lvs, layers, table)
    _capacitors(lvs, deck, layers, plates, pdk, table)
    _connect(lvs, deck, layers, pdk, table)
    lvs.extract_netlist()
    extraction.silicon = _strange(deck, layers, table)
    extraction.seconds = time.perf_counter() - start
    return extraction


def _devices(lvs: kdb.LayoutVsSchematic, layers: dict[str, kdb.Region], table: DeviceTable) -> None:
    """Transistors with their bulk, taps."""
    for kind in table.transistors.values():
        area, gate, bulk = layers[kind.source_drain], layers[kind.gate], layers[kind.bulk]
        poly = layers["poly"]
        inputs: dict[str, kdb.ShapeCollection] = {"SD": area, "G": gate, "P": poly, "W": bulk}
        outputs: dict[str, kdb.ShapeCollection] = {"tS": area, "tD": area, "tG": poly, "tB": bulk}
        lvs.extract_devices(kdb.DeviceExtractorMOS4Transistor(kind.name), inputs | outputs)
    for tap in table.taps.values():
        inputs = {"tap": layers[tap.layer], "contact": layers["licon"], "bulk": layers[tap.bulk]}
        lvs.extract_devices(TapExtractor(tap), inputs)


def _capacitors(
    lvs: kdb.LayoutVsSchematic,
    deck: Deck,
    layers: dict[str, kdb.Region],
    plates: _Plates,
    pdk: Pdk,
    table: DeviceTable,
) -> None:
    """MOM capacitors from the plates that each marked cell holds itself, if these are all there are."""
    mark = deck.region(pdk.marks[table.capacitor.mark])
    shapes = {name: deck.region(number) for name, number in plates.layers.items()}
    if any((deck.layer(name) & mark).area() != own.area() for name, own in shapes.items()):
        shapes = {name: deck.layer(name) & mark for name in shapes}
    lvs.register(mark, "mark")
    for name, region in shapes.items():
        lvs.register(region, f"{name}.plate")
        lvs.connect(region)
        lvs.connect(region, layers[name])
    extractor = MomExtractor(table.capacitor, tuple(shapes), lambda p, box: unit_value(pdk, p, box))
    lvs.extract_devices(extractor, {"mark": mark, **shapes})


def _connect(
    lvs: kdb.LayoutVsSchematic, deck: Deck, layers: dict[str, kdb.Region], pdk: Pdk, table: DeviceTable
) -> None:
    """Connections from diffusion to the top metal, names from labels, one substrate."""
    silicon = [kind.source_drain for kind in table.transistors.values()]
    silicon += [tap.layer for tap in table.taps.values()]
    lvs.connect(layers["nwell"])
    connect_wires(lvs, layers, ["poly", *silicon], pdk.stack)
    for name, number in pdk.labels.items():
        texts = deck.texts(number)
        lvs.register(texts, f"{name}.label")
        lvs.connect(layers[name], texts)
    lvs.connect_global(layers["substrate"], SUBSTRATE)


def _strange(deck: Deck, layers: dict[str, kdb.Region], table: DeviceTable) -> list[kdb.DBox]:
    """Boxes (um) of diffusion that is no transistor's and of taps that are none."""
    known = kdb.Region()
    for kind in table.transistors.values():
        known = known + layers[kind.gate] + layers[kind.source_drain]
    for tap in table.taps.values():
        known = known + layers[tap.layer]
    rest = (deck.layer("diff") + deck.layer("tap")) - known
    return [] if rest.is_empty() else [p.bbox().to_dtype(deck.layout.dbu) for p in rest.merged().each()]


def _cut_diffusion(work: kdb.Layout, top: kdb.Cell, pdk: Pdk) -> bool:
    """Clip each cell's diffusion to its abutment box less a grid step.

    Slivers along the borders may be lost, and ends that no other diffusion meets; False, and nothing done,
    where a gate or a connection would be.
    """
    layer, boundary = work.layer(*pdk.drawn[_DIFFUSION]), work.layer(*pdk.marks["boundary"])
    step = round(pdk.grid / work.dbu)
    whole = work.layer()
    work.copy_layer(layer, whole)
    for cell in work.each_cell():
        box, shapes = kdb.Region(cell.shapes(boundary)).bbox(), cell.shapes(layer)
        if not box.empty() and not shapes.is_empty():
            kept = kdb.Region(shapes) & kdb.Region(box.enlarged(-step, -step))
            shapes.clear()
            shapes.insert(kept)
    store = kdb.DeepShapeStore()
    before, after, poly = (
        kdb.Region(kdb.RecursiveShapeIterator(work, top, index), store)
        for index in (whole, layer, work.layer(*pdk.drawn["poly"]))
    )
    lost = (before - after).sized(-step).sized(step)
    joining = lost.interacting(after.merged(), 2)
    if joining.is_empty() and (lost & poly).is_empty():
        return True
    work.clear_layer(layer)
    work.copy_layer(whole, layer)
    return False


@dataclass
class _Plates:
    """Layers of the working copy: the plates' shapes within their own cells' marks; one that is free."""

    layers: dict[str, tuple[int, int]]
    free: tuple[int, int]


def _own_plates(work: kdb.Layout, pdk: Pdk, table: DeviceTable) -> _Plates:
    """Copy what each marked cell itself has below its mark: neighbours' shapes would be lifted above it."""
    metals = [name for name in pdk.stack if name in table.capacitor.plates]
    names = pdk.stack[pdk.stack.index(metals[0]) : pdk.stack.index(metals[-1]) + 1]
    taken = {info.layer for info in work.layer_infos()}
    free = next(n for n in range(10_000, 20_000) if n not in taken)
    mark = work.layer(*pdk.marks[table.capacitor.mark])
    layers = {}
    for number, name in enumerate(names):
        source, target = work.layer(*pdk.drawn[name]), work.layer(free, number + 1)
        layers[name] = (free, number + 1)
        for cell in work.each_cell():
            if not cell.shapes(mark).is_empty():
                below = kdb.Region(cell.shapes(source)) & kdb.Region(cell.shapes(mark))
                cell.shapes(target).insert(below)
    work.layer(free, 0)
    return _Plates(layers, (free, 0))
