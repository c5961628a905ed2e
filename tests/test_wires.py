"""Wire capacitance: by hand, against itself, and against field solutions of wires of the array."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import klayout.db as kdb
import numpy as np
import pytest

from picoram_layout import capacitance
from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, load_pdk
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import load_spec
from picoram_layout.spec.shipped import find_spec
from picoram_layout.wires import Capacitances, wire_capacitance
from picoram_layout.wires.cells import (
    Wires,
    cell_wires,
    cluster_places,
    draw_clusters,
    grounded,
    strip_wires,
)
from picoram_layout.wires.coefficients import SUBSTRATE, load_coefficients
from picoram_layout.wires.nets import Place, nets_of

DBU = 0.001
Box = tuple[float, float, float, float]
Nets = dict[str, dict[str, list[Box]]]
Drawing = Mapping[str, Mapping[str, Sequence[Box]]]


def solve(nets: Drawing, pdk: str = "sky130", **options: Any) -> Capacitances:
    """Capacitance of nets drawn as boxes (um)."""
    shapes = {net: {k: region(*boxes) for k, boxes in layers.items()} for net, layers in nets.items()}
    return wire_capacitance(shapes, load_pdk(pdk), DBU, **options)


def region(*boxes: Box) -> kdb.Region:
    drawn = kdb.Region()
    for box in boxes:
        drawn.insert(kdb.DBox(*box).to_itype(DBU))
    return drawn


def landed(layer: str, plane: str, far: float) -> float:
    """Part of a fringe that lands within ``far`` um, with the plates' coefficients of the process."""
    plate = {("met1", "substrate"): 25.78, ("met2", "met1"): 133.861, ("met3", "met2"): 86.1861}
    return 2 / math.pi * math.atan(0.02 * plate[layer, plane] * far)


# -- by hand -----------------------------------------------------------------------------------------------


def test_plate_over_the_substrate() -> None:
    found = solve({"A": {"met1": [(0, 0, 10, 5)]}})
    expected = 10 * 5 * 25.78 + 30 * 40.57 * landed("met1", "substrate", 8.0)
    assert found.total("A") == found.to_substrate["A"] == pytest.approx(expected / 1000)


def test_parallel_wires() -> None:
    found = solve({"A": {"met1": [(0, 0, 100, 0.14)]}, "B": {"met1": [(0, 0.28, 60, 0.42)]}})
    assert found.between("A", "B") == pytest.approx(60 * 44 / (0.14 + 0.25) / 1000)
    assert found.to_nets["A"]["B"] == pytest.approx(found.to_nets["B"]["A"])


def test_a_neighbour_ends_the_fringe() -> None:
    alone = solve({"A": {"met1": [(0, 0, 1000, 0.14)]}}).total("A")
    beside = solve({"A": {"met1": [(0, 0, 1000, 0.14)]}, "B": {"met1": [(0, 0.64, 1000, 1)]}})
    lost = 40.57 * (landed("met1", "substrate", 8.0) - landed("met1", "substrate", 0.5))
    assert alone - beside.to_substrate["A"] == pytest.approx(lost, rel=1e-3)


def test_nothing_couples_through_a_wire_between() -> None:
    row = {"A": {"met1": [(0, 0, 9, 1)]}, "B": {"met1": [(0, 2, 9, 3)]}, "C": {"met1": [(0, 4, 9, 5)]}}
    assert solve(row).between("A", "C") == 0
    stack = {"A": {"li1": [(0, 0, 9, 9)]}, "B": {"met1": [(-9, -9, 18, 18)]}, "C": {"met2": [(0, 0, 9, 9)]}}
    assert solve(stack).between("A", "C") == 0


def test_a_plate_sees_what_its_shield_leaves_open() -> None:
    nets = {"A": {"met3": [(0, 0, 9, 9)]}, "B": {"met1": [(0, 0, 9, 9)]}, "C": {"met2": [(0, -9, 3, 18)]}}
    found = solve(nets, counts=lambda a, b: {a, b} == {"met1", "met3"})
    assert found.total("A") == found.between("A", "B") == pytest.approx(6 * 9 * 34.535 / 1000)


def test_an_edge_between_two_planes_gives_half_to_each() -> None:
    wire: Nets = {"A": {"met2": [(0, 0, 1000, 0.14)]}}
    planes: Nets = {"P": {"met1": [(-9, -9, 1009, 9)]}, "Q": {"met3": [(-9, -9, 1009, 9)]}}
    alone = solve(wire | {"P": planes["P"]}).between("A", "P")
    both = solve(wire | planes)
    area, edges = 140 * 133.861, 2000 * 67.045 * landed("met2", "met1", 8.0)
    assert alone == pytest.approx((area + edges) / 1000, rel=2e-3)
    assert both.between("A", "P") == pytest.approx((area + edges / 2) / 1000, rel=2e-3)
    area, edges = 140 * 86.1861, 2000 * 44.432 * landed("met3", "met2", 8.0)
    assert both.between("A", "Q") == pytest.approx((area + edges / 2) / 1000, rel=2e-3)


def test_a_gate_is_no_wire_downwards() -> None:
    gate = solve({"A": {"gate": [(0, 0, 2, 1)]}, "B": {"li1": [(0, 0, 2, 1)]}}, within=kdb.DBox(0, 0, 2, 1))
    poly = solve({"A": {"poly": [(0, 0, 2, 1)]}, "B": {"li1": [(0, 0, 2, 1)]}}, within=kdb.DBox(0, 0, 2, 1))
    assert poly.to_substrate["A"] - gate.to_substrate["A"] == pytest.approx(2 * 0.10613)
    assert poly.between("A", "B") == pytest.approx(gate.between("A", "B")) != 0


# -- against itself ----------------------------------------------------------------------------------------

CROSSING: Nets = {
    "A": {"met1": [(0, 0.3, 3, 0.44), (1, 0.3, 1.3, 2)], "li1": [(1, 1, 1.3, 3)]},
    "B": {"met2": [(0.5, 0, 0.64, 3)], "met1": [(0.4, 0.8, 0.7, 2)]},
    "C": {"poly": [(0, 2, 3, 2.15)], "met2": [(2, 0.5, 3, 1.5)]},
}


def matrix(found: Capacitances) -> list[float]:
    pairs = itertools.combinations(sorted(found.to_substrate), 2)
    return [*found.to_substrate.values(), *(found.between(a, b) for a, b in pairs)]


def test_place_and_orientation_do_not_matter() -> None:
    def turned(box: Box) -> Box:
        x1, y1, x2, y2 = box
        return y1 + 5, x1 - 7, y2 + 5, x2 - 7

    again = {net: {k: [turned(b) for b in bs] for k, bs in ls.items()} for net, ls in CROSSING.items()}
    assert matrix(solve(again)) == pytest.approx(matrix(solve(CROSSING)))


def test_windows_add_up() -> None:
    whole = solve(CROSSING)
    parts = [kdb.DBox(-9, -9, 0.55, 1), kdb.DBox(0.55, -9, 9, 1), kdb.DBox(-9, 1, 9, 9)]
    found = [solve(CROSSING, within=part) for part in parts]
    for net in CROSSING:
        assert sum(part.total(net) for part in found) == pytest.approx(whole.total(net), rel=1e-3)


def test_a_unit_is_one_of_many() -> None:
    unit: Nets = {
        "A": {"met1": [(0.1, 0, 0.3, 1)]},
        "B": {"met1": [(0.5, 0, 0.7, 1)], "met2": [(0, 0.2, 1, 0.5)]},
    }
    copies = list(itertools.product(range(-12, 13), range(-12, 13)))
    many = {
        net: {
            k: [(x1 + i, y1 + j, x2 + i, y2 + j) for x1, y1, x2, y2 in bs for i, j in copies]
            for k, bs in ls.items()
        }
        for net, ls in unit.items()
    }
    middle = solve(many, within=kdb.DBox(0, 0, 1, 1))
    assert matrix(solve(unit, pitch=(1.0, 1.0))) == pytest.approx(matrix(middle))


def test_scaled_wires_have_scaled_capacitance() -> None:
    def halved(box: Box) -> Box:
        x1, y1, x2, y2 = box
        return x1 / 2, y1 / 2, x2 / 2, y2 / 2

    scaled = {net: {k: [halved(b) for b in bs] for k, bs in ls.items()} for net, ls in CROSSING.items()}
    half = matrix(solve(scaled, "scaled65"))
    assert [2 * value for value in half] == pytest.approx(matrix(solve(CROSSING)), rel=1e-6)


def test_what_is_not_counted_still_hides() -> None:
    nets = {"A": {"met1": [(0, 0, 9, 9)]}, "B": {"met3": [(0, 0, 9, 9)]}, "C": {"met2": [(-9, -9, 18, 18)]}}
    found = solve(nets, counts=lambda a, b: "met2" not in (a, b))
    assert found.between("A", "B") == found.between("A", "C") == 0


def test_wrong_layers_and_shapes() -> None:
    with pytest.raises(InputError, match="layer 'met9' is unknown; known: diff, gate, li1"):
        solve({"A": {"met9": [(0, 0, 1, 1)]}})
    slanted = kdb.Region(kdb.Polygon([kdb.Point(0, 0), kdb.Point(500, 900), kdb.Point(900, 0)]))
    with pytest.raises(ValueError, match="rectilinear"):
        wire_capacitance({"A": {"met1": slanted}}, load_pdk("sky130"), DBU)


@pytest.mark.parametrize("pdk", ["sky130", "scaled65"])
def test_tables_are_complete(pdk: str) -> None:
    process = load_pdk(pdk)
    table = load_coefficients(process)
    wires = [layer for layer in table.layers if layer != "diff"]
    assert wires == ["poly", *process.stack[::2]]
    assert set(table.sidewall) == set(wires)
    pairs = set(itertools.combinations(reversed([SUBSTRATE, *wires]), 2))
    pairs |= {(layer, "diff") for layer in wires[1:]}
    assert set(table.plate) == pairs
    assert set(table.fringe) == pairs | set(itertools.combinations(wires, 2))


# -- cells in the array ------------------------------------------------------------------------------------


@cache
def plan_of(name: str, cells: int = 9) -> Plan:
    spec = load_spec(find_spec(Path(name)))
    return make_plan(
        spec.model_copy(update={"array": spec.array.model_copy(update={"cells_per_cluster": cells})})
    )


def total(wires: Wires, net: str) -> float:
    return sum(value for pair, value in wires.items() if net in pair)


@pytest.mark.parametrize("name", ["picoram_40kb", "picoram_40kb_scaled65"])
def test_nets_of_a_cluster(name: str) -> None:
    wires = cell_wires(plan_of(name, 5))
    nets = {"LBL", "VL", "GBLB", "XL", "SOUT", "ACC", "PCHB", "T", "DATA[0]", "DATA[1]", "DATA[2]"}
    nets |= {f"{line}[{k}]" for line in ("WLL", "WLR") for k in range(5)}
    nets |= {f"cell{k}.{node}" for k in range(5) for node in ("Q", "QB")}
    assert {net for pair in wires for net in pair} == nets | {None}
    assert all(value >= 0 for value in wires.values())
    assert all(wires[net, None] > 0 for net in nets)


@pytest.mark.parametrize("net", ["LBL", "VL", "GBLB"])
def test_a_window_of_the_array_is_its_periodic_unit(net: str) -> None:
    plan, pdk = plan_of("picoram_40kb"), load_pdk("sky130")
    window = kdb.DBox(0, 4 * plan.t.height, plan.t.width, 6 * plan.t.height)
    seen = wire_capacitance(cluster_nets(), pdk, DBU, within=window).total(net)
    nets, pitch = unit(net, "cells")
    assert seen == pytest.approx(wire_capacitance(nets, pdk, DBU, pitch).total(net), rel=0.02)


def test_segment_row() -> None:
    plan = plan_of("picoram_40kb", 3)
    joined, cut = (cell_wires(plan, "GND", segment=True, cut=c) for c in (False, True))
    assert total(joined, "SEG") > 0.5
    assert total(cut, "VL") + total(cut, "VL_UP") == pytest.approx(total(joined, "VL"), rel=0.2)


def test_nets_of_a_strip() -> None:
    plan = plan_of("picoram_40kb", 3)
    first, second = strip_wires(plan, 0), strip_wires(plan, 1)
    own = {"XL_R", "SMP", "ACC", "SOUT", "PCHB"}
    assert own | {"D"} <= {net for pair in first for net in pair if net}
    assert own | {"SHR", "XL_L"} <= {net for pair in second for net in pair if net}
    assert total(second, "XL_R") > total(second, "XL_L") > 0


def test_ground_takes_what_the_named_nets_leave() -> None:
    found = solve(CROSSING)
    wires = grounded(found, ["A", "B"])
    assert set(wires) == {("A", "B"), ("A", None), ("B", None)}
    assert total(wires, "A") == pytest.approx(found.total("A"))
    assert wires["A", None] == pytest.approx(found.to_substrate["A"] + found.between("A", "C"))


def test_a_name_needs_a_wire_of_its_own() -> None:
    canvas, _ = draw_clusters(plan_of("picoram_40kb", 3), "VDD")
    layout, pdk = canvas.lib.layout, canvas.pdk
    with pytest.raises(ValueError, match="no wire on met1"):
        nets_of(layout, canvas.cell.name, pdk, [Place("A", "met1", -99, 0)])
    x = canvas.pdk.width("met1")
    twice = [Place(net, "met2", x, plan_of("picoram_40kb", 3).t.y_wll_line) for net in ("A", "B")]
    with pytest.raises(ValueError, match="B and A are one net"):
        nets_of(layout, canvas.cell.name, pdk, twice)


# -- against field solutions -------------------------------------------------------------------------------

OWN, REST = "own silicon", "rest"
# Height of silicon and poly (um): sky130A technology file of open_pdks. Metals: capacitance.yaml.
SILICON = {"diff": (0.0, 0.3262), "poly": (0.3262, 0.5062), "gate": (0.3262, 0.5062)}


@cache
def cluster_nets() -> dict[str, dict[str, kdb.Region]]:
    plan = plan_of("picoram_40kb")
    canvas, block = draw_clusters(plan, "VDD")
    return nets_of(canvas.lib.layout, canvas.cell.name, canvas.pdk, cluster_places(block, plan.plain))


def unit(live: str, where: str) -> tuple[dict[str, dict[str, kdb.Region]], tuple[float, float]]:
    """Two columns of two bitcells, or of the MAC row and the bitcell below it: a periodic piece of the array.

    One net is kept apart from all others; its diffusion and gates are a net of their own.
    """
    plan = plan_of("picoram_40kb")
    h, row = plan.t.height, plan.plain
    low, high = (4 * h, 6 * h) if where == "cells" else ((row.cells - 1) * h, row.height)
    window = kdb.DBox(0, low, 2 * plan.t.width, high).to_itype(DBU)
    nets: dict[str, dict[str, kdb.Region]] = {}
    for net, layers in cluster_nets().items():
        for layer, shapes in layers.items():
            part = (shapes & kdb.Region(window)).moved(0, -window.bottom)
            name = REST if net != live else OWN if layer in ("diff", "gate") else live
            if not part.is_empty():
                nets.setdefault(name, {}).setdefault(layer, kdb.Region()).insert(part)
    return nets, (2 * plan.t.width, round(high - low, 6))


def permittivity(pdk: Pdk) -> float:
    """What the coefficients of parallel plates say: the median over all pairs of metals and the substrate."""
    spans, plate = capacitance.load_stack(pdk).spans | {SUBSTRATE: (0.0, 0.0)}, load_coefficients(pdk).plate
    return statistics.median(
        value / 1000 * (spans[upper][0] - spans[lower][1]) / capacitance._VACUUM
        for (upper, lower), value in plate.items()
        if {upper, lower} <= set(spans)
    )


def field_solution(
    nets: dict[str, dict[str, kdb.Region]], pitch: tuple[float, float], live: str, step: float
) -> float:
    """Capacitance (fF) of the live net's wires to all but its own silicon: mean of two schemes.

    Edges closer than a fifth of the step share a line of the grid.
    """
    pdk = load_pdk("sky130")
    spans = capacitance.load_stack(pdk).spans | SILICON
    solids = [capacitance._Solid(SUBSTRATE, (0.0, 0.0, -0.3), (*pitch, 0.0))]
    for net, layers in sorted(nets.items(), key=lambda item: item[0] == live):
        for layer, shapes in layers.items():
            for box in (part.bbox() for part in shapes.merged().decompose_trapezoids_to_region().each()):
                low, high = box.p1.to_dtype(DBU), box.p2.to_dtype(DBU)
                bottom, top = spans[layer]
                solids.append(capacitance._Solid(net, (low.x, low.y, bottom), (high.x, high.y, top)))
    lines = [grid_lines([s.low[k] for s in solids] + [s.high[k] for s in solids], step) for k in (0, 1)]
    axes = [filled(line, step) for line in lines]
    top = max(s.high[2] for s in solids)
    axes.append(filled(sorted({s.low[2] for s in solids} | {s.high[2] for s in solids} | {top + 2}), step))
    moved = [s._replace(low=on_lines(s.low, lines), high=on_lines(s.high, lines)) for s in solids]
    names = [live, OWN, REST, SUBSTRATE]
    charges = [capacitance._charges(axes, moved, names, pitch, nodal)[0] for nodal in (True, False)]
    mean = sum(charges) / 2 * capacitance._VACUUM * permittivity(pdk)
    return float(mean[0] + mean[1])


def grid_lines(edges: list[float], step: float) -> list[float]:
    """Edges, but of those closer than a fifth of the step only the first; both ends of the unit stay."""
    lines: list[float] = []
    for edge in sorted(set(edges)):
        if not lines or edge - lines[-1] > step / 5:
            lines.append(edge)
    lines[-1] = max(edges)
    return lines


def filled(lines: Sequence[float], step: float) -> Any:
    """Lines with steps of at most ``step`` between them."""
    parts = [
        np.linspace(a, b, math.ceil((b - a) / step - 1e-9) + 1)[:-1] for a, b in itertools.pairwise(lines)
    ]
    return np.concatenate([*parts, [lines[-1]]])


def on_lines(point: tuple[float, float, float], lines: list[list[float]]) -> tuple[float, float, float]:
    x, y = (min(line, key=lambda v: abs(v - point[k])) for k, line in enumerate(lines))
    return x, y, point[2]


WIRES = [
    ("LBL", "cells"),
    ("VL", "cells"),
    ("GBLB", "cells"),
    ("WLL[4]", "cells"),
    ("XL", "mac"),
    ("SOUT", "mac"),
]


@pytest.mark.parametrize(("net", "where"), WIRES)
def test_against_a_field_solution(net: str, where: str) -> None:
    nets, pitch = unit(net, where)
    found = wire_capacitance(nets, load_pdk("sky130"), DBU, pitch)
    model = found.total(net) - found.between(net, OWN)
    assert model == pytest.approx(field_solution(nets, pitch, net, 0.14), rel=0.2)
