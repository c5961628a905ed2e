"""The macro's floorplan as SVG: named blocks with their sizes, pins at the edges, area shares."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from picoram_layout.pdk import Pdk
from picoram_layout.report import svg
from picoram_layout.report.areas import PinGroup, Share, pin_groups, ports, shares, side_of
from picoram_layout.report.scale import round_below
from picoram_layout.report.technology import styles

if TYPE_CHECKING:
    from picoram_layout.layout import Block
    from picoram_layout.macro import Area

# Pixels: the drawing's largest size, and what surrounds it.
_WIDE, _HIGH, _SIDE, _LEFT, _TOP, _BOTTOM = 760.0, 560.0, 330, 84, 64, 70
# A macro more slender than this is stretched, each axis with its own scale bar.
_SLENDER = 1.6
_SHADES = (
    *("#cfe3f7", "#ffd9a8", "#d6ecc9", "#e6d3ee", "#f6cfd0", "#d9dde2"),
    *("#fff1b3", "#c9ebe8", "#9fb8d8", "#d9b48a", "#a9c99a", "#c2a6d1"),
)
_LINE = 19
_COLUMN = 275  # of the pins' table


def floorplan_svg(top: Block, areas: Sequence[Area], pdk: Pdk, title: str) -> str:
    """The floorplan; blocks in um, to scale, or with one scale for each axis when the macro is slender."""
    view = _View(top.width, top.height)
    rows = shares(areas, top.width, top.height)
    shade = {row.kind: _SHADES[i % len(_SHADES)] for i, row in enumerate(rows)}
    side = view.left + view.wide + 60
    blocks, unnamed = [], []
    for area in areas:
        named, block = _block(view, area, shade[area.kind])
        blocks.append(block)
        if not named:
            unnamed.append(area)
    notes = [*_legend(rows, shade), *_name_list(unnamed, shade)]
    below = view.top + max(view.high + _BOTTOM, _LINE * (len(notes) + 1))
    wide = side + _SIDE
    pins, lines = _pin_table(pin_groups(top), pdk, round(wide - view.left) // _COLUMN)
    high = below + _LINE * lines
    parts = [
        svg.text(view.left, 24, title, size=17, bold=True),
        *blocks,
        *_ticks(view, top, pdk),
        *_dimensions(view, top, areas),
        *_scale_bars(view),
        *(svg.group(note, side, view.top + _LINE * n) for n, note in enumerate(notes)),
        svg.group(pins, view.left, below),
    ]
    if view.stretched:
        parts += _true_scale(view, areas, shade, side + _SIDE - 40)
    return svg.document(wide, high, parts)


class _View:
    """From um in the macro to pixels in the picture."""

    def __init__(self, width: float, height: float):
        self.width, self.height = width, height
        self.stretched = not 1 / _SLENDER <= width / height <= _SLENDER
        self.sx, self.sy = _WIDE / width, _HIGH / height
        if not self.stretched:
            self.sx = self.sy = min(self.sx, self.sy)
        self.left, self.top = _LEFT, _TOP
        self.wide, self.high = width * self.sx, height * self.sy

    def x(self, um: float) -> float:
        return self.left + um * self.sx

    def y(self, um: float) -> float:
        return self.top + (self.height - um) * self.sy


def _block(view: _View, area: Area, shade: str) -> tuple[bool, str]:
    """Whether a block's name and size fit in it (turned in a narrow one), and its drawing."""
    x, y = view.x(area.x1), view.y(area.y2)
    wide, high = (area.x2 - area.x1) * view.sx, (area.y2 - area.y1) * view.sy
    size = _size(area)
    lines = [svg.rect(x, y, wide, high, shade, svg.EDGE, f"{area.name}: {size}")]
    middle_x, middle_y = x + wide / 2, y + high / 2
    need = 7.2 * max(len(area.name), len(size))
    if wide >= need and high >= 34:
        lines.append(svg.text(middle_x, middle_y - 3, area.name, anchor="middle", bold=True))
        lines.append(svg.text(middle_x, middle_y + 14, size, anchor="middle", size=12))
    elif wide >= 34 and high >= need:
        lines.append(svg.text(middle_x - 4, middle_y, area.name, anchor="middle", bold=True, turn=True))
        lines.append(svg.text(middle_x + 12, middle_y, size, anchor="middle", size=12, turn=True))
    elif wide >= 11 and high >= 6.5 * len(f"{area.name}, {size}"):
        lines.append(
            svg.text(middle_x + 4, middle_y, f"{area.name}, {size}", anchor="middle", size=11, turn=True)
        )
    elif high >= 11 and wide >= 6.5 * len(f"{area.name}, {size}"):
        lines.append(svg.text(middle_x, middle_y + 4, f"{area.name}, {size}", anchor="middle", size=11))
    return len(lines) > 1, svg.group(lines)


def _size(area: Area) -> str:
    return f"{area.x2 - area.x1:.2f} x {area.y2 - area.y1:.2f} um"


def _colours(pdk: Pdk) -> dict[str, str]:
    return {style.name: style.frame for style in styles(pdk)}


def _ticks(view: _View, top: Block, pdk: Pdk) -> list[str]:
    """A tick in the layer's colour at each pin; pins that fall on one pixel share one."""
    colours, seen = _colours(pdk), set()
    for port in ports(top):
        x1, y1, x2, y2 = port.box
        side = side_of(port, top)
        if side in ("left", "right"):
            seen.add((side, round(view.y((y1 + y2) / 2) * 2) / 2, port.layer))
        else:
            seen.add((side, round(view.x((x1 + x2) / 2) * 2) / 2, port.layer))
    ends = {
        "left": (view.left - 7, view.left),
        "right": (view.left + view.wide, view.left + view.wide + 7),
        "top": (view.top - 7, view.top),
        "bottom": (view.top + view.high, view.top + view.high + 7),
    }
    lines = []
    for side, place, layer in sorted(seen):
        a, b = ends[side]
        x1, y1, x2, y2 = (a, place, b, place) if side in ("left", "right") else (place, a, place, b)
        lines.append(svg.line(x1, y1, x2, y2, colours[layer], 0.6))
    return lines


def _dimensions(view: _View, top: Block, areas: Sequence[Area]) -> list[str]:
    """Width above, height at the left, and the positions where blocks begin below."""
    above, beside = view.top - 18, view.left - 34
    lines = [
        svg.line(view.left, above, view.left + view.wide, above),
        *(svg.line(x, above - 4, x, above + 4) for x in (view.left, view.left + view.wide)),
        svg.text(view.left + view.wide / 2, above - 5, f"{top.width:.2f} um", anchor="middle"),
        svg.line(beside, view.top, beside, view.top + view.high),
        *(svg.line(beside - 4, y, beside + 4, y) for y in (view.top, view.top + view.high)),
        svg.text(beside - 7, view.top + view.high / 2, f"{top.height:.2f} um", anchor="middle", turn=True),
    ]
    below, last = view.top + view.high + 20, -1e9
    for um in sorted({round(edge, 3) for area in areas for edge in (area.x1, area.x2)}):
        if view.x(um) - last > 40:
            last = view.x(um)
            lines.append(svg.text(last, below, f"{um:.1f}", anchor="middle", size=11, colour=svg.SOFT))
    return lines


def _scale_bars(view: _View) -> list[str]:
    """One bar, or one for each axis when their scales differ."""
    y = view.top + view.high + 44
    across = round_below(110 / view.sx)
    lines = [
        svg.line(view.left, y, view.left + across * view.sx, y, width=2),
        svg.text(
            view.left + across * view.sx + 8, y + 4, f"{across:g} um" + (" across" if view.stretched else "")
        ),
    ]
    if view.stretched:
        up, x = round_below(34 / view.sy), view.left + across * view.sx + 130
        lines += [
            svg.line(x, y + 10, x, y + 10 - up * view.sy, width=2),
            svg.text(
                x + 8,
                y + 4,
                f"{up:g} um up; the axes have different scales, true proportions at the far right",
            ),
        ]
    return lines


def _legend(rows: Sequence[Share], shade: dict[str, str]) -> list[list[str]]:
    """Lines of the notes beside the drawing, each a list of elements at its own origin."""
    return [
        [svg.text(0, 4, "Area", bold=True)],
        *(
            [
                _swatch(shade[row.kind]),
                svg.text(21, 4, row.kind + (f" x {row.count}" if row.count > 1 else "")),
                svg.text(195, 4, f"{row.area_um2:,.0f} um2", anchor="end"),
                svg.text(255, 4, f"{100 * row.share:.1f} %", anchor="end"),
            ]
            for row in rows
        ),
    ]


def _swatch(colour: str) -> str:
    return svg.rect(0, -8, 14, 14, colour, svg.EDGE)


def _pin_table(groups: Sequence[PinGroup], pdk: Pdk, columns: int) -> tuple[list[str], int]:
    """The pins by side, in columns, and how many lines they take."""
    colours = _colours(pdk)
    parts, top = [], 0
    for side, found in groupby(groups, key=lambda group: group.side):
        own = list(found)
        parts.append(svg.text(0, _LINE * top + 4, f"Pins, {side}", bold=True))
        lines = math.ceil(len(own) / columns)
        for k, group in enumerate(own):
            entry = [
                svg.line(0, 0, 14, 0, colours[group.layer], 3),
                svg.text(21, 4, group.name),
                svg.text(215, 4, f"{group.count}", anchor="end"),
                svg.text(255, 4, group.layer, anchor="end"),
            ]
            parts.append(svg.group(entry, _COLUMN * (k // lines), _LINE * (top + 1 + k % lines)))
        top += lines + 2
    return parts, top


def _name_list(areas: Sequence[Area], shade: dict[str, str]) -> list[list[str]]:
    """Blocks too small to be named where they are."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for area in areas:
        alike[area.kind, _size(area)].append(area.name)
    rows = [
        [
            _swatch(shade[kind]),
            svg.text(21, 4, names[0] if len(names) == 1 else f"{kind} x {len(names)}"),
            svg.text(255, 4, size, anchor="end"),
        ]
        for (kind, size), names in alike.items()
    ]
    if not rows:
        return []
    return [[], [svg.text(0, 4, "Too small to name in place", bold=True)], *rows]


def _true_scale(view: _View, areas: Sequence[Area], shade: dict[str, str], x: float) -> list[str]:
    """A small copy in true proportions."""
    k = min(34 / view.width, view.high / view.height)
    parts = [
        svg.rect(a.x1 * k, (view.height - a.y2) * k, (a.x2 - a.x1) * k, (a.y2 - a.y1) * k, shade[a.kind])
        for a in areas
    ]
    frame = svg.rect(0, 0, view.width * k, view.height * k, "none", svg.EDGE)
    return [svg.group([*parts, frame], x, view.top)]
