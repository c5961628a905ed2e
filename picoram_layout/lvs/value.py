"""The value of a recognised MOM capacitor: a field solution of exactly the shapes below its mark."""

from __future__ import annotations

import klayout.db as kdb

from picoram_layout.capacitance import in_array
from picoram_layout.pdk import Pdk


def unit_value(pdk: Pdk, plates: dict[str, dict[str, list[kdb.DBox]]], mark: kdb.DBox) -> float:
    """Capacitance (fF) of the live plate in an array of such units; the mark is a grid step inside it."""
    grid = pdk.grid
    x, y = mark.left - grid, mark.bottom - grid

    def out(low: float, high: float, edge1: float, edge2: float) -> tuple[float, float]:
        """A shape that was cut off by the mark goes on to the unit's edge."""
        return (
            low - grid if low < edge1 + grid / 2 else low,
            high + grid if high > edge2 - grid / 2 else high,
        )

    conductors: dict[str, dict[str, list[tuple[float, float, float, float]]]] = {}
    for net, layers in plates.items():
        for layer, boxes in layers.items():
            for b in boxes:
                x1, x2 = out(b.left, b.right, mark.left, mark.right)
                y1, y2 = out(b.bottom, b.top, mark.bottom, mark.top)
                box = (x1 - x, y1 - y, x2 - x, y2 - y)
                conductors.setdefault(net, {}).setdefault(layer, []).append(box)
    pitch = round(mark.width() + 2 * grid, 6), round(mark.height() + 2 * grid, 6)
    return in_array(pdk, conductors, pitch).value_fF
