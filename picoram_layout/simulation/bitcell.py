"""Bitcell: margins from butterfly curves, access and write times in its cluster, read disturb, leakage.

Compute and read reach the cell through WLL alone, so that only the node Q is disturbed. A write goes through
both pass gates, with VL's data passing the MAC unit's access device to LBL and its complement on GBLB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, renamed, selected
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE
from picoram_layout.simulation.results import Job, Result, latest, worst_row

Floats = NDArray[np.float64]

# Rise of the node that holds a 0 while it is read (V): at most this at the worst corner.
DISTURB_LIMIT = 0.3
_OPTIONS = "method=gear reltol=1e-3 abstol=1e-14 gmin=1e-15"
_CURVES = ("q_hold", "q_read", "q_write0", "q_write1", "qb_hold", "qb_1", "qb_0")
_CURVE_FILE = "curves.txt"
_WL_ON, _WL_OFF, _END = 2.0, 12.0, 16.0  # ns
_EDGE = COMPUTE.edge_of("WLL")
_TIMES = ("read_t50", "read_t10", "w0_fall", "w0_rise", "w1_fall", "w1_rise")
_LEVELS = ("q_peak", "r0_q", "r0_qb", "r1_q", "r1_qb", "r1_lbl", "w0_q", "w0_qb", "w1_q", "w1_qb")


@dataclass(frozen=True)
class Half:
    """One inverter of the cell with its pass gate: ``node`` is the output, ``other`` the input."""

    node: str
    other: str
    transistors: tuple[Transistor, ...]


def halves(cell: Cell) -> tuple[Half, Half]:
    """The side of Q (reached by WLL from LBL) and the side of QB (WLR, GBLB)."""
    found = []
    for word, bitline in (("WLL", "LBL"), ("WLR", "GBLB")):
        gate = cell.only(word, bitline)
        node = gate.s if gate.d == bitline else gate.d
        inverter = [t for t in cell.transistors if node in (t.d, t.s) and t.g != word]
        found.append(Half(node, inverter[0].g, (gate, *inverter)))
    return found[0], found[1]


def butterfly_job(cell: Cell, access: Transistor, condition: Condition, deck: Deck | None = None) -> Job:
    """All curves that the margins are made of in one sweep of the inverters' inputs.

    ``access`` is the MAC unit's device between VL and LBL. A ``deck`` may bring mismatch; each side of
    the cell then is the same device in all its curves.
    """
    deck = deck or Deck("butterfly curves", condition)
    left, right = halves(cell)
    deck.add(f"Vx x 0 {condition.vdd:g}")
    setups: dict[str, tuple[Half, str, str]] = {  # curve: side, word line, bitline
        "q_hold": (left, GND, VDD),
        "q_read": (left, VDD, VDD),
        "q_write0": (left, VDD, "lbl0"),
        "q_write1": (left, VDD, "lbl1"),
        "qb_hold": (right, GND, VDD),
        "qb_1": (right, VDD, VDD),
        "qb_0": (right, VDD, GND),
    }
    for curve, (half, word, bitline) in setups.items():
        names = {half.node: curve, half.other: "x", "WLL": word, "WLR": word, "LBL": bitline, "GBLB": bitline}
        part = renamed(Cell("half", (), half.transistors, ()), names)
        for t in part.transistors:
            deck.mos(t)
    for bitline, data in (("lbl0", GND), ("lbl1", VDD)):
        part = renamed(Cell("access", (), (access,), ()), {"LBL": bitline, "VL": data, "ACC": VDD})
        deck.mos(part.transistors[0])
    step = condition.vdd / 360
    sweep = [
        ".control",
        "set wr_singlescale",
        f"dc Vx 0 {condition.vdd:g} {step:.8g}",
        f"wrdata {_CURVE_FILE} {' '.join(f'v({curve})' for curve in _CURVES)}",
        "quit",
        ".endc",
    ]
    text = deck.text("reltol=1e-4 gmin=1e-15", sweep)
    return Job(f"bitcell curves {condition}", text, files=(_CURVE_FILE,), seconds=120)


def curves(result: Result) -> dict[str, Floats]:
    """Curves by name: ``x`` is the input of each."""
    table = result.array(_CURVE_FILE)
    return {"x": table[:, 0], **{name: table[:, k + 1] for k, name in enumerate(_CURVES)}}


def gaps(x: Floats, q: Floats, qb: Floats) -> tuple[Floats, Floats]:
    """Sides (V) of the squares between two curves, along the cell's diagonal.

    ``q`` is Q for the input QB = x, ``qb`` is QB for the input Q = x. The first array is
    Q - QB, the second the signed side: positive where the curve of Q lies above that of QB.
    """
    along_q, across_q = q - x, q + x
    along_b, across_b = x - qb, x + qb
    order = np.argsort(along_q)
    low = max(along_q.min(), along_b.min())
    high = min(along_q.max(), along_b.max())
    u = np.linspace(low, high, 1441)
    side = np.interp(u, along_q[order], across_q[order]) - np.interp(u, along_b, across_b)
    return u, side / 2


def static_margin(x: Floats, q: Floats, qb: Floats) -> float:
    """Side (V) of the largest square in the smaller lobe: how much noise both states survive."""
    _, side = gaps(x, q, qb)
    return float(min(side.max(), -side.min()))


def write_margin(x: Floats, q: Floats, qb: Floats, value: int) -> float:
    """Side (V) of the smallest square where the overwritten state was; negative: it is still there.

    Overwriting a 0 (``value`` 1) must leave no crossing on the side Q < QB, and the other way round.
    """
    u, side = gaps(x, q, qb)
    return float(side[u < 0].min() if value else -side[u > 0].max())


def margins(found: Mapping[str, Floats]) -> dict[str, float]:
    """Margins (V) of a cell from its curves."""
    x = found["x"]
    return {
        "hold_snm_V": static_margin(x, found["q_hold"], found["qb_hold"]),
        "read_snm_V": static_margin(x, found["q_read"], found["qb_hold"]),
        "write0_margin_V": write_margin(x, found["q_write0"], found["qb_1"], 0),
        "write1_margin_V": write_margin(x, found["q_write1"], found["qb_0"], 1),
    }


def access_job(cluster: Cell, index: int, condition: Condition) -> Job:
    """Read of a 0 and of a 1 onto LBL, write of a 0 and of a 1, at once in four copies of a cluster."""
    deck, vdd = Deck("read and write", condition), condition.vdd
    names = {"WLL": f"WLL[{index}]", "WLR": f"WLR[{index}]"}
    gate = cluster.only(names["WLL"], "LBL")
    q = gate.s if gate.d == "LBL" else gate.d
    gate_b = cluster.only(names["WLR"], "GBLB")
    qb = gate_b.s if gate_b.d == "GBLB" else gate_b.d
    #        copy: stored, VL, GBLB, read
    copies = {"r0": (0, 0, 1, True), "r1": (1, 0, 1, True), "w0": (1, 0, 1, False), "w1": (0, 1, 0, False)}
    on = [(0.0, 0.0), (_WL_ON, vdd), (_WL_OFF, 0.0)]
    deck.source("wl", on, _EDGE)
    deck.source("pchb", [(0.0, 0.0), (0.5, vdd)], _EDGE)
    deck.source("acc", on, _EDGE)
    starts: dict[str, float] = {}
    for copy, (stored, vl, gblb, read) in copies.items():
        nets = {
            q: f"{copy}_q",
            qb: f"{copy}_qb",
            "LBL": f"{copy}_lbl",
            names["WLL"]: "wl",
            names["WLR"]: GND if read else "wl",
            "ACC": GND if read else "acc",
            "PCHB": "pchb" if read else VDD,
            "SOUT": GND,
            "SEG": VDD,
            "VL": VDD if vl else GND,
            "VL_UP": VDD if vl else GND,
            "GBLB": VDD if gblb else GND,
            "XL": GND,
            "T": f"{copy}_t",
        }
        part = [(t, m) for t, m in selected(cluster, index)]
        moved = renamed(replace(cluster, transistors=tuple(t for t, _ in part)), nets, f"{copy}_")
        for t, (_, m) in zip(moved.transistors, part, strict=True):
            deck.mos(t, m)
        for a, b, value in moved.capacitors:
            deck.capacitor(a, b, value)
        starts |= {f"{copy}_q": stored * vdd, f"{copy}_qb": vdd - stored * vdd}
        starts |= {f"{copy}_lbl": vdd if read else 0.0, f"{copy}_t": 0.0}
    deck.start(starts)
    begin, late = f"{_WL_ON + _EDGE / 2:g}n", f"{_END - 0.5:g}n"
    half, low, high = vdd / 2, 0.1 * vdd, 0.9 * vdd

    def reach(name: str, net: str, level: float, edge: str) -> str:
        return f".meas tran {name} trig at={begin} targ v({net}) val={level:g} {edge}=1"

    analysis = [
        f".tran 0.01n {_END:g}n uic",
        reach("read_t50", "r0_lbl", half, "fall"),
        reach("read_t10", "r0_lbl", low, "fall"),
        reach("w0_fall", "w0_q", low, "fall"),
        reach("w0_rise", "w0_qb", high, "rise"),
        reach("w1_fall", "w1_qb", low, "fall"),
        reach("w1_rise", "w1_q", high, "rise"),
        f".meas tran q_peak max v(r0_q) from={_WL_ON:g}n to={_WL_OFF:g}n",
    ]
    for name in _LEVELS[1:]:
        analysis.append(f".meas tran {name} find v({name}) at={late}")
    return Job(
        f"bitcell access {condition}", deck.text(_OPTIONS, analysis), (*_LEVELS, *_TIMES[:2]), seconds=120
    )


def leakage_job(cell: Cell, condition: Condition) -> Job:
    """Current of one idle cell: bitlines at VDD, wordlines at GND."""
    deck = Deck("leakage", condition)
    left, right = halves(cell)
    nets = {left.node: "q", right.node: "qb", "WLL": GND, "WLR": GND, "LBL": VDD, "GBLB": VDD, "VL": VDD}
    deck.cell(renamed(replace(cell, capacitors=()), nets))
    deck.add(f".nodeset v(q)=0 v(qb)={condition.vdd:g}")
    control = [".control", "op", "let leak = -i(Vvdd)", "print leak", "print v(q)", "quit", ".endc"]
    text = deck.text("reltol=1e-6 abstol=1e-18 gmin=1e-18", control)
    return Job(f"bitcell leakage {condition}", text, ("leak",), seconds=120)


def jobs(cell: Cell, cluster: Cell, conditions: Sequence[Condition], index: int | None = None) -> list[Job]:
    """Three runs for each condition: curves, access, leakage. The cell in the middle stands for all."""
    count = sum(port.startswith("WLL[") for port in cluster.ports)
    index = count // 2 if index is None else index
    access = cluster.only("ACC", "LBL", "VL")
    return [
        job
        for condition in conditions
        for job in (
            butterfly_job(cell, access, condition),
            access_job(cluster, index, condition),
            leakage_job(cell, condition),
        )
    ]


def summary(conditions: Sequence[Condition], results: Sequence[Result]) -> dict[str, Any]:
    """Every condition's numbers, and the worst of each with where it was found."""
    rows = []
    for k, condition in enumerate(conditions):
        shape, access, leak = results[3 * k : 3 * k + 3]
        v = access.values
        vdd = condition.vdd
        kept = v["r0_qb"] - v["r0_q"] > 0.8 * vdd and v["r1_q"] - v["r1_qb"] > 0.8 * vdd
        written = v["w0_qb"] - v["w0_q"] > 0.8 * vdd and v["w1_q"] - v["w1_qb"] > 0.8 * vdd

        def late(*names: str, values: Mapping[str, float] = v) -> float | None:
            return latest(values.get(name) for name in names)

        rows.append(
            {
                "corner": condition.corner,
                "temp_C": condition.temp,
                "vdd_V": vdd,
                **margins(curves(shape)),
                "disturb_V": v["q_peak"],
                "access_ns": late("read_t50"),
                "access_to_10_percent_ns": late("read_t10"),
                "write0_ns": late("w0_fall", "w0_rise"),
                "write1_ns": late("w1_fall", "w1_rise"),
                "leakage_A": leak.values["leak"],
                "kept": kept,
                "written": written,
            }
        )
    worst: dict[str, Any] = {}
    least = ("hold_snm_V", "read_snm_V", "write0_margin_V", "write1_margin_V")
    for key in (*least, "disturb_V", "access_ns", "write0_ns", "write1_ns", "leakage_A"):
        row = worst_row(rows, key, key in least)
        worst[key] = {"value": row[key], "at": [row["corner"], row["temp_C"], row["vdd_V"]]}
    return {
        "conditions": rows,
        "worst": worst,
        "disturb_limit_V": DISTURB_LIMIT,
        "flips": sum(not row["kept"] for row in rows),
        "failed_writes": sum(not row["written"] for row in rows),
        "met": worst["disturb_V"]["value"] <= DISTURB_LIMIT and all(r["kept"] and r["written"] for r in rows),
    }
