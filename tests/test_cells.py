"""Every cell of the catalogue: clean alone and beside its neighbours, on grid, with ports on drawn metal."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from picoram_layout.cells import CATALOGUE
from picoram_layout.cells.cluster import cluster
from picoram_layout.cells.dac_strip import dac_strip, solve_strip
from picoram_layout.cells.ends import dummy_column, strip_end
from picoram_layout.commands.cells import check_cell
from picoram_layout.drc import run_drc
from picoram_layout.layout import Canvas, Library
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.plan import capacitance, make_plan
from picoram_layout.spec import load_spec

SPECS = Path(__file__).parent.parent / "specs"
CELLS = [pytest.param(pdk, name, id=f"{pdk}-{name}") for pdk in pdk_names() for name in CATALOGUE]
# What a cell without taps cannot be asked away from its array.
TAPS = ("tapped", "latchup")
MIRRORS = list(itertools.product((False, True), repeat=2))


def violations(library: Library, top: str, taps: bool = True) -> dict[str, int]:
    """Violations by rule; density is a matter of whole layouts."""
    kinds = {"density"} if taps else {"density", *TAPS}
    rules = [rule.id for rule in library.pdk.rules if rule.kind not in kinds]
    return run_drc(library.layout, top, library.pdk, only=rules).by_rule


@pytest.mark.parametrize(("pdk", "name"), CELLS)
def test_a_cell_is_clean_alone(pdk: str, name: str) -> None:
    library, entry = Library(load_pdk(pdk)), CATALOGUE[name]
    block = entry.draw(library)
    result = check_cell(entry, library, block)
    assert result.by_rule == {}
    taps = {rule.id for rule in library.pdk.rules if rule.kind in TAPS}
    told = {row["id"] for row in result.rules_not_checked}
    assert (taps <= told) == entry.needs_array
    asked = {rule.id for rule in library.pdk.rules}
    assert asked <= told | set(result.rules_checked)
    assert not told & set(result.rules_checked)


@pytest.mark.parametrize("pdk", pdk_names())
def test_a_cell_without_taps_is_told_from_one_with_taps(pdk: str) -> None:
    library = Library(load_pdk(pdk))
    block = CATALOGUE["bitcell"].draw(library)
    taps = {rule.id for rule in library.pdk.rules if rule.kind in TAPS}
    assert violations(library, block.name).keys() == taps


@pytest.mark.parametrize(("pdk", "name"), CELLS)
def test_mirrored_cells_are_clean(pdk: str, name: str) -> None:
    library = Library(load_pdk(pdk))
    block = CATALOGUE[name].draw(library)
    c = Canvas(library, "mirrored")
    apart = 2 * library.pdk.rule("width", "met5")  # each on its own
    for k, (mirror_x, mirror_y) in enumerate(MIRRORS):
        c.place(block, k * (block.width + apart), 0, mirror_x=mirror_x, mirror_y=mirror_y)
    top = c.done(len(MIRRORS) * (block.width + apart), block.height)
    assert violations(library, top.name, taps=not CATALOGUE[name].needs_array) == {}


@pytest.mark.parametrize(("pdk", "name"), CELLS)
def test_vertices_are_on_grid(pdk: str, name: str) -> None:
    library = Library(load_pdk(pdk))
    block = CATALOGUE[name].draw(library)
    grid = round(library.pdk.grid / library.pdk.dbu)
    found = 0
    for layer in library.pdk.drawn:
        shapes = block.cell.begin_shapes_rec(library.layer(layer))
        for item in shapes.each():
            box = item.shape().bbox().transformed(item.trans())
            assert item.shape().is_box()
            assert all(v % grid == 0 for v in (box.left, box.bottom, box.right, box.top)), (layer, box)
            found += 1
    assert found


@pytest.mark.parametrize(("pdk", "name"), CELLS)
def test_boundary_is_the_size(pdk: str, name: str) -> None:
    library = Library(load_pdk(pdk))
    block = CATALOGUE[name].draw(library)
    [shape] = block.cell.shapes(library.layer("boundary")).each()
    box = shape.dbbox()
    assert (box.left, box.bottom) == (0, 0)
    assert (box.right, box.top) == pytest.approx((block.width, block.height))


@pytest.mark.parametrize(("pdk", "name"), CELLS)
def test_ports_lie_on_drawn_shapes(pdk: str, name: str) -> None:
    import klayout.db as kdb

    library = Library(load_pdk(pdk))
    block = CATALOGUE[name].draw(library)
    for port in itertools.chain.from_iterable(block.ports.values()):
        drawn = kdb.Region(block.cell.begin_shapes_rec(library.layer(port.layer)))
        asked = kdb.Region(kdb.DBox(*port.box).to_itype(library.layout.dbu))
        assert not asked.is_empty(), port
        assert (asked - drawn).is_empty(), port


@pytest.mark.parametrize("pdk", pdk_names())
def test_bitcells_tile(pdk: str) -> None:
    library = Library(load_pdk(pdk))
    cell = CATALOGUE["bitcell"].draw(library)
    c = Canvas(library, "tile")
    for i, j in itertools.product(range(3), range(2)):
        c.place(cell, i * cell.width, j * cell.height, mirror_x=i % 2 == 1, mirror_y=j % 2 == 1)
    assert violations(library, c.done(3 * cell.width, 2 * cell.height).name, taps=False) == {}


@pytest.mark.parametrize("style", ["shielded", "comb"])
@pytest.mark.parametrize("pdk", pdk_names())
def test_clusters_tile(pdk: str, style: str) -> None:
    library = Library(load_pdk(pdk))
    rows = [CATALOGUE["cluster"].draw(library, style=style, supply=supply) for supply in ("VDD", "GND")]
    c = Canvas(library, "tile")
    for (j, unit), i in itertools.product(enumerate(rows), range(3)):
        c.place(unit, i * unit.width, j * unit.height, mirror_x=i % 2 == 1)
    assert violations(library, c.done(3 * rows[0].width, 2 * rows[0].height).name) == {}


@pytest.mark.parametrize("spec", ["picoram_40kb", "picoram_40kb_scaled65"])
def test_a_dac_strip_fits_between_clusters(spec: str) -> None:
    plan = make_plan(load_spec(SPECS / f"{spec}.yaml"))
    library, end = Library(plan.pdk), plan.end
    column, strip = dummy_column(library, end), plan.strips[1]
    tie = strip_end(library, plan.plain, end, strip, True)
    clusters = [cluster(library, plan.plain, supply) for supply in ("VDD", "GND")]
    strips = [dac_strip(library, plan.plain, strip, supply, True) for supply in ("VDD", "GND")]
    c = Canvas(library, "strip_in_place")
    x, top = 0.0, end.height + 2 * plan.plain.height
    for units, closing, mirror in (
        (clusters, column, False),
        (clusters, column, True),
        (strips, tie, False),
        (clusters, column, False),
        (clusters, column, True),
    ):
        c.place(closing, x, 0, mirror_x=mirror)
        c.place(units[0], x, end.height, mirror_x=mirror)
        c.place(units[1], x, end.height + plan.plain.height, mirror_x=mirror)
        c.place(closing, x, top, mirror_x=mirror, mirror_y=True)
        x += closing.width
    assert violations(library, c.done(x, top + end.height).name) == {}


@pytest.mark.parametrize("spec", ["picoram_40kb", "picoram_40kb_scaled65", "picoram_1mb", "picoram_tiny"])
def test_strips_are_as_narrow_as_with_least_switches(spec: str) -> None:
    plan = make_plan(load_spec(SPECS / f"{spec}.yaml"))
    unit = plan.pdk.channel_width
    for strip, group in zip(plan.strips, plan.groups, strict=True):
        narrow = solve_strip(plan.plain, strip.index, strip.last, unit * group, unit)
        assert strip.width == narrow.width
        wanted = unit * plan.columns / 4 if strip.last else unit * group
        assert unit * group <= strip.sample_w <= wanted + 2 * strip.fingers * plan.pdk.grid
        assert unit <= strip.share_w <= unit * plan.columns / 8


def test_a_row_without_room_for_a_finger_is_told() -> None:
    plan = make_plan(load_spec(SPECS / "picoram_tiny.yaml"))
    with pytest.raises(ValueError, match=r"has 0 um for a sampling switch of 0\.42 um"):
        solve_strip(plan.plain, 1, False, 4.2, plan.plain.plain_height)


def test_a_row_is_emptied_through_wide_switches() -> None:
    strips = make_plan(load_spec(SPECS / "picoram_40kb.yaml")).strips
    assert [strip.share_w for strip in strips[1:]] == [1.68] * 4
    assert strips[-1].sample_w == 3.36


def test_sky130_bitcell_is_small() -> None:
    block = CATALOGUE["bitcell"].draw(Library(load_pdk("sky130")))
    assert block.width * block.height <= 3.76


def test_sky130_area_per_bit() -> None:
    plan = make_plan(load_spec(SPECS / "picoram_40kb.yaml"))
    assert plan.columns * plan.t.width * (plan.y[-1] - plan.y[0]) / plan.bits <= 4.60


def test_scaled65_storage_per_area() -> None:
    plan = make_plan(load_spec(SPECS / "picoram_40kb_scaled65.yaml"))
    rows_with_dac_mm2 = plan.x_edge * (plan.y[-1] - plan.y[0]) / 1e6
    assert plan.bits / 1024 / rows_with_dac_mm2 >= 700


@pytest.mark.parametrize("spec", ["picoram_40kb", "picoram_40kb_scaled65"])
def test_capacitor_has_four_femtofarad(spec: str) -> None:
    assert capacitance(make_plan(load_spec(SPECS / f"{spec}.yaml"))).value_fF >= 4
