"""From a spec to every count and size of the array and where its parts lie in it, without drawing.

`macro.assembly` places the array in the macro.

Rows are numbered from the bottom, columns from the left; a column's weight bit is the most significant
one first within each output. A segment row stands where the shift-and-add cuts VL: ``inputs >> k`` rows
stay on the lower VL of weight bit ``weight_bits - 1 - k``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from picoram_layout.capacitance import Capacitance, estimate_per_um, in_array
from picoram_layout.cells.capacitor import live_length, shapes
from picoram_layout.cells.cluster import ClusterRow, solve_cluster
from picoram_layout.cells.dac_strip import Strip, solve_strips
from picoram_layout.cells.ends import End, solve_end
from picoram_layout.cells.thin_cell import ThinCell, solve
from picoram_layout.pdk import Pdk, load_pdk
from picoram_layout.spec.problem import Problem

if TYPE_CHECKING:
    from picoram_layout.spec import Spec

Box = tuple[float, float, float, float]

# The estimate of the capacitance from the fingers' length is trusted this far from the target.
_ESTIMATE_ERROR = 0.2


@dataclass(frozen=True)
class Plan:
    """Everything about an array but its geometry. Lengths in um."""

    spec: Spec
    t: ThinCell
    plain: ClusterRow
    segment: ClusterRow
    groups: tuple[int, ...]  # columns of the DAC's groups, left to right
    strips: tuple[Strip, ...]  # the DAC strip on the left of each group
    end: End

    @property
    def pdk(self) -> Pdk:
        """The process."""
        return self.t.pdk

    @property
    def columns(self) -> int:
        """Columns of clusters."""
        return self.spec.array.outputs * self.spec.array.weight_bits

    @property
    def rows(self) -> int:
        """Rows of clusters."""
        return self.spec.array.inputs

    @property
    def bits(self) -> int:
        """Storage capacity."""
        return self.rows * self.columns * self.spec.array.cells_per_cluster

    @cached_property
    def cuts(self) -> dict[int, int]:
        """Segment rows: row number -> place of the cut column within each output."""
        return {self.rows >> k: k for k in range(1, self.spec.array.weight_bits)}

    def row(self, number: int) -> ClusterRow:
        """The kind of a row."""
        return self.segment if number in self.cuts else self.plain

    def supply(self, number: int) -> str:
        """The supply on a row's free track: they take turns."""
        return "VDD" if number % 2 == 0 else "GND"

    @cached_property
    def y(self) -> tuple[float, ...]:
        """Lower boundary of every row, and the last one's upper boundary."""
        ys = [self.end.height]
        for r in range(self.rows):
            ys.append(round(ys[-1] + self.row(r).height, 6))
        return tuple(ys)

    @cached_property
    def x(self) -> tuple[tuple[float, float], ...]:
        """Left edge of every strip and of the group on its right."""
        xs, x = [], 0.0
        for strip, group in zip(self.strips, self.groups, strict=True):
            xs.append((round(x, 6), round(x + strip.width, 6)))
            x += strip.width + group * self.t.width
        return tuple(xs)

    @property
    def x_edge(self) -> float:
        """Right edge of the last column."""
        return round(self.x[-1][1] + self.groups[-1] * self.t.width, 6)

    @property
    def width(self) -> float:
        """Width of the array."""
        return round(self.x_edge + self.end.edge, 6)

    @property
    def height(self) -> float:
        """Height of the array."""
        return round(self.y[-1] + self.end.height, 6)


@cache
def make_plan(spec: Spec) -> Plan:
    """Plan the array of a legal spec."""
    pdk, a, b = load_pdk(spec.pdk), spec.array, spec.bitcell
    t = solve(pdk, b.pass_gate_w, b.pull_down_w, b.pull_up_w)
    columns = a.outputs * a.weight_bits
    groups = (*(columns >> k for k in range(1, a.input_bits + 1)), columns >> a.input_bits)
    # data lines over columns: all but the first group's, which ends at the left edge
    data_lines = max(1, a.input_bits - 1)
    plain = solve_cluster(t, a.cells_per_cluster, data_lines, spec.capacitor.style)
    segment = solve_cluster(t, a.cells_per_cluster, data_lines, spec.capacitor.style, segment=True)
    return Plan(spec, t, plain, segment, groups, solve_strips(plain, groups), solve_end(plain))


def capacitance(plan: Plan) -> Capacitance:
    """Field solution of one cluster's capacitor as it is drawn, over a plane of row wires."""
    t, row = plan.t, plan.plain
    conductors: dict[str, dict[str, list[Box]]] = {}
    for net, layer, box in shapes(t, row.style, row.height, row.t_y, row.height):
        conductors.setdefault(net, {}).setdefault(layer, []).append(box)
    return in_array(plan.pdk, conductors, (t.width, row.height))


def problems(spec: Spec) -> list[Problem]:
    """What a spec asks that the geometry cannot give: here, the capacitance."""
    plan = make_plan(spec)
    wanted = spec.capacitor.target_fF
    estimate = capacitance_estimate(plan)
    if wanted <= estimate * (1 - _ESTIMATE_ERROR):
        return []
    value = capacitance(plan).value_fF
    if wanted <= value:
        return []
    most = int(value * 100) / 100
    cells = spec.array.cells_per_cluster
    why = f"over {cells} {spec.pdk} cells the {spec.capacitor.style} capacitor has {most:g} fF at the most"
    return [Problem("capacitor.target_fF", wanted, why, most)]


def capacitance_estimate(plan: Plan) -> float:
    """Capacitance from the live fingers' length alone (fF)."""
    per_um = estimate_per_um(plan.pdk, plan.spec.capacitor.style)
    return per_um * live_length(plan.t, plan.plain.height)
