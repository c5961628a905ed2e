"""How far the latch-up distance lets an array grow: all its taps are in the MAC rows and the ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache

from picoram_layout.cells.cluster import ClusterRow, solve_cluster
from picoram_layout.cells.dac_strip import Strip, devices
from picoram_layout.cells.ends import End, solve_end
from picoram_layout.cells.thin_cell import solve
from picoram_layout.pdk import Pdk
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import Spec
from picoram_layout.spec.numbers import steps
from picoram_layout.spec.problem import Problem


def problems(spec: Spec) -> list[Problem]:
    """Counts of a spec that put a source or drain out of reach of every tap."""
    array, pdk = spec.array, make_plan(spec).pdk

    def plan(**counts: int) -> Plan:
        return make_plan(spec.model_copy(update={"array": array.model_copy(update=counts)}))

    if not columns_reached(plan()):
        legal = range(array.cells_per_cluster - 2, 2, -2)
        most = next((n for n in legal if columns_reached(plan(cells_per_cluster=n))), None)
        if most is None:
            why = "with these transistors no count of cells is within latch-up distance of the taps; "
            why += "the bitcell's must be narrower"
        else:
            why = f"with these transistors at most {most} cells are within latch-up distance of the taps"
        return [Problem("array.cells_per_cluster", array.cells_per_cluster, why, most)]
    if not strips_reached(plan()):
        counts = {f"array.{name}": getattr(array, name) for name in ("weight_bits", "input_bits")}
        step = int(steps("array.outputs", counts, pdk).step)
        most = step * _last(array.outputs // step, lambda n: strips_reached(plan(outputs=n * step)))
        why = f"the DAC of more than {most} outputs is wider than the latch-up distance to the taps beside it"
        return [Problem("array.outputs", array.outputs, why, most or None)]
    return []


def _last(bad: int, good: Callable[[int], bool]) -> int:
    """Largest number that is good, if those below it are and ``bad`` is not; 0 if there is none."""
    low = 0
    while bad - low > 1:
        middle = (low + bad) // 2
        low, bad = (middle, bad) if good(middle) else (low, middle)
    return low


@cache
def most_cells(pdk: Pdk) -> int:
    """Largest odd count of cells per cluster, with the smallest transistors."""
    w = pdk.channel_width
    t, cells = solve(pdk, w, w, w), 3
    while True:
        row = solve_cluster(t, cells + 2, 1, "shielded")
        if not _column_reached(_rows([row], solve_end(row))):
            return cells
        cells += 2


def columns_reached(plan: Plan) -> bool:
    """Whether every device of the columns is within latch-up distance of a tap above or below it."""
    return _column_reached(_plan_rows(plan))


def strips_reached(plan: Plan) -> bool:
    """Whether every device of the DAC strips is within latch-up distance of a tap beside it."""
    return all(_strip_reached(row, low, s) for row, low in _plan_rows(plan) for s in plan.strips)


# A kind of row and the next tap below its lower boundary (um, negative).
Rows = list[tuple[ClusterRow, float]]


def _plan_rows(plan: Plan) -> Rows:
    return _rows([plan.plain, plan.segment] if plan.cuts else [plan.plain], plan.end)


def _rows(kinds: Iterable[ClusterRow], end: End) -> Rows:
    """Every kind of row over every kind, and the first one over the end."""
    kinds = list(kinds)
    over = [(row, below.mac.tap - below.mac.height) for row in kinds for below in kinds]
    return [(kinds[0], end.tap - end.height), *over]


def _reach(pdk: Pdk) -> float:
    return min(rule.value for rule in pdk.rules if rule.kind == "latchup" and rule.value is not None)


def _column_reached(rows: Rows) -> bool:
    t = rows[0][0].t
    return all(row.y_mac + row.mac.tap - low - t.licon <= 2 * _reach(t.pdk) + 1e-9 for row, low in rows)


def _strip_reached(row: ClusterRow, low: float, s: Strip) -> bool:
    """As the rule measures it: the reach of a tap is an octagon around it."""
    t, d = row.t, _reach(row.t.pdk)
    low, high = low + t.licon / 2, row.y_mac + row.mac.tap - t.licon / 2
    for x1, y1, x2, y2 in devices(row, s):
        y = min(max((low + high) / 2, y1), y2)
        dx = s.width - x1 if s.index == 0 else s.width - min(max(s.width / 2, x1), x2)
        dx, dy = dx + t.xn1, max(0.0, min(high - y, y - low))
        if max(dx, dy) > d or dx + dy > math.sqrt(2) * d:
            return False
    return True
