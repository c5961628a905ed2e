"""What the conditional rules mean: places where a plain distance check would be wrong, in both directions."""

from __future__ import annotations

import klayout.db as kdb
import pytest

from picoram_layout.drc import run_drc
from picoram_layout.pdk import Pdk, load_pdk
from tests.drc.fixtures import Box, Sketch, grow

PDK = load_pdk("sky130")


def found(sketch: Sketch, *rules: str) -> dict[str, int]:
    return run_drc(sketch.room().layout, "FIXTURE", PDK, only=rules or None).by_rule


def draw(**shapes: Box | list[Box]) -> Sketch:
    sketch = Sketch(PDK)
    for name, boxes in shapes.items():
        sketch.draw(name, *(boxes if isinstance(boxes, list) else [boxes]))
    return sketch


def transistor(pdk: Pdk, s: Sketch, kind: str, x: float) -> None:
    """A transistor with contacts, its tap on its right, everything that the rules ask for."""
    implant, other = ("nsdm", "psdm") if kind == "n" else ("psdm", "nsdm")
    cut, gate = pdk.size("licon"), pdk.width("poly")
    w, d = 0.46, pdk.space("licon_diff", "gate")
    poly_cut = pdk.enclosure_adjacent("poly", "licon_poly")
    s.draw("poly", (x, -0.15, x + gate, 1.0), (x - 0.1, 0.72, x + 0.25, 1.05))
    s.draw("licon", (x - 0.01, 0.8, x - 0.01 + cut, 0.8 + cut))
    s.draw("npc", grow((x - 0.01, 0.8, x - 0.01 + cut, 0.8 + cut), pdk.enclosure("npc", "licon_poly")))
    s.draw("li1", (x - 0.01 - poly_cut, 0.8, x - 0.01 + cut + poly_cut, 0.8 + cut))
    left = x - d - cut
    s.draw("diff", (left - 0.06, 0, x + gate + d + cut + 0.08, w))
    for at in (left, x + gate + d):
        s.draw("licon", (at, 0.15, at + cut, 0.15 + cut))
        s.draw("li1", (at, 0.07, at + cut, 0.15 + cut + 0.1))
    tap = x + gate + d + cut + 0.08
    s.draw("tap", (tap, 0, tap + 0.41, w))
    s.draw("licon", (tap + 0.12, 0.15, tap + 0.12 + cut, 0.15 + cut))
    s.draw("li1", (tap + 0.12, 0.07, tap + 0.12 + cut, 0.15 + cut + 0.1))
    s.draw(implant, (left - 0.185, -0.125, tap, w + 0.125))
    s.draw(other, (tap, -0.125, tap + 0.535, w + 0.125))
    if kind == "p":
        s.draw("nwell", (left - 0.3, -0.4, tap + 0.7, 1.2))


@pytest.mark.parametrize("kind", ["n", "p"])
def test_a_transistor_with_a_butted_tap_is_clean_in_every_rule(kind: str) -> None:
    s = Sketch(PDK)
    transistor(PDK, s, kind, 0.0)
    # npc, implants and so on are all there; poly may end in a pad, tap and diffusion share an edge
    assert found(s) == {}


def test_poly_crossing_diffusion_is_no_spacing_error_but_poly_touching_it_is() -> None:
    crossing = draw(diff=(0, 0, 1, 1), poly=(0.4, -0.2, 0.6, 1.2))
    assert found(crossing, "poly.4") == {}
    touching = draw(diff=(0, 0, 1, 1), poly=(1.0, 0.2, 1.2, 0.8))
    assert found(touching, "poly.4") == {"poly.4": 1}


def test_poly_near_a_corner_of_diffusion_has_no_parallel_edge() -> None:
    assert found(draw(diff=(0, 0, 1, 1), poly=(1.03, 1.03, 2, 2)), "poly.4") == {}


def test_poly_that_ends_over_diffusion_is_no_transistor() -> None:
    assert "poly.8" in found(draw(diff=(0, 0, 1, 1), poly=(0.4, -0.2, 0.6, 0.5)), "poly.8")


@pytest.mark.parametrize(
    ("metal", "clean"),
    [
        ((-0.085, -0.055, 0.235, 0.205), True),  # left and right
        ((-0.055, -0.085, 0.205, 0.235), True),  # top and bottom
        ((-0.085, -0.085, 0.205, 0.205), False),  # only two neighbours: top and right are both short
    ],
)
def test_one_of_two_adjacent_sides(metal: Box, clean: bool) -> None:
    via = draw(via=(0, 0, 0.15, 0.15), met1=metal)
    assert ("via.5a" not in found(via, "via.5a")) is clean
    assert found(via, "via.4a") == {}


def test_enclosure_sees_outer_shapes_that_are_drawn_in_pieces() -> None:
    pieces = draw(via=(0, 0, 0.15, 0.15), met1=[(-1, -0.055, 0.18, 0.205), (0.18, -0.055, 1, 0.205)])
    assert found(pieces, "via.4a", "via.5a") == {}


@pytest.mark.parametrize("w", [0.145, 0.155, 0.30])
def test_vias_of_any_other_size_are_found(w: float) -> None:
    assert found(draw(via=(0, 0, w, 0.15)), "via.1a") == {"via.1a": 1}
    assert found(draw(via=(0, 0, w, w)), "via.1a") == {"via.1a": 1}


def test_what_other_decks_miss() -> None:
    cut = PDK.size("licon")
    pad = (-1.0, -1.0, 1.0, 1.0)
    on_poly = {"licon": (0, 0, cut, cut), "poly": pad, "li1": pad}
    assert found(draw(**on_poly, npc=pad), "licon.4", "licon.15") == {}
    assert found(draw(**on_poly), "licon.15") == {"licon.15": 1}  # no npc
    assert found(draw(licon=(0, 0, cut, cut), poly=pad), "licon.4") == {"licon.4": 1}  # no li
    assert found(draw(licon=(0, 0, cut, cut), li1=pad), "licon.4") == {"licon.4": 1}  # on field
    assert found(draw(mcon=(0, 0, cut, cut), met1=pad), "ct.4") == {"ct.4": 1}  # mcon without li
    assert "nsd.9" in found(draw(diff=pad), "nsd.9")  # no implant
    assert "psd.8" in found(draw(diff=pad, nsdm=pad, psdm=pad), "psd.8")  # both implants


def test_wells_and_diffusion_of_the_wrong_side() -> None:
    box, around = (0.0, 0.0, 1.0, 1.0), (-0.5, -0.5, 1.5, 1.5)
    assert "difftap.9" in found(draw(diff=box, nsdm=around, nwell=around), "difftap.9")
    assert "difftap.8" in found(draw(diff=box, psdm=around), "difftap.8")
    assert "difftap.10" in found(draw(tap=box, nsdm=around), "difftap.10")
    assert "difftap.11" in found(draw(tap=box, psdm=around, nwell=around), "difftap.11")


def test_wide_metal_asks_for_more_space_and_its_attached_stubs_do_too() -> None:
    plain = draw(met1=[(0, 0, 3, 6), (3.2, 0, 4, 6)])
    assert found(plain, "m1.3ab") == {}  # 3.0 is not wider than 3.0
    wide = draw(met1=[(0, 0, 3.1, 6), (3.3, 0, 4, 6)])
    assert found(wide, "m1.3ab") == {"m1.3ab": 1}
    stub = draw(met1=[(0, 0, 3.1, 6), (3.1, 1, 3.3, 2), (3.5, 0, 4, 6)])
    assert found(stub, "m1.3ab") == {"m1.3ab": 1}
    far_from_wide = draw(met1=[(0, 0, 3.1, 6), (3.1, 1, 5, 2), (4, 2.2, 5, 3)])
    assert found(far_from_wide, "m1.3ab") == {}


def test_latch_up_reaches_along_the_own_well_only() -> None:
    def wells(bridge: bool) -> Sketch:
        s = draw(nwell=[(-1, -1, 2, 2), (4, -1, 7, 2)], tap=(0, 0, 0.5, 0.5), diff=(5, 0, 6, 1))
        s.draw("nsdm", (-0.2, -0.2, 0.7, 0.7))
        s.draw("psdm", (4.8, -0.2, 6.2, 1.2))
        if bridge:
            s.draw("nwell", (2, -1, 4, 0))
        return s

    assert found(wells(True), "LU.3") == {}
    assert found(wells(False), "LU.3") == {"LU.3": 1}


def test_a_diode_lifts_the_antenna_limit_and_a_substrate_tap_ends_it() -> None:
    def net(end: str) -> Sketch:
        s = Sketch(PDK)
        s.draw("diff", (0, 0, 1, 0.42))
        s.draw("poly", (0.4, -0.2, 0.55, 2))
        s.draw("licon", (0.4, 1.8, 0.57, 1.97))
        s.draw("li1", (0.3, 1.7, 60, 2))
        if end:
            s.draw("licon", (50, 1.8, 50.17, 1.97))
            s.put(end, (49.5, 1.5, 50.5, 2.5))
        return s

    assert found(net(""), "ar.li.1") == {"ar.li.1": 1}
    assert found(net("ndiff"), "ar.li.1") == {}  # 450 for 1 um2 of diode
    assert found(net("ptap"), "ar.li.1") == {}


def test_antenna_looks_at_the_net_as_far_as_it_is_made() -> None:
    s = Sketch(PDK)
    s.draw("diff", (0, 0, 1, 0.42))
    s.draw("poly", (0.4, -0.2, 0.55, 2))
    s.draw("licon", (0.4, 1.8, 0.57, 1.97))
    s.draw("li1", (0.3, 1.7, 60, 2))
    s.put("ndiff", (49.5, 3, 50.5, 4))  # the diode joins on met1, after li is etched
    s.draw("licon", (50, 3.4, 50.17, 3.57))
    s.draw("li1", (49.9, 3.3, 50.3, 3.7))
    s.draw("mcon", (50, 3.4, 50.17, 3.57), (50, 1.8, 50.17, 1.97))
    s.draw("met1", (49.9, 1.7, 50.3, 3.7))
    assert found(s, "ar.li.1", "ar.met1.1") == {"ar.li.1": 1}


def test_density_counts_overlaps_once() -> None:
    half = draw(met1=[(0, 0, 100, 50), (0, 0, 100, 50)])
    half.draw("boundary", (0, 0, 100, 100))
    assert run_drc(half.layout, "FIXTURE", PDK, only=["cd.met1"]).status == "clean"
    full = draw(met1=(0, 0, 100, 61), boundary=(0, 0, 100, 100))
    assert run_drc(full.layout, "FIXTURE", PDK, only=["cd.met1"]).by_rule == {"cd.met1": 1}


def test_region_of_a_rotated_placement_is_the_same_cell() -> None:
    s = draw(met1=(0, 0, 0.13, 5))
    top = s.layout.create_cell("TOP")
    for rotation in range(4):
        for mirror in (False, True):
            trans = kdb.Trans(rotation, mirror, 20000 * rotation, 20000 * mirror)
            top.insert(kdb.CellInstArray(s.cell.cell_index(), trans))
    result = run_drc(s.layout, "TOP", PDK, only=["m1.1"])
    assert [(v.rule, v.cell) for v in result.violations] == [("m1.1", "FIXTURE")]
