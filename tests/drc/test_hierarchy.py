"""Violations are found in their owning cell, in any placement; flat and hierarchical runs agree."""

from __future__ import annotations

import itertools
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk
from tests.drc.fixtures import Sketch

PDK = load_pdk("sky130")


def nest(sketch: Sketch, levels: int = 3, pitch: int = 20000) -> str:
    """Place the sketch's cell in 4 x 4 blocks of 4 x 4 blocks ..., every second one mirrored or turned."""
    layout, inner = sketch.layout, sketch.cell
    for level in range(levels):
        outer = layout.create_cell(f"LEVEL{level}")
        step = pitch * 4**level
        for i, j in itertools.product(range(4), range(4)):
            # mirrored and turned about the middle of its field, so that the copies stay apart
            turn = kdb.Trans(2 * (i % 2), j % 2 == 1, 0, 0)
            box = kdb.Box(0, 0, step, step).transformed(turn)
            move = kdb.Trans(i * step - box.left, j * step - box.bottom)
            outer.insert(kdb.CellInstArray(inner.cell_index(), move * turn))
        inner = outer
    return inner.name


PLANTED = [
    ("m1.1", "met1", [(5, 5, 5.135, 8)], (5, 5, 5.135, 8)),
    ("m1.2", "met1", [(5, 5, 6, 6), (6.135, 5, 7, 6)], (6, 5, 6.135, 6)),
    ("m2.6", "met2", [(5, 5, 5.26, 5.255)], (5, 5, 5.26, 5.255)),
    ("via2.1a", "via2", [(5, 5, 5.2, 5.205)], (5, 5, 5.2, 5.205)),
    ("npc.2", "npc", [(5, 5, 6, 6), (6.265, 5, 7, 6)], (6, 5, 6.265, 6)),
    ("nwell.4", "nwell", [(5, 5, 8, 8)], (5, 5, 8, 8)),
    ("li.3", "li1", [(5, 5, 6, 6), (6.1, 6.1, 7, 7)], (6, 6, 6.1, 6.1)),
]


@pytest.mark.parametrize(("rule", "layer", "boxes", "where"), PLANTED, ids=[p[0] for p in PLANTED])
def test_planted_violation_in_a_nested_mirrored_array(rule, layer, boxes, where) -> None:  # type: ignore[no-untyped-def]
    sketch = Sketch(PDK)
    sketch.draw(layer, *boxes)
    clean = sketch.layout.create_cell("CLEAN")
    clean.shapes(sketch.layer(layer)).insert(kdb.DBox(15, 15, 18, 18).to_itype(PDK.dbu))
    top = nest(sketch)
    sketch.layout.cell(top).insert(kdb.CellInstArray(clean.cell_index(), kdb.Trans(-30000, -30000)))
    result = run_drc(sketch.layout, top, PDK, only=[rule])
    assert [v.cell for v in result.violations if v.cell != "CLEAN"] == ["FIXTURE"]
    violation = next(v for v in result.violations if v.cell == "FIXTURE")
    assert violation.rule == rule
    # line and corner markers carry one database unit, corner ones reach to the facing edges' parts
    assert all(abs(a - b) <= 0.1 for a, b in zip(violation.box, where, strict=True))
    middle = (violation.box[0] + violation.box[2]) / 2, (violation.box[1] + violation.box[3]) / 2
    assert where[0] <= middle[0] <= where[2]
    assert where[1] <= middle[1] <= where[3]


def test_a_violation_between_placements_belongs_to_the_cell_that_places_them() -> None:
    sketch = Sketch(PDK)
    sketch.draw("met1", (0, 0, 1, 1))
    pair = sketch.layout.create_cell("PAIR")
    for x in (0, 1100):
        pair.insert(kdb.CellInstArray(sketch.cell.cell_index(), kdb.Trans(x, 0)))
    top = sketch.layout.create_cell("TOP")
    for y in (0, 5000):
        top.insert(kdb.CellInstArray(pair.cell_index(), kdb.Trans(0, y)))
    (violation,) = run_drc(sketch.layout, "TOP", PDK, only=["m1.2"]).violations
    assert (violation.cell, violation.rule) == ("PAIR", "m1.2")


def test_report_database_has_one_entry_per_cell_and_a_category_per_rule(tmp_path: Path) -> None:
    sketch = Sketch(PDK)
    sketch.draw("met1", (5, 5, 5.135, 8), (5.26, 5, 6, 8))
    result = run_drc(sketch.layout, nest(sketch), PDK)
    result.write_lyrdb(tmp_path / "x.lyrdb")
    database = rdb.ReportDatabase("check")
    database.load(str(tmp_path / "x.lyrdb"))
    names = [cell.qname() for cell in database.each_cell()]
    assert len(names) == len(set(names))
    by_name = {c.name(): c for c in database.each_category()}
    assert by_name["m1.1"].num_items() == by_name["m1.2"].num_items() == 1
    assert "0.14" in by_name["m1.1"].description
    assert "SkyWater" in by_name["m1.1"].description
    assert [p.name for p in tmp_path.iterdir()] == ["x.lyrdb"]


LAYERS = (
    "nwell",
    "diff",
    "tap",
    "poly",
    "nsdm",
    "psdm",
    "npc",
    "licon",
    "li1",
    "mcon",
    "met1",
    "via",
    "met2",
)
STEP = 5  # drawing grid in database units


@st.composite
def layouts(draw: st.DrawFn) -> kdb.Layout:
    """Two random cells, the second placing the first turned and mirrored, and a top cell placing that."""
    layout = kdb.Layout()
    layout.dbu = PDK.dbu
    leaf, middle, top = (layout.create_cell(name) for name in ("LEAF", "MIDDLE", "TOP"))
    coordinate = st.integers(0, 240).map(lambda v: v * STEP)
    size = st.sampled_from([100, 150, 170, 170, 200, 300, 420, 500, 1000, 1500])
    for cell, most in ((leaf, 14), (middle, 4), (top, 2)):
        for _ in range(draw(st.integers(1, most))):
            layer = layout.layer(*PDK.drawn[draw(st.sampled_from(LAYERS))])
            x, y, w, h = draw(coordinate), draw(coordinate), draw(size), draw(size)
            cell.shapes(layer).insert(kdb.Box(x, y, x + w, y + h))
    place = st.builds(kdb.Trans, st.integers(0, 3), st.booleans(), coordinate, coordinate)
    for parent, child in ((middle, leaf), (top, middle)):
        for _ in range(draw(st.integers(1, 2))):
            columns, pitch = draw(st.integers(1, 3)), draw(st.integers(60, 500)) * STEP
            vectors = kdb.Vector(pitch, 0), kdb.Vector(0, pitch)
            parent.insert(kdb.CellInstArray(child.cell_index(), draw(place), *vectors, columns, 2))
    return layout


def marked(layout: kdb.Layout, flat: bool) -> dict[str, kdb.Region]:
    """Merged markers of each rule in the top cell's coordinates."""
    result = run_drc(layout, "TOP", PDK, flat=flat)
    regions: dict[str, kdb.Region] = {}
    for v in result.violations:
        placed = placements(layout, v.cell)
        box = kdb.DBox(*v.box).to_itype(layout.dbu)
        target = regions.setdefault(v.rule, kdb.Region())
        for trans in placed:
            target.insert(kdb.Polygon(box).transformed(trans))
    return {rule: region.merged() for rule, region in regions.items()}


def placements(layout: kdb.Layout, name: str) -> list[kdb.ICplxTrans]:
    """All placements of a cell below the top cell."""
    if name == "TOP":
        return [kdb.ICplxTrans()]
    target, result = layout.cell(name), []
    for parent in layout.each_cell():
        for inst in parent.each_inst():
            if inst.cell_index == target.cell_index():
                for above in placements(layout, parent.name):
                    result += [above * one for one in inst.cell_inst.each_cplx_trans()]
    return result


# no shrinking: it takes minutes, and the random layout is small as it is
@settings(max_examples=30, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(layouts())
def test_flat_and_hierarchical_runs_agree(layout: kdb.Layout) -> None:
    deep, flat = marked(layout, False), marked(layout, True)
    assert set(deep) == set(flat)
    for rule in deep:
        assert deep[rule].not_interacting(flat[rule]).is_empty()
        assert flat[rule].not_interacting(deep[rule]).is_empty()


def test_unknown_cell_and_rule_are_named() -> None:
    layout = Sketch(PDK).layout
    with pytest.raises(InputError, match="no cell 'NOPE'"):
        run_drc(layout, "NOPE", PDK)
    with pytest.raises(InputError, match=r"no rule m9\.1"):
        run_drc(layout, "FIXTURE", PDK, only=["m9.1"])


def test_empty_layout_is_clean() -> None:
    assert run_drc(Sketch(PDK).layout, "FIXTURE", PDK).status == "clean"


def test_any_geometry_of_a_user_is_checked_not_crashed_on() -> None:
    sketch = Sketch(PDK)
    for layer in PDK.drawn:
        sketch.polygon(layer, (0, 0), (10, 0.013), (0.007, 3))  # acute, off grid
        sketch.polygon(layer, (20, 0), (25, 5), (30, 0), (25, -5))
    shapes = sketch.cell.shapes(sketch.layer("met2"))
    shapes.insert(kdb.Path([kdb.Point(0, 9000), kdb.Point(5000, 14000)], 201))
    shapes.insert(kdb.Text("note", kdb.Trans(3, 3)))
    other = sketch.layout.create_cell("OTHER_TOP")
    other.insert(kdb.CellInstArray(sketch.cell.cell_index(), kdb.ICplxTrans(1.5, 30, True, 77, 3)))
    for top in ("FIXTURE", "OTHER_TOP"):
        by_rule = run_drc(sketch.layout, top, PDK).by_rule
        assert {"x.1b", "x.2", "x.3a"} <= set(by_rule)


@pytest.mark.parametrize("dbu", [0.0005, 0.005, 0.01])
def test_other_database_units(dbu: float) -> None:
    layout = kdb.Layout()
    layout.dbu = dbu
    cell = layout.create_cell("TOP")
    met1 = layout.layer(*PDK.drawn["met1"])
    cell.shapes(met1).insert(kdb.DBox(0, 0, 0.14, 2).to_itype(dbu))
    assert "m1.1" not in run_drc(layout, "TOP", PDK).by_rule
    cell.shapes(met1).insert(kdb.DBox(5, 0, 5.13, 2).to_itype(dbu))
    assert run_drc(layout, "TOP", PDK).by_rule["m1.1"] == 1
