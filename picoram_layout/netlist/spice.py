"""Netlist files: hierarchical SPICE that ngspice runs, CDL, and reading either back.

KLayout writes and reads the hierarchy; here is only how a device looks. SPICE has transistors as M cards
with the models of the device table, W and L in metres; taps are resistors; capacitors have their value.
CDL has the classes' own names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import klayout.db as kdb

from picoram_layout.errors import InputError
from picoram_layout.netlist.devices import DeviceTable
from picoram_layout.pdk import Pdk

_UNITS = {"W": "U", "L": "U", "AS": "P", "AD": "P", "PS": "U", "PD": "U"}


class _Writer(kdb.NetlistSpiceWriterDelegate):
    """Cards of the devices; ``models``: class -> model name."""

    def __init__(self, title: list[str], models: dict[str, str], table: DeviceTable):
        super().__init__()
        self.title, self.models, self.table = title, models, table

    def write_header(self) -> None:
        """Say where it comes from, declare the models of resistors and capacitors."""
        for line in self.title:
            self.emit_comment(line)

    def write_device_intro(self, device_class: kdb.DeviceClass) -> None:
        """Nothing: models are the simulator's."""

    def write_device(self, device: kdb.Device) -> None:
        """One card."""
        kind = device.device_class()
        name = self.models.get(kind.name, kind.name)
        nets = {
            t.name: self.net_to_string(device.net_for_terminal(t.id())) for t in kind.terminal_definitions()
        }
        label = self.format_name(device.expanded_name())
        if isinstance(kind, kdb.DeviceClassMOS4Transistor):
            ends = " ".join(nets[t] for t in "DGSB")
            sizes = " ".join(f"{key}={device.parameter(key):.6g}{unit}" for key, unit in _UNITS.items())
            self.emit_line(f"M{label} {ends} {name} {sizes}")
        elif isinstance(kind, kdb.DeviceClassResistor):
            self.emit_line(f"R{label} {nets['A']} {nets['B']} {device.parameter('R'):.6g} {name}")
        else:
            value = f"{device.parameter('C') * 1e15:.6g}f"
            self.emit_line(f"C{label} {nets['A']} {nets['B']} {value} {name}".rstrip())


def write_spice(netlist: kdb.Netlist, path: Path, table: DeviceTable, pdk: Pdk, title: str) -> None:
    """Write a netlist for ngspice; circuits below others come first."""
    models = {t.name: t.model or t.name for t in table.transistors.values()} | {table.capacitor.name: ""}
    lines = [title, f"transistors: models of {pdk.name}" + ("" if any(models) else ", which has none")]
    _write(netlist, path, _Writer(lines, models, table))
    # models of taps: simulators want one, netlist readers skip it
    text = path.read_text(encoding="utf-8")
    cards = [f".model {tap.name} R" for tap in table.taps.values()]
    at = text.index(".SUBCKT")
    path.write_text(text[:at].rstrip() + "\n" + "\n".join(cards) + "\n\n" + text[at:], encoding="utf-8")


def write_cdl(netlist: kdb.Netlist, path: Path, table: DeviceTable, title: str) -> None:
    """Write a netlist as CDL."""
    _write(netlist, path, _Writer([title], {}, table))


def _write(netlist: kdb.Netlist, path: Path, delegate: _Writer) -> None:
    writer = kdb.NetlistSpiceWriter(delegate)
    writer.use_net_names = True
    writer.with_comments = False
    netlist.write(str(path), writer)


class _Reader(kdb.NetlistSpiceReaderDelegate):
    """Gives devices the classes of the table, whichever of their names a file uses."""

    _TERMINALS = {"M": "DGSB", "R": "AB", "C": "AB"}  # noqa: RUF012
    _SCALE = {"W": 1e6, "L": 1e6, "PS": 1e6, "PD": 1e6, "AS": 1e12, "AD": 1e12}  # noqa: RUF012

    def __init__(self, netlist: kdb.Netlist, table: DeviceTable):
        super().__init__()
        classes = table.declare(netlist)
        self.classes = {name.upper(): made for name, made in classes.items()}
        models = {t.model.upper(): t.name.upper() for t in table.transistors.values() if t.model}
        self.classes |= {model: self.classes[name] for model, name in models.items()}
        self.capacitor = classes[table.capacitor.name]

    def element(
        self,
        circuit: kdb.Circuit,
        element: str,
        name: str,
        model: str,
        value: float,
        nets: Sequence[kdb.Net],
        parameters: dict[str, float],
    ) -> bool:
        """Read one device; what the table does not know stays as KLayout reads it."""
        kind = self.classes.get(model.upper(), self.capacitor if element == "C" and not model else None)
        if kind is None or element not in self._TERMINALS:
            return super().element(circuit, element, name, model, value, nets, parameters)
        device = circuit.create_device(kind, name)
        for terminal, net in zip(self._TERMINALS[element], nets, strict=True):
            device.connect_terminal(terminal, net)
        if element != "M":
            device.set_parameter(element, value)
        for key, scale in self._SCALE.items():
            if element == "M" and key in parameters:
                device.set_parameter(key, round(parameters[key] * scale, 9))
        return True


def read_spice(path: Path, table: DeviceTable) -> kdb.Netlist:
    """Read a SPICE or CDL file; `InputError` in one line if it cannot be read."""
    netlist = kdb.Netlist()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not re.search(r"^\s*\.subckt\b", text, re.IGNORECASE | re.MULTILINE):
        raise InputError(f"{path}: holds no .SUBCKT")
    try:
        netlist.read(str(path), kdb.NetlistSpiceReader(_Reader(netlist, table)))
    except RuntimeError as error:
        why = " ".join(str(error).split()).removesuffix(" in Netlist.read")
        raise InputError(f"{path}: is not a SPICE netlist: {why}") from None
    return netlist
