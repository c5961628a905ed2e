"""``picoram sweep``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from picoram_layout.commands.spec import checked_spec
from picoram_layout.console import emit_json, note, table
from picoram_layout.errors import InputError
from picoram_layout.output import check_folder
from picoram_layout.progress import Counter
from picoram_layout.publish import MANIFEST, check_replaceable
from picoram_layout.spec.problem import shown


def run(
    path: Path,
    settings: list[str],
    checks: bool,
    output: Path | None,
    workers: int | None,
    dask: str | None,
    json: bool,
) -> int:
    """Build all combinations and show them side by side.

    0: every legal point was built and no check that ran found anything; 1 otherwise; 2: nothing to build.
    """
    from picoram_layout.sweep import make_points, parse_settings, run_points
    from picoram_layout.sweep.plot import can_plot
    from picoram_layout.sweep.results import PLOT, TABLE, write_results
    from picoram_layout.sweep.run import ILLEGAL

    if workers is not None and workers < 1:
        raise InputError(f"--workers: {workers}: at least 1")
    if workers is not None and dask is not None:
        raise InputError("--workers: the workers of --dask are those of its scheduler")
    values = parse_settings(settings)
    if not values:
        raise InputError("--set: at least one key=value,value,... is needed")
    spec = checked_spec(path, quiet=json)
    points = make_points(spec, values)
    out = Path("out") / f"{spec.name}_sweep" if output is None else output
    check_folder(out)
    if out.exists():
        check_replaceable(out, [TABLE, PLOT, MANIFEST])
    plot = can_plot()
    if not plot:
        note(f"no {PLOT}: matplotlib is not installed (pip install 'picoram-layout[sim]')")
    counter = Counter(sys.stderr)
    outcomes = run_points(
        points,
        checks=checks,
        workers=workers,
        dask=dask,
        told=lambda done, total: None if json else counter("sweep", done, total),
    )
    report = write_results(out, spec, values, outcomes, plot)
    if json:
        emit_json(report)
    else:
        _print(report["points"], list(values))
        print(f"results: {out / TABLE}")
    if all(outcome.status == ILLEGAL for outcome in outcomes):
        return 2
    return 0 if all(outcome.clean for outcome in outcomes if outcome.status != ILLEGAL) else 1


def _print(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> None:
    from picoram_layout.sweep.points import told
    from picoram_layout.sweep.results import block_kinds

    kinds = block_kinds(rows)
    built = [row for row in rows if row["status"] == "built"]
    heads = ["point", *(key.rpartition(".")[2] for key in keys), "bits", "um2", "Kb/mm2", "fF"]
    heads += [f"{kind} %" for kind in kinds] + ["DRC", "LVS", "s"]
    lines = [
        [
            row["point"],
            *(shown(row["settings"][key]) for key in keys),
            f"{row['bits']:,}",
            f"{row['area_um2']:,.0f}",
            f"{row['density_kb_per_mm2']:.1f}",
            f"{row['capacitor_fF']:.2f}" if "capacitor_fF" in row else "",
            *(f"{100 * row['area_share'].get(kind, 0.0):.1f}" for kind in kinds),
            _verdict(row["drc"]),
            _verdict(row["lvs"]),
            f"{row['timings_s']['total']:.1f}",
        ]
        for row in built
    ]
    if lines:
        table(heads, lines)
    for row in rows:
        if row["status"] != "built":
            print(f"point {row['point']} ({told(row['settings'])}): {row['status']}: {row['reason']}")


def _verdict(check: dict[str, Any]) -> str:
    """The status, with how much was found where something was."""
    found = next(count for name, count in check.items() if name != "status")
    return f"{found} {check['status']}" if found else str(check["status"])
