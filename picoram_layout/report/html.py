"""``report.html``: one file that needs nothing else, made from ``report.json`` and the pictures."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from picoram_layout.drc.run import describe
from picoram_layout.pdk import Pdk, load_pdk


def write_html(path: Path, report: Mapping[str, Any], pictures: Mapping[str, Path]) -> None:
    """Write the report; ``pictures`` (SVG or PNG files by name) are put into the file itself."""
    loader = jinja2.PackageLoader("picoram_layout.report", "")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pdk = load_pdk(report["pdk"])
    page = environment.get_template("report.html.j2").render(
        report=report,
        drc=report["drc"],
        rules=_rules(pdk, report["drc"]),
        svg={
            name: Markup(file.read_text(encoding="utf-8")) for name, file in pictures.items() if _is_svg(file)
        },
        png=[_Photo(name, file) for name, file in pictures.items() if not _is_svg(file)],
    )
    path.write_text(page, encoding="utf-8")


def _is_svg(path: Path) -> bool:
    return path.suffix == ".svg"


def _inline(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))


class _Photo:
    """A PNG for the gallery: caption, content as a data URI, and whether it wants the page's whole width."""

    def __init__(self, name: str, path: Path):
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])  # the IHDR chunk is always the first
        self.caption = name.replace("_", " ")
        self.uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        self.wide = width > 1.5 * height


def _rules(pdk: Pdk, drc: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per rule: id, the rule in words, and how it came out (None if it was not checked)."""
    words: dict[str, list[str]] = {}
    for rule in pdk.rules:
        words.setdefault(rule.id, []).append(describe(rule).removeprefix(f"{rule.id}: "))
    checked = set(drc["rules_checked"])
    return [
        {
            "id": rule,
            "text": "; ".join(texts),
            "count": drc["by_rule"].get(rule, 0) if rule in checked else None,
        }
        for rule, texts in words.items()
    ]
