"""``picoram simulate``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from picoram_layout.commands.spec import checked_spec
from picoram_layout.console import emit_json, table
from picoram_layout.errors import InputError
from picoram_layout.periphery.room import routable
from picoram_layout.progress import Counter, progress
from picoram_layout.report.simulation import FOLDER, refresh
from picoram_layout.simulation.models import Condition, require_models
from picoram_layout.simulation.ngspice import find_ngspice
from picoram_layout.simulation.simulate import Choice, simulate
from picoram_layout.simulation.source import circuits


def run(
    path: Path,
    what: str,
    corner: str | None,
    temp: float | None,
    vdd: float | None,
    samples: int,
    output: Path | None,
    workers: int | None,
    json: bool,
) -> int:
    """Simulate the array of a spec; what has been run before is taken from the result folder."""
    choice = Choice(what, corner, temp, vdd, samples)
    choice.check()
    if workers is not None and workers < 1:
        raise InputError(f"--workers: {workers}: at least 1")
    spec = checked_spec(path, quiet=json)
    out = Path("out") / spec.name if output is None else output
    folder = out / FOLDER
    made = circuits(
        spec,
        before=lambda plan: (require_models(plan.pdk), find_ngspice()),
        step=progress(quiet=json).step,
    )
    shown = _silent if json else Counter(sys.stderr)
    with routable(spec):  # blocks beside the array are drawn when they are simulated
        found = simulate(made, choice, folder, workers, shown)
    refreshed = refresh(out)
    if json:
        emit_json(found)
    else:
        _print(found, folder)
        if refreshed:
            print(f"report:  {out / 'report.html'}")
    return 1 if any(part.get("met") is False for part in found.values()) else 0


def _silent(group: str, done: int, total: int) -> None:
    """Shows nothing."""


def _print(found: dict[str, Any], folder: Path) -> None:
    for kind, part in found.items():
        _SECTIONS[kind](part)
    print(f"results: {folder / 'summary.json'}")


def _verdict(met: bool | None) -> str:
    return "not judged" if met is None else "met" if met else "NOT met"


def _worst(part: dict[str, Any]) -> list[list[str]]:
    """The worst of each value and where it was found; what never happened within a run has no time."""
    return [
        [key, "never" if worst["value"] is None else f"{worst['value']:.4g}", _at(*worst["at"])]
        for key, worst in part["worst"].items()
    ]


def _at(corner: str, temp: float, vdd: float) -> str:
    return str(Condition(corner, temp, vdd))


def _bitcell(part: dict[str, Any]) -> None:
    table(["worst value", "", "at"], _worst(part), f"bitcell, {len(part['conditions'])} conditions")
    print(f"flips while read or held: {part['flips']}; failed writes: {part['failed_writes']}")
    print(f"read disturb at most {part['disturb_limit_V']:g} V, no flip: {_verdict(part['met'])}")


def _sram(part: dict[str, Any]) -> None:
    table(["worst value", "", "at"], _worst(part), f"SRAM access, {len(part['conditions'])} conditions")
    count = len(part["accesses"])
    print(
        f"{count} accesses of {part['columns']} columns, {part['rows']} rows; "
        f"wrong bits: {part['wrong_bits']}"
    )
    print(f"all bits right, read margin at least {part['margin_limit_V']:g} V: {_verdict(part['met'])}")


def _dac(part: dict[str, Any]) -> None:
    rows = [
        [
            _at(r["corner"], r["temp_C"], r["vdd_V"]),
            f"{r['worst_inl']:.3f}",
            f"{r['worst_dnl']:.3f}",
            f"{r['gain']:.4f}",
            f"{1000 * r['offset_V']:.1f}",
            f"{1000 * r['unsettled_V']:.2f}",
        ]
        for r in part["conditions"]
    ]
    table(["row DAC", "INL, steps", "DNL, steps", "gain", "offset mV", "unsettled mV"], rows)
    taps = ", ".join(f"{tap:.3f}" for tap in part["taps"])
    vref = part["vref_part_of_vdd"]
    print(f"levels of the data lines, highest bit first: {taps} of VREF = {vref:.3f} VDD")
    print(f"with one level for all: INL {part['one_level']['worst_inl']:.3f} at tt 27 C 1.8 V")
    print(f"INL at tt at most {part['inl_limit']:g} of a step: {_verdict(part['met'])}")


def _mac(part: dict[str, Any]) -> None:
    print(f"MAC, {part['rows']} rows, {part['condition']}, {len(part['points'])} vectors:")
    print(
        f"  AL = {part['gain_of_fit']:.4f} x ideal + {1000 * part['offset_V']:.2f} mV "
        f"+ {1000 * part['k_V']:.2f} mV x mean(W), 1 LSB = {1000 * part['lsb_V']:.3f} mV"
    )
    limits = part["limits_lsb"]
    print(f"  residual {part['rms_lsb']:.3f} LSB rms (at most {limits['rms']:g}), ", end="")
    print(f"{part['max_lsb']:.3f} LSB max (at most {limits['max']:g})")
    for key, what in (
        ("random_alone", "random vectors alone"),
        ("with_square_of_w", "with mean(W)^2 as well"),
    ):
        print(f"  {what}: {part[key]['rms_lsb']:.3f} LSB rms, {part[key]['max_lsb']:.3f} LSB max")
    if "gain" in part:
        gain = part["gain"]
        count = len(gain["conditions"])
        print(f"  gain changes by {100 * gain['worst_change']:.2f} % over {count} conditions", end="")
        print(f" (at most {100 * gain['limit']:g} %)")
    print(f"  {_verdict(part['met'])}")


def _adc(part: dict[str, Any]) -> None:
    limits, energy = part["limits"], part["energy"]
    print(
        f"ADC slice, {part['condition']}: {part['codes']} codes (at least {limits['levels']}), "
        f"{'' if part['monotonic'] else 'NOT '}monotonic, {part['ns_per_lsb']:.3f} ns/LSB, "
        f"ring {part['ring']['step_ns']:.3f} ns"
    )
    print(
        f"  INL {part['inl']:.2f} LSB (at most {limits['inl']:g}), DNL {part['dnl']:.2f} LSB "
        f"(at most {limits['dnl']:g}); conversion {part['conversion_ns']:.0f} ns "
        f"(at most {limits['conversion_ns']:g}), cycle {part['cycle_ns']:.0f} ns"
    )
    gated, always = (sum(energy[key].values()) for key in ("gated_pJ", "always_on_pJ"))
    print(
        f"  mid scale {gated:.2f} pJ, without dual threshold {always:.2f} pJ: "
        f"{100 * energy['saved']:.0f} % saved (at least {100 * energy['limit']:g} %)"
    )
    noise, mismatch, crosstalk = part["noise"], part["mismatch"], part["crosstalk"]
    rows = [[name, f"{value:.3f}"] for name, value in noise["parts_lsb"].items()]
    table(["noise, LSB rms", ""], [*rows, ["all", f"{noise['all_lsb']:.3f}"]])
    print(
        f"  mismatch, {mismatch['samples']} samples: offset {mismatch['offset_lsb']:.1f} LSB "
        f"({1000 * mismatch['offset_V']:.1f} mV), slope {100 * mismatch['slope']:.2f} % (one sigma)"
    )
    shifts = ", ".join(f"{name} {value:+.2f}" for name, value in crosstalk["shift_lsb"].items())
    print(f"  {crosstalk['slices']} slices on one bias, neighbours' HIT against later ones, LSB: {shifts}")
    columns = ("longest_ns", "ns_per_lsb", "bow_lsb", "lead_ns", "step_ns")
    rows = [
        [_at(r["corner"], r["temp_C"], r["vdd_V"])]
        + [f"{r[key]:.3g}" for key in columns]
        + [f"{1e6 * r['iref_r_A']:.2f}"]
        for r in part.get("conditions", [])
    ]
    if rows:
        heads = ["longest ns", "ns/LSB", "bow, LSB", "Cmp1 on before HIT, ns", "ring ns", "IREF_R needed, uA"]
        table(["ADC", *heads], rows)
    for r in part.get("followed", []):
        at = _at(r["corner"], r["temp_C"], r["vdd_V"])
        print(
            f"  {at} with IREF_R = {1e6 * r['iref_r_A']:.2f} uA: {r['codes']} codes, "
            f"INL {r['inl']:.2f} LSB, DNL {r['dnl']:.2f} LSB, longest {r['longest_ns']:.0f} ns: "
            f"{_verdict(r['met'])}"
        )
    print(f"  {_verdict(part['met'])}")


def _energy(part: dict[str, Any]) -> None:
    rows = [[name, f"{value:.3f}"] for name, value in part["parts_pJ"].items()]
    table(
        ["of an output, pJ", ""], rows, f"energy of a compute cycle, {part['condition']}, {part['rows']} rows"
    )
    original = part["original"]
    print(
        f"  {part['total_pJ']:.1f} pJ, {part['fJ_per_mac']:.0f} fJ per MAC, {part['tops_per_w']:.1f} TOPS/W "
        f"at {part['vdd_V']:g} V (the original: {original['tops_per_w']:g} at {original['vdd_V']:g} V, "
        f"{original['node_nm']} nm)"
    )


def _drivers(part: dict[str, Any]) -> None:
    rows = [
        [
            _at(r["corner"], r["temp_C"], r["vdd_V"]),
            *(
                f"{r[f'{s}_{way}']:.2f}"
                for s in ("wll", "pchb", "sout", "acc", "seg")
                for way in ("rise", "fall")
            ),
            f"{r['ripple']:.1f}",
            f"{1000 * r['level_off_V']:.2f}",
            f"{max(r['load_one'], r['load_zero']):.2f}",
        ]
        for r in part["conditions"]
    ]
    edges = [f"{s} {way}" for s in ("WLL", "PCHB", "SOUT", "ACC", "SEG") for way in ("up", "down")]
    head = ["edges, ns", *edges, "ACC ripple", "level off, mV", "bit loaded"]
    table(head, rows, f"row drivers, {part['rows']} rows")
    limits = (
        f"levels sampled to {1000 * part['level_limit_V']:g} mV, bits kept to {100 * part['kept_limit']:g} %"
    )
    usual = f"ACC in {part['ripple']:.1f} ns (at most {part['ripple_limit']:g}) where it is not corners"
    print(f"{limits}, {usual}: {_verdict(part['met'])}")


def _monte_carlo(part: dict[str, Any]) -> None:
    print(
        f"Monte Carlo, {part['samples']} samples: spread {part['spread_lsb']:.3f} LSB rms, "
        f"{part['spread_without_offset_lsb']:.3f} without what the weights alone give; "
        f"at most {part['limit_lsb']:g}: {_verdict(part['met'])}"
    )


_SECTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "bitcell": _bitcell,
    "dac": _dac,
    "mac": _mac,
    "sram": _sram,
    "adc": _adc,
    "energy": _energy,
    "drivers": _drivers,
    "monte_carlo": _monte_carlo,
}
