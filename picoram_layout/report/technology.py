"""KLayout technology of a PDK: layer colours (.lyp) and net tracing (.lyt), made from its data.

``python -m picoram_layout.report.technology`` writes the two files of every PDK into its folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from picoram_layout.pdk import Pdk, load_pdk, pdk_names

_BUILT_IN = {"solid": 0, "hollow": 1}


@dataclass(frozen=True)
class Style:
    """How one layer looks: ``pattern`` indexes KLayout's stipples (``I0`` built in, ``C0`` custom)."""

    name: str
    source: tuple[int, int]
    frame: str
    fill: str
    pattern: str
    line: int
    visible: bool

    @property
    def layer(self) -> str:
        """The drawn layer that this one belongs to."""
        return self.name.partition(".")[0]

    @property
    def kind(self) -> str:
        """``pin``, ``label`` or, for a drawn layer, nothing."""
        return self.name.partition(".")[2]

    @property
    def swatch(self) -> str | None:
        """Colour for a legend: none for a layer shown by its outline."""
        return None if self.pattern == "I1" else self.fill


def layer_properties(pdk: Pdk) -> Path:
    """The PDK's layer properties file (.lyp)."""
    return pdk.folder / f"{pdk.name}.lyp"


def technology(pdk: Pdk) -> Path:
    """The PDK's KLayout technology file (.lyt)."""
    return pdk.folder / f"{pdk.name}.lyt"


@cache
def _data(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((folder / "klayout.yaml").read_text())
    return data


def _view_data(pdk: Pdk) -> dict[str, Any]:
    """A derived PDK has its parent's layers and so shows them in its parent's colours."""
    while not (pdk.folder / "klayout.yaml").is_file():
        pdk = load_pdk(pdk.info["derive"]["from"])
    return _data(pdk.folder)


def patterns(pdk: Pdk) -> dict[str, str]:
    """Custom stipples by name: rows of ``*`` and ``.`` separated by line feeds."""
    return {name: rows.strip() for name, rows in _view_data(pdk)["patterns"].items()}


def styles(pdk: Pdk) -> list[Style]:
    """Styles of all layers of the PDK, undermost first, each followed by its pins and labels."""
    data = _view_data(pdk)
    custom = list(data["patterns"])
    numbers = {**pdk.drawn, **pdk.marks}
    if missing := sorted(numbers.keys() ^ data["layers"].keys()):
        raise ValueError(f"pdk {pdk.name}: klayout.yaml and layers.yaml differ in {', '.join(missing)}")
    found = []
    for name, row in data["layers"].items():
        pattern, frame = row["pattern"], row["colour"]
        index = f"I{_BUILT_IN[pattern]}" if pattern in _BUILT_IN else f"C{custom.index(pattern)}"
        visible = not row.get("hidden", False)
        style = Style(name, numbers[name], frame, row.get("fill", frame), index, row.get("line", 1), visible)
        found.append(style)
        for kind, table in (("pin", pdk.pins), ("label", pdk.labels)):
            if name in table:
                found.append(Style(f"{name}.{kind}", table[name], frame, frame, "I1", 1, visible))
    return found


def lyp(pdk: Pdk) -> str:
    """Text of the layer properties file."""
    root = ET.Element("layer-properties")
    for style in styles(pdk):
        node = ET.SubElement(root, "properties")
        for tag, text in {
            "frame-color": style.frame,
            "fill-color": style.fill,
            "frame-brightness": "0",
            "fill-brightness": "0",
            "dither-pattern": style.pattern,
            "line-style": "I0",
            "valid": "true",
            "visible": str(style.visible).lower(),
            "transparent": "false",
            "width": str(style.line),
            "marked": "false",
            "xfill": "false",
            "animation": "0",
            "name": style.name,
            "source": f"{style.source[0]}/{style.source[1]}@1",
        }.items():
            ET.SubElement(node, tag).text = text
    for order, (name, rows) in enumerate(patterns(pdk).items(), 1):
        node = ET.SubElement(root, "custom-dither-pattern")
        pattern = ET.SubElement(node, "pattern")
        for line in rows.splitlines():
            ET.SubElement(pattern, "line").text = line
        ET.SubElement(node, "order").text = str(order)
        ET.SubElement(node, "name").text = name
    return _text(root)


def lyt(pdk: Pdk) -> str:
    """Text of the technology file: identity, database unit, layer colours and net tracing."""
    connect = _view_data(pdk)["connect"]
    root = ET.Element("technology")
    for tag, text in {
        "name": f"picoram_{pdk.name}",
        "description": pdk.title,
        "group": "picoram_layout",
        "dbu": f"{pdk.dbu:g}",
        "layer-properties_file": layer_properties(pdk).name,
        "add-other-layers": "true",
    }.items():
        ET.SubElement(root, tag).text = text
    connectivity = ET.SubElement(root, "connectivity")
    joins = [*connect["contacts"], *(pdk.stack[i : i + 3] for i in range(0, len(pdk.stack) - 2, 2))]
    for join in joins:
        ET.SubElement(connectivity, "connection").text = ",".join(join)
    number = {name: f"{layer}/{datatype}" for name, (layer, datatype) in pdk.drawn.items()}
    regions = {name: "-".join(number[o] for o in operands) for name, operands in connect["regions"].items()}
    for name in dict.fromkeys(name for join in joins for name in join):
        ET.SubElement(connectivity, "symbols").text = f"{name}='{ {**number, **regions}[name] }'".replace(
            " ", ""
        )
    return _text(root)


def _text(root: ET.Element) -> str:
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def write_all() -> None:
    """Write both files of every PDK."""
    for pdk in map(load_pdk, pdk_names()):
        layer_properties(pdk).write_text(lyp(pdk))
        technology(pdk).write_text(lyt(pdk))


if __name__ == "__main__":
    write_all()
