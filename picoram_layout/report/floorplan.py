"""The macro's floorplan as SVG: named blocks with their sizes, pins at the edges, area shares."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from picoram_layout.pdk import Pdk
from picoram_layout.report.scale import round_below
from picoram_layout.report.technology import styles

if TYPE_CHECKING:
    from picoram_layout.layout import Block, Port
    from picoram_layout.macro import Area

# Pixels: the drawing's largest size, and what surrounds it.
_WIDE, _HIGH, _SIDE, _LEFT, _TOP, _BOTTOM = 760.0, 560.0, 330, 84, 64, 70
# A macro more slender than this is stretched, each axis with its own scale bar.
_SLENDER = 1.6
_SHADES = ("#cfe3f7", "#ffd9a8", "#d6ecc9", "#e6d3ee", "#f6cfd0", "#d9dde2", "#fff1b3", "#c9ebe8")
_LINE = 19
_FONT = "font-family='Helvetica, Arial, sans-serif'"
_SIDES = ("left", "right", "bottom", "top")


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
    for port in _ports(top):
        bus = re.sub(r"\d+", "#", port.net)
        found[_SIDES.index(_side(port, top)), port.layer, bus].append(port.net)
    groups = []
    for (side, layer, _), nets in sorted(found.items()):
        ends = sorted(nets, key=_natural)
        groups.append(PinGroup(_SIDES[side], layer, ends[0], ends[-1], len(nets)))
    return groups


def floorplan_svg(top: Block, areas: Sequence[Area], pdk: Pdk, title: str) -> str:
    """The floorplan; blocks in um, to scale, or with one scale for each axis when the macro is slender."""
    view = _View(top.width, top.height)
    rows = shares(areas, top.width, top.height)
    shade = {row.kind: _SHADES[i % len(_SHADES)] for i, row in enumerate(rows)}
    groups = pin_groups(top)
    side = view.left + view.wide + 60
    blocks, unnamed = [], []
    for area in areas:
        named, svg = _block(view, area, shade[area.kind])
        blocks.append(svg)
        if not named:
            unnamed.append(area)
    notes = [*_legend(rows, shade), *_pin_list(groups, pdk), *_name_list(unnamed, shade)]
    wide, high = side + _SIDE, view.top + max(view.high + _BOTTOM, _LINE * (len(notes) + 1))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {wide:.0f} {high:.0f}' "
        f"width='{wide:.0f}' height='{high:.0f}' {_FONT} font-size='13' fill='#1a1a1a'>",
        f"<rect width='{wide:.0f}' height='{high:.0f}' fill='#ffffff'/>",
        _text(view.left, 24, title, size=17, bold=True),
        *blocks,
        *_ticks(view, top, pdk),
        *_dimensions(view, top, areas),
        *_scale_bars(view),
        *(note.format(x=side, y=view.top + _LINE * n) for n, note in enumerate(notes)),
    ]
    if view.stretched:
        parts += _true_scale(view, areas, shade, side + _SIDE - 40)
    return "\n".join([*parts, "</svg>"]) + "\n"


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


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    anchor: str = "start",
    bold: bool = False,
    turn: bool = False,
    colour: str = "",
) -> str:
    more = (" font-weight='bold'" if bold else "") + (f" fill='{colour}'" if colour else "")
    more += f" transform='rotate(-90 {x:.1f} {y:.1f})'" if turn else ""
    head = f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}'{more}>"
    return f"{head}{_escape(text)}</text>"


def _escape(text: str) -> str:
    return escape(text).replace("{", "&#123;").replace("}", "&#125;")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = "#1a1a1a", width: float = 1.0) -> str:
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width:g}'/>"
    )


def _block(view: _View, area: Area, shade: str) -> tuple[bool, str]:
    """Whether a block's name and size fit in it (turned in a narrow one), and its drawing."""
    x, y = view.x(area.x1), view.y(area.y2)
    wide, high = (area.x2 - area.x1) * view.sx, (area.y2 - area.y1) * view.sy
    size = _size(area)
    lines = [
        f"<g><title>{escape(area.name)}: {size}</title>"
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{wide:.1f}' height='{high:.1f}' fill='{shade}' "
        "stroke='#4a5560' stroke-width='0.8'/>"
    ]
    middle_x, middle_y = x + wide / 2, y + high / 2
    need = 7.2 * max(len(area.name), len(size))
    if wide >= need and high >= 34:
        lines.append(_text(middle_x, middle_y - 3, area.name, anchor="middle", bold=True))
        lines.append(_text(middle_x, middle_y + 14, size, anchor="middle", size=12))
    elif wide >= 34 and high >= need:
        lines.append(_text(middle_x - 4, middle_y, area.name, anchor="middle", bold=True, turn=True))
        lines.append(_text(middle_x + 12, middle_y, size, anchor="middle", size=12, turn=True))
    elif wide >= 11 and high >= 6.5 * len(f"{area.name}, {size}"):
        lines.append(
            _text(middle_x + 4, middle_y, f"{area.name}, {size}", anchor="middle", size=11, turn=True)
        )
    elif high >= 11 and wide >= 6.5 * len(f"{area.name}, {size}"):
        lines.append(_text(middle_x, middle_y + 4, f"{area.name}, {size}", anchor="middle", size=11))
    return len(lines) > 1, "".join([*lines, "</g>"])


def _size(area: Area) -> str:
    return f"{area.x2 - area.x1:.2f} x {area.y2 - area.y1:.2f} um"


def _ports(top: Block) -> list[Port]:
    return [port for ports in top.ports.values() for port in ports]


def _side(port: Port, top: Block) -> str:
    """The edge of the macro that a pin is nearest to."""
    x1, y1, x2, y2 = port.box
    away = {"left": x1, "right": top.width - x2, "bottom": y1, "top": top.height - y2}
    return min(_SIDES, key=lambda side: away[side])


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts D2 before D10."""
    return [(int(t), "") if t.isdigit() else (-1, t) for t in re.split(r"(\d+)", name)]


def _colours(pdk: Pdk) -> dict[str, str]:
    return {style.name: style.frame for style in styles(pdk)}


def _ticks(view: _View, top: Block, pdk: Pdk) -> list[str]:
    """A tick in the layer's colour at each pin; pins that fall on one pixel share one."""
    colours, seen = _colours(pdk), set()
    for port in _ports(top):
        x1, y1, x2, y2 = port.box
        side = _side(port, top)
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
        lines.append(_line(x1, y1, x2, y2, colours[layer], 0.6))
    return lines


def _dimensions(view: _View, top: Block, areas: Sequence[Area]) -> list[str]:
    """Width above, height at the left, and the positions where blocks begin below."""
    above, beside = view.top - 18, view.left - 34
    lines = [
        _line(view.left, above, view.left + view.wide, above),
        *(_line(x, above - 4, x, above + 4) for x in (view.left, view.left + view.wide)),
        _text(view.left + view.wide / 2, above - 5, f"{top.width:.2f} um", anchor="middle"),
        _line(beside, view.top, beside, view.top + view.high),
        *(_line(beside - 4, y, beside + 4, y) for y in (view.top, view.top + view.high)),
        _text(beside - 7, view.top + view.high / 2, f"{top.height:.2f} um", anchor="middle", turn=True),
    ]
    below, last = view.top + view.high + 20, -1e9
    for um in sorted({round(edge, 3) for area in areas for edge in (area.x1, area.x2)}):
        if view.x(um) - last > 40:
            last = view.x(um)
            lines.append(_text(last, below, f"{um:.1f}", anchor="middle", size=11, colour="#555555"))
    return lines


def _scale_bars(view: _View) -> list[str]:
    """One bar, or one for each axis when their scales differ."""
    y = view.top + view.high + 44
    across = round_below(110 / view.sx)
    lines = [
        _line(view.left, y, view.left + across * view.sx, y, width=2),
        _text(
            view.left + across * view.sx + 8, y + 4, f"{across:g} um" + (" across" if view.stretched else "")
        ),
    ]
    if view.stretched:
        up, x = round_below(34 / view.sy), view.left + across * view.sx + 130
        lines += [
            _line(x, y + 10, x, y + 10 - up * view.sy, width=2),
            _text(
                x + 8,
                y + 4,
                f"{up:g} um up; the axes have different scales, true proportions at the far right",
            ),
        ]
    return lines


def _note(mark: str, *texts: str) -> str:
    """One line of the notes beside the drawing, to be moved to its ``x`` and ``y``."""
    return "<g transform='translate({x:.1f} {y:.1f})'>" + "".join([mark, *texts]) + "</g>"


def _legend(rows: Sequence[Share], shade: dict[str, str]) -> list[str]:
    return [
        _note("", _text(0, 4, "Area", bold=True)),
        *(
            _note(
                _swatch(shade[row.kind]),
                _text(21, 4, row.kind + (f" x {row.count}" if row.count > 1 else "")),
                _text(195, 4, f"{row.area_um2:,.0f} um2", anchor="end"),
                _text(255, 4, f"{100 * row.share:.1f} %", anchor="end"),
            )
            for row in rows
        ),
    ]


def _swatch(colour: str) -> str:
    return f"<rect x='0' y='-8' width='14' height='14' fill='{colour}' stroke='#4a5560'/>"


def _pin_list(groups: Sequence[PinGroup], pdk: Pdk) -> list[str]:
    """The pins, by side."""
    colours = _colours(pdk)
    lines, side = [], ""
    for group in groups:
        if group.side != side:
            side = group.side
            lines += ["", _note("", _text(0, 4, f"Pins, {side}", bold=True))]
        lines.append(
            _note(
                _line(0, 0, 14, 0, colours[group.layer], 3),
                _text(21, 4, group.name),
                _text(215, 4, f"{group.count}", anchor="end"),
                _text(255, 4, group.layer, anchor="end"),
            )
        )
    return lines


def _name_list(areas: Sequence[Area], shade: dict[str, str]) -> list[str]:
    """Blocks too small to be named where they are."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for area in areas:
        alike[area.kind, _size(area)].append(area.name)
    rows = [
        _note(
            _swatch(shade[kind]),
            _text(21, 4, names[0] if len(names) == 1 else f"{kind} x {len(names)}"),
            _text(255, 4, size, anchor="end"),
        )
        for (kind, size), names in alike.items()
    ]
    if not rows:
        return []
    return ["", _note("", _text(0, 4, "Too small to name in place", bold=True)), *rows]


def _true_scale(view: _View, areas: Sequence[Area], shade: dict[str, str], x: float) -> list[str]:
    """A small copy in true proportions."""
    scale = min(34 / view.width, view.high / view.height)
    lines = ["<g stroke='none'>"]
    for a in areas:
        lines.append(
            f"<rect x='{x + a.x1 * scale:.2f}' y='{view.top + (view.height - a.y2) * scale:.2f}' "
            f"fill='{shade[a.kind]}' width='{(a.x2 - a.x1) * scale:.2f}' height='{(a.y2 - a.y1) * scale:.2f}'/>"
        )
    frame = f"<rect x='{x:.1f}' y='{view.top:.1f}' width='{view.width * scale:.2f}' "
    return [*lines, "</g>", frame + f"height='{view.height * scale:.2f}' fill='none' stroke='#4a5560'/>"]
