"""Pictures of several cells of a layout file, drawn in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class View:
    """A picture: its cell, its file and (x1, y1, x2, y2 in um) the part of the cell that it shows."""

    cell: str
    path: Path
    box: tuple[float, float, float, float] | None = None


def render_file(file: Path, pdk: str, views: Sequence[View]) -> None:
    """Draw the views of a GDS or OASIS file in the colours of the PDK."""
    import klayout.db as kdb

    from picoram_layout.pdk import load_pdk
    from picoram_layout.report.pictures import render

    layout = kdb.Layout()
    layout.read(str(file))
    for view in views:
        render(layout, view.cell, load_pdk(pdk), view.path, box=view.box)
