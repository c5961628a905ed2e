"""The documentation site: built strictly, all pages there, nothing loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from picoram_layout.cells import CATALOGUE

ROOT = Path(__file__).parent.parent


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r"\b\w+\.md\b", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2])
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= set(named)


def test_the_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | {"SITE": str(site), "BIN": bin_folder}
    run = subprocess.run(
        [ROOT / "tools" / "site", "latch"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    pages = {str(path.relative_to(site)) for path in site.rglob("index.html")}
    made = {f"{page.stem}/index.html" for page in (ROOT / "docs").glob("*.md")}
    made |= {f"cells/{name}/index.html" for name in CATALOGUE}
    assert {"index.html", "gallery/index.html", "reference/index.html", *made} <= pages
    assert (site / "cells" / "latch.png").stat().st_size > 1000
    assert "draw_cell" in (site / "reference" / "index.html").read_text()
    assert 'href="../contributing/#add-a-cell"' in (site / "add_a_cell" / "index.html").read_text()
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]*\ssrc=[\"']?(?:https?:)?//|<link[^>]*href=[\"']?(?:https?:)?//"
    )
    for path in site.rglob("*.html"):
        for tag in loaded.finditer(path.read_text()):
            assert 'rel="canonical"' in tag.group(), f"{path}: {tag.group()}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text()), style
