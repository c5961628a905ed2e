"""Density of every layer over the macro as one SVG: a small map per layer, one colour scale."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from picoram_layout.density import density_map, extent
from picoram_layout.pdk import Pdk
from picoram_layout.report import svg

if TYPE_CHECKING:
    import klayout.db as kdb

# Pixels: a map's largest size, the grid of maps, the scale at the right.
_WIDE, _HIGH, _GAP, _COLUMNS, _HEAD, _SCALE = 190.0, 250.0, 26, 5, 42, 96
_TILE = 10.0
# Colours at equal steps from 0 to 100 %: readable in grey too, as lightness only falls.
_RAMP = ("#fdfdf0", "#d9eec4", "#9fd6b4", "#55b3bb", "#2c82b4", "#2a4f96", "#1b1f52")


def density_svg(layout: kdb.Layout, top: str, pdk: Pdk, layers: list[str]) -> str:
    """Maps of ``layers`` (at least one), with the numbers in the tooltips."""
    box = extent(layout, top, pdk)
    sx, sy = _WIDE / box.width(), _HIGH / box.height()
    if 1 / 3 < sx / sy < 3:
        sx = sy = min(sx, sy)
    wide, high = box.width() * sx, box.height() * sy
    tiles = max(1, round(wide / _TILE)), max(1, round(high / _TILE))
    columns = min(_COLUMNS, len(layers))
    rows = -(-len(layers) // columns)
    step_x, step_y = max(wide, 120) + _GAP, high + _GAP + _HEAD
    whole_x, whole_y = columns * step_x + _SCALE, rows * step_y
    parts: list[str] = []
    for number, layer in enumerate(layers):
        values = density_map(layout, top, pdk, layer, tiles)
        low, mean, peak = (100 * float(v) for v in (values.min(), values.mean(), values.max()))
        panel = [
            svg.text(0, -22, layer, bold=True),
            svg.text(0, -7, f"{low:.0f} .. {peak:.0f} %, mean {mean:.0f} %", size=11),
            *_tiles(values, wide, high),
            svg.rect(0, 0, wide, high, "none", svg.EDGE),
        ]
        parts.append(svg.group(panel, number % columns * step_x + 1, number // columns * step_y + _HEAD))
    parts.append(svg.group(_scale(high), columns * step_x + 20, _HEAD))
    return svg.document(whole_x, whole_y, parts)


def _tiles(values: Any, wide: float, high: float) -> list[str]:
    """Tiles of one map; ``values[column, row]`` counts from the bottom left. Equal neighbours are one."""
    nx, ny = values.shape
    dx, dy = wide / nx, high / ny
    tiles = []
    for column, densities in enumerate(np.round(values, 3)):
        row = 0
        for value, run in groupby(densities.tolist()):
            count = len(list(run))
            row += count
            # A little larger than the tile, or the paper shines through between them.
            x, y, h = column * dx, high - row * dy, count * dy
            tiles.append(svg.rect(x, y, dx + 0.3, h + 0.3, colour(value), tip=f"{100 * value:.1f} %"))
    return tiles


def colour(value: float) -> str:
    """Colour of a density between 0 and 1."""
    place = min(max(value, 0.0), 1.0) * (len(_RAMP) - 1)
    left = min(int(place), len(_RAMP) - 2)
    a, b = (bytes.fromhex(_RAMP[i][1:]) for i in (left, left + 1))
    part = place - left
    return "#" + bytes(round(p + (q - p) * part) for p, q in zip(a, b, strict=True)).hex()


def _scale(high: float) -> list[str]:
    steps = 50
    step = high / steps
    bar = [
        svg.rect(0, high - (n + 1) * step, 16, step + 0.5, colour((n + 0.5) / steps)) for n in range(steps)
    ]
    marks = [svg.text(22, high * (1 - m / 100) + 4, f"{m} %", size=11) for m in (0, 25, 50, 75, 100)]
    return [*bar, *marks, svg.rect(0, 0, 16, high, "none", svg.EDGE)]
