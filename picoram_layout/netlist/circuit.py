"""The circuit of one cell, written down beside its drawing and never taken from it.

A net is known by its name. A circuit's pins are its ports in the order of the cell's port table; the
substrate is one net everywhere. Placed cells connect by name: a pin joins the net of its own name, or the
one that the cell which places it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from picoram_layout.netlist.devices import SUBSTRATE, DeviceTable

if TYPE_CHECKING:
    import klayout.db as kdb


@dataclass(frozen=True)
class Diffusion:
    """Source or drain: its net, the length from the gate to its end or (``shared``) to the next gate's half.

    Area and perimeter are those of the rectangle, as KLayout's extraction counts them: a region between two
    gates is shared by both in equal parts.
    """

    net: str
    length: float
    shared: bool = False

    def area(self, w: float) -> float:
        """Area (um2) for a channel width (um)."""
        return w * self.length

    def perimeter(self, w: float) -> float:
        """Perimeter (um) for a channel width (um)."""
        return (w if self.shared else 2 * w) + 2 * self.length


# Draws a transistor: gate's net, source, drain, channel width (um).
Mos = Callable[[str, Diffusion, Diffusion, float], None]


class Circuit:
    """One circuit of a netlist."""

    def __init__(self, netlist: kdb.Netlist, table: DeviceTable, name: str):
        import klayout.db as kdb

        self.table = table
        self.netlist = netlist
        self.circuit = kdb.Circuit()
        self.circuit.name = name
        netlist.add(self.circuit)
        self.pins: list[str] = []
        self._nets: dict[str, kdb.Net] = {}

    def net(self, name: str) -> kdb.Net:
        """The net of this name."""
        if name not in self._nets:
            self._nets[name] = self.circuit.create_net(name)
        return self._nets[name]

    def nmos(self, length: float) -> Mos:
        """A pen for nMOS transistors of this length (um) in the substrate."""
        return partial(self._mos, "nfet", SUBSTRATE, length)

    def pmos(self, length: float, well: str) -> Mos:
        """A pen for pMOS transistors of this length (um) in a well."""
        return partial(self._mos, "pfet", well, length)

    def _mos(
        self, kind: str, bulk: str, length: float, gate: str, source: Diffusion, drain: Diffusion, w: float
    ) -> None:
        device = self._device(self.table.transistors[kind].name)
        for terminal, net in (("S", source.net), ("G", gate), ("D", drain.net), ("B", bulk)):
            device.connect_terminal(terminal, self.net(net))
        values = {"W": w, "L": length}
        for side, end in (("S", source), ("D", drain)):
            values |= {f"A{side}": end.area(w), f"P{side}": end.perimeter(w)}
        for name, value in values.items():
            device.set_parameter(name, round(value, 6))

    def tap(self, kind: str, supply: str, bulk: str, contacts: int = 1) -> None:
        """A tap of so many contacts from a supply to the silicon under it."""
        tap = self.table.taps[kind]
        device = self._device(tap.name)
        device.connect_terminal("A", self.net(supply))
        device.connect_terminal("B", self.net(bulk))
        device.set_parameter("R", tap.contact_ohm / contacts)

    def capacitor(self, live: str, ground: str, value_fF: float) -> None:
        """A MOM capacitor."""
        device = self._device(self.table.capacitor.name)
        device.connect_terminal("A", self.net(live))
        device.connect_terminal("B", self.net(ground))
        device.set_parameter("C", value_fF * 1e-15)

    def _device(self, name: str) -> kdb.Device:
        return self.circuit.create_device(self.netlist.device_class_by_name(name))

    def instance(self, child: Circuit, nets: Mapping[str, str]) -> None:
        """Place ``child``; ``nets`` are the nets of its pins where they differ from the pins' names."""
        placed = self.circuit.create_subcircuit(child.circuit)
        for number, pin in enumerate(child.pins):
            placed.connect_pin(number, self.net(nets.get(pin, pin)))

    def close(self, ports: Iterable[str]) -> None:
        """Make pins of the ports' nets; the substrate is the last one wherever it is known."""
        self.pins = [*ports]
        if SUBSTRATE in self._nets and SUBSTRATE not in self.pins:
            self.pins.append(SUBSTRATE)
        for name in self.pins:
            pin = self.circuit.create_pin(name)
            self.circuit.connect_pin(pin.id(), self.net(name))


_INDEX = re.compile(r"(.*)\[(\d+)\]")


def moved(pins: Iterable[str], by: Mapping[str, int]) -> dict[str, str]:
    """Nets for pins of buses whose indices are moved.

    ``moved(["VL[1]"], {"VL": 4})`` is ``{"VL[1]": "VL[5]"}``.
    """
    nets = {}
    for pin in pins:
        found = _INDEX.fullmatch(pin)
        if found and found[1] in by:
            nets[pin] = f"{found[1]}[{int(found[2]) + by[found[1]]}]"
    return nets


def set_capacitors(netlist: kdb.Netlist, table: DeviceTable, value_fF: float) -> None:
    """Give every MOM capacitor of a netlist its value, once it is known."""
    for circuit in netlist.each_circuit():
        for device in circuit.each_device():
            if device.device_class().name == table.capacitor.name:
                device.set_parameter("C", value_fF * 1e-15)
