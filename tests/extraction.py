"""Netlists from drawn layouts: KLayout extracts flat, and compares with a netlist that a test wrote down.

Only metal, li1, poly, diffusion and taps conduct; wells and substrate do not, so that no supply is held
together by silicon. Names come from text on the wires.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Self

import klayout.db as kdb

from picoram_layout.pdk import Pdk

NMOS, PMOS = "nmos", "pmos"
WELLS_AND_TAPS = ("nwell", "ptap", "ntap")


@dataclass
class Drawn:
    """All drawn layers of a cell, flat, with the names on its wires: what a test may spoil."""

    pdk: Pdk
    dbu: float
    shapes: dict[str, kdb.Region]
    names: dict[str, kdb.Texts]

    @classmethod
    def of(cls, layout: kdb.Layout, cell: str, pdk: Pdk) -> Drawn:
        """Collect a cell with everything below it; only text of the cell itself is a name."""
        top = layout.cell(cell)
        shapes = {
            name: kdb.Region(top.begin_shapes_rec(layout.layer(*number))).merged()
            for name, number in pdk.drawn.items()
        }
        names = {}
        for name, number in pdk.labels.items():
            names[name] = kdb.Texts(top.shapes(layout.layer(*number)))
        return cls(pdk, layout.dbu, shapes, names)

    def copy(self) -> Self:
        """An independent copy."""
        shapes = {name: region.dup() for name, region in self.shapes.items()}
        return replace(self, shapes=shapes, names={name: texts.dup() for name, texts in self.names.items()})

    def box(self, x1: float, y1: float, x2: float, y2: float) -> kdb.Region:
        """A rectangle (um)."""
        return kdb.Region(kdb.DBox(x1, y1, x2, y2).to_itype(self.dbu))

    def name(self, text: str, layer: str, x: float, y: float) -> None:
        """Put a name on the wire of this layer at a point (um)."""
        self.names[layer].insert(kdb.DText(text, x, y).to_itype(self.dbu))


@dataclass
class Circuit:
    """A flat circuit of transistors between named nets, written down by a test. Lengths in um."""

    netlist: kdb.Netlist = field(default_factory=kdb.Netlist)

    def __post_init__(self) -> None:
        self.classes = {}
        for kind in (NMOS, PMOS):
            self.classes[kind] = kdb.DeviceClassMOS3Transistor()
            self.classes[kind].name = kind
            self.netlist.add(self.classes[kind])
        self.circuit = kdb.Circuit()
        self.circuit.name = "TOP"
        self.netlist.add(self.circuit)
        self.nets: dict[str, kdb.Net] = {}

    def net(self, name: str) -> kdb.Net:
        """The net of this name."""
        if name not in self.nets:
            self.nets[name] = self.circuit.create_net(name)
        return self.nets[name]

    def mos(self, kind: str, gate: str, source: str, drain: str, w: float, length: float) -> None:
        """A transistor; source and drain may be swapped."""
        device = self.circuit.create_device(self.classes[kind])
        for terminal, net in (("G", gate), ("S", source), ("D", drain)):
            device.connect_terminal(terminal, self.net(net))
        device.set_parameter("W", w)
        device.set_parameter("L", length)


class Extracted:
    """The netlist of a drawn cell."""

    def __init__(self, drawn: Drawn):
        # registered regions belong to their extraction and die with it
        self.drawn = drawn = drawn.copy()
        s = drawn.shapes
        diff, poly, tap, well = s["diff"], s["poly"], s["tap"], s["nwell"]
        n_active, p_active = (diff & s["nsdm"]) - well, diff & s["psdm"] & well
        self.layers = {
            **{name: s[name] for name in ("poly", "licon", *drawn.pdk.stack)},
            "n_sd": n_active - poly,
            "p_sd": p_active - poly,
            "ptap": (tap & s["psdm"]) - well,
            "ntap": tap & s["nsdm"] & well,
        }
        # what is neither device nor tap is no silicon that this circuit knows
        self.strange = (diff - n_active - p_active) + (tap - self.layers["ptap"] - self.layers["ntap"])
        self.lvs = kdb.LayoutVsSchematic("TOP", drawn.dbu)
        for name, region in self.layers.items():
            self.lvs.register(region, name)
        self._devices(n_active & poly, p_active & poly)
        self._connect()
        self.lvs.extract_netlist()
        self.circuit = self.lvs.netlist().circuit_by_name("TOP")
        self.circuit.combine_devices()

    def _devices(self, n_gate: kdb.Region, p_gate: kdb.Region) -> None:
        for kind, gate, sd in ((NMOS, n_gate, "n_sd"), (PMOS, p_gate, "p_sd")):
            self.lvs.register(gate, f"{kind}_gate")
            poly, area = self.layers["poly"], self.layers[sd]
            extractor = kdb.DeviceExtractorMOS3Transistor(kind)
            layers: dict[str, kdb.ShapeCollection] = {
                "SD": area,
                "G": gate,
                "P": poly,
                "tS": area,
                "tD": area,
                "tG": poly,
            }
            self.lvs.extract_devices(extractor, layers)

    def _connect(self) -> None:
        layers, stack = self.layers, self.drawn.pdk.stack
        for region in layers.values():
            self.lvs.connect(region)
        for name in ("poly", "n_sd", "p_sd", "ptap", "ntap", "li1"):
            self.lvs.connect(layers[name], layers["licon"])
        for below, above in pairwise(stack):
            self.lvs.connect(layers[below], layers[above])
        for name, texts in self.drawn.names.items():
            if name in layers and not texts.is_empty():
                self.lvs.register(texts, f"{name}_names")
                self.lvs.connect(layers[name], texts)

    def names(self) -> Counter[str]:
        """Names of all named nets: a short reads ``A,B``, an open net counts more than once."""
        return Counter(net.name for net in self.circuit.each_net() if net.name)

    def floating(self) -> list[str]:
        """Wires without a transistor and without a name: layer and place of each."""
        found = []
        for net in self.circuit.each_net():
            if not net.name and not net.terminal_count():
                for name, region in self.layers.items():
                    box = self.lvs.shapes_of_net(net, region, True).bbox()
                    if not box.empty():
                        found.append(f"{name} {box.to_dtype(self.drawn.dbu)}")
        return found

    def shapes(self, net: str, layer: str) -> kdb.Region:
        """Shapes of a named net on a layer."""
        region = kdb.Region()
        for found in self.circuit.each_net():
            if found.name == net:
                region += self.lvs.shapes_of_net(found, self.layers[layer], True)
        return region.merged()

    def nets_on(self, layer: str) -> Counter[str]:
        """For each name (empty for nets without one): how many nets have shapes on this layer."""
        found: Counter[str] = Counter()
        for net in self.circuit.each_net():
            if not self.lvs.shapes_of_net(net, self.layers[layer], True).is_empty():
                found[net.name] += 1
        return found

    def differences(self, wanted: Circuit, named: Counter[str]) -> list[str]:
        """Everything in which the drawn circuit is not the wanted one; ``named`` are its names, once each."""
        found = [f"names: {net} x{n}" for net, n in sorted((self.names() - named).items())]
        found += [f"name missing: {net} x{n}" for net, n in sorted((named - self.names()).items())]
        found += [f"floating: {place}" for place in self.floating()]
        if not self.strange.is_empty():
            found.append(f"silicon of no kind: {self.strange.merged()}")
        return found + self._compare(wanted)

    def _compare(self, wanted: Circuit) -> list[str]:
        """Compare devices, their sizes and nets; a name on a drawn net pairs it with the wanted net."""
        wanted.circuit.combine_devices()
        self.lvs.reference = wanted.netlist
        comparer = kdb.NetlistComparer()
        for net in self.circuit.each_net():
            if net.name in wanted.nets:
                comparer.same_nets(net, wanted.circuit.net_by_name(net.name))
        if self.lvs.compare(comparer):
            return []
        found = ["netlists differ"]
        fine = {kdb.NetlistCrossReference.Match, kdb.NetlistCrossReference.MatchWithWarning}
        xref = self.lvs.xref()
        for circuits in xref.each_circuit_pair():
            for nets in xref.each_net_pair(circuits):
                if nets.status() not in fine:
                    drawn, reference = nets.first(), nets.second()
                    found.append(f"net: drawn {_name(drawn)}, wanted {_name(reference)}")
            for devices in xref.each_device_pair(circuits):
                if devices.status() not in fine:
                    found.append(f"device: drawn {_text(devices.first())}, wanted {_text(devices.second())}")
        return found


def _name(net: kdb.Net | None) -> str:
    """Name of a net, or its number."""
    return net.expanded_name() if net else "none"


def _text(device: kdb.Device | None) -> str:
    """A transistor with its nets and size."""
    if device is None:
        return "none"
    nets = [f"{terminal}={_name(device.net_for_terminal(terminal))}" for terminal in "GSD"]
    size = f"{device.parameter('W'):g}/{device.parameter('L'):g}"
    return f"{device.device_class().name} {' '.join(nets)} {size}"
