"""``picoram drc`` and ``picoram density``: checks of any layout file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import klayout.db as kdb

from picoram_layout.console import emit_json, note, table
from picoram_layout.errors import InputError
from picoram_layout.layout_file import read_layout, require_layers, top_cell
from picoram_layout.pdk import Pdk, load_pdk

if TYPE_CHECKING:
    from picoram_layout.drc import DrcResult

_MOST_SHOWN = 20


def drc(file: Path, top: str | None, pdk_name: str, output: Path | None, json: bool) -> int:
    """Check the rules of one file and print what was found."""
    from picoram_layout.drc import run_drc

    pdk = load_pdk(pdk_name)
    check_output(output)
    layout, cell = opened(file, top, pdk)
    result = run_drc(layout, cell, pdk)
    if output is not None:
        result.write_lyrdb(output)
    if json:
        emit_json(
            {"file": str(file), "top": cell, "pdk": pdk.name, "study": pdk.study, **drc_summary(result)}
        )
    else:
        print_drc(result, f"{file}: {cell}", pdk)
    return 1 if result.violations else 0


def check_output(output: Path | None) -> None:
    """`InputError` if a report cannot be written to this file."""
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise InputError(
            f"{output}: {'is a folder' if output.is_dir() else 'is in a folder that does not exist'}"
        )


def drc_summary(result: DrcResult) -> dict[str, Any]:
    """A DRC result as JSON has it."""
    return {
        "status": result.status,
        "violations": len(result.violations),
        "by_rule": result.by_rule,
        "markers": [asdict(violation) for violation in result.violations],
        "rules_checked": result.rules_checked,
        "rules_not_checked": result.rules_not_checked,
        "seconds": round(result.seconds, 3),
    }


def print_drc(result: DrcResult, what: str, pdk: Pdk) -> None:
    """A DRC result for people: the first markers, a count per rule, the verdict."""
    shown = result.violations[:_MOST_SHOWN]
    if shown:
        rows = [[v.rule, v.cell, " ".join(f"{corner:g}" for corner in v.box), v.text] for v in shown]
        table(["rule", "cell", "box in the cell, um", "what"], rows)
        if len(result.violations) > len(shown):
            print(f"... and {len(result.violations) - len(shown)} more")
        table(["rule", "violations"], list(result.by_rule.items()))
    study = f"; {pdk.note}" if pdk.study else ""
    verdict = f"{len(result.violations)} violations" if result.violations else "clean"
    checked, missing = len(result.rules_checked), len(result.rules_not_checked)
    print(
        f"{what}: {verdict} ({checked} rules of {pdk.name} checked, {missing} not, see picoram rules{study})"
    )


def density(files: list[Path], top: str | None, pdk_name: str, json: bool) -> int:
    """Measure each file and print its layers with their limits."""
    from picoram_layout.density import layer_density

    pdk = load_pdk(pdk_name)
    layouts = [(file, *opened(file, top, pdk)) for file in files]
    results: list[dict[str, Any]] = []
    worst = 0
    for file, layout, cell in layouts:
        layers = layer_density(layout, cell, pdk)
        over = [name for name, d in layers.items() if d.limit_max is not None and d.worst > d.limit_max]
        worst = max(worst, 1 if over else 0)
        results.append(
            {"file": str(file), "top": cell, "pdk": pdk.name, "over_limit": over, "layers": layers}
        )
    if json:
        for result in results:
            result["layers"] = {name: asdict(found) for name, found in result["layers"].items()}
        emit_json(results)
        return worst
    for result in results:
        rows = [
            [name, _percent(d.overall), _percent(d.worst), _percent(d.limit_min), _percent(d.limit_max)]
            for name, d in result["layers"].items()
        ]
        table(
            ["layer", "overall %", "worst window %", "at least", "at most"],
            rows,
            f"{result['file']}: {result['top']}",
        )
        print(f"above the limit: {', '.join(result['over_limit']) or 'none'}")
    return worst


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def opened(file: Path, top: str | None, pdk: Pdk) -> tuple[kdb.Layout, str]:
    """A layout file and the name of the cell to check."""
    layout = read_layout(file)
    cell = top_cell(layout, top, file)
    require_layers(layout, cell, pdk, file)
    if layout.dbu > pdk.grid + 1e-9:
        note(f"{file}: the database unit ({layout.dbu:g} um) is coarser than the grid of {pdk.name}")
    return layout, cell
