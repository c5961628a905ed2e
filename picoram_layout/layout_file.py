"""Layout files: reading any GDS or OASIS file with a clear message for each way to be unusable."""

from __future__ import annotations

import difflib
import gzip
import os
import zlib
from pathlib import Path

import klayout.db as kdb

from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk

# First bytes of a file: the HEADER record of GDS (6 bytes long, type 0, 2-byte integers), OASIS's magic text.
_GDS, _OASIS = b"\x00\x06\x00\x02", b"%SEMI-OASIS\r\n"
# The last record of an OASIS file has this id and length (KLayout's reader does not insist on all of it).
_OASIS_END, _END = b"\x02", 256
_GZIP = b"\x1f\x8b"
_MOST_LISTED = 12


def read_layout(path: Path) -> kdb.Layout:
    """Read a GDS or OASIS file (gzip allowed); `InputError` in one line if it is not a whole one."""
    try:
        start, tail = _ends(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, not a layout file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: is damaged or cut off: {error}") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{path}: cannot be read: {reason}") from None
    if not start:
        raise InputError(f"{path}: is empty")
    if not start.startswith((_GDS, _OASIS)):
        raise InputError(f"{path}: is not a GDS or OASIS file")
    if start.startswith(_OASIS) and tail[:1] != _OASIS_END:
        raise InputError(f"{path}: is damaged or cut off: the OASIS END record is not at its end")
    layout = kdb.Layout()
    try:
        layout.read(str(path))
    except RuntimeError as error:
        text = " ".join(str(error).split()).removesuffix(" in Layout.read").removesuffix(f", in file: {path}")
        raise InputError(f"{path}: is damaged or cut off: {text}") from None
    if layout.cells() == 0:
        raise InputError(f"{path}: holds no cells")
    return layout


def top_cell(layout: kdb.Layout, wanted: str | None, path: Path) -> str:
    """Name of the cell to work on: the wanted one, else the only top cell."""
    if wanted is not None:
        if layout.has_cell(wanted):
            return wanted
        names = [cell.name for cell in layout.each_cell()]
        close = difflib.get_close_matches(wanted, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"top cells: {_listed(_tops(layout))}"
        raise InputError(f"{path}: --top: {wanted}: no such cell; {hint}")
    tops = _tops(layout)
    if len(tops) > 1:
        raise InputError(f"{path}: has {len(tops)} top cells; choose one with --top: {_listed(tops)}")
    return tops[0]


def require_layers(layout: kdb.Layout, top: str, pdk: Pdk, path: Path) -> None:
    """Refuse a cell without any shape on a layer of the PDK: "clean" would say nothing about it."""
    cell = layout.cell(top)
    for numbers in pdk.drawn.values():
        index = layout.find_layer(*numbers)
        if index is not None and not cell.bbox(index).empty():
            return
    raise InputError(f"{path}: {top} has no shape on any layer of {pdk.name}: is --pdk right?")


def _ends(path: Path) -> tuple[bytes, bytes]:
    """First bytes and last `_END` bytes of a file's content; a damaged gzip stream is an error."""
    with path.open("rb") as file:
        start = file.read(len(_OASIS))
        if not start.startswith(_GZIP):
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END))
            return start, file.read()
    with gzip.open(path) as content:
        start = tail = content.read(len(_OASIS))
        while chunk := content.read(1 << 20):
            tail = (tail + chunk)[-_END:]
    return start, tail


def _tops(layout: kdb.Layout) -> list[str]:
    return sorted(cell.name for cell in layout.top_cells())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more
