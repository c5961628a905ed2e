"""``report.html``: one file that needs nothing else, made from ``report.json`` and the pictures."""

from __future__ import annotations

import base64
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from picoram_layout.drc.run import describe
from picoram_layout.pdk import Pdk, Rule, load_pdk
from picoram_layout.report.simulation import figures, read_simulation
from picoram_layout.report.simulation import pictures as simulation_pictures


def write_html(path: Path, report: Mapping[str, Any], pictures: Mapping[str, Path], out: Path) -> None:
    """Write the report; ``pictures`` (SVG or PNG files by name) are put into the file itself.

    So are the simulations of the same spec that the result folder ``out`` has.
    """
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
        lvs=report["lvs"],
        rules=(rules := _rules(pdk, report["drc"])),
        kinds=_kinds(rules),
        source=_usual_source(rules),
        svg={
            name: Markup(file.read_text(encoding="utf-8")) for name, file in pictures.items() if _is_svg(file)
        },
        png=[_Photo(name, file) for name, file in pictures.items() if not _is_svg(file)],
        simulation=(simulation := read_simulation(out, report["spec"])),
        simulated=figures(simulation) if simulation else [],
        plots=[_Photo(name, file) for name, file in simulation_pictures(out).items()] if simulation else [],
    )
    path.write_text(page, encoding="utf-8")


def _usual_source(rules: Mapping[str, dict[str, Any]]) -> str:
    """The source that most rules have, named once."""
    count = Counter(source for rule in rules.values() for source in rule["sources"])
    return count.most_common(1)[0][0] if count else ""


def _kinds(rules: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
    """By kind of rule: how many rules were checked, how many were not, violations of all."""
    kinds: dict[str, dict[str, int]] = {}
    for rule in rules.values():
        row = kinds.setdefault(rule["kind"], {"checked": 0, "left": 0, "violations": 0})
        row["left" if rule["count"] is None else "checked"] += 1
        row["violations"] += rule["count"] or 0
    return kinds


def _is_svg(path: Path) -> bool:
    return path.suffix == ".svg"


class _Photo:
    """A PNG for the gallery: caption, content as a data URI, and whether it wants the page's whole width."""

    def __init__(self, name: str, path: Path):
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])  # the IHDR chunk is always the first
        self.caption = name.replace("_", " ")
        self.uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        self.wide = width > 0.9 * height


def _rules(pdk: Pdk, drc: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By rule id: the rule in words, its sources, and how it came out (None if it was not checked)."""
    rows: dict[str, list[Rule]] = {}
    for rule in pdk.rules:
        rows.setdefault(rule.id, []).append(rule)
    checked = set(drc["rules_checked"])
    return {
        name: {
            "kind": found[0].kind,
            "text": "; ".join(describe(replace(r, source="")).removeprefix(f"{name}: ") for r in found),
            "sources": list(dict.fromkeys(r.source for r in found if r.source)),
            "count": drc["by_rule"].get(name, 0) if name in checked else None,
        }
        for name, found in rows.items()
    }
