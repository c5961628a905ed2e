"""Densities are exact: equal to merged flat areas, for any hierarchy, orientation and overlap."""

from __future__ import annotations

import klayout.db as kdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picoram_layout.density import density_map, extent, layer_density, one_layer_density, tile_areas
from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk

PDK = load_pdk("sky130")
MET1, BOUNDARY = PDK.drawn["met1"], PDK.marks["boundary"]


def layout_of(*boxes: tuple[float, float, float, float]) -> kdb.Layout:
    layout = kdb.Layout()
    layout.dbu = PDK.dbu
    top = layout.create_cell("TOP")
    for box in boxes:
        top.shapes(layout.layer(*MET1)).insert(kdb.DBox(*box).to_itype(PDK.dbu))
    return layout


@st.composite
def layouts(draw: st.DrawFn) -> kdb.Layout:
    """Overlapping boxes and slanted shapes in three levels, in turned arrays, some cells with outlines."""
    layout = kdb.Layout()
    layout.dbu = PDK.dbu
    met1, outline = layout.layer(*MET1), layout.layer(*BOUNDARY)
    cells = [layout.create_cell(name) for name in ("LEAF", "MIDDLE", "TOP")]
    length = st.integers(1, 90).map(lambda v: 50 * v)  # so large that snapped vertices hardly count
    for cell in cells:
        for _ in range(draw(st.integers(1, 4))):
            x, y, w, h = (draw(length) for _ in range(4))
            if draw(st.booleans()):
                cell.shapes(met1).insert(kdb.Box(x, y, x + w, y + h))
            else:
                corners = [kdb.Point(x, y), kdb.Point(x + 2 * w, y), kdb.Point(x, y + 2 * h)]
                cell.shapes(met1).insert(kdb.Polygon(corners))
        if cell.name != "TOP" and draw(st.booleans()):
            cell.shapes(outline).insert(kdb.Box(0, 0, draw(length), draw(length)))
    for parent, child in ((cells[1], cells[0]), (cells[2], cells[1]), (cells[2], cells[0])):
        trans = kdb.Trans(draw(st.integers(0, 3)), draw(st.booleans()), draw(length), draw(length))
        step = kdb.Vector(draw(length), 0), kdb.Vector(0, draw(length))
        array = kdb.CellInstArray(child.cell_index(), trans, *step, draw(st.integers(1, 3)), 2)
        parent.insert(array)
    return layout


@settings(max_examples=60)
@given(layouts(), st.integers(1, 5), st.integers(1, 5))
def test_tiles_equal_flat_merged_areas(layout: kdb.Layout, columns: int, rows: int) -> None:
    box = extent(layout, "TOP", PDK)
    xs = np.linspace(box.left, box.right, columns + 1).round()
    ys = np.linspace(box.bottom, box.top, rows + 1).round()
    areas = tile_areas(layout, "TOP", PDK, "met1", xs, ys)
    flat = kdb.Region(layout.cell("TOP").begin_shapes_rec(layout.layer(*MET1))).merged()
    # where slanted edges cross, corners are snapped: less than a database unit along all edges
    assert areas.sum() == pytest.approx(flat.area(), rel=2e-3, abs=flat.perimeter())
    for i in range(columns):
        for j in range(rows):
            tile = kdb.Box(int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1]))
            exact = (flat & kdb.Region(tile)).area()
            # slanted edges cut by a tile border are snapped to the database unit
            assert areas[i, j] == pytest.approx(exact, rel=5e-3, abs=3 * (tile.width() + tile.height()))


def test_overall_and_worst_window() -> None:
    step, window = PDK.density["step"], PDK.density["window"]
    layout = layout_of((0, 0, 4 * window, 0.5), (3 * step, 0, 3 * step + window, window))
    result = one_layer_density(layout, "TOP", PDK, "met1")
    assert result.worst == pytest.approx(1.0)
    assert result.worst_box == (3 * step, 0.0, 3 * step + window, window)
    assert result.window_um == (window, window)
    assert result.overall == pytest.approx((window * window + 3 * window * 0.5) / (4 * window * window))
    assert (result.limit_min, result.limit_max) == (0.35, 0.60)


def test_a_layout_smaller_than_the_window_is_its_own_window() -> None:
    result = one_layer_density(layout_of((0, 0, 10, 5), (0, 5, 5, 10)), "TOP", PDK, "met1")
    assert (result.overall, result.worst, result.window_um) == (0.75, 0.75, (10, 10))


def test_a_window_flush_with_the_far_edge_is_looked_at() -> None:
    window = PDK.density["window"]
    far = window + 33.0
    layout = layout_of((0, 0, far, 1), (far - 20, 0, far, window))
    result = one_layer_density(layout, "TOP", PDK, "met1")
    assert result.worst_box[2] == far


def test_the_boundary_mark_counts_and_labels_do_not() -> None:
    layout = layout_of((0, 0, 10, 10))
    top = layout.cell("TOP")
    top.shapes(layout.layer(*BOUNDARY)).insert(kdb.DBox(0, 0, 20, 10).to_itype(PDK.dbu))
    top.shapes(layout.layer(*PDK.labels["met1"])).insert(kdb.Text("far", kdb.Trans(10**6, 10**6)))
    assert one_layer_density(layout, "TOP", PDK, "met1").overall == 0.5


def test_layers_without_limits_are_measured_too_and_nothing_is_no_error() -> None:
    result = layer_density(layout_of(), "TOP", PDK)
    assert list(result) == PDK.density["layers"]
    assert result["poly"].limit_max is None
    assert {r.overall for r in result.values()} == {0.0}


def test_map_has_the_layouts_shape_and_mean() -> None:
    layout = layout_of((0, 0, 30, 10), (30, 0, 60, 30))
    picture = density_map(layout, "TOP", PDK, "met1", (60, 30))
    assert picture.shape == (60, 30)
    assert picture.mean() == pytest.approx(one_layer_density(layout, "TOP", PDK, "met1").overall)
    assert picture[0, 0] == 1.0
    assert picture[0, 29] == 0.0


def test_magnified_and_slanted_placements_fall_back_to_flat() -> None:
    layout = layout_of()
    leaf = layout.create_cell("LEAF")
    leaf.shapes(layout.layer(*MET1)).insert(kdb.Box(0, 0, 1000, 1000))
    layout.cell("TOP").insert(kdb.CellInstArray(leaf.cell_index(), kdb.ICplxTrans(2.0, 45, False, 0, 0)))
    box = extent(layout, "TOP", PDK)
    assert density_map(layout, "TOP", PDK, "met1", (1, 1)).sum() * box.area() == pytest.approx(4e6, rel=0.01)


def test_unknown_cell_is_named() -> None:
    with pytest.raises(InputError, match="no cell 'NOPE'"):
        one_layer_density(layout_of(), "NOPE", PDK, "met1")
