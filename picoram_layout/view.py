"""Showing a layout: in the KLayout application if there is one, else as a picture."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, load_pdk, pdk_names
from picoram_layout.report.technology import layer_properties, technology

_RESULTS = Path("out")
_SUFFIXES = (".gds", ".oas", ".gds2", ".gdsii", ".gz")
_HOME = "https://www.klayout.de/build.html"


def view(target: str) -> int:
    """Open a result by name (``out/NAME``), a result folder or a layout file; the exit status.

    Without the application or without a display: print the command that opens it elsewhere, and write
    a picture of it. `InputError` if there is no such result or file.
    """
    layout = find_layout(target)
    pdk = _pdk_of(layout)
    command = klayout_command(layout, pdk)
    missing = _missing()
    if missing is None:
        print(f"opening {layout} in KLayout")
        nothing = subprocess.DEVNULL
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        return 0
    print(f"{missing}; where there is both, open the layout with")
    print(f"  {shlex.join(command)}")
    print(f"picture of it: {_picture(layout, pdk)}")
    pictures = layout.parent / "pictures"
    if (layout.parent / "report.json").is_file() and pictures.is_dir():
        print(f"pictures of its cells: {pictures}; report: {layout.parent / 'report.html'}")
    return 0


def find_layout(target: str) -> Path:
    """The layout file that ``target`` means."""
    path = Path(target)
    if path.is_file():
        if path.suffix.lower() not in _SUFFIXES:
            raise InputError(f"{path}: is not a layout file ({', '.join(_SUFFIXES)})")
        return path
    folder = path if path.is_dir() else _RESULTS / target
    found = folder / f"{folder.name}.gds"
    if found.is_file():
        return found
    known = sorted(p.parent.name for p in _RESULTS.glob("*/*.gds") if p.stem == p.parent.name)
    hint = f"built so far: {', '.join(known)}" if known else "nothing has been built in ./out yet"
    raise InputError(f"{target}: no such file or result ({found} does not exist); {hint}")


def klayout_command(layout: Path, pdk: Pdk) -> list[str]:
    """How to start KLayout with the layer colours, the technology, and the DRC and LVS reports there are."""
    reports = [
        part
        for option, suffix in (("-m", ".lyrdb"), ("-mn", ".lvsdb"))
        if (file := layout.with_suffix(suffix)).is_file()
        for part in (option, str(file))
    ]
    style = ["-nn", str(technology(pdk)), "-l", str(layer_properties(pdk))]
    return ["klayout", *style, str(layout), *reports]


def _missing() -> str | None:
    """What keeps KLayout from being started here, in words."""
    if shutil.which("klayout") is None:
        return f"the KLayout application is not on the PATH (get it from {_HOME})"
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not screen:
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    return None


def _pdk_of(layout: Path) -> Pdk:
    """The PDK that the report beside the layout names; the first one for a layout from elsewhere."""
    try:
        name = json.loads((layout.parent / "report.json").read_text(encoding="utf-8"))["pdk"]
    except (OSError, ValueError, KeyError, TypeError):
        name = None
    names = pdk_names()
    return load_pdk(name if name in names else "sky130" if "sky130" in names else names[0])


def _picture(layout: Path, pdk: Pdk) -> Path:
    """Draw the largest top cell, beside the file or, where that cannot be written, here."""
    from picoram_layout.layout_file import read_layout
    from picoram_layout.report.pictures import render

    drawn = read_layout(layout)
    top = max(drawn.top_cells(), key=lambda cell: cell.bbox().area())
    folder = layout.parent if os.access(layout.parent, os.W_OK) else Path.cwd()
    path = folder / f"{layout.stem}.view.png"
    try:
        render(drawn, top.name, pdk, path, width=2000)
    except ValueError as error:
        raise InputError(f"{layout}: {error}") from None
    return path
