"""``picoram build``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from picoram_layout.commands.spec import checked_spec
from picoram_layout.console import emit_json
from picoram_layout.flow import build
from picoram_layout.progress import progress


def run(path: Path, output: Path | None, drc: bool, lvs: bool, json: bool) -> int:
    """Build the spec's macro into a folder and sum up what came out."""
    spec = checked_spec(path, quiet=json)
    out = Path("out") / spec.name if output is None else output
    result = build(spec, out, drc=drc, lvs=lvs, progress=progress(quiet=json))
    if json:
        emit_json(result.report)
    else:
        _print_summary(result.report, out)
    return result.exit_status


def _print_summary(report: dict[str, Any], out: Path) -> None:
    drc = report["drc"]
    found = drc["violations"]
    verdict = f"{found if isinstance(found, int) else len(found)} violations" if found else drc["status"]
    print(f"{report['name']}: {report['bits']:,} bits in {report['pdk']}, {report['area_um2']:,.0f} um2")
    print(f"  density  {report['density_kb_per_mm2']:.0f} Kb/mm2, {report['um2_per_bit']:.3f} um2/bit (core)")
    print(f"  DRC      {verdict}")
    for rule, count in drc.get("by_rule", {}).items():
        print(f"           {rule}: {count}")
    lvs = report["lvs"]
    told = f": {lvs['differences']} differences" if lvs["differences"] else ""
    print(f"  LVS      {lvs['status']}{told}")
    print(f"  results  {out / 'report.html'}")
