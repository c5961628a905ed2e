"""The picture of a sweep: density over the first key that is a number, area shares of all points."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from picoram_layout.sweep.points import told
from picoram_layout.sweep.results import block_kinds

_DENSITY = "density_kb_per_mm2"
_MARKS = "os^vD<>p*h"


def can_plot() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_plot(
    path: Path, title: str, settings: Mapping[str, Sequence[Any]], rows: Sequence[dict[str, Any]]
) -> None:
    """Write the picture (SVG) of all points that were built."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    built = [row for row in rows if _DENSITY in row]
    height = 1.6 + max(3.0, 0.26 * len(built))
    # No date and no random ids: the same results give the same file.
    with matplotlib.rc_context({"svg.hashsalt": "sweep", "svg.fonttype": "none", "font.size": 9}):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, height), layout="constrained")
        try:
            figure.suptitle(title)
            _densities(left, settings, built)
            _shares(right, built)
            handles, labels = right.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower right", ncols=6, fontsize="small")
            figure.savefig(path, metadata={"Date": None, "Creator": None})
        finally:
            pyplot.close(figure)


def _densities(axes: Any, settings: Mapping[str, Sequence[Any]], rows: Sequence[dict[str, Any]]) -> None:
    """Lines over the first key whose values are all numbers, one for each combination of the others."""
    axes.set_title("Density (Kb/mm2, 1 Kb = 1024 bit)", loc="left")
    numeric = (k for k, vs in settings.items() if len(vs) > 1 and all(type(v) in (int, float) for v in vs))
    key = next(numeric, None)
    if key is None:
        _bars(axes, rows)
        return
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        others = {k: v for k, v in row["settings"].items() if k != key}
        lines.setdefault(told(others), []).append((row["settings"][key], row[_DENSITY]))
    for number, (label, points) in enumerate(lines.items()):
        xs, ys = zip(*sorted(points), strict=True)
        axes.plot(xs, ys, marker=_MARKS[number % len(_MARKS)], label=label)
    axes.set(xlabel=key, ylim=(0, 1.05 * max(row[_DENSITY] for row in rows)))
    axes.grid(alpha=0.3)
    if list(lines) != [""]:
        axes.legend(fontsize="small")


def _bars(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    bars = axes.barh([_label(row) for row in rows], [row[_DENSITY] for row in rows], color="#4c78a8")
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)


def _shares(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    """One bar a point: the parts of its area."""
    axes.set_title("Area by kind of block (%)", loc="left")
    labels, start = [_label(row) for row in rows], [0.0] * len(rows)
    for number, kind in enumerate(block_kinds(rows)):
        widths = [100 * row["area_share"].get(kind, 0.0) for row in rows]
        axes.barh(labels, widths, left=start, label=kind, color=f"C{number}", hatch="//" * (number // 10))
        start = [a + b for a, b in zip(start, widths, strict=True)]
    axes.set(xlim=(0, 100))
    axes.invert_yaxis()


def _label(row: dict[str, Any]) -> str:
    return f"{row['point']}: {told(row['settings'])}"
