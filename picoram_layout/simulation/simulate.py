"""All simulations of an array: which runs, where their results go, what they add up to.

``<folder>/runs/`` has one JSON file for each run of ngspice; a run that has one is not run again, so that an
interrupted simulation goes on where it was. ``<folder>/summary.json`` has the numbers of the last call of
each kind, pictures lie beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picoram_layout.errors import InputError
from picoram_layout.periphery.adc_digital import COUNTER_BITS
from picoram_layout.simulation import (
    access_side,
    adc,
    adc_noise,
    adc_slice,
    adc_spread,
    below,
    bitcell,
    converter,
    dac,
    drivers,
    energy,
    mac,
    montecarlo,
    ngspice,
    plots,
    sram,
)
from picoram_layout.simulation.circuits import Cell, Wires, flat
from picoram_layout.simulation.models import CORNERS, Condition, require_models
from picoram_layout.simulation.phases import SAMPLE, VREF, Phases, compute
from picoram_layout.simulation.results import Job, Result, Store, seconds, write_json

if TYPE_CHECKING:
    import klayout.db as kdb

    from picoram_layout.plan import Plan

WHAT = ("bitcell", "dac", "mac", "drivers", "sram", "adc", "energy", "all")
TEMPS, SUPPLIES = (-40.0, 27.0, 105.0), (1.62, 1.8, 1.98)
TYPICAL = Condition()
RANDOM_VECTORS = 24
SMALL_ROWS = 16  # of the reduced output that corners and Monte Carlo are run with
_SEED = 0
_SWING = 0.8  # part of its swing that an edge is measured over
# The edge of each row signal that a compute cycle needs
_EDGES = {"PCHB": "rise", "WLL": "rise", "ACC": "rise", "SOUT": "rise", "SEG": "fall"}

CLUSTER = re.compile("cluster_(vdd|gnd)(_segment(_cut)?)?")

# Told about a group of runs: its name, finished runs, all runs.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Choice:
    """What to simulate; None for a corner, temperature or supply means all of them where that is meant."""

    what: str = "all"
    corner: str | None = None
    temp: float | None = None
    vdd: float | None = None
    samples: int = 0

    def conditions(self) -> list[Condition]:
        """All combinations of what is not fixed."""
        corners = CORNERS if self.corner is None else (self.corner,)
        temps = TEMPS if self.temp is None else (self.temp,)
        supplies = SUPPLIES if self.vdd is None else (self.vdd,)
        return [Condition(c, t, v) for c in corners for t in temps for v in supplies]

    @property
    def single(self) -> Condition:
        """The one condition of runs that are too long for all of them; what is not fixed is typical."""
        return Condition(
            self.corner or TYPICAL.corner,
            TYPICAL.temp if self.temp is None else self.temp,
            TYPICAL.vdd if self.vdd is None else self.vdd,
        )

    def check(self) -> None:
        """`InputError` for a value out of range."""
        if self.what not in WHAT:
            raise InputError(f"--what: {self.what}: one of {', '.join(WHAT)}")
        if self.corner is not None and self.corner not in CORNERS:
            raise InputError(f"--corner: {self.corner}: one of {', '.join(CORNERS)}")
        for name, value, low, high in (("--temp", self.temp, -55, 150), ("--vdd", self.vdd, 1.2, 2.2)):
            if value is not None and not low <= value <= high:
                raise InputError(f"{name}: {value:g}: between {low:g} and {high:g}")
        if self.samples and not 2 <= self.samples <= 100_000:
            raise InputError(f"--monte-carlo: {self.samples}: between 2 and 100000")


@dataclass(frozen=True)
class Circuits:
    """The circuits of an array that benches are made of."""

    plan: Plan
    netlist: kdb.Netlist
    wires: Mapping[str, Wires]

    def cell(self, name: str) -> Cell:
        """A flat circuit with its wires."""
        return flat(self.netlist, name, self.wires)

    @property
    def cells_per_cluster(self) -> int:
        """Bitcells of a cluster."""
        return self.plan.spec.array.cells_per_cluster

    def row(self) -> dac.Row:
        """A plain row with a VDD track."""
        strips = tuple(self.cell(f"dac_strip_{k}_vdd") for k in range(len(self.plan.groups)))
        fingers = tuple(strip.fingers for strip in self.plan.strips)
        return dac.Row(self.plan.groups, strips, self.cell("cluster_vdd"), fingers)

    @cached_property
    def slice(self) -> tuple[Cell, Cell, Cell]:
        """The drawn ADC slice: analog, digital, bias."""
        return adc_slice.circuits(self.plan)

    @cached_property
    def below(self) -> below.Below | None:
        """What is drawn below an output; None if its weights have too few bits for that."""
        from picoram_layout.periphery.column_logic import LEAST_BITS

        bits = self.plan.spec.array.weight_bits
        if bits < LEAST_BITS:
            return None
        return below.Below(below.column_block(self.plan), below.reader(self.slice[0]), bits, self.plan.rows)

    @cached_property
    def driver(self) -> drivers.Bench:
        """The drawn row driver with its load."""
        return drivers.bench(self.plan, self.cell)

    @property
    def vl_ohm(self) -> float:
        """Resistance of one row's VL wire (ohm): met1 of least width."""
        pdk = self.plan.pdk
        return float(pdk.power["metals"]["met1"]["ohm"]) * self.plan.plain.height / pdk.width("met1")

    def bench(self) -> mac.Bench:
        """An output at full height."""
        names = [circuit.name for circuit in self.netlist.each_circuit() if CLUSTER.fullmatch(circuit.name)]
        clusters = {name: self.cell(name) for name in names}
        return mac.Bench(
            rows=self.plan.rows,
            weight_bits=self.plan.spec.array.weight_bits,
            clusters=clusters,
            cuts=self.plan.cuts,
            supply=self.plan.supply,
            row=self.row(),
            vl_ohm=self.vl_ohm,
            index=self.cells_per_cluster // 2,
            below=self.below,
        )

    def output(self) -> sram.Bench:
        """An output's column side with its columns."""
        bits, rows = self.plan.spec.array.weight_bits, {k: row for row, k in self.plan.cuts.items()}
        names = [circuit.name for circuit in self.netlist.each_circuit()]
        cut = self.cell(next(name for name in names if name.endswith("_segment_cut")))
        block, index = below.column_block(self.plan), self.cells_per_cluster // 2
        return sram.Bench(
            block=block,
            cluster=self.cell("cluster_vdd"),
            cut=cut.only("SEG", "VL", "VL_UP"),
            rows=self.plan.rows,
            cuts=tuple(rows.get(k, 0) for k in range(bits)),
            vl_ohm=self.vl_ohm,
            index=index,
            side=access_side.side(self.plan, self.cell, self.driver, block, index),
        )


@dataclass
class Session:
    """One call: its circuits, store and what it was asked for."""

    circuits: Circuits
    store: Store
    choice: Choice
    workers: int | None
    report: Report

    @property
    def x_levels(self) -> int:
        """Codes of an input."""
        return 1 << self.circuits.plan.spec.array.input_bits

    @property
    def w_bits(self) -> int:
        """Bits of a weight."""
        return self.circuits.plan.spec.array.weight_bits

    def run(self, group: str, jobs: Sequence[Job]) -> list[Result]:
        """Results of a group of runs."""
        return self.store.run(jobs, self.workers, lambda done, total: self.report(group, done, total))

    @cached_property
    def equal(self) -> tuple[dac.Row, list[Result]]:
        """The row with all data lines at VREF, and its codes at the typical condition."""
        row = self.circuits.row()
        return row, self.run("DAC, one level", dac.jobs(row, TYPICAL, TYPICAL.vdd * VREF))

    @cached_property
    def row(self) -> dac.Row:
        """The row with the data lines' levels as they are needed."""
        row, results = self.equal
        return replace(row, taps=dac.taps([result.values["shared"] for result in results]))

    @cached_property
    def bench(self) -> mac.Bench:
        """An output at full height with these levels."""
        return replace(self.circuits.bench(), row=self.row)

    @cached_property
    def slice(self) -> adc_slice.Slice:
        """The drawn ADC slice with its load."""
        return adc_slice.Slice(*self.circuits.slice, self.circuits.bench())

    @cached_property
    def oscillator(self) -> Cell:
        """The drawn ring oscillator."""
        plan = self.circuits.plan
        return converter.oscillator(plan.pdk, plan.spec.array.outputs)

    @cached_property
    def ring(self) -> converter.Ring:
        """The ring oscillator at the one condition."""
        return converter.ring(self.oscillator, self.choice.single)

    def driven(self, conditions: Sequence[Condition]) -> dict[Condition, dict[str, Any]]:
        """Edges and ripple (ns) of the drawn row drivers at each condition."""
        results = self.run("row drivers", drivers.jobs(self.circuits.driver, conditions))
        found = drivers.summary(self.circuits.driver, conditions, results)
        return dict(zip(conditions, found["conditions"], strict=True))

    def phases(self, conditions: Sequence[Condition]) -> dict[Condition, Phases]:
        """The compute cycle at each condition with the drawn row drivers' edges and ripple."""
        return {
            c: compute(row["ripple"], {signal: _edge(row, signal, way) for signal, way in _EDGES.items()})
            for c, row in self.driven(conditions).items()
        }

    def levels(self, conditions: Sequence[Condition], group: str) -> dict[Condition, list[float]]:
        """Levels of all codes at each condition, as the row DAC gives them."""
        jobs = [job for c in conditions for job in dac.jobs(self.row, c, c.vdd * VREF)]
        results = iter(self.run(group, jobs))
        return {c: [next(results).values["shared"] for _ in range(self.x_levels)] for c in conditions}


def simulate(
    circuits: Circuits,
    choice: Choice,
    folder: Path,
    workers: int | None = None,
    report: Report = lambda group, done, total: None,
) -> dict[str, Any]:
    """Run what is chosen and not there yet; returns (and writes) the summary of these kinds."""
    choice.check()
    require_models(circuits.plan.pdk)
    program = ngspice.find_ngspice()
    plots.require()
    session = Session(circuits, Store(folder), choice, workers, report)
    kinds: dict[str, Callable[[Session], dict[str, Any]]] = {
        "bitcell": _bitcell,
        "dac": _dac,
        "mac": _mac,
        "sram": _sram,
        "adc": _adc,
        "drivers": _drivers,
        "energy": _energy,
    }
    chosen = list(kinds) if choice.what == "all" else [choice.what]
    found: dict[str, Any] = {kind: kinds[kind](session) for kind in chosen}
    if choice.samples:
        found["monte_carlo"] = _monte_carlo(session)
    spec = circuits.plan.spec.model_dump()
    old = _read(folder / "summary.json")
    kept = old if old.get("spec") == spec else {}
    write_json(folder / "summary.json", {**kept, **found, "spec": spec, "ngspice": ngspice.version(program)})
    return found


def _edge(row: Mapping[str, float], signal: str, *ways: str) -> float:
    """A row signal's whole edge (ns), the longest of these ways; drivers' are measured over a part."""
    return max(row[f"{signal.lower()}_{way}"] for way in ways) / _SWING


def _read(path: Path) -> dict[str, Any]:
    """A former summary; empty without one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _bitcell(s: Session) -> dict[str, Any]:
    conditions = s.choice.conditions()
    cell, cluster = s.circuits.cell("bitcell"), s.circuits.cell("cluster_vdd")
    results = s.run("bitcell", bitcell.jobs(cell, cluster, conditions))
    found = bitcell.summary(conditions, results)
    shown = conditions.index(TYPICAL) if TYPICAL in conditions else 0
    curves = bitcell.curves(results[3 * shown])
    folder = s.store.folder
    plots.butterfly(folder / "butterfly.png", curves, found["conditions"][shown], str(conditions[shown]))
    plots.disturb(folder / "disturb.png", found["conditions"], bitcell.DISTURB_LIMIT)
    return {**found, "seconds": seconds(results)}


def _sram(s: Session) -> dict[str, Any]:
    conditions, bench = s.choice.conditions(), s.circuits.output()
    chosen = sram.accesses(bench.bits)
    edges = {
        c: {signal: _edge(row, signal, "rise", "fall") for signal in sram.DRIVEN}
        for c, row in s.driven(conditions).items()
    }
    results = s.run("SRAM", [sram.job(bench, chosen, c, edges[c]) for c in conditions])
    cell, access = s.circuits.cell("bitcell"), bench.cluster.only("ACC", "LBL", "VL")
    curves = s.run("SRAM, margins", [bitcell.butterfly_job(cell, access, c) for c in conditions])
    margins = [bitcell.margins(bitcell.curves(result))["read_snm_V"] for result in curves]
    found = sram.summary(bench, chosen, conditions, results, margins)
    return {**found, "seconds": seconds([*results, *curves])}


def _dac(s: Session) -> dict[str, Any]:
    conditions = s.choice.conditions()
    results = s.run("DAC", [job for c in conditions for job in dac.jobs(s.row, c, c.vdd * VREF)])
    count = s.x_levels
    rows = [
        dac.summary(s.row, c, results[k * count : (k + 1) * count], c.vdd * VREF)
        for k, c in enumerate(conditions)
    ]
    equal_row, equal = s.equal
    typical = [row["worst_inl"] for row in rows if row["corner"] == "tt"]
    plots.linearity(s.store.folder / "dac.png", rows, dac.INL_LIMIT)
    return {
        "vref_part_of_vdd": VREF,
        "taps": s.row.taps,
        "conditions": rows,
        "one_level": dac.summary(equal_row, TYPICAL, equal, TYPICAL.vdd * VREF),
        "inl_limit": dac.INL_LIMIT,
        "met": max(typical) <= dac.INL_LIMIT if typical else None,  # None: not judged
        "seconds": seconds([*equal, *results]),
    }


def _mac(s: Session) -> dict[str, Any]:
    condition = s.choice.single
    bench = replace(s.bench, phases=s.phases([condition])[condition])
    vref = condition.vdd * VREF
    levels = s.levels([condition], "DAC levels")[condition]
    chosen = mac.vectors(bench, s.x_levels, RANDOM_VECTORS, _SEED)
    results = s.run(
        f"MAC {bench.rows} rows",
        [mac.job(bench, v, levels, condition, f"MAC {v.name}") for v in chosen],
    )
    al = [r.values["al"] for r in results]
    found = mac.summary(mac.fit(chosen, al, s.w_bits, vref, s.x_levels), results)
    plots.residuals(s.store.folder / "mac.png", found, str(condition))
    found |= {"rows": bench.rows, "condition": str(condition), "seconds": seconds(results)}
    conditions = s.choice.conditions()
    if len(conditions) > 1:
        found["gain"] = _gain(s, bench, conditions)
        found["met"] = found["met"] and found["gain"]["met"]
    found["phases"] = {
        "sample": dict(SAMPLE.signals),
        "compute": dict(bench.phases.signals),
        "ripple_ns": dict(bench.phases.ripple),
        "edges_ns": dict(bench.phases.edges),
        "edge_ns": bench.phases.edge,
    }
    return found


def _adc(s: Session) -> dict[str, Any]:
    condition = s.choice.single
    results = s.run("ADC transfer", adc.jobs(s.slice, condition))
    found = adc.summary(condition, results, s.ring)
    energy = s.run("ADC energy", adc.energy_jobs(s.slice, condition))
    found["energy"] = adc.energy(condition, energy)
    found["met"] = found["met"] and found["energy"]["met"]
    spread, more = _adc_spread(s, condition, found)
    found |= spread
    if len(conditions := s.choice.conditions()) > 1:
        table, grid = _adc_conditions(s, conditions, found)
        found |= table
        found["met"] = found["met"] and all(row["met"] for row in table["followed"])
        more += grid
    plots.transfer(s.store.folder / "adc.png", found)
    return {**found, "seconds": seconds([*results, *energy, *more])}


def _adc_spread(
    s: Session, condition: Condition, found: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Result]]:
    """Noise, mismatch and neighbours of the slice whose transfer is ``found``."""
    slope, longest = found["ns_per_lsb"], max(point["time_ns"] for point in found["points"])
    noise = s.run("ADC noise", adc_noise.jobs(s.slice, condition))
    white = adc_noise.density(noise[0])
    hits = s.run("ADC noise in time", adc_noise.time_jobs(s.slice, condition, white))
    samples = s.run("ADC samples", adc_spread.mismatch_jobs(s.slice, condition))
    neighbours = s.run("ADC neighbours", adc_spread.crosstalk_jobs(s.slice, condition))
    return {
        "noise": adc_noise.summary(condition, noise, hits, slope, longest),
        "mismatch": adc_spread.mismatch(samples, slope),
        "crosstalk": adc_spread.crosstalk(neighbours, slope),
    }, [*noise, *hits, *samples, *neighbours]


def _adc_conditions(
    s: Session, conditions: Sequence[Condition], found: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Result]]:
    """Ramp and ring at all conditions, the IREF_R that each needs, whole transfers with it at a few."""
    ramps = s.run("ADC, all conditions", adc.corner_jobs(s.slice, conditions))
    steps = s.run("ring, all conditions", [converter.ring_job(s.oscillator, c) for c in conditions])
    rings = [converter.measured_ring(result) for result in steps]
    rows = adc.corners(conditions, ramps)
    for row, ring in zip(rows, rings, strict=True):
        row |= {"step_ns": ring.step, "iref_r_A": adc_spread.followed(row, ring, found)}
    chosen = adc_spread.extremes(rows)
    groups = [
        s.run(
            f"ADC, IREF_R followed, {conditions[k]}",
            adc_spread.followed_jobs(s.slice, conditions[k], rows[k]["iref_r_A"], rings[k]),
        )
        for k in chosen
    ]
    followed = [
        adc_spread.followed_summary(conditions[k], rows[k]["iref_r_A"], rings[k], group)
        for k, group in zip(chosen, groups, strict=True)
    ]
    every = [*ramps, *steps, *(result for group in groups for result in group)]
    return {"conditions": rows, "followed": followed}, every


def _energy(s: Session) -> dict[str, Any]:
    condition = s.choice.single
    full = replace(s.bench, phases=s.phases([condition])[condition])
    vref = condition.vdd * VREF
    small = full.reduced(max(SMALL_ROWS, 1 << s.w_bits))
    levels = s.levels([condition], "DAC levels")[condition]
    drawn = [v for v in mac.vectors(small, s.x_levels, 2, _SEED) if v.name.startswith("random")]
    cycles = s.run("energy, cycles", [energy.cycle_job(small, v, levels, condition) for v in drawn])
    codes = range(s.x_levels)
    sampled = s.run("energy, inputs", [energy.sample_job(s.row, c, condition, vref) for c in codes])
    driver = s.run("energy, row drivers", [energy.driver_job(s.circuits.driver, condition)])
    slices = s.run("ADC energy", adc.energy_jobs(s.slice, condition))
    parts = adc.energy(condition, slices)["gated_pJ"]
    time = s.ring.step * 2**COUNTER_BITS * converter.STATES  # until the counter is full
    outputs = s.circuits.plan.spec.array.outputs
    parts["share of the ring"] = s.ring.current * condition.vdd * time * 1e-3 / outputs
    found = energy.summary(
        full,
        small.rows,
        condition.vdd,
        cycles,
        driver[0],
        [energy.sampled_pJ(s.row, c, vref, r) for c, r in zip(codes, sampled, strict=True)],
        [energy.strips_pJ(condition.vdd, r) for r in sampled],
        parts,
    )
    plots.energy(s.store.folder / "energy.png", found, str(condition))
    return {**found, "condition": str(condition), "seconds": seconds([*cycles, *sampled, *driver, *slices])}


def _gain(s: Session, bench: mac.Bench, conditions: Sequence[Condition]) -> dict[str, Any]:
    """Gain at all conditions with a reduced output: a ratio of capacitances, which rows do not change."""
    conditions = list(dict.fromkeys([TYPICAL, *conditions]))
    small = bench.reduced(max(SMALL_ROWS, 1 << s.w_bits))
    chosen = mac.gain_vectors(small, s.x_levels)
    levels, phases = s.levels(conditions, "DAC levels, all conditions"), s.phases(conditions)
    jobs = [
        mac.job(replace(small, phases=phases[c]), v, levels[c], c, f"MAC {v.name} {c}")
        for c in conditions
        for v in chosen
    ]
    results = s.run(f"MAC gain, {small.rows} rows", jobs)
    rows: list[dict[str, Any]] = []
    for k, c in enumerate(conditions):
        part = results[k * len(chosen) : (k + 1) * len(chosen)]
        value = mac.gain(chosen, [r.values["al"] for r in part], s.w_bits, c.vdd * VREF, s.x_levels)
        moved = max(abs(r.values["al"] - r.values["earlier"]) for r in part)
        entry = {"corner": c.corner, "temp_C": c.temp, "vdd_V": c.vdd, "gain": value, "unsettled_V": moved}
        rows.append({**entry, "gain_change": value / rows[0]["gain"] - 1 if rows else 0.0})
    plots.gains(s.store.folder / "gain.png", rows, mac.GAIN_LIMIT)
    worst = max(abs(row["gain_change"]) for row in rows)
    return {
        "rows": small.rows,
        "conditions": rows,
        "worst_change": worst,
        "limit": mac.GAIN_LIMIT,
        "met": worst <= mac.GAIN_LIMIT,
        "seconds": seconds(results),
    }


def _drivers(s: Session) -> dict[str, Any]:
    conditions = s.choice.conditions()
    results = s.run("row drivers", drivers.jobs(s.circuits.driver, conditions))
    return {**drivers.summary(s.circuits.driver, conditions, results), "seconds": seconds(results)}


def _monte_carlo(s: Session) -> dict[str, Any]:
    condition, count, row = s.choice.single, s.choice.samples, s.row
    vref, t = condition.vdd * VREF, s.circuits.plan.t
    sigma = montecarlo.capacitor_sigma(t.width * s.circuits.plan.plain.height)
    bench = replace(s.bench, phases=s.phases([condition])[condition])
    small = bench.reduced(max(montecarlo.ROWS, 1 << s.w_bits))
    levels = s.levels([condition], "DAC levels")[condition]
    sampled = s.run(
        "Monte Carlo, DAC", montecarlo.dac_jobs(row, condition, vref, montecarlo.DAC_SAMPLES, sigma)
    )
    errors = montecarlo.dac_errors(row.bits, sampled, montecarlo.DAC_SAMPLES)
    span = s.run("Monte Carlo, range", montecarlo.span_jobs(small, levels, condition))
    results = s.run("Monte Carlo, MAC", montecarlo.mac_jobs(small, levels, errors, condition, count, sigma))
    step = (levels[-1] - levels[0]) / (len(levels) - 1)
    found = montecarlo.summary(small.rows, bench.rows, span, results, errors, step)
    plots.spread(s.store.folder / "monte_carlo.png", found)
    return {**found, "capacitor_sigma": sigma, "seconds": seconds([*sampled, *span, *results])}
