"""Recognition of the devices that KLayout has no extractor for: taps and MOM capacitors."""

from __future__ import annotations

from collections.abc import Callable

import klayout.db as kdb

from picoram_layout.errors import InputError
from picoram_layout.netlist.devices import MomCapacitor, Tap

# Value (fF) of a recognised capacitor: live and grounded shapes by layer, the mark's box (all in um).
Value = Callable[[dict[str, dict[str, list[kdb.DBox]]], kdb.DBox], float]


class TapExtractor(kdb.GenericDeviceExtractor):
    """A tap with its contacts: a resistor from the tap (terminal A) to the silicon (terminal B).

    Layers: ``tap``, ``contact``, and ``bulk`` to put terminal B on.
    """

    def __init__(self, tap: Tap):
        super().__init__()
        self.tap = tap
        self.name = tap.name

    def setup(self) -> None:
        """Declare layers and class."""
        device = kdb.DeviceClassResistor()
        device.name = self.tap.name
        self.register_device_class(device)
        for layer in ("tap", "contact", "bulk"):
            self.define_layer(layer, layer)

    def get_connectivity(self, layout: kdb.Layout, layers: list[int]) -> kdb.Connectivity:
        """A tap belongs together with the contacts in it."""
        found = kdb.Connectivity()
        found.connect(layers[0], layers[0])
        found.connect(layers[0], layers[1])
        return found

    def extract_devices(self, shapes: list[kdb.Region]) -> None:
        """One device for each tap; one without a contact has none."""
        taps, contacts, _ = shapes
        for tap in taps.merged().each():
            count = contacts.merged().interacting(kdb.Region(tap)).count()
            if not count:
                continue
            device = self.create_device()
            device.set_parameter("R", self.tap.contact_ohm / count)
            self.define_terminal(device, 0, 0, tap)
            self.define_terminal(device, 1, 2, tap)


class MomExtractor(kdb.GenericDeviceExtractor):
    """A MOM capacitor below its mark: live plate (terminal A) and grounded plate (terminal B).

    Layers: ``mark``, then each metal of the plates with the cuts between them. On every layer the shapes that
    keep off the mark's edge are live.
    """

    def __init__(self, capacitor: MomCapacitor, layers: tuple[str, ...], value: Value):
        super().__init__()
        self.capacitor = capacitor
        self.layers = layers
        self.value = value
        self.name = capacitor.name

    def setup(self) -> None:
        """Declare layers and class."""
        device = kdb.DeviceClassCapacitor()
        device.name = self.capacitor.name
        self.register_device_class(device)
        for layer in ("mark", *self.layers):
            self.define_layer(layer, layer)

    def get_connectivity(self, layout: kdb.Layout, layers: list[int]) -> kdb.Connectivity:
        """Everything below one mark is one device."""
        found = kdb.Connectivity()
        for layer in layers:
            found.connect(layers[0], layer)
        return found

    def extract_devices(self, shapes: list[kdb.Region]) -> None:
        """One device for each mark with both plates; the top metal carries the terminals.

        Plates that touch each other, on any layer, are no capacitor: the device is missing.
        """
        marks, *metals = (region.merged() for region in shapes)
        dbu = self.dbu()
        for mark in marks.each():
            inside = kdb.Region(mark).sized(-1)
            plates: dict[str, dict[str, list[kdb.DBox]]] = {"T": {}, "GND": {}}
            live, ground = kdb.Region(), kdb.Region()
            for layer, metal in zip(self.layers, metals, strict=True):
                here = metal & kdb.Region(mark)
                live = here.inside(inside)
                ground = here - live
                plates["T"][layer] = _boxes(live, dbu)
                plates["GND"][layer] = _boxes(ground, dbu)
            if live.is_empty() or ground.is_empty():
                continue
            try:
                value = self.value(plates, mark.bbox().to_dtype(dbu))
            except InputError:
                continue
            device = self.create_device()
            device.set_parameter("C", 1e-15 * value)
            top = len(self.layers)
            self.define_terminal(device, 0, top, next(live.each()))
            self.define_terminal(device, 1, top, next(ground.each()))


def _boxes(region: kdb.Region, dbu: float) -> list[kdb.DBox]:
    """A rectilinear region as boxes (um)."""
    pieces = region.decompose_trapezoids_to_region(kdb.Polygon.TD_htrapezoids)
    return [polygon.bbox().to_dtype(dbu) for polygon in pieces.each()]
