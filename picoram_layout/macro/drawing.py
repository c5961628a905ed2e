"""From a spec to the drawn macro with everything a report says about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from picoram_layout.capacitance import Capacitance
from picoram_layout.cells.bitcell import bitcell
from picoram_layout.cells.capacitor import capacitor
from picoram_layout.cells.cluster import cluster
from picoram_layout.cells.dac_strip import dac_strip
from picoram_layout.cells.ends import dummy_column
from picoram_layout.cells.mac import mac
from picoram_layout.layout import Block, Library
from picoram_layout.macro.assembly import Macro, macro
from picoram_layout.macro.supply import estimate
from picoram_layout.netlist.circuit import set_capacitors
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.adc_side import heights
from picoram_layout.periphery.base import parts as base_parts
from picoram_layout.periphery.column_side import solve_side
from picoram_layout.periphery.risers import solve_risers
from picoram_layout.periphery.room import routable
from picoram_layout.plan import Plan, capacitance, make_plan

if TYPE_CHECKING:
    from picoram_layout.spec import Spec

Box = tuple[float, float, float, float]


class Area(NamedTuple):
    """A named rectangle of the floorplan (um)."""

    name: str
    kind: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Drawing:
    """A drawn macro: layout, floorplan, key figures, cells and places worth a picture."""

    library: Library
    top: Block
    floorplan: list[Area]
    figures: dict[str, Any]
    gallery: dict[str, Block]
    closeups: dict[str, Box]


def draw(spec: Spec, pdk: Pdk, solved: Callable[[], Capacitance] | None = None) -> Drawing:
    """Draw the macro of a legal spec; ``solved`` hands out the capacitance if it is computed elsewhere.

    `SpecError` where wires find no place.
    """
    plan = make_plan(spec)
    lib = Library(pdk)
    with routable(spec):
        made = macro(lib, plan)
    cap = solved() if solved else capacitance(plan)
    set_capacitors(lib.netlist, lib.devices, cap.value_fF)
    numbers = figures(plan, cap) | {"supply": _supply(plan, made)}
    return Drawing(lib, made.top, floorplan(plan, made), numbers, gallery(lib, plan), closeups(plan, made))


def _supply(plan: Plan, made: Macro) -> list[dict[str, Any]]:
    """IR drop and current density."""
    y = made.parts["array"].y
    rows = [round(y + (low + high) / 2, 6) for low, high in itertools.pairwise(plan.y)]
    return estimate(plan, made.straps, made.rungs, rows)


def floorplan(plan: Plan, made: Macro) -> list[Area]:
    """Blocks of the macro; the array's groups of columns, DAC strips and ends each."""
    inner = {"array": _array_areas(plan), "outputs": _output_areas(plan)}
    areas = [Area(part.name, part.kind, *part.box) for part in made.parts.values() if part.name not in inner]
    for name, own in inner.items():
        x, y = made.parts[name].x, made.parts[name].y
        for a in own:
            place = (round(v + d, 6) for v, d in zip(a[2:], (x, y, x, y), strict=True))
            areas.append(Area(a.name, a.kind, *place))
    return areas


def _output_areas(plan: Plan) -> list[Area]:
    """Column side, slices, blocks of the base, from their common corner."""
    solved, at, side = solve_risers(plan), heights(plan), solve_side(plan)
    (x, y), top = solved.side, side.problem.height
    right, middle = round(x + side.width, 6), round(y + at.columns, 6)
    names = {"BIAS": "bias", "RING": "oscillator", "COUNTER": "counter", "LINES": "line drivers"}
    return [
        Area("column side", "column side", x, middle, right, round(middle + top, 6)),
        Area("ADC slices", "ADC slices", x, y, right, middle),
        *(
            Area(
                names[part.name],
                "line drivers" if part.name == "LINES" else "ADC shared",
                round(solved.base_x + part.x, 6),
                0.0,
                round(solved.base_x + part.x + part.width, 6),
                part.height,
            )
            for part in base_parts(plan)
        ),
    ]


def _array_areas(plan: Plan) -> list[Area]:
    """Parts of the array, from its own corner."""
    low, high = plan.y[0], plan.y[-1]
    areas = [Area("lower end", "end", 0.0, 0.0, plan.width, low)]
    column = 0
    for k, ((x_strip, x_group), group) in enumerate(zip(plan.x, plan.groups, strict=True)):
        areas.append(Area(f"DAC strip {k}", "dac", x_strip, low, x_group, high))
        name = f"columns {column}..{column + group - 1}" if group > 1 else f"column {column}"
        areas.append(Area(name, "array", x_group, low, round(x_group + group * plan.t.width, 6), high))
        column += group
    areas.append(Area("edge", "edge", plan.x_edge, low, plan.width, high))
    areas.append(Area("upper end", "end", 0.0, high, plan.width, plan.height))
    return areas


def figures(plan: Plan, cap: Capacitance) -> dict[str, Any]:
    """Numbers of the report; areas in um2, lengths in um."""
    cells = plan.spec.array.cells_per_cluster
    core = plan.columns * plan.t.width * (plan.y[-1] - plan.y[0])
    rows_area = plan.x_edge * (plan.y[-1] - plan.y[0])
    return {
        "bits": plan.bits,
        "bitcell_area_um2": round(plan.t.width * plan.t.height, 6),
        "cluster_area_um2": round(plan.t.width * plan.plain.height, 6),
        "um2_per_bit": round(core / plan.bits, 6),
        "rows_with_dac_kb_per_mm2": round(plan.bits / 1024 / rows_area * 1e6, 3),
        "bitcell_um": [plan.t.width, plan.t.height],
        "mac_height_um": plan.plain.mac.height,
        "cluster_height_um": plan.plain.height,
        "segment_row_height_um": plan.segment.height,
        "cells_per_cluster": cells,
        "dac_groups": list(plan.groups),
        "segment_rows": sorted(plan.cuts),
        "capacitor_fF": {
            "value": round(cap.value_fF, 4),
            "to_ground": round(cap.to_ground_fF, 4),
            "to_other": {net: round(v, 4) for net, v in cap.to_other_fF.items()},
            "error": round(cap.error_fF, 4),
            "target": plan.spec.capacitor.target_fF,
            "style": plan.spec.capacitor.style,
            "method": cap.method,
        },
    }


def gallery(lib: Library, plan: Plan) -> dict[str, Block]:
    """Cells worth a picture; all of them are in the array already."""
    row = plan.plain
    strip = min(1, len(plan.strips) - 1)
    even = sum(plan.groups[:strip]) % 2 == 0
    cells = {
        "bitcell": bitcell(lib, plan.t),
        "mac": mac(lib, row.mac),
        "capacitor": capacitor(lib, plan.t, row.style, row.height, row.t_y, row.height),
        "cluster": cluster(lib, row, "VDD"),
        "dac_strip": dac_strip(lib, row, plan.strips[strip], "VDD", even),
        "dummy_column": dummy_column(lib, plan.end),
    }
    if plan.cuts:
        cells["mac_segment"] = mac(lib, plan.segment.mac, True)
    return cells


def closeups(plan: Plan, made: Macro) -> dict[str, Box]:
    """Places of the macro worth a picture (um)."""
    t, row = plan.t, plan.plain
    part, foot, outputs = (made.parts[name] for name in ("array", "row foot", "outputs"))
    x_outputs = outputs.x + solve_risers(plan).side[0]
    x, y_mac = part.x + plan.x[0][1], part.y + plan.y[0] + row.y_mac
    top = part.y + plan.y[0] + 2 * row.height
    return {
        "macro_corner": (0.0, 0.0, part.x + part.block.width, top),
        "lower_edge": (x_outputs, 0.0, round(x_outputs + 6 * t.width, 6), round(outputs.y + t.width, 6)),
        "row_side": (0.0, foot.box[3] - t.height, part.x + 2 * t.width, top),
        "array_corner": (part.x, part.y, x + 2 * t.width, part.y + plan.y[0] + 3 * t.height),
        "mac_row": (x, y_mac - t.height / 2, x + 2 * t.width, y_mac + row.mac.height + t.height / 2),
    }
