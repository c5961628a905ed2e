"""The line AL as the ADC's ramp sees it: the joined capacitors of one output's columns.

Every column keeps the rows below its cut on AL. Rows are lumped by the count of the shortest column, each
lump the extracted cluster's devices times that count; VL's resistance lies between lumps. Local bitlines and
XL are at GND, as they are once a cycle has added up its columns.
"""

from __future__ import annotations

from picoram_layout.simulation import mac
from picoram_layout.simulation.circuits import GND, VDD
from picoram_layout.simulation.deck import Deck

SHARED = {"XL": GND, "LBL": GND, "SOUT": VDD, "ACC": GND, "PCHB": VDD, "SEG": GND}


def attach(deck: Deck, bench: mac.Bench, level: float, prefix: str = "") -> dict[str, float]:
    """Put the load on net ``al``; returns its nodes' levels at the start (V). All nets get the prefix."""
    part = mac.column(bench.clusters[bench.kind(1, 0)], bench.index)
    size = bench.rows >> (bench.weight_bits - 1)
    kept = {"T", "VL"}
    devices = [(t, m) for t, m in part.transistors if kept & {t.d, t.s}]
    starts = {f"{prefix}al": level}
    for c in range(bench.weight_bits):
        count = bench.rows // size >> c
        for k in range(count):
            nets = SHARED | {"VL": f"{prefix}v{c}_{k}", "T": f"{prefix}t{c}_{k}"}
            starts |= {nets["VL"]: level, nets["T"]: level}
            for t, m in devices:
                deck.mos(mac.renamed_one(t, _joined(nets, (t.d, t.g, t.s))), m * size)
            for a, b, value in part.capacitors:
                if kept & {a, b}:
                    deck.capacitor(_net(nets, a), _net(nets, b), value * size)
            if k:
                deck.resistor(f"{prefix}v{c}_{k - 1}", f"{prefix}v{c}_{k}", bench.vl_ohm * size)
    nets = {"AL": f"{prefix}al", "VLRST": GND, "ALRST": GND, "COL": VDD}
    nets |= {f"VL{c}": f"{prefix}v{c}_0" for c in range(bench.weight_bits)}
    return starts | mac.put_below(deck, bench, nets, read=False, prefix=prefix)


def _net(nets: dict[str, str], net: str) -> str:
    """Where a cluster's net is; what is not of the line stands still."""
    return nets.get(net, GND)


def _joined(nets: dict[str, str], ends: tuple[str, ...]) -> dict[str, str]:
    return {net: _net(nets, net) for net in ends}
