"""SRAM access through the column side: random words are written to and read from real cells of one output.

The drawn block (its netlist, which LVS proves, with the capacitance of its wires) stands below its columns.
Each column has a real cluster in its first and one in its last row; the rows between are lumps of
devices and wires along resistive bitlines, with VL's segment device where the column has one. In a write ACC
is high in all rows, so that all local bitlines are on VL. Sources are the macro's pins: the first and the
last row hang on drawn row drivers, those on the drawn foot, column lines on their drawn drivers
(`access_side`). In the rows between, ACC and PCHB have the edges that row drivers were measured to have.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from picoram_layout.simulation import access_side
from picoram_layout.simulation.access_side import COLUMN_LINES, Side
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, renamed, selected
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import Steps
from picoram_layout.simulation.results import Job, Result, latest, worst_row

_OPTIONS = "klu method=gear reltol=1e-3 abstol=1e-14 gmin=1e-15"
_LUMPS = 4  # per bitline segment
_WORDS = 1  # random words to each row, each followed by its complement
_SEED = 0
_FULL_LEVEL = 0.9  # part of VDD that a level has at least
MARGIN_LIMIT = 0.1  # V: static noise margin of a cell that is read, which mismatch needs
READ_PERIOD = 36.0  # ns of one access
# From ACC's rise in the last row to WE: local bitlines of all rows, which were high, empty through VL. 20 ns
# leave so much on VL's upper segments that a 0 is not written at fs, 105 C, 1.62 V; 30 ns do.
SETTLE = 40.0
WRITE_PERIOD = 36.0 + SETTLE
EDGE = 0.3
ADDRESS = 4.0  # from an address to an access: decoders and their lines
LEAD = 8.0  # ns before the first one: precharge settles
# Signals of one access: (ns, level). What is not named rests.
REST: Mapping[str, int] = {
    "PREB": 0, "VLRST": 1, "ALRST": 1, "COL": 0, "WE": 0, "RE": 0, "PCHB": 0, "ACC": 0,
}  # fmt: skip
READ: Mapping[str, Steps] = {
    "PREB": ((0.0, 1), (22.0, 0)),
    "WLR": ((1.0, 1), (21.0, 0)),
    "RE": ((2.0, 1), (20.0, 0)),
}
WRITE: Mapping[str, Steps] = {
    "PCHB": ((0.0, 1), (SETTLE + 22.0, 0)),
    "ACC": ((0.0, 1), (SETTLE + 20.0, 0)),
    "PREB": ((SETTLE, 1), (SETTLE + 22.0, 0)),
    "VLRST": ((SETTLE, 0), (SETTLE + 22.0, 1)),
    "WE": ((SETTLE + 1.0, 1), (SETTLE + 21.0, 0)),
    "WLL": ((SETTLE + 2.0, 1), (SETTLE + 20.0, 0)),
    "WLR": ((SETTLE + 2.0, 1), (SETTLE + 20.0, 0)),
}
DRIVEN = ("PCHB", "ACC")  # by the row drivers of all rows


@dataclass(frozen=True)
class Access:
    """A word that is written to a row (0: the first, 1: the last), or read from it (what is expected)."""

    write: bool
    row: int
    word: int


def accesses(bits: int) -> list[Access]:
    """Random words and their complements to both rows, each read after the other row was written."""
    draw, top = random.Random(_SEED), (1 << bits) - 1
    found = []
    for _ in range(_WORDS):
        first, last = draw.randint(0, top), draw.randint(0, top)
        for a, b in ((first, last), (top - first, top - last)):
            found += [Access(True, 0, a), Access(True, 1, b), Access(False, 0, a), Access(False, 1, b)]
    return found


@dataclass(frozen=True)
class Bench:
    """One output: its block below the array, its cluster, rows, the row that cuts each column's VL (or 0)."""

    block: Cell
    cluster: Cell
    cut: Transistor
    rows: int
    cuts: tuple[int, ...]
    vl_ohm: float
    index: int
    side: Side

    @property
    def bits(self) -> int:
        """Columns."""
        return len(self.cuts)


def levels(chosen: Sequence[Access], signal: str, vdd: float) -> list[tuple[float, float]]:
    """(time, voltage) steps of a signal over all accesses."""
    steps = [(0.0, REST[signal] * vdd)]
    for access, begin in zip(chosen, begins(chosen), strict=False):
        table = WRITE if access.write else READ
        steps += [(begin + time, level * vdd) for time, level in table.get(signal, ())]
    return steps


def data(chosen: Sequence[Access], bit: int, vdd: float) -> list[tuple[float, float]]:
    """Steps of a data input: a write's word comes with its access and stays."""
    steps = [(0.0, 0.0)]
    for access, begin in zip(chosen, begins(chosen), strict=False):
        if access.write:
            steps.append((begin, vdd * (access.word >> bit & 1)))
    return steps


def _pins(side: Side, chosen: Sequence[Access], vdd: float) -> dict[str, list[tuple[float, float]]]:
    """Steps of the pins that choose rows and wordlines."""
    steps: dict[str, list[tuple[float, float]]] = {
        pin: [(0.0, 0.0)] for pin in (*side.address[0], "ENL_IN", "ENR_IN", "WL_IN")
    }
    for access, begin in zip(chosen, begins(chosen), strict=False):
        table, early = WRITE if access.write else READ, begin - ADDRESS
        for pin, level in side.address[access.row].items():
            steps[pin].append((early, level * vdd))
        for pin in ("ENL_IN", "ENR_IN") if access.write else ("ENR_IN",):
            steps[pin] += [(early, vdd), (begin + table["PREB"][-1][0], 0.0)]
        steps["WL_IN"] += [(begin + time, level * vdd) for time, level in table["WLR"]]
    return steps


def begins(chosen: Sequence[Access]) -> list[float]:
    """When each access begins, and the last one's end."""
    found = [LEAD]
    for access in chosen:
        found.append(found[-1] + (WRITE_PERIOD if access.write else READ_PERIOD))
    return found


def job(
    bench: Bench, chosen: Sequence[Access], condition: Condition, edges: Mapping[str, float] | None = None
) -> Job:
    """All accesses one after the other; measured are words at DO and in the cells, times and energies.

    ``edges``: ns that a signal of `DRIVEN` takes; `EDGE` where there is none.
    """
    deck, vdd, edges = Deck("SRAM access", condition), condition.vdd, edges or {}
    for signal in REST:
        if signal not in COLUMN_LINES:
            deck.source(signal, levels(chosen, signal, vdd), edges.get(signal, EDGE))
    pins = _pins(bench.side, chosen, vdd)
    starts = access_side.put(deck, bench.side, EDGE, lambda s: levels(chosen, s, vdd), pins) | {"AL": 0.0}
    for c in range(bench.bits):
        deck.source(f"DI{c}", data(chosen, bench.bits - 1 - c, vdd), EDGE)
        starts |= _column(deck, bench, c, chosen, vdd)
    deck.cell(bench.block)
    deck.start(starts)
    times = begins(chosen)
    end = times[-1]
    measures = [
        m for k, access in enumerate(chosen) for m in _measures(bench, k, access, vdd, times[k], times[k + 1])
    ]
    wanted = tuple(line.split()[2] for line in measures if " find " in line or " integ " in line)
    text = deck.text(_OPTIONS, [f".tran 0.05n {end:g}n uic", *measures])
    return Job(f"SRAM {condition}", text, wanted, seconds=900)


def _column(deck: Deck, bench: Bench, c: int, chosen: Sequence[Access], vdd: float) -> dict[str, float]:
    """Bitlines of a column with their loads, and its two real clusters; levels that they start with."""
    rows, cut = bench.rows, bench.cuts[c]
    parts = [(0, cut or rows), *(((cut, rows),) if cut else ())]
    starts: dict[str, float] = {}
    nodes = {"VL": f"VL{c}", "GBLB": f"GBLB{c}"}
    below = dict(nodes)
    for part, (first, last) in enumerate(parts):
        for n in range(_LUMPS):
            count = (last - first) / _LUMPS
            for wire in ("VL", "GBLB"):
                node = f"{wire}{c}_{part}_{n}"
                if wire == "VL" and part and not n:
                    deck.mos(
                        renamed(
                            Cell("", (), (bench.cut,), ()), _ends(bench.cut, nodes[wire], node)
                        ).transistors[0]
                    )
                else:
                    deck.resistor(nodes[wire], node, bench.vl_ohm * count)
                nodes[wire] = node
                starts[node] = 0.0 if wire == "VL" else vdd
            starts |= _idle(deck, bench, nodes, count, f"lbl{c}_{part}_{n}")
    first_word, last_word = (next(a.word for a in chosen if a.write and a.row == r) for r in (0, 1))
    for row, (at, word) in enumerate(((below, first_word), (nodes, last_word))):
        bit = word >> (bench.bits - 1 - c) & 1
        starts |= _cluster(deck, bench, f"c{c}r{row}", row, at, 1 - bit, vdd)  # the first write flips it
    return starts | {f"VL{c}": 0.0, f"GBLB{c}": vdd}


def _ends(t: Transistor, lower: str, upper: str) -> dict[str, str]:
    """Nets of the segment device, which is on."""
    return {"VL": lower, "VL_UP": upper, "SEG": VDD, t.g: VDD}


def _idle(deck: Deck, bench: Bench, nodes: Mapping[str, str], count: float, lbl: str) -> dict[str, float]:
    """``count`` clusters that are not accessed: their local bitlines as one node, which ACC joins to VL, and
    what they hang on VL and GBLB, off, with their wires; where they start.

    Pass gates to GBLB have a 0 behind them, which is the worst for its high level.
    """
    for wire, node in {**nodes, "LBL": lbl}.items():
        deck.capacitor(node, GND, bench.cluster.total(wire) * count)
    for t, m in selected(bench.cluster, None):
        joined = {t.d, t.s, t.g} & {"VL", "LBL"}
        if joined and t.g != "SEG":
            ends = {net: GND for net in (t.d, t.s) if net != VDD}
            gate = {} if t.g in ("ACC", "PCHB", "LBL", GND) else {t.g: GND}
            made = {**ends, **gate, **{net: {**nodes, "LBL": lbl}[net] for net in joined}}
            deck.mos(renamed(Cell("", (), (t,), ()), made).transistors[0], m * count)
    for t in bench.cluster.transistors:
        if "GBLB" in (t.d, t.s):
            made = {t.d: GND, t.s: GND, "GBLB": nodes["GBLB"], t.g: GND}
            deck.mos(renamed(Cell("", (), (t,), ()), made).transistors[0], count)
    return {lbl: deck.condition.vdd}


def _cluster(
    deck: Deck, bench: Bench, name: str, row: int, at: Mapping[str, str], stored: int, vdd: float
) -> dict[str, float]:
    """A real cluster with its cell and MAC unit; the idle cells are lumped."""
    q, qb = cell_nodes(bench.cluster, bench.index)
    word = {f"{w}[{bench.index}]": f"{w}r{row}" for w in ("WLL", "WLR")}
    own = {signal: f"{signal}r{row}" for signal in DRIVEN}
    nets = {**at, **word, **own, "SOUT": GND, "SEG": VDD, "XL": GND}
    nets |= {q: f"{name}_q", qb: f"{name}_qb", "VL_UP": at["VL"]}
    part = list(selected(bench.cluster, bench.index))
    made = renamed(replace(bench.cluster, transistors=tuple(t for t, _ in part)), nets, f"{name}_")
    for t, (_, m) in zip(made.transistors, part, strict=True):
        deck.mos(t, m)
    for a, b, value in made.capacitors:
        if not {a, b} & set(at.values()):  # those are in the lumps
            deck.capacitor(a, b, value)
    return {f"{name}_q": vdd * stored, f"{name}_qb": vdd * (1 - stored), f"{name}_LBL": vdd}


def cell_nodes(cluster: Cell, index: int) -> tuple[str, str]:
    """The nodes of a cell: behind WLL and behind WLR."""
    found = []
    for word, bitline in (("WLL", "LBL"), ("WLR", "GBLB")):
        gate = cluster.only(f"{word}[{index}]", bitline)
        found.append(gate.s if gate.d == bitline else gate.d)
    return found[0], found[1]


def _measures(bench: Bench, k: int, access: Access, vdd: float, begin: float, over: float) -> list[str]:
    """Levels, times and energy of one access."""
    end = over - 1.0
    found = [f".meas tran e{k} integ i(vvdd) from={begin:g}n to={over:g}n"]
    for c in range(bench.bits):
        bit = access.word >> (bench.bits - 1 - c) & 1
        for row in (0, 1):
            for node in ("q", "qb"):
                found.append(f".meas tran {node}{row}_{k}_{c} find v(c{c}r{row}_{node}) at={end:g}n")
        if access.write:
            word = begin + WRITE["WLL"][0][0] + EDGE / 2
            for node, way in (("q", bit), ("qb", 1 - bit)):
                level, edge = (0.9, "rise") if way else (0.1, "fall")
                target = f"v(c{c}r{access.row}_{node}) val={level * vdd:g} {edge}=1"
                found.append(f".meas tran w{node}_{k}_{c} trig at={word:g}n targ {target} td={word:g}n")
            continue
        word = begin + READ["WLR"][0][0] + EDGE / 2
        latched = begin + READ["RE"][1][0]
        found.append(f".meas tran do_{k}_{c} find v(DO{c}) at={end:g}n")
        low = f"v(c{c}r{access.row}_{'qb' if bit else 'q'})"
        found.append(f".meas tran bump_{k}_{c} max {low} from={word:g}n to={end:g}n")
        found.append(f".meas tran line_{k}_{c} find v(GBLB{c}) at={latched:g}n")
        if bit:
            found.append(
                f".meas tran t_{k}_{c} trig at={word:g}n targ v(DO{c}) val={vdd / 2:g} rise=1 td={word:g}n"
            )
    return found


def summary(
    bench: Bench,
    chosen: Sequence[Access],
    conditions: Sequence[Condition],
    results: Sequence[Result],
    margins: Sequence[float],
) -> dict[str, Any]:
    """Every condition's numbers and the worst of each; ``margins`` are the cell's read margins (V)."""
    rows: list[dict[str, Any]] = []
    for condition, result, margin in zip(conditions, results, margins, strict=True):
        v, vdd = result.values, condition.vdd

        def found(*stems: str, v: Mapping[str, float] = v) -> list[float]:
            return [value for name, value in v.items() if name.startswith(stems)]

        reads = [k for k, access in enumerate(chosen) if not access.write]
        energy = [-v[f"e{k}"] * vdd for k in range(len(chosen))]
        missing = sum(f"t_{k}_{c}" not in v for k, c in _ones(bench, chosen))
        rows.append(
            {
                "corner": condition.corner,
                "temp_C": condition.temp,
                "vdd_V": vdd,
                "wrong_bits": wrong(bench, chosen, v, vdd) + missing,
                "access_ns": latest(found("t_")),
                "write_ns": latest(found("wq_", "wqb_")),
                "bump_V": max(found("bump_"), default=None),
                "read_snm_V": margin,
                "read_J": sum(energy[k] for k in reads) / len(reads),
                "write_J": sum(e for k, e in enumerate(energy) if k not in reads)
                / (len(energy) - len(reads)),
            }
        )
    worst: dict[str, Any] = {}
    for key in ("access_ns", "write_ns", "bump_V", "read_J", "write_J", "read_snm_V"):
        row = worst_row(rows, key, key == "read_snm_V")
        worst[key] = {"value": row[key], "at": [row["corner"], row["temp_C"], row["vdd_V"]]}
    bits = sum(row["wrong_bits"] for row in rows)
    safe = worst["read_snm_V"]["value"] >= MARGIN_LIMIT
    return {
        "conditions": rows,
        "worst": worst,
        "accesses": [[a.write, a.row, a.word] for a in chosen],
        "rows": bench.rows,
        "columns": bench.bits,
        "period_ns": {"read": READ_PERIOD, "write": WRITE_PERIOD},
        "wrong_bits": bits,
        "margin_limit_V": MARGIN_LIMIT,
        "met": not bits and safe,
    }


def _ones(bench: Bench, chosen: Sequence[Access]) -> list[tuple[int, int]]:
    """Reads and columns that give a 1: there GBLB falls and DO rises, unless it was high before."""
    found, before = [], 0
    for k, access in enumerate(chosen):
        if access.write:
            continue
        rising = access.word & ~before
        found += [(k, c) for c in range(bench.bits) if rising >> (bench.bits - 1 - c) & 1]
        before = access.word
    return found


def wrong(bench: Bench, chosen: Sequence[Access], v: Mapping[str, float], vdd: float) -> int:
    """Bits that are not what was written: in the cells after every access, and at DO after reads."""
    count, stored = 0, dict[int, int]()
    for k, access in enumerate(chosen):
        if access.write:
            stored[access.row] = access.word
        for c in range(bench.bits):
            at = bench.bits - 1 - c
            for row, word in stored.items():
                q, qb = (v[f"{node}{row}_{k}_{c}"] for node in ("q", "qb"))
                count += (q - qb if word >> at & 1 else qb - q) < _FULL_LEVEL * vdd
            if not access.write:
                level = v[f"do_{k}_{c}"]
                count += (level if access.word >> at & 1 else vdd - level) < _FULL_LEVEL * vdd
    return count
