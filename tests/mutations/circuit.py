"""The independent judge: the circuit of a flat drawing, without anything of `picoram_layout.lvs`.

Hierarchy, abutment boxes and inner labels mean nothing here. Contacts reach poly only through the nitride
cut; active area counts as a device only with exactly its own implant and no threshold implant. Wells join
nothing but bulks. Taps in parallel are one, whatever their number. A capacitor is the pair of nets below a
mark, its value a field solution unless the plates are exactly those of a clean one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import klayout.db as kdb

from picoram_layout.capacitance import in_array
from picoram_layout.pdk import Pdk
from tests.extraction import Drawn

# Plates and their cuts of one capacitor, relative to its unit's corner: layer -> shape in words.
Plates = tuple[tuple[str, str], ...]
Piece = tuple[str, kdb.Polygon, kdb.Net]  # layer, shape, net
PLATES = ("met3", "via3", "met4")
SUBSTRATE = "SUB"
TOLERANCE = 0.01  # relative: capacitors that differ by less are the same


@dataclass
class Flat(Drawn):
    """A drawing without hierarchy: merged shapes by layer, names on wires, capacitor marks."""

    marks: kdb.Region

    @classmethod
    def of(cls, layout: kdb.Layout, cell: str, pdk: Pdk) -> Flat:
        """Everything below ``cell``; only its own texts are names."""
        drawn, mark = Drawn.of(layout, cell, pdk), layout.layer(*pdk.marks["cap_id"])
        marks = kdb.Region(layout.cell(cell).begin_shapes_rec(mark)).merged()
        return cls(drawn.pdk, drawn.dbu, drawn.shapes, drawn.names, marks)

    def same_as(self, other: Flat) -> bool:
        """Whether both have the same shapes on all layers and the same names."""
        shapes = all((region ^ other.shapes[name]).is_empty() for name, region in self.shapes.items())
        return shapes and (self.marks ^ other.marks).is_empty() and self._texts() == other._texts()

    def _texts(self) -> dict[str, list[str]]:
        return {name: sorted(str(text) for text in texts.each()) for name, texts in self.names.items()}


class FlatCircuit:
    """The circuit of a flat drawing; ``known`` are a clean one's plates, of capacitance ``value_fF``."""

    def __init__(self, drawn: Flat, value_fF: float, known: tuple[Plates, ...] = ()):
        self.drawn, self.pdk, self.value_fF, self.known = drawn, drawn.pdk, value_fF, known
        self.lvs = kdb.LayoutToNetlist("TOP", drawn.dbu)
        self.layers = self._layers()
        for name, region in self.layers.items():
            self.lvs.register(region, name)
        self._transistors()
        self._connect()
        self.lvs.extract_netlist()
        self.netlist = self.lvs.netlist()
        self.circuit = self.netlist.circuit_by_name("TOP")
        self.names = Counter(net.name for net in self.circuit.each_net() if net.name)
        self._taps()
        self._capacitors()
        _ignore_values(self.netlist)

    def _layers(self) -> dict[str, kdb.Region]:
        s = {name: region.dup() for name, region in self.drawn.shapes.items()}
        well, n, p = s["nwell"], s["nsdm"], s["psdm"]
        plain = s["diff"] - s["hvtp"] - s["lvtn"] - s["tap"]
        n_active, p_active = (plain & n) - p - well, (plain & p & well) - n
        ptap, ntap = (s["tap"] & p) - n - well - s["diff"], (s["tap"] & n & well) - p - s["diff"]
        self.strange = (s["diff"] + s["tap"]) - n_active - p_active - ptap - ntap
        open_poly = s["licon"] & s["poly"] & s["npc"]
        silicon = {
            "n_sd": n_active - s["poly"],
            "p_sd": p_active - s["poly"],
            "n_gate": n_active & s["poly"],
            "p_gate": p_active & s["poly"],
            "ptap": ptap,
            "ntap": ntap,
            "cut": open_poly + (s["licon"] - s["poly"]),
            "sub": kdb.Region(),
        }
        return silicon | {name: s[name] for name in ("poly", "nwell", *self.pdk.stack)}

    def _transistors(self) -> None:
        for name, well in (("n", "sub"), ("p", "nwell")):
            area, poly, bulk = self.layers[f"{name}_sd"], self.layers["poly"], self.layers[well]
            inputs: dict[str, kdb.ShapeCollection] = {
                "SD": area,
                "G": self.layers[f"{name}_gate"],
                "P": poly,
                "W": bulk,
            }
            outputs = {"tS": area, "tD": area, "tG": poly, "tB": bulk}
            self.lvs.extract_devices(kdb.DeviceExtractorMOS4Transistor(name), inputs | outputs)

    def _connect(self) -> None:
        lvs, layers = self.lvs, self.layers
        conductors = ("poly", "nwell", "n_sd", "p_sd", "ptap", "ntap", "cut", *self.pdk.stack)
        for name in conductors:
            lvs.connect(layers[name])
        for name in ("poly", "n_sd", "p_sd", "ptap", "ntap", "li1"):
            lvs.connect(layers[name], layers["cut"])
        for below, above in pairwise(self.pdk.stack):
            lvs.connect(layers[below], layers[above])
        for name, texts in self.drawn.names.items():
            if not texts.is_empty():
                lvs.register(texts, f"{name}.names")
                lvs.connect(layers[name], texts)
        lvs.connect_global(layers["sub"], SUBSTRATE)

    def _taps(self) -> None:
        """One resistor for each pair of a wire's net and a silicon's net that taps join."""
        joined = set()
        for kind in ("ptap", "ntap"):
            for tap in self.layers[kind].interacting(self.layers["cut"]).each_merged():
                at = _inside(tap)
                wire = self.lvs.probe_net(self.layers[kind], at)
                bulk = self._substrate() if kind == "ptap" else self.lvs.probe_net(self.layers["nwell"], at)
                joined.add((kind, wire.cluster_id, bulk.cluster_id))
        for kind, wire_id, bulk_id in sorted(joined):
            made = kdb.DeviceClassResistor()
            nets = (self.circuit.net_by_cluster_id(wire_id), self.circuit.net_by_cluster_id(bulk_id))
            self._device(made, kind, nets, "R", 1.0)

    def _substrate(self) -> kdb.Net:
        net = self.circuit.net_by_name(SUBSTRATE)
        return net if net is not None else self.circuit.create_net(SUBSTRATE)

    def _capacitors(self) -> None:
        """A capacitor between each two nets below a mark; only a single pair has a value."""
        self.plates: list[Plates] = []
        grid = round(self.pdk.grid / self.drawn.dbu)
        for mark in sorted((polygon.bbox() for polygon in self.drawn.marks.each()), key=_corner):
            box = mark.enlarged(grid, grid)
            pieces = list(self._pieces(kdb.Region(box)))
            nets = {net.cluster_id: net for _, _, net in pieces}
            pairs = list(combinations([nets[key] for key in sorted(nets)], 2))
            self.plates.append(_plates(pieces, box))
            for pair in pairs:
                value = self._value(pieces, box) if len(pairs) == 1 else 0.0
                self._device(kdb.DeviceClassCapacitor(), "mom", pair, "C", value * 1e-15)

    def _pieces(self, unit: kdb.Region) -> Iterator[Piece]:
        """Metal and cuts of a capacitor's unit with their nets."""
        for layer in PLATES:
            for piece in (self.layers[layer] & unit).each_merged():
                net = self.lvs.probe_net(self.layers[layer], _inside(piece))
                if net is not None:
                    yield layer, piece, net

    def _value(self, pieces: list[Piece], unit: kdb.Box) -> float:
        """Capacitance (fF) of the net that is not GND.

        Odd columns are mirrored. Either way round is one field solution: the way nearer to the first one is
        taken.
        """
        if not self.known or self.plates[-1] in self.known:
            return self.value_fF
        turned = [(layer, kdb.Trans.M90 * piece, net) for layer, piece, net in pieces]
        first, around = self.known[0], unit.transformed(kdb.Trans.M90)
        if _distance(_plates(turned, around), first) < _distance(self.plates[-1], first):
            pieces, unit = turned, around
        dbu = self.drawn.dbu
        conductors: dict[str, dict[str, list[tuple[float, float, float, float]]]] = {"T": {}, "GND": {}}
        for layer, piece, net in pieces:
            side = conductors["GND" if "GND" in net.name else "T"].setdefault(layer, [])
            for part in _boxes(piece):
                box = part.moved(-unit.left, -unit.bottom).to_dtype(dbu)
                side.append(
                    (round(box.left, 4), round(box.bottom, 4), round(box.right, 4), round(box.top, 4))
                )
        pitch = (round(unit.width() * dbu, 4), round(unit.height() * dbu, 4))
        return in_array(self.pdk, conductors, pitch).value_fF

    def _device(
        self, made: kdb.DeviceClass, name: str, nets: tuple[kdb.Net, kdb.Net], key: str, value: float
    ) -> None:
        kind = self.netlist.device_class_by_name(name)
        if kind is None:
            made.name = name
            self.netlist.add(made)
            kind = made
        device = self.circuit.create_device(kind)
        device.connect_terminal("A", nets[0])
        device.connect_terminal("B", nets[1])
        device.set_parameter(key, value)

    @cached_property
    def strange_area(self) -> int:
        """Area (square database units) of active silicon that is no device."""
        return self.strange.merged().area()


def _ignore_values(netlist: kdb.Netlist) -> None:
    """Capacitors within the tolerance are equal; everything else is compared exactly."""
    kind = netlist.device_class_by_name("mom")
    if kind is not None:
        kind.equal_parameters = kdb.EqualDeviceParameters(kdb.DeviceClassCapacitor.PARAM_C, 0.0, TOLERANCE)


def same_circuit(a: FlatCircuit, b: FlatCircuit) -> bool:
    """Whether two circuits are proven equal: the same names, each on the same wire, devices, sizes, nets.

    Signatures that differ prove a difference; where they do not, KLayout has to find the one-to-one pairing.
    """
    if a.names != b.names or a.strange_area != b.strange_area or signature(a.circuit) != signature(b.circuit):
        return False
    comparer = kdb.NetlistComparer()
    comparer.max_depth, comparer.max_branch_complexity = 20, 500
    for name in a.names:
        comparer.same_nets(a.circuit, b.circuit, a.circuit.net_by_name(name), b.circuit.net_by_name(name))
    return comparer.compare(a.netlist, b.netlist)


def signature(circuit: kdb.Circuit) -> Counter[int]:
    """Colours of nets after each has learnt from its devices, as long as that tells more nets apart.

    Equal circuits have equal signatures (within one run of Python). Names of nets count, values of
    capacitors do not.
    """
    colours = {net.cluster_id: hash(net.name) for net in circuit.each_net()}
    devices = [(_kind(device), _ends(device)) for device in circuit.each_device()]
    kinds = 0
    while len(set(colours.values())) > kinds:
        kinds = len(set(colours.values()))
        heard: dict[int, list[int]] = {net: [] for net in colours}
        for kind, ends in devices:
            about = hash((kind, tuple(sorted((end, colours[net]) for end, net in ends))))
            for end, net in ends:
                heard[net].append(hash((end, about)))
        colours = {net: hash((colour, tuple(sorted(heard[net])))) for net, colour in colours.items()}
    return Counter(
        colour for net, colour in colours.items() if heard[net] or circuit.net_by_cluster_id(net).name
    )


def _kind(device: kdb.Device) -> tuple[str, ...]:
    """Class and, of a transistor, W and L (um)."""
    kind = device.device_class()
    sizes = ("W", "L") if isinstance(kind, kdb.DeviceClassMOS4Transistor) else ()
    return kind.name, *(f"{device.parameter(name):.4f}" for name in sizes)


def _ends(device: kdb.Device) -> list[tuple[str, int]]:
    """Terminals with their nets; source and drain are alike, and so are a capacitor's plates."""
    alike = {"D": "S"} if isinstance(device.device_class(), kdb.DeviceClassMOS4Transistor) else {"B": "A"}
    return [
        (alike.get(t.name, t.name), device.net_for_terminal(t.id()).cluster_id)
        for t in device.device_class().terminal_definitions()
    ]


def _inside(polygon: kdb.Polygon) -> kdb.Point:
    """A point inside a polygon."""
    return max(_boxes(polygon), key=lambda box: box.area()).center()


def _boxes(polygon: kdb.Polygon) -> list[kdb.Box]:
    """A rectilinear polygon as boxes."""
    return [part.bbox() for part in polygon.decompose_trapezoids(kdb.Polygon.TD_htrapezoids)]


def _plates(pieces: list[Piece], unit: kdb.Box) -> Plates:
    """Plates in words, relative to the unit's corner."""
    return tuple(sorted((layer, str(piece.moved(-unit.left, -unit.bottom))) for layer, piece, _ in pieces))


def _distance(a: Plates, b: Plates) -> int:
    """In how many shapes two capacitors differ."""
    return len(set(a) ^ set(b))


def _corner(box: kdb.Box) -> tuple[int, int]:
    return box.left, box.bottom
