"""Coefficients of wire capacitance, read from ``wires.yaml`` of a process: aF/um2, aF/um and um."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from picoram_layout.pdk import Pdk, pdk_root

SUBSTRATE = "substrate"
Table = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Coefficients:
    """Tables by pairs of layers.

    ``plate``: (upper, lower) -> aF/um2. ``fringe``: (layer of the edge, layer of the plane) -> aF/um.
    ``sidewall``: layer -> (coefficient in aF, offset in um) of facing edges. ``spread`` (um per aF/um2) and
    ``halo`` (um) say how far from its edge a fringe reaches.
    """

    layers: tuple[str, ...]
    plate: Table
    fringe: Table
    sidewall: dict[str, tuple[float, float]]
    spread: float
    halo: float

    def area(self, one: str, other: str) -> float:
        """Capacitance per area of two overlapping layers (aF/um2), in either order; 0 where none is known."""
        return self.plate.get((one, other), self.plate.get((other, one), 0.0))

    def within(self, edge: str, plane: str, near: float, far: float) -> float:
        """Part of an edge's fringe to a plane that lands from ``near`` to ``far`` um off the edge."""
        k = self.spread * self.area(edge, plane)
        return 2 / math.pi * (math.atan(k * far) - math.atan(k * near))

    def between_edges(self, layer: str, distance: float) -> float:
        """Capacitance per length (aF/um) of two facing edges of one layer, ``distance`` um apart."""
        if layer not in self.sidewall:
            return 0.0
        coefficient, offset = self.sidewall[layer]
        return coefficient / (distance + offset)


def load_coefficients(pdk: Pdk) -> Coefficients:
    """Read the tables of a process; a derived one scales its parent's dimensions, not the permittivity."""
    data, scale = _read(pdk.folder), 1.0
    if "from" in data:
        scale = data["scale"]
        data = _read(pdk_root() / data["from"])
    sidewall = {
        layer: (s["coefficient"] * scale, s["offset"] * scale) for layer, s in data["sidewall"].items()
    }
    return Coefficients(
        layers=tuple(data["layers"]),
        plate={pair: value / scale for pair, value in _pairs(data["plate"]).items()},
        fringe=_pairs(data["fringe_down"]) | _pairs(data["fringe_up"]),
        sidewall=sidewall,
        spread=data["spread"],
        halo=data["halo"] * scale,
    )


def _pairs(table: dict[str, dict[str, float]]) -> Table:
    return {(one, other): value for one, row in table.items() for other, value in row.items()}


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "wires.yaml").read_text())
    return content
