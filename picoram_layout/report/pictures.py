"""Pictures of cells: KLayout's renderer without a display, with the PDK's layer colours."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import klayout.db as kdb
import klayout.lay as lay

from picoram_layout.pdk import Pdk
from picoram_layout.report.technology import patterns, styles

# Each pixel is the mean of this many squared: thin hatching stays readable and edges are smooth.
_OVERSAMPLING = 2
_BUILT_IN_STIPPLES = 128


def render(
    layout: kdb.Layout,
    cell: str,
    pdk: Pdk,
    path: Path,
    *,
    box: tuple[float, float, float, float] | None = None,
    width: int = 1400,
    layers: Collection[str] | None = None,
    labels: bool = True,
) -> None:
    """Draw a cell with everything below it into a PNG file.

    ``box`` (x1, y1, x2, y2 in um, default the whole cell) is shown whole with a margin; ``width`` is
    in pixels and the height follows from the box, at most 1.25 times the width. ``layers`` keeps only
    these drawn layers (with their labels); by default all that the colour table shows.
    """
    target = kdb.DBox(*box) if box is not None else layout.cell(cell).dbbox()
    if target.empty():
        raise ValueError(f"cell {cell} is empty: there is nothing to draw")
    margin = 0.03 * max(target.width(), target.height())
    target = target.enlarged(margin, margin)
    height = min(round(width * target.height() / target.width()), round(1.25 * width))
    width = min(width, round(height * target.width() / target.height()))
    view = lay.LayoutView()
    for key, value in _settings(target).items():
        view.set_config(key, value)
    view.show_layout(_copy(layout, cell), False)
    view.active_cellview().cell_name = cell
    view.max_hier()
    _show(view, pdk, layers, labels)
    view.timer()
    pixels = view.get_pixels_with_options(width, height, 0, _OVERSAMPLING, 0, target)
    path.write_bytes(pixels.to_png_data())


def _copy(layout: kdb.Layout, cell: str) -> kdb.Layout:
    """The cell and all below it in a layout of its own: a view destroys what it has shown."""
    copy = kdb.Layout()
    copy.dbu = layout.dbu
    copy.create_cell(cell).copy_tree(layout.cell(cell))
    return copy


def _settings(target: kdb.DBox) -> dict[str, str]:
    """View options that differ from KLayout's own, whatever the user has set there."""
    return {
        "background-color": "#ffffff",
        "grid-visible": "false",
        "text-visible": "true",
        "text-font": "0",
        "text-color": "#000000",
        "apply-text-trans": "false",
        "default-text-size": f"{min(target.width(), target.height()) / 50:.6f}",
        "inst-visible": "false",
        "drop-small-cells": "false",
        "drawing-workers": "0",
        "no-stipple": "false",
    }


def _show(view: lay.LayoutView, pdk: Pdk, layers: Collection[str] | None, labels: bool) -> None:
    """Replace the view's layer list by the PDK's."""
    view.clear_layers()
    custom = {f"C{i}": view.add_stipple(name, rows) for i, (name, rows) in enumerate(patterns(pdk).items())}
    for style in styles(pdk):
        base, _, kind = style.name.partition(".")
        if (base not in layers) if layers is not None else not style.visible:
            continue
        if kind == "pin" or (kind == "label" and not labels):
            continue
        node = lay.LayerProperties()
        node.source = f"{style.source[0]}/{style.source[1]}@1"
        node.frame_color = int(style.frame[1:], 16)
        node.fill_color = int(style.fill[1:], 16)
        node.dither_pattern = custom[style.pattern] if style.pattern[0] == "C" else int(style.pattern[1:])
        node.width = style.line
        node.visible = True
        view.insert_layer(view.end_layers(), node)
