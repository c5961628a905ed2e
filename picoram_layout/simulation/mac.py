"""One output of the array at full height: its columns, all rows, one compute cycle from DAC levels to AL.

Each cluster is the drawn one with a selected cell; its idle cells are lumped (`circuits.selected`). A row's
XL is the drawn strips' chain of groups. It carries the output's own columns and, lumped in each group, the
other outputs' ones with random weights of their own: XL moves by what falls on its whole length. Inputs start
as the levels that the row DAC was measured to give (`dac`). Below stands the drawn column side (`below`), or
without it switches of the widths that stand here.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.simulation import below, dac
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, merged, renamed, selected
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE, VREF, Phases
from picoram_layout.simulation.results import Job, Result

Ints = NDArray[np.int64]

LEVELS = 362  # of 8.5 bit
RMS_LIMIT, MAX_LIMIT, GAIN_LIMIT = 0.5, 1.5, 0.05
# chgtol has to be far below the default: a capacitor holds femtocoulombs. Against options three to ten times
# tighter, which take 2.5 times as long, AL of five vectors is 0.02 mV lower to 0.09 mV higher (16 rows).
# With KLU 144 rows take 4 minutes of a core instead of 9 (ngspice 44); ngspice 39 passes over the word.
_OPTIONS = "klu method=gear reltol=1e-3 abstol=1e-13 vntol=1e-5 chgtol=1e-17 gmin=1e-15"
_LONGEST = 1.0  # ns of a time step; else ngspice takes none over the table's 0.1 ns

# Switches of the periphery (um): VL to GND and VL to AL of the most significant bit; half of it for each
# bit below, as its VL segment has half the capacitance. With equal widths the bits are not 8:4:2:1.
_FULL = 144  # rows that all of these hold for; an output with fewer rows has them in proportion
RESET_W = 24.0
COLUMN_W = 8.0
AL_RESET_W = 8.0
AL_FF = 10.0  # wire of AL and what reads it (fF)
SETTLED = 4.0  # ns before the end at which AL is read once more
_MOST_LUMPED = 6


@dataclass(frozen=True)
class Column:
    """What one place of the array is: its cluster's circuit, reduced to what moves in a cycle."""

    transistors: tuple[tuple[Transistor, int], ...]
    capacitors: tuple[tuple[str, str, float], ...]
    q: str
    qb: str
    word: str


def column(cluster: Cell, index: int) -> Column:
    """A cluster with cell ``index`` selected."""
    word = f"WLL[{index}]"
    gate = cluster.only(word, "LBL")
    q = gate.s if gate.d == "LBL" else gate.d
    qb = next(t.g for t in cluster.transistors if q in (t.d, t.s) and t.g != word)
    kept = {"XL", "T", "LBL", "VL", "VL_UP", q, qb}
    moving = kept | {"SOUT", "ACC", "PCHB", "SEG", word}
    caps = (
        (a if a in moving else GND, b if b in moving else GND, value)
        for a, b, value in cluster.capacitors
        if a in kept or b in kept
    )
    parts = tuple((t, m) for t, m in selected(cluster, index) if not (t.kind == "pfet" and t.g == VDD))
    return Column(parts, merged(caps), q, qb, word)


@dataclass(frozen=True)
class Bench:
    """An output: clusters by the names of their circuits, rows and columns, and the circuit around it.

    ``cuts`` has the cut column of each segment row. ``row`` are the groups and strips of each row; the
    output's first column is the row's column ``first``. ``vl_ohm`` is one row's VL wire. ``below`` is what
    stands below; None: ideal widths.
    """

    rows: int
    weight_bits: int
    clusters: Mapping[str, Cell]
    cuts: Mapping[int, int]
    supply: Callable[[int], str]
    row: dac.Row
    vl_ohm: float
    index: int = 4
    first: int = 0
    below: below.Below | None = None
    phases: Phases = COMPUTE

    def kind(self, row: int, col: int) -> str:
        """Name of the cluster's circuit at a place."""
        cut = self.cuts.get(row)
        kind = "" if cut is None else "_segment_cut" if cut == col else "_segment"
        name = f"cluster_{self.supply(row).lower()}{kind}"
        if name not in self.clusters:  # a reduced output may be cut in rows of the other supply
            name = next(
                other for other in self.clusters if other in (f"cluster_vdd{kind}", f"cluster_gnd{kind}")
            )
        return name

    def reduced(self, rows: int) -> Bench:
        """The same output with fewer rows, its segment rows where they divide VL in the same proportions."""
        cuts = {rows >> k: k for k in range(1, self.weight_bits)}
        return replace(self, rows=rows, cuts=cuts)

    def group(self, col: int) -> int:
        """The group of the row's columns that a column of the output is in."""
        ends = itertools.accumulate(self.row.groups)
        return next(k for k, end in enumerate(ends) if self.first + col < end)

    @property
    def others(self) -> tuple[int, ...]:
        """Columns of other outputs in each group."""
        own = [self.group(c) for c in range(self.weight_bits)]
        return tuple(count - own.count(k) for k, count in enumerate(self.row.groups))

    @property
    def lump(self) -> int:
        """Rows whose VL is one node: as many as fit into the shortest segment evenly."""
        shortest = self.rows >> (self.weight_bits - 1)
        return max(n for n in range(1, _MOST_LUMPED + 1) if shortest % n == 0)


@dataclass(frozen=True)
class Vector:
    """Inputs and weights of one run, and how many of the other outputs' LBLs fall in each row and group."""

    name: str
    x: Ints
    w: Ints
    falling: Ints


def ideal(x: Ints, w: Ints, weight_bits: int, vref: float, levels: int) -> float:
    """What AL would be without any loss (V): the mean product as a part of ``vref``."""
    top = (1 << weight_bits) - 1
    return float((x * w).sum() / (len(x) * levels * top) * vref)


def job(
    bench: Bench,
    vector: Vector,
    levels: Sequence[float],
    condition: Condition,
    name: str,
    mismatch: random.Random | None = None,
    capacitor_sigma: float = 0.0,
    row_errors: Sequence[float] | None = None,
    measures: Sequence[str] = (),
) -> Job:
    """One cycle of a vector with these ``levels`` (V) of its input codes.

    ``mismatch`` varies every transistor and, by ``capacitor_sigma`` (relative), every MOM capacitor;
    ``row_errors`` (V) are what each row's level deviates by; ``measures`` are further lines of the analysis.
    """
    deck, vdd, phases = Deck("MAC", condition, mismatch), condition.vdd, bench.phases
    x, w, size = vector.x, vector.w, bench.lump
    groups = len(x) // size
    for signal in phases.signals:
        if signal not in phases.ripple:
            deck.source(signal.lower(), phases.levels(signal, vdd), phases.edge_of(signal))
            continue
        for g in range(groups):
            steps = phases.levels_at(signal, vdd, g / max(1, groups - 1))
            deck.source(f"{signal.lower()}{g}", steps, phases.edge_of(signal))
    columns = {kind: column(cell, bench.index) for kind, cell in bench.clusters.items()}
    starts: dict[str, float] = {}
    at_start = [
        levels[int(code)] + error for code, error in zip(x, row_errors or [0.0] * len(x), strict=True)
    ]
    codes = [[int(code) >> (bench.row.bits - 1 - k) & 1 for k in range(bench.row.bits)] for code in x]
    for k in (k for k, bits in enumerate(zip(*codes, strict=True)) if any(bits)):  # KLU takes no idle source
        deck.source(f"one{k}", [(0.0, bench.row.level(k, vdd * VREF))], 0.0)
    for r, level in enumerate(at_start):
        starts |= {f"xl{r}_{k}": level for k in range(len(bench.row.groups))}
        lines = [f"one{k}" if bit else GND for k, bit in enumerate(codes[r])]
        dac.chain(bench.row, deck, f"xl{r}_", [*lines, GND])
        for c in range(bench.weight_bits):
            stored = vdd * (1 - (int(w[r]) >> (bench.weight_bits - 1 - c) & 1))
            kind = bench.kind(r, c)
            part, at = columns[kind], f"{r}_{c}"
            lower = max(0, r - 1) if kind.endswith("cut") else r
            nets = {part.q: f"q{at}", part.qb: f"qb{at}", "LBL": f"l{at}", "T": f"t{at}"}
            nets["XL"] = f"xl{r}_{bench.group(c)}"
            nets |= {"VL": f"v{c}_{lower // size}", "VL_UP": f"v{c}_{r // size}", part.word: "wll"}
            nets |= _row_nets(phases, r // size)
            _put(deck, part, nets, mismatch, capacitor_sigma)
            starts |= {f"q{at}": stored, f"qb{at}": vdd - stored, f"l{at}": vdd, f"t{at}": level}
    _others(deck, bench, columns, vector, at_start, starts)
    starts |= _columns(deck, bench)
    deck.start(starts)
    moments = phases.moments
    analysis = [
        f".save v(al) v(v0_0) v(l0_0) v(t0_0) v(xl0_0){' all' if measures else ''}",
        f".tran 0.1n {phases.end:g}n 0 {_LONGEST:g}n uic",
        f".meas tran al find v(al) at={moments['added']:g}n",
        f".meas tran earlier find v(al) at={moments['added'] - SETTLED:g}n",
        f".meas tran vl find v(v0_0) at={moments['accumulated']:g}n",
        f".meas tran lbl find v(l0_0) at={moments['multiplied']:g}n",
        f".meas tran t find v(t0_0) at={moments['multiplied']:g}n",
        *measures,
    ]
    return Job(name, deck.text(_OPTIONS, analysis), ("al", "earlier"), seconds=3600)


def _row_nets(phases: Phases, group: int) -> dict[str, str]:
    """Nets of the row wires of a group of rows; those that ripple have one for each group."""
    return {
        signal: f"{signal.lower()}{group}" if signal in phases.ripple else signal.lower()
        for signal in ("SOUT", "ACC", "PCHB", "SEG")
    }


def renamed_one(t: Transistor, nets: Mapping[str, str]) -> Transistor:
    """A transistor with nets called otherwise."""
    return renamed(Cell("", (), (t,), ()), nets).transistors[0]


def _put(
    deck: Deck, part: Column, nets: Mapping[str, str], mismatch: random.Random | None, sigma: float
) -> None:
    """A cluster's devices between the bench's nets."""
    for t, m in part.transistors:
        d, g, s, b = (nets.get(net, net) for net in (t.d, t.g, t.s, t.b))
        deck.mos(replace(t, d=d, g=g, s=s, b=b), m)
    for a, b, value in part.capacitors:
        if mismatch is not None and {a, b} == {"T", GND}:
            value *= 1 + mismatch.gauss(0.0, sigma)
        deck.capacitor(nets.get(a, a), nets.get(b, b), value)


def _others(
    deck: Deck,
    bench: Bench,
    columns: Mapping[str, Column],
    vector: Vector,
    levels: Sequence[float],
    starts: dict[str, float],
) -> None:
    """Columns of other outputs: in every row and group two lumped multipliers with capacitors and wires.

    Their LBLs follow one reference cluster each in the rows of a lump: in one it falls, in the other it
    stays.
    """
    if not sum(bench.others):
        return
    vdd = deck.condition.vdd
    part = columns[bench.kind(1, 0)]
    quiet = Deck("", deck.condition)  # never with mismatch: they stand for a mean
    for g, way in itertools.product(range(bench.rows // bench.lump), ("fall", "stay")):
        at, stored = f"{way}{g}", 0.0 if way == "fall" else vdd
        nets = {part.q: f"q{at}", part.qb: f"qb{at}", "LBL": f"ref{at}", "T": GND, "XL": GND, "VL": GND}
        nets |= {"VL_UP": GND, part.word: "wll"} | _row_nets(bench.phases, g)
        _put(quiet, part, nets, None, 0.0)
        quiet.add(f"E{at} l{at} 0 ref{at} 0 1")
        starts |= {f"q{at}": stored, f"qb{at}": vdd - stored, f"ref{at}": vdd, f"l{at}": vdd}
    multiplier = next(t for t, _ in part.transistors if {t.d, t.s} == {"XL", "T"})
    wire = sum(value for a, b, value in part.capacitors if "XL" in (a, b))
    plate = sum(value for a, b, value in part.capacitors if "T" in (a, b) and "XL" not in (a, b))
    for r, (k, others) in itertools.product(range(bench.rows), enumerate(bench.others)):
        fall, xl = int(vector.falling[r, k]), f"xl{r}_{k}"
        for way, count in (("fall", fall), ("stay", others - fall)):
            if not count:
                continue
            t = f"t{way}{r}_{k}"
            quiet.mos(renamed_one(multiplier, {"XL": xl, "T": t, "LBL": f"l{way}{r // bench.lump}"}), count)
            quiet.capacitor(t, GND, count * plate)
            starts[t] = levels[r]
        quiet.capacitor(xl, GND, others * wire)
    deck.join(quiet)


def _columns(deck: Deck, bench: Bench) -> dict[str, float]:
    """VL's resistance, and what is below: resets, column switches, AL; its nodes' levels."""
    size = bench.lump
    scale = bench.rows / (_FULL if bench.below is None else bench.below.rows)
    for c in range(bench.weight_bits):
        cuts = {row // size for row, cut in bench.cuts.items() if cut == c}
        for k in range(1, bench.rows // size):
            if k not in cuts:
                deck.resistor(f"v{c}_{k - 1}", f"v{c}_{k}", bench.vl_ohm * size)
    nets = {"AL": "al", **{line: line.lower() for line in below.LINES}}
    nets |= {f"VL{c}": f"v{c}_0" for c in range(bench.weight_bits)}
    return put_below(deck, bench, nets, scale)


def put_below(
    deck: Deck,
    bench: Bench,
    nets: Mapping[str, str],
    scale: float = 1.0,
    read: bool = True,
    prefix: str = "",
) -> dict[str, float]:
    """What stands below the columns between ``nets``; ``read``: with the slice's load of AL."""
    if bench.below is not None:
        return below.put(deck, bench.below, nets, scale, read, prefix)
    for c in range(bench.weight_bits):
        deck.switch(nets[f"VL{c}"], nets["VLRST"], GND, RESET_W / 2**c, scale)
        deck.switch(nets[f"VL{c}"], nets["COL"], nets["AL"], COLUMN_W / 2**c, scale)
    deck.switch(nets["AL"], nets["ALRST"], GND, AL_RESET_W, scale)
    deck.capacitor(nets["AL"], GND, AL_FF * scale)
    return {}


def vectors(bench: Bench, x_levels: int, count: int, seed: int) -> list[Vector]:
    """Corner cases (all zero, all one, weights or inputs alone, single-hot), then random vectors.

    Inputs have codes below ``x_levels``. The other outputs' weights are random in all vectors. Each vector is
    drawn for itself: more of them change none.
    """
    rows, top_x, top_w = bench.rows, x_levels - 1, (1 << bench.weight_bits) - 1
    zero = np.zeros(rows, dtype=np.int64)
    one_x, one_w = zero + top_x, zero + top_w
    hot = zero.copy()
    hot[rows // 2 + 5 if rows > 16 else rows // 2] = 1
    cases: list[tuple[str, Ints, Ints]] = [
        ("all zero", zero, zero),
        ("all one", one_x, one_w),
        ("weights alone", zero, one_w),
        ("inputs alone", one_x, zero),
        ("single-hot input", hot * top_x, one_w),
        ("single-hot weight", one_x, hot * top_w),
        ("single-hot", hot * top_x, hot * top_w),
    ]
    drawn = [np.random.default_rng((seed, k)) for k in range(len(cases) + count)]
    for k, rng in enumerate(drawn[len(cases) :]):
        cases.append((f"random {k}", rng.integers(0, top_x + 1, rows), rng.integers(0, top_w + 1, rows)))
    others = np.array(bench.others)
    falling = (rng.binomial(others, 0.5, (rows, len(others))) for rng in drawn)
    return [Vector(*case, falling=other) for case, other in zip(cases, falling, strict=True)]


def fit(
    chosen: Iterable[Vector], al: Sequence[float], weight_bits: int, vref: float, levels: int
) -> dict[str, Any]:
    """AL = gain x ideal + offset + k x mean(W): the best fit to all vectors, residuals in LSB.

    One LSB of 8.5 bit is the range of AL from the all-zero to the all-one result divided by 362. mean(W) is
    that of W / (2^n - 1); the offset and k depend on weights alone and can be taken off digitally.
    Beside it: the fit to the random vectors alone, and one with a term q x mean(W) (1 - mean(W)).
    """
    chosen = list(chosen)
    v = np.asarray(al, dtype=float)
    top = (1 << weight_bits) - 1
    best = np.array([ideal(c.x, c.w, weight_bits, vref, levels) for c in chosen])
    mean = np.array([c.w.mean() / top for c in chosen])
    by_name = {c.name: value for c, value in zip(chosen, v, strict=True)}
    lsb = (by_name["all one"] - by_name["all zero"]) / LEVELS
    linear = np.column_stack([best, np.ones(len(v)), mean])
    found, residual = _least_squares(linear, v, lsb)
    square, curved = _least_squares(np.column_stack([linear, mean * (1 - mean)]), v, lsb)
    drawn = np.array([c.name.startswith("random") for c in chosen])
    apart = _least_squares(linear[drawn], v[drawn], lsb)[1] if drawn.sum() > 3 else np.zeros(1)
    return {
        "gain_of_fit": float(found[0]),
        "offset_V": float(found[1]),
        "k_V": float(found[2]),
        "lsb_V": float(lsb),
        **_sizes(residual),
        # two other looks at the same results, which the verdict does not use
        "random_alone": _sizes(apart),
        "with_square_of_w": {"q_V": float(square[3]), **_sizes(curved)},
        "points": [
            {"name": c.name, "ideal_V": i, "mean_w": m, "al_V": a, "residual_lsb": r}
            for c, i, m, a, r in zip(
                chosen, best.tolist(), mean.tolist(), v.tolist(), residual.tolist(), strict=True
            )
        ],
    }


def _least_squares(
    table: NDArray[np.float64], v: NDArray[np.float64], lsb: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients, and residuals in LSB."""
    found: NDArray[np.float64] = np.asarray(np.linalg.lstsq(table, v, rcond=None)[0], dtype=np.float64)
    return found, (v - table @ found) / lsb


def _sizes(residual: NDArray[np.float64]) -> dict[str, float]:
    """Root mean square and greatest one."""
    return {"rms_lsb": float(np.sqrt((residual**2).mean())), "max_lsb": float(abs(residual).max())}


def summary(fitted: Mapping[str, Any], results: Sequence[Result]) -> dict[str, Any]:
    """A fit with its verdict and how far AL still moved in the last `SETTLED` ns."""
    unsettled = max(abs(r.values["al"] - r.values["earlier"]) for r in results)
    return {
        **fitted,
        "unsettled_lsb": unsettled / fitted["lsb_V"],
        "limits_lsb": {"rms": RMS_LIMIT, "max": MAX_LIMIT},
        "met": fitted["rms_lsb"] <= RMS_LIMIT and fitted["max_lsb"] <= MAX_LIMIT,
    }


def gain_vectors(bench: Bench, x_levels: int) -> list[Vector]:
    """Random inputs, and no inputs for the same weights: what they differ by is the inputs' own."""
    drawn = vectors(bench, x_levels, 1, seed=7)[-1]
    return [drawn, replace(drawn, name=f"{drawn.name} without inputs", x=np.zeros_like(drawn.x))]


def gain(pair: Sequence[Vector], al: Sequence[float], weight_bits: int, vref: float, levels: int) -> float:
    """Slope of AL over the ideal value, from two vectors as `gain_vectors` has them."""
    return (al[0] - al[1]) / ideal(pair[0].x, pair[0].w, weight_bits, vref, levels)
