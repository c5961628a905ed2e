"""The device table of a process: what transistors, taps and capacitors are called and made of.

Read from ``pdk/<name>/devices.yaml``; netlists and the recognition of devices in a layout both use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import yaml

from picoram_layout.pdk import Pdk

if TYPE_CHECKING:
    import klayout.db as kdb

SUBSTRATE = "SUB"  # net of the substrate: one for the whole chip


@dataclass(frozen=True)
class Transistor:
    """A MOS transistor: class in netlists, ngspice model (or ""), layers of its recognition."""

    name: str
    model: str
    gate: str
    source_drain: str
    bulk: str


_DIGITS = 1e-5  # relative: a SPICE file has six digits


@dataclass(frozen=True)
class Tap:
    """A tap: class in netlists, recognised layer, what it contacts, resistance of one contact (ohm)."""

    name: str
    layer: str
    bulk: str
    contact_ohm: float


@dataclass(frozen=True)
class MomCapacitor:
    """The MOM capacitor: class in netlists, mark, metals of its plates, relative tolerance of its value."""

    name: str
    mark: str
    plates: tuple[str, ...]
    tolerance: float


@dataclass(frozen=True)
class DeviceTable:
    """All devices of a process."""

    transistors: dict[str, Transistor]
    taps: dict[str, Tap]
    capacitor: MomCapacitor

    def declare(self, netlist: kdb.Netlist) -> dict[str, kdb.DeviceClass]:
        """Add the classes to a netlist; they by name, with the tolerances that they are compared with."""
        import klayout.db as kdb

        found: dict[str, kdb.DeviceClass] = {}
        for transistor in self.transistors.values():
            found[transistor.name] = kdb.DeviceClassMOS4Transistor()
        for tap in self.taps.values():
            found[tap.name] = kdb.DeviceClassResistor()
        found[self.capacitor.name] = kdb.DeviceClassCapacitor()
        for name, made in found.items():
            made.name = name
            netlist.add(made)
        return found

    def tolerate(self, netlist: kdb.Netlist) -> None:
        """Let LVS compare W and L exactly, capacitors within their tolerance, taps to the digits of SPICE."""
        import klayout.db as kdb

        capacitor = netlist.device_class_by_name(self.capacitor.name)
        if capacitor is not None:
            same = kdb.EqualDeviceParameters(kdb.DeviceClassCapacitor.PARAM_C, 0.0, self.capacitor.tolerance)
            capacitor.equal_parameters = same
        for tap in self.taps.values():
            kind = netlist.device_class_by_name(tap.name)
            if kind is not None:
                resistance = kdb.DeviceClassResistor.PARAM_R
                kind.equal_parameters = kdb.EqualDeviceParameters(resistance, 0.0, _DIGITS)


@cache
def load_devices(pdk: Pdk) -> DeviceTable:
    """The device table of a process."""
    data = yaml.safe_load((pdk.folder / "devices.yaml").read_text())
    return DeviceTable(
        {
            key: Transistor(t["class"], t.get("model", ""), t["gate"], t["source_drain"], t["bulk"])
            for key, t in data["transistors"].items()
        },
        {key: Tap(t["class"], t["layer"], t["bulk"], t["contact_ohm"]) for key, t in data["taps"].items()},
        MomCapacitor(
            data["capacitor"]["class"],
            data["capacitor"]["mark"],
            tuple(data["capacitor"]["plates"]),
            data["capacitor"]["tolerance"],
        ),
    )
