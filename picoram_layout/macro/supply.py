"""IR drop and current density of VDD and GND, estimated on the network of the grid and the array's wires.

Every rung (met5) is held at its supply at both ends. From the rungs current flows along the straps (met4)
to the rows: to the row's driver, and along the rows that carry the supply (met2) and the columns' wires
(met1) to the clusters. Currents are the charges of a compute cycle, simulated: all rows at once, each signal
in its shortest time, for the peak; over the cycle for the average. GND returns what VDD gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picoram_layout.logic.wiring import RAILS
from picoram_layout.macro.grid import Strap
from picoram_layout.plan import Plan

Floats = NDArray[np.float64]
_MOST_LUMPS = 32  # of columns: more are taken together


@dataclass(frozen=True)
class Drop:
    """A supply's worst drop (mV) while a signal moves, or on average; with this where wires carry most."""

    net: str
    what: str
    current_mA: float
    drop_mV: float
    layer: str = ""  # whose wire comes nearest to what it may carry on average
    density: float = 0.0  # mA per um there
    limit: float = 0.0


class Network:
    """Resistors between numbered nodes; node 0 is held."""

    def __init__(self) -> None:
        self.count = 1
        self.ends: list[tuple[int, int, float]] = []

    def nodes(self, *shape: int) -> NDArray[np.int64]:
        """New nodes in an array of this shape."""
        size = int(np.prod(shape))
        made = np.arange(self.count, self.count + size).reshape(shape)
        self.count += size
        return made

    def resistor(self, a: int, b: int, ohm: float) -> int:
        """A resistor (ohm); its number."""
        self.ends.append((int(a), int(b), ohm))
        return len(self.ends) - 1

    def solve(self, currents: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        """For currents (mA) out of the nodes: voltages (mV) below node 0 and the resistors' currents."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.linalg import splu

        a, b = (np.array([end[k] for end in self.ends]) for k in (0, 1))
        g = 1 / np.array([ohm for _, _, ohm in self.ends])
        rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        matrix = csr_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), shape=(self.count, self.count))
        factors = splu(matrix[1:, 1:].tocsc())
        found = []
        for current in currents:
            volts = np.concatenate([[0.0], factors.solve(current[1:])])
            found.append((volts, (volts[a] - volts[b]) * g))
        return found


@dataclass(frozen=True)
class _Wires:
    """A supply's network: nodes of the rows at the drivers and of the clusters, and its wires by layer."""

    network: Network
    rows: NDArray[np.int64]
    clusters: NDArray[np.int64]
    wires: Mapping[str, list[tuple[int, float]]]  # layer -> resistor, width (um)


def estimate(
    plan: Plan, straps: Sequence[Strap], rungs: Sequence[Strap], y: Sequence[float]
) -> list[dict[str, Any]]:
    """Drops of both supplies for each signal and on average; empty if the PDK has no data.

    ``y``: centres of the rows. `Drop` as JSON has it.
    """
    power = plan.pdk.power
    if not power:
        return []
    clusters = plan.rows * plan.columns / 1e3  # fC per ns are uA
    found = []
    for net in RAILS:
        made = _network(plan, net, straps, rungs, y)
        places = {"drivers": made.rows, "array": made.clusters}
        unit = dict(
            zip(places, made.network.solve([_spread(made, at) for at in places.values()]), strict=True)
        )
        average = dict.fromkeys(places, 0.0)
        for where, signals in power["charges"].items():
            for signal, charge in signals.items():
                mA = clusters * charge["fC"] / charge["ns"]
                found.append(Drop(net, signal, mA, float(mA * unit[where][0].max())))
                average[where] += clusters * charge["fC"] / power["cycle_ns"]
        volts, flows = (
            np.sum([mA * unit[where][k] for where, mA in average.items()], axis=0) for k in (0, 1)
        )
        drop = Drop(net, "average", sum(average.values()), float(volts.max()))
        found.append(_densest(plan, made, drop, flows))
    return [asdict(drop) for drop in found]


def _spread(made: _Wires, nodes: NDArray[np.int64]) -> Floats:
    """1 mA from all of these nodes together."""
    currents = np.zeros(made.network.count)
    currents[nodes.ravel()] = 1 / nodes.size
    return currents


def _densest(plan: Plan, made: _Wires, drop: Drop, flows: Floats) -> Drop:
    """The same with the wire that comes nearest to its limit."""
    limit = {layer: metal["mA"] for layer, metal in plan.pdk.power["metals"].items()}
    most = {
        layer: max(abs(float(flows[k])) / w for k, w in wires) for layer, wires in made.wires.items() if wires
    }
    layer = max(most, key=lambda name: most[name] / limit[name])
    return replace(drop, layer=layer, density=most[layer], limit=limit[layer])


def _network(
    plan: Plan, net: str, straps: Sequence[Strap], rungs: Sequence[Strap], y: Sequence[float]
) -> _Wires:
    power, t, n = plan.pdk.power, plan.t, Network()
    sheet = {layer: metal["ohm"] for layer, metal in power["metals"].items()}
    via = {cut: value["ohm"] for cut, value in power["vias"].items()}
    wires: dict[str, list[tuple[int, float]]] = {layer: [] for layer in ("met1", "met2", "met4", "met5")}

    def wire(layer: str, a: int, b: int, length: float, w: float) -> None:
        if length > 0:
            wires[layer].append((n.resistor(a, b, sheet[layer] * length / w), w))
        else:
            n.resistor(a, b, 1e-6)

    lumps = max(k for k in range(1, _MOST_LUMPS + 1) if plan.columns % k == 0)
    each = plan.columns // lumps
    columns = n.nodes(plan.rows, lumps)
    rows = n.nodes(plan.rows)
    own = [s for s in straps if s.net == net]
    on_strap = n.nodes(len(own), plan.rows)
    for k, strap in enumerate(own):
        for r in range(plan.rows):
            if plan.supply(r) == net:
                n.resistor(on_strap[k, r], rows[r], via["via3"] + via["via2"])
            if r:
                wire("met4", on_strap[k, r - 1], on_strap[k, r], y[r] - y[r - 1], strap.w)
    for r in range(plan.rows):  # a driver of the other supply's row takes current from its neighbour's rails
        if plan.supply(r) != net:
            wire("met1", rows[r], rows[r - 1] if r else rows[1], plan.plain.height, t.m1.w)
            continue
        wire("met2", rows[r], columns[r, 0], each * t.width, t.m2.w)
        for c in range(1, lumps):
            wire("met2", columns[r, c - 1], columns[r, c], each * t.width, t.m2.w)
    for r in range(1, plan.rows):
        for c in range(lumps):  # two wires a column
            wire("met1", columns[r - 1, c], columns[r, c], y[r] - y[r - 1], 2 * each * t.line)
    for rung in (s for s in rungs if s.net == net):
        _rung(n, wire, rung, own, on_strap, columns, y, via["via4"])
    return _Wires(n, rows, columns, wires)


def _rung(
    n: Network,
    wire: Callable[[str, int, int, float, float], None],
    rung: Strap,
    own: Sequence[Strap],
    on_strap: NDArray[np.int64],
    columns: NDArray[np.int64],
    y: Sequence[float],
    via4: float,
) -> None:
    """A rung from end to end; beyond the rows it is one of the array's own and joins its columns."""
    at = n.nodes(len(own))
    row = int(np.argmin([abs(rung.at - place) for place in y]))
    last, x = 0, rung.start
    for k, strap in enumerate(own):
        wire("met5", last, at[k], strap.at - x, rung.w)
        n.resistor(at[k], on_strap[k, row], via4)
        last, x = at[k], strap.at
    if y[0] < rung.at < y[-1]:
        wire("met5", last, 0, rung.end - x, rung.w)
        return
    lumps = columns.shape[1]
    step = (rung.end - x) / lumps
    joined = n.nodes(lumps)
    for c in range(lumps):
        wire("met5", last, joined[c], step, rung.w)
        n.resistor(joined[c], columns[row, c], via4)
        last = joined[c]
    wire("met5", last, 0, step, rung.w)
