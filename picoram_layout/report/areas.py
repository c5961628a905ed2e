"""What the macro is made of: area by kind of block, pins by side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from picoram_layout.layout import Block, Port
    from picoram_layout.macro import Area

SIDES = ("left", "right", "bottom", "top")


@dataclass(frozen=True)
class Share:
    """What one kind of block takes of the macro: how many there are, um2, fraction of the macro."""

    kind: str
    count: int
    area_um2: float
    share: float


def shares(areas: Iterable[Area], width: float, height: float) -> list[Share]:
    """Area by kind of block, largest first; what no block claims is listed as ``other``."""
    found: dict[str, list[float]] = defaultdict(list)
    for area in areas:
        found[area.kind].append((area.x2 - area.x1) * (area.y2 - area.y1))
    whole = width * height
    rest = whole - sum(map(sum, found.values()))
    if rest > 1e-6 * whole:
        found["other"].append(rest)
    rows = [Share(kind, len(sizes), sum(sizes), sum(sizes) / whole) for kind, sizes in found.items()]
    return sorted(rows, key=lambda row: (-row.area_um2, row.kind))


@dataclass(frozen=True)
class PinGroup:
    """Pins of one bus on one side of the macro, on one layer: its first and last net, number of pins."""

    side: str
    layer: str
    first: str
    last: str
    count: int

    @property
    def name(self) -> str:
        """The net, or the range of nets."""
        return self.first if self.first == self.last else f"{self.first} .. {self.last}"


def pin_groups(top: Block) -> list[PinGroup]:
    """The macro's pins by side, bus (the net's name without its indices) and layer."""
    found: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for port in ports(top):
        bus = re.sub(r"\d+", "#", port.net)
        found[SIDES.index(side_of(port, top)), port.layer, bus].append(port.net)
    groups = []
    for (side, layer, _), nets in sorted(found.items()):
        ends = sorted(nets, key=_natural)
        groups.append(PinGroup(SIDES[side], layer, ends[0], ends[-1], len(nets)))
    return groups


def ports(top: Block) -> list[Port]:
    """All pins of the macro."""
    return [port for found in top.ports.values() for port in found]


def side_of(port: Port, top: Block) -> str:
    """The edge of the macro that a pin is nearest to."""
    x1, y1, x2, y2 = port.box
    away = {"left": x1, "right": top.width - x2, "bottom": y1, "top": top.height - y2}
    return min(SIDES, key=lambda side: away[side])


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts D2 before D10."""
    return [(int(t), "") if t.isdigit() else (-1, t) for t in re.split(r"(\d+)", name)]
