"""What ``picoram simulate`` found, for the HTML report: key figures beside their limits, and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picoram_layout.publish import MANIFEST, replacing, sha256

FOLDER, SUMMARY = "simulation", "summary.json"


@dataclass(frozen=True)
class Figure:
    """One simulated figure: what, the value and the limit in words, whether the limit is met (None: there is
    none, or the conditions that it is for were not run)."""

    what: str
    value: str
    limit: str
    met: bool | None


def read_simulation(out: Path, spec: dict[str, Any]) -> dict[str, Any] | None:
    """The summary below a result folder, if there is one of this very spec."""
    try:
        text = (out / FOLDER / SUMMARY).read_text(encoding="utf-8")
        found = json.loads(text, parse_constant=lambda _: None)  # NaN in those of earlier versions
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("spec") == spec else None


def figures(found: dict[str, Any]) -> list[Figure]:
    """Key figures of a summary, those parts that were run."""
    parts = {
        "bitcell": _bitcell,
        "dac": _dac,
        "mac": _mac,
        "drivers": _drivers,
        "sram": _sram,
        "adc": _adc,
        "energy": _energy,
        "monte_carlo": _monte_carlo,
    }
    return [figure for kind, told in parts.items() if kind in found for figure in told(found[kind])]


def pictures(out: Path) -> dict[str, Path]:
    """Pictures of the simulation by name."""
    return {f"simulated {path.stem}": path for path in sorted((out / FOLDER).glob("*.png"))}


def _bitcell(part: dict[str, Any]) -> list[Figure]:
    worst, limit = part["worst"]["disturb_V"], part["disturb_limit_V"]
    bad = part["flips"] + part["failed_writes"]
    return [
        Figure(
            "read disturb, worst condition",
            f"{worst['value']:.3f} V",
            f"<= {limit:g} V",
            worst["value"] <= limit,
        ),
        Figure(f"flips and failed writes, {len(part['conditions'])} conditions", str(bad), "0", bad == 0),
    ]


def _dac(part: dict[str, Any]) -> list[Figure]:
    rows, met = part["conditions"], part["met"]
    judged = rows if met is None else [row for row in rows if row["corner"] == "tt"]
    worst, corners = max(row["worst_inl"] for row in judged), dict.fromkeys(row["corner"] for row in judged)
    one, limit = part["one_level"]["worst_inl"], part["inl_limit"]
    what, bound = f"row DAC, INL, a reference for each bit ({', '.join(corners)})", f"<= {limit:g}"
    return [
        Figure(what, f"{worst:.3f} of a step", f"{bound} at tt" if met is None else bound, met),
        Figure("row DAC, INL, one reference for all (tt)", f"{one:.3f} of a step", bound, one <= limit),
    ]


def _mac(part: dict[str, Any]) -> list[Figure]:
    limits = part["limits_lsb"]
    ways = (
        (f"{part['rows']} rows, all {len(part['points'])} vectors", part),
        ("the same with the square of the weight sum taken off, too", part["with_square_of_w"]),
        ("the random vectors among them", part["random_alone"]),
    )
    found = [
        Figure(
            f"MAC residual, {key}, {way}",
            f"{sizes[f'{key}_lsb']:.3f} LSB",
            f"<= {limits[key]:g} LSB",
            sizes[f"{key}_lsb"] <= limits[key],
        )
        for way, sizes in ways
        for key in ("rms", "max")
    ]
    if "gain" in part:
        gain = part["gain"]
        change, limit = 100 * gain["worst_change"], 100 * gain["limit"]
        what = f"gain change, {len(gain['conditions'])} conditions, {gain['rows']} rows"
        found.append(Figure(what, f"{change:.2f} %", f"<= {limit:g} %", change <= limit))
    return found


def _drivers(part: dict[str, Any]) -> list[Figure]:
    off, limit = 1000 * part["worst"]["level_off_V"], 1000 * part["level_limit_V"]
    what = f"data lines, off their level when sampled, {len(part['conditions'])} conditions"
    last, most = part["ripple"], part["ripple_limit"]
    return [
        Figure(what, f"{off:.2f} mV", f"<= {limit:g} mV", off <= limit),
        Figure(
            "ACC from the first to the last row, usual condition",
            f"{last:.1f} ns",
            f"<= {most:g} ns",
            last <= most,
        ),
    ]


def _sram(part: dict[str, Any]) -> list[Figure]:
    margin, limit = part["worst"]["read_snm_V"]["value"], part["margin_limit_V"]
    bits, count, slowest = part["wrong_bits"], len(part["conditions"]), part["worst"]["access_ns"]["value"]
    return [
        Figure(f"SRAM write and read, wrong bits, {count} conditions", str(bits), "0", bits == 0),
        Figure("SRAM read margin, worst condition", f"{margin:.3f} V", f">= {limit:g} V", margin >= limit),
        Figure("SRAM access, slowest", "never" if slowest is None else f"{slowest:.1f} ns", "", None),
    ]


def _adc(part: dict[str, Any]) -> list[Figure]:
    limits, checks = part["limits"], part["checks"]
    codes = f"{part['codes']}, {'' if part['monotonic'] else 'not '}monotonic"
    all_there = checks["levels"] and checks["monotonic"]
    saved, least = 100 * part["energy"]["saved"], 100 * part["energy"]["limit"]
    found = [
        Figure(
            "ADC, codes over AL's range",
            codes,
            f">= {limits['levels']}",
            all_there,
        ),
        Figure("ADC, INL", f"{part['inl']:.2f} LSB", f"<= {limits['inl']:g} LSB", checks["inl"]),
        Figure("ADC, DNL", f"{part['dnl']:.2f} LSB", f"<= {limits['dnl']:g} LSB", checks["dnl"]),
        Figure(
            "ADC, conversion",
            f"{part['conversion_ns']:.0f} ns",
            f"<= {limits['conversion_ns']:g} ns",
            checks["conversion"],
        ),
        Figure(
            "compute cycle with it",
            f"{part['cycle_ns']:.0f} ns",
            f"<= {limits['cycle_ns']:g} ns",
            checks["cycle"],
        ),
        Figure(
            "ADC, energy saved by its dual threshold",
            f"{saved:.0f} %",
            f">= {least:.0f} %",
            part["energy"]["met"],
        ),
    ]
    if "noise" in part:
        found.append(Figure("ADC, noise", f"{part['noise']['all_lsb']:.2f} LSB rms", "", None))
    if "mismatch" in part:
        offset = f"{part['mismatch']['offset_lsb']:.1f} LSB"
        found.append(Figure("ADC, offset of a slice by mismatch (one sigma)", offset, "", None))
    if "crosstalk" in part:
        worst = f"{part['crosstalk']['worst_lsb']:.2f} LSB"
        found.append(Figure("ADC, moved by the other slices at most", worst, "", None))
    for row in part.get("followed", []):
        at = f"{row['corner']} {row['temp_C']:g} C {row['vdd_V']:g} V"
        what = f"ADC at {at}, IREF_R = {1e6 * row['iref_r_A']:.1f} uA, codes and INL"
        value = f"{row['codes']}, {row['inl']:.2f} LSB"
        found.append(Figure(what, value, f">= {limits['levels']}, <= {limits['inl']:g} LSB", row["met"]))
    return found


def _energy(part: dict[str, Any]) -> list[Figure]:
    per_mac, efficiency = f"{part['fJ_per_mac']:.0f} fJ", f"{part['tops_per_w']:.1f} TOPS/W"
    return [
        Figure("energy of a MAC of a column with its ADC", per_mac, "", None),
        Figure(f"efficiency at {part['vdd_V']:g} V", efficiency, "", None),
    ]


def _monte_carlo(part: dict[str, Any]) -> list[Figure]:
    spread, limit = part["spread_lsb"], part["limit_lsb"]
    what = f"spread with mismatch, {part['samples']} samples"
    return [Figure(what, f"{spread:.3f} LSB", f"<= {limit:g} LSB", spread <= limit)]


def refresh(out: Path) -> bool:
    """Put new simulations into the report of a finished build; False if there is none that is unchanged."""
    from picoram_layout.report.html import write_html

    manifest, page = out / MANIFEST, out / "report.html"
    try:
        report = json.loads(manifest.read_text(encoding="utf-8"))
        report["lvs"]  # a build of an earlier version has none, and cannot be shown
        recorded = report["sha256"]["report.html"]
        known = sha256(page) == recorded
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not known:
        return False
    files = [*out.joinpath("pictures").glob("*.svg"), *out.joinpath("pictures").glob("*.png")]
    with replacing(page) as part:
        write_html(part, report, {path.stem: path for path in sorted(files)}, out)
        report["sha256"]["report.html"] = sha256(part)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(manifest) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return True
