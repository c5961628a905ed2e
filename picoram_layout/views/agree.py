"""Whether all views of a macro have the same pins: each file is read by itself and held against the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from picoram_layout.layout import Block
from picoram_layout.netlist.devices import SUBSTRATE
from picoram_layout.views.pins import Pin

# Pins of a view by their bits' names, with direction where the view tells it ("" where not).
Found = Mapping[str, str]


def differences(pins: Iterable[Pin], views: Mapping[str, Found]) -> list[str]:
    """What views have otherwise than the table: a line each, empty if all agree."""
    wanted = {name: pin.direction for pin in pins for name in pin.bits}
    lines = []
    for view, found in views.items():
        lines += [f"{view}: lacks {name}" for name in wanted if name not in found]
        lines += [f"{view}: has {name}, which is no pin" for name in found if name not in wanted]
        lines += [
            f"{view}: {name} is {found[name]} instead of {direction}"
            for name, direction in wanted.items()
            if found.get(name) and found[name] != direction
        ]
    return lines


def read_views(folder: Path, name: str) -> dict[str, Found]:
    """The pins of all views of a macro of this name in a folder, but for the layout."""
    return {
        "SPICE": spice_pins(folder / f"{name}.spice", name),
        "CDL": spice_pins(folder / f"{name}.cdl", name),
        "LEF": lef_pins(folder / f"{name}.lef"),
        "Liberty": liberty_pins(folder / f"{name}.lib"),
        "Verilog stub": verilog_pins(folder / f"{name}_stub.v"),
        "Verilog model": verilog_pins(folder / f"{name}_model.sv"),
    }


def block_pins(top: Block) -> Found:
    """Pins of the layout: the ports that its labels and pin shapes are made from."""
    return dict.fromkeys(top.ports, "")


def spice_pins(path: Path, name: str) -> Found:
    """Pins of a circuit in a SPICE or CDL file; the substrate is GND's silicon and no pin of other views."""
    text = re.sub(r"\n\+", " ", path.read_text(encoding="utf-8"))
    line = re.search(rf"^\.SUBCKT {re.escape(name)} (.*)$", text, re.MULTILINE)
    return dict.fromkeys((n for n in line[1].split() if n != SUBSTRATE) if line else (), "")


def lef_pins(path: Path) -> Found:
    """Pins of a LEF file."""
    text = path.read_text(encoding="utf-8")
    return {
        pin[1]: pin[2].lower() for pin in re.finditer(r"^\s*PIN (\S+)\s+DIRECTION (\w+)", text, re.MULTILINE)
    }


def liberty_pins(path: Path) -> Found:
    """Pins of the cell in a Liberty file."""
    text = path.read_text(encoding="utf-8")
    widths = dict(re.findall(r"type \((\w+)\) \{[^}]*?bit_width : (\d+);", text))
    found = {}
    for kind, name, body in re.findall(r"\b(pg_pin|pin|bus) \((\w+)\) \{([^}]*)\}", text):
        direction = re.search(r"direction : (\w+);", body)
        width = re.search(r"bus_type : (\w+);", body) if kind == "bus" else None
        for bit in _bits(name, int(widths[width[1]]) if width else None):
            found[bit] = direction[1] if direction else ""
    return found


def verilog_pins(path: Path) -> Found:
    """Ports of the first module in a Verilog file whose ports are declared in its head."""
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
    head = re.search(r"\bmodule .*?\);", text, re.DOTALL)
    port = r"\b(input|output|inout)\s+(?:wire|reg)?\s*(?:\[(\d+):0\])?\s*(\w+)"
    return {
        bit: direction
        for direction, high, name in re.findall(port, head[0] if head else "")
        for bit in _bits(name, int(high) + 1 if high else None)
    }


def _bits(name: str, width: int | None) -> Iterator[str]:
    yield from (name,) if width is None else (f"{name}[{k}]" for k in range(width))
