"""MkDocs hook: the pages that are made when the site is built (overview, contributing, gallery, reference).

PICORAM_SITE_PICTURES says which cells are drawn: ``all``, ``none``, or names separated by commas.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from picoram_layout.cells import CATALOGUE, CellEntry

ROOT = Path(__file__).parent.parent
PDK = "sky130"
_MODULES = (
    *("api", "spec", "plan", "layout", "logic.gates", "macro.assembly", "macro.drawing", "macro.supply"),
    *("periphery.row_driver", "periphery.row_foot", "periphery.column_side", "periphery.adc_slice"),
    *("periphery.base", "drc.run", "lvs.compare", "wires.extract", "simulation.source"),
    *("simulation.simulate", "views.pins", "views.sequence", "views.write", "sweep", "flow"),
)
_pictures = tempfile.TemporaryDirectory(prefix="picoram-site-")  # gone when the program ends


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages and pictures to those of ``docs``."""
    chosen = _chosen(os.environ.get("PICORAM_SITE_PICTURES", "all"))
    folder = Path(_pictures.name)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sizes = dict(zip(chosen, pool.map(lambda name: _apart(name, folder), chosen), strict=True))
    pages = {
        "index.md": (ROOT / "README.md").read_text(encoding="utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "gallery.md": _gallery(sizes),
        "reference.md": "# Reference\n\n" + "\n".join(f"::: picoram_layout.{name}\n" for name in _MODULES),
    }
    pages |= {f"cells/{name}.md": _page(entry, sizes.get(name)) for name, entry in CATALOGUE.items()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for name in chosen:
        picture = File.generated(config, f"cells/{name}.png", abs_src_path=str(folder / f"{name}.png"))
        files.append(picture)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page's links between the checkout's root and ``docs``: in the site both are in one folder."""
    del page, config, files
    text = markdown.replace("](docs/", "](")
    text = re.sub(r"\]\((?:\.\./)?CONTRIBUTING\.md", "](contributing.md", text)
    return re.sub(r"\]\((?:\.\./)?README\.md", "](index.md", text)


def _apart(name: str, folder: Path) -> tuple[float, float]:
    """Draw a cell in a process of its own: width and height (um)."""
    command = [sys.executable, __file__, name, str(folder / f"{name}.png")]
    width, height = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return float(width), float(height)


def _draw(name: str, path: str) -> None:
    """Write the picture of a cell, print its size."""
    from picoram_layout import api

    cell = api.draw_cell(name, PDK)
    cell.picture(path)
    print(cell.block.width, cell.block.height)


def _chosen(text: str) -> list[str]:
    if text in ("all", "none"):
        return list(CATALOGUE) if text == "all" else []
    names = text.split(",")
    if unknown := [name for name in names if name not in CATALOGUE]:
        raise SystemExit(f"PICORAM_SITE_PICTURES: no such cell: {', '.join(unknown)}")
    return names


def _gallery(sizes: dict[str, Any]) -> str:
    lines = [
        "# Gallery of cells",
        "",
        f"Cells of the catalogue in {PDK}, drawn for this page with their defaults.",
    ]
    for name, entry in CATALOGUE.items():
        lines += ["", f"## [{name}](cells/{name}.md)", "", f"{entry.summary}{_size(sizes.get(name))}"]
        if name in sizes:
            lines += ["", f"![{name}](cells/{name}.png)"]
    return "\n".join(lines) + "\n"


def _page(entry: CellEntry, size: tuple[float, float] | None) -> str:
    lines = [f"# {entry.name}", "", f"{entry.summary}{_size(size)}", ""]
    lines += ["```sh", f"picoram cell {entry.name} --pdk {PDK}", "```", ""]
    lines += ["draws it, checks the rules and compares it with its netlist.", ""]
    if entry.parameters:
        lines += ["| parameter | default | unit | |", "|---|---|---|---|"]
        for key, p in entry.parameters.items():
            choices = f" ({', '.join(map(str, p.choices))})" if p.choices else ""
            lines.append(f"| `{key}` | {p.default} | {p.unit} | {p.help}{choices} |")
    if size:
        lines += ["", f"![{entry.name}]({entry.name}.png)"]
    return "\n".join(lines) + "\n"


def _size(size: tuple[float, float] | None) -> str:
    return f"; {size[0]:.2f} x {size[1]:.2f} um" if size else ""


if __name__ == "__main__":
    _draw(*sys.argv[1:])
