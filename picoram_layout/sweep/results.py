"""What a sweep found: rows of figures, and the files that hold them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from picoram_layout import __version__
from picoram_layout.publish import MANIFEST, sha256, staging
from picoram_layout.spec import Spec
from picoram_layout.sweep.points import Point
from picoram_layout.sweep.run import Outcome

TABLE, PLOT, SPECS = "sweep.csv", "sweep.svg", "specs"
# Figures of a build's report, as they stand in it.
_FIGURES = (
    "bits",
    "width_um",
    "height_um",
    "area_um2",
    "density_kb_per_mm2",
    "um2_per_bit",
    "cluster_height_um",
)


def spec_file(point: Point) -> str:
    """Where a point's spec is, in the folder of the results."""
    return f"{SPECS}/{point.name}.yaml"


def row(outcome: Outcome) -> dict[str, Any]:
    """A point as JSON has it: settings, status, figures, area shares, verdicts, seconds of each step."""
    point, report = outcome.point, outcome.report
    found: dict[str, Any] = {
        "point": point.index,
        "name": point.name,
        "settings": point.settings,
        "status": outcome.status,
        "reason": outcome.reason,
        "spec": spec_file(point),
    }
    if report is None:
        return found
    found |= {key: report[key] for key in _FIGURES if key in report}
    capacitor = report.get("capacitor_fF")
    if capacitor is not None:
        found["capacitor_fF"] = capacitor["value"]
    found["area_share"] = {block["kind"]: round(block["share"], 6) for block in report["blocks"]}
    for check, count in (("drc", "violations"), ("lvs", "differences")):
        found[check] = {"status": report[check]["status"], count: report[check][count]}
    found["timings_s"] = report["timings_s"]
    found["sha256"] = {n: d for n, d in report["sha256"].items() if n == f"{point.name}.gds"}
    found["versions"] = report["versions"]
    return found


def block_kinds(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Kinds of blocks in the rows, the one that is largest somewhere first."""
    most: dict[str, float] = {}
    for one in rows:
        for kind, share in one.get("area_share", {}).items():
            most[kind] = max(share, most.get(kind, 0.0))
    return sorted(most, key=lambda kind: (-most[kind], kind))


def flat_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with plain values only, all with the same columns: what the CSV file holds."""
    kinds = block_kinds(rows)
    steps = list(dict.fromkeys(step for one in rows for step in one.get("timings_s", {})))
    found = []
    for one in rows:
        plain = {"point": one["point"], "name": one["name"], "status": one["status"]}
        plain |= one["settings"]
        plain |= {key: one.get(key) for key in (*_FIGURES, "capacitor_fF")}
        plain |= {f"share_{kind}": one.get("area_share", {}).get(kind) for kind in kinds}
        plain |= {check: one.get(check, {}).get("status") for check in ("drc", "lvs")}
        plain |= {f"s_{step.replace(' ', '_')}": one.get("timings_s", {}).get(step) for step in steps}
        found.append(plain | {"reason": one["reason"]})
    return found


def write_results(
    out: Path, spec: Spec, settings: dict[str, list[Any]], outcomes: Sequence[Outcome], plot: bool
) -> dict[str, Any]:
    """Write table, plot, specs and the returned ``report.json`` to ``out``: all of them or nothing.

    `InputError` if a file there is not of a former sweep.
    """
    with staging(out, [TABLE, PLOT, MANIFEST]) as stage:
        rows = [row(outcome) for outcome in outcomes]
        plain = flat_rows(rows)
        with (stage.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(plain[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(plain)
        (stage.folder / SPECS).mkdir()
        for outcome in outcomes:
            text = yaml.safe_dump(outcome.point.data, sort_keys=False)
            (stage.folder / spec_file(outcome.point)).write_text(text, encoding="utf-8")
        if plot and any(outcome.report for outcome in outcomes):
            from picoram_layout.sweep.plot import draw_plot

            draw_plot(stage.folder / PLOT, f"{spec.name}: {len(rows)} points", settings, rows)
        report = {
            "name": spec.name,
            "settings": settings,
            "points": rows,
            "versions": {"picoram_layout": __version__},
            "sha256": {name: sha256(stage.folder / name) for name in stage.files()},
        }
        text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
        (stage.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        stage.publish()
    return report
