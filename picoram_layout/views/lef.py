"""LEF: the macro as place and route see it, its size, pins and what they must keep clear of.

Metals that the macro uses throughout are blocked over its whole area but for the pins and their spacing; the
topmost metal is blocked only where it is drawn, so that supplies can cross it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from picoram_layout.layout import Block, Port
from picoram_layout.pdk import Pdk
from picoram_layout.plan import Plan
from picoram_layout.views.loads import Load
from picoram_layout.views.pins import Pin, bit_names

if TYPE_CHECKING:
    import klayout.db as kdb

_USE = {"signal": "SIGNAL", "analog": "ANALOG", "power": "POWER", "ground": "GROUND"}


def write_lef(
    path: Path, top: Block, pins: Sequence[Pin], plan: Plan, areas: Mapping[str, Load] | None = None
) -> None:
    """Write the abstract of a block with these pins; with ``areas`` its pins have antenna areas.

    `ValueError` if a pin has no port.
    """
    pdk = plan.pdk
    missing = [name for name in bit_names(pins) if name not in top.ports]
    if missing:
        raise ValueError(f"{top.name}: no port for {', '.join(missing)}")
    lines = [
        "VERSION 5.8 ;",
        'BUSBITCHARS "[]" ;',
        'DIVIDERCHAR "/" ;',
        "UNITS",
        f"  DATABASE MICRONS {round(1 / pdk.dbu)} ;",
        "END UNITS",
        f"MACRO {top.name}",
        "  CLASS BLOCK ;",
        f"  FOREIGN {top.name} 0 0 ;",
        "  ORIGIN 0 0 ;",
        f"  SIZE {number(top.width)} BY {number(top.height)} ;",
        "  SYMMETRY X Y ;",
    ]
    for pin in pins:
        for name in pin.bits:
            lines += _pin(name, pin, top.ports[name], (areas or {}).get(name))
    lines += ["  OBS", *_obstructions(top, bit_names(pins), pdk), "  END"]
    lines += [f"END {top.name}", "END LIBRARY"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def number(um: float) -> str:
    """A length in um, to a nanometre."""
    return f"{um:.3f}".rstrip("0").rstrip(".")


def _pin(name: str, pin: Pin, ports: Iterable[Port], load: Load | None) -> list[str]:
    lines = [
        f"  PIN {name}",
        f"    DIRECTION {pin.direction.upper()} ;",
        f"    USE {_USE[pin.kind]} ;",
    ]
    if load and pin.kind == "signal":
        if load.gate:
            lines.append(f"    ANTENNAGATEAREA {load.gate:g} ;")
        if load.diffusion:
            lines.append(f"    ANTENNADIFFAREA {load.diffusion:g} ;")
    lines.append("    PORT")
    for layer, found in groupby(sorted(ports, key=lambda p: (p.layer, p.box)), lambda p: p.layer):
        lines.append(f"      LAYER {layer} ;")
        lines += [f"        RECT {' '.join(map(number, port.box))} ;" for port in found]
    return [*lines, "    END", f"  END {name}"]


def _obstructions(top: Block, names: Iterable[str], pdk: Pdk) -> list[str]:
    """Rectangles of every metal that the macro uses."""
    import klayout.db as kdb

    layout, cell, dbu = top.cell.layout(), top.cell, pdk.dbu
    metals = [layer for layer in pdk.stack if layer in pdk.pins]
    area = kdb.Region(kdb.DBox(0, 0, top.width, top.height).to_itype(dbu))
    ports = [port for name in names for port in top.ports[name]]
    lines = []
    for layer in metals:
        drawn = kdb.Region(cell.begin_shapes_rec(layout.layer(*pdk.drawn[layer])))
        if drawn.is_empty():
            continue
        pins = kdb.Region()
        for port in ports:
            if port.layer == layer:
                pins.insert(kdb.DBox(*port.box).to_itype(dbu))
        if layer == metals[-1]:
            blocked = drawn.merged() & area - pins
        else:
            # what is this large is wide metal, which keeps further away
            space = max(pdk.space(layer), pdk.find("wide_space", layer))
            blocked = area - pins.sized(round(space / dbu), 2)
        if not blocked.is_empty():
            lines.append(f"    LAYER {layer} ;")
            lines += [f"      RECT {_box(box, dbu)} ;" for box in _boxes(blocked)]
    return lines


def _boxes(region: kdb.Region) -> list[kdb.Box]:
    """The region as rectangles, cut in the direction that makes fewer of them."""
    import klayout.db as kdb

    ways = (kdb.Polygon.TD_htrapezoids, kdb.Polygon.TD_vtrapezoids)
    cut = [region.decompose_trapezoids_to_region(way) for way in ways]
    fewest = min(cut, key=lambda made: made.count())
    return sorted((polygon.bbox() for polygon in fewest.each()), key=lambda b: (b.left, b.bottom))


def _box(box: kdb.Box, dbu: float) -> str:
    return " ".join(number(v * dbu) for v in (box.left, box.bottom, box.right, box.top))
