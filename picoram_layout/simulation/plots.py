"""Pictures of the results (PNG)."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from picoram_layout.errors import EnvironmentProblem
from picoram_layout.publish import replacing


def require() -> None:
    """`EnvironmentProblem` without matplotlib: to be told before the runs, not after them."""
    if importlib.util.find_spec("matplotlib") is None:
        raise EnvironmentProblem("pictures need matplotlib: pip install 'picoram-layout[sim]'")


@contextmanager
def _figure(path: Path, title: str, x: str, y: str) -> Iterator[Any]:
    """Axes of one picture that is written when the body is done."""
    require()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.4), dpi=130, layout="constrained")
    try:
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.grid(alpha=0.3)
        yield axes
        with replacing(path) as part:
            figure.savefig(part, format="png", metadata={"Software": None})
    finally:
        pyplot.close(figure)


def butterfly(path: Path, curves: Mapping[str, Any], margins: Mapping[str, float], condition: str) -> None:
    """Hold, read and write curves of one condition."""
    title = f"Bitcell {condition}: hold {margins['hold_snm_V']:.2f} V, read {margins['read_snm_V']:.2f} V"
    with _figure(path, title, "QB (V)", "Q (V)") as axes:
        x = curves["x"]
        for name, label, style in (
            ("q_hold", "Q, hold", "C0-"),
            ("q_read", "Q, read through WLL", "C1-"),
            ("q_write0", "Q, write 0", "C2--"),
        ):
            axes.plot(x, curves[name], style, label=label)
        axes.plot(curves["qb_hold"], x, "C3-", label="QB, hold and read")
        axes.plot(curves["qb_1"], x, "C4--", label="QB, write 0")
        axes.set_aspect("equal")
        axes.legend(fontsize="small")


def disturb(path: Path, rows: list[dict[str, Any]], limit: float) -> None:
    """Rise of the read 0 at every condition."""
    with _figure(path, "Read disturb: rise of the node that holds 0", "VDD (V)", "V") as axes:
        for corner in dict.fromkeys(row["corner"] for row in rows):
            for temp, mark in zip(sorted({row["temp_C"] for row in rows}), "vo^sd", strict=False):
                found = [r for r in rows if r["corner"] == corner and r["temp_C"] == temp]
                colour = f"C{'tt ss ff sf fs'.split().index(corner)}"
                axes.plot(
                    [r["vdd_V"] for r in found],
                    [r["disturb_V"] for r in found],
                    colour + mark + "-",
                    label=f"{corner} {temp:g} C",
                )
        axes.axhline(limit, color="k", ls=":")
        axes.legend(fontsize="x-small", ncols=3)


def linearity(path: Path, rows: list[dict[str, Any]], limit: float) -> None:
    """INL of the row DAC at all codes."""
    with _figure(path, "Row DAC: INL from the line through the end points", "code", "steps of 4 bit") as axes:
        for row in rows:
            axes.plot(
                row["inl"], ".-", label=f"{row['corner']} {row['temp_C']:g} C {row['vdd_V']:g} V", lw=0.8
            )
        for level in (-limit, limit):
            axes.axhline(level, color="k", ls=":")
        if len(rows) <= 9:
            axes.legend(fontsize="x-small")


def residuals(path: Path, fitted: Mapping[str, Any], condition: str) -> None:
    """Residuals of the fit over the ideal value."""
    title = f"MAC {condition}: {fitted['rms_lsb']:.2f} LSB rms, {fitted['max_lsb']:.2f} LSB max"
    with _figure(path, title, "ideal AL (V)", "residual (LSB of 8.5 bit)") as axes:
        for kind, style in (("random", "C0o"), ("", "C1^")):
            chosen = [p for p in fitted["points"] if p["name"].startswith("random") == bool(kind)]
            axes.plot(
                [p["ideal_V"] for p in chosen],
                [p["residual_lsb"] for p in chosen],
                style,
                label=kind or "corner cases",
            )
        axes.legend(fontsize="small")


def gains(path: Path, rows: list[dict[str, Any]], limit: float) -> None:
    """Gain at all conditions against the typical one."""
    with _figure(path, "MAC with DAC: gain against tt 27 C 1.8 V", "condition", "change (%)") as axes:
        axes.bar(range(len(rows)), [100 * row["gain_change"] for row in rows])
        axes.set_xticks(
            range(len(rows)),
            [f"{row['corner']} {row['temp_C']:g} {row['vdd_V']:g}" for row in rows],
            rotation=90,
            fontsize=4 if len(rows) > 20 else 7,
        )
        for level in (-100 * limit, 100 * limit):
            axes.axhline(level, color="k", ls=":")


def spread(path: Path, found: Mapping[str, Any]) -> None:
    """Histogram of an output over all samples."""
    import statistics

    al, lsb = found["al_V"], found["lsb_V"]
    middle = statistics.fmean(al)
    scale = (found["rows"] / found["full_rows"]) ** 0.5
    title = f"{len(al)} samples: {found['spread_lsb']:.2f} LSB rms at {found['full_rows']} rows"
    with _figure(path, title, "deviation from the mean (LSB)", "samples") as axes:
        axes.hist([(value - middle) / lsb * scale for value in al], bins=20)


def energy(path: Path, found: Mapping[str, Any], condition: str) -> None:
    """What takes the energy of a compute cycle."""
    title = f"{found['fJ_per_mac']:.0f} fJ per MAC, {found['tops_per_w']:.1f} TOPS/W, {condition}"
    with _figure(path, title, "pJ per output and cycle", "") as axes:
        names = list(found["parts_pJ"])[::-1]
        bars = axes.barh(names, [found["parts_pJ"][name] for name in names])
        axes.bar_label(bars, fmt="%.2f", padding=2, fontsize="small")
        axes.margins(x=0.15)


def transfer(path: Path, found: Mapping[str, Any]) -> None:
    """INL and DNL of the ADC's codes."""
    title = f"ADC slice, {found['condition']}: {found['codes']} codes, {found['ns_per_lsb']:.3f} ns/LSB"
    with _figure(path, title, "AL (V)", "LSB") as axes:
        curves = found["curves"]
        at = curves["code_edge_V"]
        axes.plot(at, curves["inl"], "C0-", label=f"INL, at most {found['inl']:.2f}")
        axes.plot(at[1:], curves["dnl"], "C1-", lw=0.7, label=f"DNL, at most {found['dnl']:.2f}")
        times = axes.twinx()
        times.plot([p["al_V"] for p in found["points"]], [p["time_ns"] for p in found["points"]], "k.", ms=3)
        times.set_ylabel("ramp to HIT (ns)")
        axes.legend(fontsize="small")
