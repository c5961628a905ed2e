"""Writing layouts as GDSII or OASIS."""

from __future__ import annotations

from pathlib import Path

import klayout.db as kdb

from picoram_layout.publish import save


def write_layout(layout: kdb.Layout, top: str, path: Path) -> None:
    """Write ``top`` and all below it in the format of the file's suffix (.gds, .oas).

    The same layout gives the same bytes: no time stamps, no KLayout context. `InputError`
    if the file cannot be written.
    """
    options = kdb.SaveLayoutOptions()
    options.set_format_from_filename(str(path))
    options.gds2_write_timestamps = False
    options.gds2_libname = top
    options.write_context_info = False
    options.select_cell(layout.cell(top).cell_index())
    save(path, lambda part: layout.write(part, options))
