"""Energy of one compute cycle of an output, by what takes it, at 1.8 V tt unless told otherwise.

A cycle ends as it began, so that every charge counts once. Row signals are measured with their drawn drivers
at the load of a full row, of which an output has its columns' share; the precharge of local bitlines in an
output of few rows, in proportion. Column signals come from ideal sources: VDD times the charge of a rising
edge (a driver draws nothing while it falls), a data line its own level times its charge. Drivers of lines
that all rows or outputs share are not in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from picoram_layout.simulation import dac, drivers, mac
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE, SAMPLE, Phases
from picoram_layout.simulation.results import Job, Result

_BACK, _REST = 1.0, 16.0  # ns after AL is read: signals go back to rest; the cycle ends
COLUMN_SIGNALS = ("VLRST", "ALRST", "COL", "SMPZ")
STRIP_SIGNALS = ("SMP", "SMPZ", "SHR")  # while inputs are sampled
ROW_SIGNALS = ("WLL", "PCHB", "SOUT", "ACC")
ORIGINAL = {"tops_per_w": 40.2, "vdd_V": 0.65, "node_nm": 65}  # PICO-RAM, arXiv 2407.12829, abstract


def whole(phases: Phases = COMPUTE) -> Phases:
    """A compute cycle up to the state that it began in."""
    back = phases.end + _BACK
    signals = {
        name: (*steps, *(((back, steps[0][1]),) if steps[-1][1] != steps[0][1] else ()))
        for name, steps in phases.signals.items()
    }
    return replace(phases, signals=signals, end=phases.end + _REST)


def cycle_job(bench: mac.Bench, vector: mac.Vector, levels: Sequence[float], condition: Condition) -> Job:
    """A whole cycle: charge of VDD (the precharge of local bitlines) and of the column signals' rises."""
    bench = replace(bench, phases=whole(bench.phases))
    phases = bench.phases
    measures = [f".meas tran q_vdd integ i(vvdd) from=0 to={phases.end:g}n"]
    for signal in COLUMN_SIGNALS:
        steps = phases.signals[signal]
        rise = next(time for time, level in steps[1:] if level)
        fall = next((time for time, level in steps if time > rise and not level), phases.end)
        name = signal.lower()
        measures.append(f".meas tran q_{name} integ i(v{name}) from={rise:g}n to={fall:g}n")
    wanted = ("q_vdd", *(f"q_{signal.lower()}" for signal in COLUMN_SIGNALS))
    made = mac.job(bench, vector, levels, condition, f"energy {vector.name}", measures=measures)
    return replace(made, wanted=(*made.wanted, *wanted))


def sample_job(row: dac.Row, code: int, condition: Condition, vref: float) -> Job:
    """Sampling one code on a whole row: charges of its data lines and of the strips' gates."""
    names = [*(f"d{k}" for k in range(row.bits)), *map(str.lower, STRIP_SIGNALS)]
    measures = [f".meas tran q_{name} integ i(v{name}) from=0 to={SAMPLE.end:g}n" for name in names]
    made = dac.job(row, code, condition, vref, measures=measures)
    return replace(made, name=f"energy {made.name}", wanted=(*made.wanted, *(f"q_{name}" for name in names)))


def driver_job(bench: drivers.Bench, condition: Condition) -> Job:
    """Row signals up and down, one after the other: charge of the driver's VDD for each."""
    windows = drivers.windows()
    measures = [
        f".meas tran q_{name.lower()} integ i(vvdd) from={start:g}n to={end:g}n"
        for name, (start, end) in windows.items()
    ]
    made = drivers.job(bench, condition, measures)
    return replace(
        made, name=f"energy {made.name}", wanted=(*made.wanted, *(f"q_{n.lower()}" for n in windows))
    )


def sampled_pJ(row: dac.Row, code: int, vref: float, result: Result) -> float:
    """Energy that the data lines' levels give to a row of all columns."""
    return sum(
        -result.values[f"q_d{k}"] * vref * (row.taps[k] if row.taps else 1.0) * 1e12
        for k in range(row.bits)
        if code >> (row.bits - 1 - k) & 1
    )


def strips_pJ(vdd: float, result: Result) -> float:
    """Energy of the strips' gates of a row while an input is sampled; each line moves once."""
    return sum(abs(result.values[f"q_{signal.lower()}"]) * vdd * 1e12 for signal in STRIP_SIGNALS)


def summary(
    full: mac.Bench,
    simulated: int,
    vdd: float,
    cycles: Sequence[Result],
    driver: Result,
    sampled: Sequence[float],
    strips: Sequence[float],
    adc: dict[str, float],
) -> dict[str, Any]:
    """Mean energies (pJ) of one output's columns and its slice in a cycle, and what follows from them.

    ``cycles`` are of ``simulated`` rows, ``sampled`` and ``strips`` the energies of a row of all columns for
    each code; ``adc`` has the slice's parts and its share of the ring.
    """
    rows = full.rows
    share = full.weight_bits / sum(full.row.groups)

    def mean(signal: str) -> float:
        charge = -sum(r.values[f"q_{signal.lower()}"] for r in cycles) / len(cycles)
        return charge * vdd * 1e12 * rows / simulated

    parts = {"precharge of local bitlines": mean("VDD")}
    parts |= {
        f"{signal} with its drivers": -driver.values[f"q_{signal.lower()}"] * vdd * 1e12 * rows * share
        for signal in ROW_SIGNALS
    }
    cuts = len(full.cuts)
    parts["SEG with its drivers"] = -driver.values["q_seg"] * vdd * 1e12 * cuts * share
    # sources drive the switches of whole rows
    parts["SMP, SMPZ, SHR"] = (sum(strips) / len(strips) * rows + mean("SMPZ")) * share
    parts["column signals"] = sum(mean(signal) for signal in COLUMN_SIGNALS if signal != "SMPZ")
    parts["inputs from their references"] = sum(sampled) / len(sampled) * rows * share
    array = sum(parts.values())
    parts |= {f"ADC: {name}": value for name, value in adc.items()}
    total = sum(parts.values())
    per_mac = 1000 * total / rows
    return {
        "parts_pJ": parts,
        "array_pJ": array,
        "adc_pJ": total - array,
        "total_pJ": total,
        "fJ_per_mac": per_mac,
        "tops_per_w": 2000 / per_mac,  # a multiplication and an addition
        "vdd_V": vdd,
        "rows": rows,
        "simulated_rows": simulated,
        "original": ORIGINAL,
    }
