"""Pictures of cells: KLayout's renderer without a display, in the PDK's layer colours.

Net names, a legend of the layers in sight and a scale bar are put on top with Pillow.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import klayout.db as kdb
from klayout import lay
from PIL import Image, ImageDraw, ImageFont

from picoram_layout.pdk import Pdk
from picoram_layout.publish import replacing
from picoram_layout.report.scale import round_below
from picoram_layout.report.technology import Style, patterns, styles

Box = tuple[float, float, float, float]

# Each pixel is the mean of this many squared: hatching stays readable and edges are smooth.
_OVERSAMPLING = 2
_MARGIN = 0.03
_TALLEST = 1.25
_NAMED = 0.25  # of the picture's width: from there on a block's nets are named
_INK, _PAPER, _VEIL = "#1a1a1a", "#ffffff", (255, 255, 255, 205)


@dataclass(frozen=True)
class _Frame:
    """Which part of the plane (um) the picture shows, and its size in pixels."""

    area: kdb.DBox
    width: int
    height: int

    @classmethod
    def around(cls, area: kdb.DBox, width: int) -> _Frame:
        """The area with a margin, as wide as asked unless it is a tall one."""
        margin = _MARGIN * max(area.width(), area.height())
        area = area.enlarged(margin, margin)
        scale = min(width / area.width(), _TALLEST * width / area.height())
        return cls(area, round(scale * area.width()), round(scale * area.height()))

    @property
    def scale(self) -> float:
        """Pixels per um."""
        return min(self.width / self.area.width(), self.height / self.area.height())

    def pixel(self, point: kdb.DPoint) -> tuple[float, float]:
        """Where a point of the plane is in the picture."""
        away = point - self.area.center()
        return self.width / 2 + away.x * self.scale, self.height / 2 - away.y * self.scale


def render(
    layout: kdb.Layout,
    cell: str,
    pdk: Pdk,
    path: Path,
    *,
    box: Box | None = None,
    width: int = 1400,
    layers: Collection[str] | None = None,
    labels: bool = True,
) -> None:
    """Draw a cell with everything below it into a PNG file.

    ``box`` (x1, y1, x2, y2 in um, default the whole cell) is shown with a margin. ``width`` is in
    pixels; the height follows from the box, and a tall picture becomes narrower instead of higher.
    ``layers`` keeps only these drawn layers; by default all that the colour table does not hide.
    `ValueError` if there is nothing to draw or a layer is unknown, `InputError` if it cannot be written.
    """
    area = kdb.DBox(*box) if box is not None else layout.cell(cell).dbbox()
    if area.empty() or not area.width() or not area.height():
        raise ValueError(f"cell {cell}: there is nothing to draw")
    known = styles(pdk)
    if unknown := sorted(set(layers or ()) - {s.name for s in known}):
        raise ValueError(f"pdk {pdk.name} has no layer {', '.join(unknown)}")
    chosen = [s for s in known if (s.layer in layers if layers is not None else s.visible)]
    frame = _Frame.around(area, width)
    image = _shapes(_copy(layout, cell), cell, pdk, [s for s in chosen if not s.kind], frame)
    in_sight = [s for s in chosen if _any(layout, cell, s, area)]
    if labels:
        _names(image, layout, cell, [s for s in in_sight if s.kind == "label"], frame)
    size = "" if box is not None else f"   {_size(layout, cell, pdk, area)}"
    image = _captioned(image, f"{cell}{size}", [s for s in in_sight if not s.kind], frame.scale)
    with replacing(path) as part:
        image.save(part, "PNG")


def _size(layout: kdb.Layout, cell: str, pdk: Pdk, area: kdb.DBox) -> str:
    """The cell's size: that of its boundary if it has one (shared contacts reach beyond), else of all."""
    boundary = layout.find_layer(*pdk.marks["boundary"])
    own = kdb.DBox() if boundary is None else layout.cell(cell).dbbox(boundary)
    area = area if own.empty() else own
    return f"{area.width():.5g} x {area.height():.5g} um"


def _copy(layout: kdb.Layout, cell: str) -> kdb.Layout:
    """The cell and all below it in a layout of its own: a view destroys what it has shown."""
    copy = kdb.Layout()
    copy.dbu = layout.dbu
    copy.create_cell(cell).copy_tree(layout.cell(cell))
    return copy


def _shapes(layout: kdb.Layout, cell: str, pdk: Pdk, chosen: list[Style], frame: _Frame) -> Image.Image:
    """The geometry alone."""
    view = lay.LayoutView()
    for key, value in {
        "background-color": _PAPER,
        "grid-visible": "false",
        "text-visible": "false",
        "drop-small-cells": "false",
        "drawing-workers": "0",
    }.items():
        view.set_config(key, value)
    view.show_layout(layout, False)
    view.active_cellview().cell_name = cell
    view.max_hier()
    view.clear_layers()
    stipples = [view.add_stipple(name, rows) for name, rows in patterns(pdk).items()]
    for style in chosen:
        node = lay.LayerProperties()
        node.source = f"{style.source[0]}/{style.source[1]}@1"
        node.frame_color, node.fill_color = (int(c[1:], 16) for c in (style.frame, style.fill))
        number = int(style.pattern[1:])
        node.dither_pattern = stipples[number] if style.pattern[0] == "C" else number
        node.width = style.line
        view.insert_layer(view.end_layers(), node)
    view.timer()
    pixels = view.get_pixels_with_options(frame.width, frame.height, 0, _OVERSAMPLING, 0, frame.area)
    return Image.open(io.BytesIO(pixels.to_png_data())).convert("RGB")


def _any(layout: kdb.Layout, cell: str, style: Style, area: kdb.DBox) -> bool:
    """Whether the layer has a shape within the area."""
    index = layout.find_layer(*style.source)
    return index is not None and not layout.cell(cell).begin_shapes_rec_touching(index, area).at_end()


def _names(image: Image.Image, layout: kdb.Layout, cell: str, chosen: list[Style], frame: _Frame) -> None:
    """Write net names where their labels are, but for those in blocks that are small in the picture.

    One that would cover another is left out.
    """
    font = _font(max(12, frame.width // 85, frame.height // 85))
    pen = ImageDraw.Draw(image, "RGBA")
    taken: list[Box] = []
    for style in chosen:
        found = layout.cell(cell).begin_shapes_rec_touching(layout.find_layer(*style.source), frame.area)
        found.shape_flags = kdb.Shapes.STexts
        texts = [
            t.shape().text.transformed(t.trans()).to_dtype(layout.dbu)
            for t in found
            if t.cell().dbbox().transformed(t.dtrans()).width() >= _NAMED * frame.area.width()
        ]
        for text in sorted(texts, key=lambda t: (-t.y, t.x, t.string)):
            x, y = frame.pixel(kdb.DPoint(text.x, text.y))
            ground = pen.textbbox((x, y), text.string, font, anchor="mm")
            ground = (ground[0] - 3, ground[1] - 2, ground[2] + 3, ground[3] + 2)
            if any(_meet(ground, other) for other in taken):
                continue
            taken.append(ground)
            pen.rounded_rectangle(ground, 3, fill=_VEIL)
            pen.text((x, y), text.string, style.frame, font, anchor="mm")


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _captioned(image: Image.Image, title: str, chosen: list[Style], scale: float) -> Image.Image:
    """The picture over a strip with its title, a legend and a scale bar (``scale`` in pixels per um)."""
    size = max(15, max(image.size) // 75)
    font, line, gap = _font(size), size + 9, 14
    pen = ImageDraw.Draw(image)
    length = round_below(image.width / 5 / scale)
    unit = f"{length:g} um" if length >= 1 else f"{length * 1000:g} nm"
    entries: list[tuple[Style | None, str]] = [(None, title), *((s, s.name) for s in chosen)]
    places, x, y = [], gap, gap // 2
    bar = max(length * scale, pen.textlength(unit, font))
    wide = max(image.width, math.ceil(pen.textlength(title, font) + bar + 4 * gap))
    room = wide - 2 * gap - bar
    for style, text in entries:
        step = pen.textlength(text, font) + (gap if style is None else size + 5 + gap)
        if x > gap and x + step > room:
            x, y = gap, y + line
        places.append((x, y, style, text))
        x += round(step)
    strip = Image.new("RGB", (wide, max(y + line, 2 * line) + gap // 2), _PAPER)
    pen = ImageDraw.Draw(strip)
    pen.line((0, 0, strip.width, 0), "#cccccc")
    for x, y, style, text in places:
        if style is not None:
            pen.rectangle((x, y + 5, x + size - 1, y + 4 + size), style.swatch, style.frame)
            x += size + 5
        pen.text((x, y + line / 2), text, _INK, font, anchor="lm")
    left, right = strip.width - gap - length * scale, strip.width - gap
    pen.text(((left + right) / 2, gap // 2 + line // 2), unit, _INK, font, anchor="mm")
    low = gap // 2 + 3 * line // 2 - 4
    pen.line((left, low, right, low), _INK, 3)
    for end in (left, right):
        pen.line((end, low - 5, end, low + 5), _INK, 2)
    whole = Image.new("RGB", (wide, image.height + strip.height), _PAPER)
    whole.paste(image, ((wide - image.width) // 2, 0))
    whole.paste(strip, (0, image.height))
    return whole


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, the same on every machine."""
    return ImageFont.load_default(size)
