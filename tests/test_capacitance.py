"""The field solver against closed forms, another solver, published capacitors, and itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picoram_layout import capacitance
from picoram_layout.capacitance import NEIGHBOURS, SUBSTRATE, Capacitance, load_stack, mom_capacitance
from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, load_pdk

Solid = capacitance._Solid
Nets = dict[str, dict[str, list[tuple[float, float, float, float]]]]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(capacitance, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(capacitance, "_memory", {})
    return tmp_path / "cache"


@pytest.fixture
def sky130() -> Pdk:
    return load_pdk("sky130")


def bars(live: int = 3, length: float = 4.0, scale: float = 1.0, plate: float = 0.5) -> Nets:
    """Fingers 0.3 wide and apart on met4, ground outermost, over a met3 plate that is ``plate`` larger."""
    k = scale
    row = [(0.6 * k * n, 0.0, (0.6 * n + 0.3) * k, length * k) for n in range(2 * live + 1)]
    right = 0.6 * 2 * live + 0.3
    below = (-plate * k, -plate * k, (right + plate) * k, (length + plate) * k)
    return {"T": {"met4": row[1::2]}, "GND": {"met4": row[::2], "met3": [below]}}


def charges(solids: list[Solid], pitch: tuple[float, float], step: float, nodal: bool) -> Any:
    """Charges of nets T and G in a box with nothing below or above it."""
    edges = [sorted({corner[k] for s in solids for corner in (s.low, s.high)}) for k in range(3)]
    axes = [capacitance._graded(e, step) for e in edges]
    return capacitance._charges(axes, solids, ["T", "G"], pitch, nodal)[0]


@pytest.mark.parametrize("nodal", [True, False])
def test_parallel_plates_are_exact(nodal: bool) -> None:
    plates = [Solid("T", (0, 0, 1.0), (2, 3, 1.5)), Solid("G", (0, 0, -0.2), (2, 3, 0.25))]
    charge = charges(plates, (2.0, 3.0), 0.2, nodal)
    assert charge == pytest.approx([6.0 / 0.75, -6.0 / 0.75], rel=5e-4)


def test_square_coaxial_line() -> None:
    """Side ratio 2: 10.23409 times the permittivity per length, by conformal mapping (F. Bowman, 1935)."""
    frame = [(0.0, 0.0, 4.0, 1.0), (0.0, 3.0, 4.0, 4.0), (0.0, 1.0, 1.0, 3.0), (3.0, 1.0, 4.0, 3.0)]
    line = [Solid("T", (1.5, 1.5, 0), (2.5, 2.5, 1))]
    line += [Solid("G", (x1, y1, 0), (x2, y2, 1)) for x1, y1, x2, y2 in frame]
    high, low = (charges(line, (4.0, 4.0), 0.05, nodal)[0] for nodal in (True, False))
    assert low < 10.23409 < high
    assert (high + low) / 2 == pytest.approx(10.23409, rel=2e-3)


def test_against_a_boundary_element_solver(sky130: Pdk) -> None:
    # Oracle: FastCap2 2.1, the same boxes in free space, permittivity 2.9, multipole order 3, tolerance 1e-4,
    # cosine-graded panels of 0.10, 0.07 and 0.05 um: 2.9009, 2.9081 and 2.9111 fF for the live net.
    result = mom_capacitance(sky130, bars(), (8.0, 8.0))
    assert result.value_fF == pytest.approx(2.915, rel=0.01)


def finger_capacitor(height: float) -> Nets:
    """Geometry of sky130_fd_pr cap_vpp_02p7xHH_m1m2m3m4_shieldl1_fingercap, a free-standing device."""
    top = height - 0.33
    live: dict[str, list[Any]] = {}
    other: dict[str, list[Any]] = {}
    for metal in ("met1", "met2"):
        live[metal] = [(0.30, 0, 2.40, 0.33)]
        live[metal] += [(x, 0.33, x + 0.16, height - 0.63) for x in (0.37, 0.97, 1.57, 2.17)]
        other[metal] = [(x, 0.63, x + 0.16, top) for x in (0.07, 0.67, 1.27, 1.87, 2.47)]
    other["met1"] += [(0.07, top, 2.63, height)]
    other["met2"] += [(0.07, top, 0.83, height), (1.27, top, 2.63, height)]
    live["met2"] += [(0.97, height - 0.63, 1.13, height)]
    for metal in ("met3", "met4"):
        live[metal] = [(0.30, 0, 2.40, 0.33)] + [(x, 0.33, x + 0.3, height - 0.63) for x in (0.6, 1.8)]
        other[metal] = [(0.0, top, 2.7, height)] + [(x, 0.63, x + 0.3, top) for x in (0.0, 1.2, 2.4)]
    return {"C0": live, "C1": other, "B": {"li1": [(x, 0, x + 0.17, height) for x in (0.065, 2.465)]}}


@pytest.mark.parametrize(("height", "published_fF"), [(6.1, 12.13), (11.1, 23.35)])
def test_published_finger_capacitors(sky130: Pdk, height: float, published_fF: float) -> None:
    """Model values of the process's own capacitors between the same two nets."""
    pitch = (2.7 + 4, height + 4)
    result = mom_capacitance(sky130, finger_capacitor(height), pitch, live="C0", ground="C1", refine=0.25)
    assert result.to_ground_fF == pytest.approx(published_fF, rel=0.05)


def test_refinement_narrows_the_bounds(sky130: Pdk) -> None:
    rough, normal, fine = (
        mom_capacitance(sky130, bars(2, 2.0), (3.0, 3.4), refine=refine) for refine in (0.5, 1.0, 2.0)
    )
    assert rough.lower_fF < normal.lower_fF < fine.lower_fF
    assert fine.upper_fF < normal.upper_fF < rough.upper_fF
    assert fine.lower_fF < fine.value_fF < fine.upper_fF
    assert fine.error_fF < normal.error_fF < rough.error_fF
    assert abs(normal.value_fF - fine.value_fF) < normal.error_fF < 0.01 * fine.value_fF


def test_parts_make_the_whole(sky130: Pdk) -> None:
    nets = bars(2, 2.0)
    nets["X"] = {"met2": [(0.5, 0.0, 1.0, 2.0)]}
    result = mom_capacitance(sky130, nets, (3.8, 4.0))
    assert set(result.to_other_fF) == {"X", SUBSTRATE, NEIGHBOURS}
    assert result.value_fF == pytest.approx(result.to_ground_fF + sum(result.to_other_fF.values()))
    assert result.value_fF == pytest.approx((result.lower_fF + result.upper_fF) / 2, rel=1e-3)


def test_capacitance_is_reciprocal(sky130: Pdk) -> None:
    nets: Nets = {
        "T": {"met4": [(0.3, 0.3, 0.6, 2.0)]},
        "GND": {"met4": [(0.9, 0.3, 1.2, 1.4)], "met3": [(0.0, 0.0, 1.5, 1.0)]},
    }
    ahead = mom_capacitance(sky130, nets, (2.5, 2.5))
    back = mom_capacitance(sky130, nets, (2.5, 2.5), live="GND", ground="T")
    assert ahead.to_ground_fF == pytest.approx(back.to_ground_fF, rel=2e-3)
    assert ahead.value_fF < back.value_fF


def test_neighbours_are_those_of_an_array_of_two(sky130: Pdk) -> None:
    """Two units drawn as one, each live net on its own; plates above and below keep the range short."""
    one: Nets = {
        "T": {"met4": [(0.3, 0.3, 0.9, 2.1)]},
        "GND": {m: [(0.0, 0.0, 1.2, 2.7)] for m in ("met3", "met5")},
    }
    two: Nets = {
        "T": one["T"],
        "T2": {"met4": [(1.5, 0.3, 2.1, 2.1)]},
        "GND": {m: [(0.0, 0.0, 2.4, 2.7)] for m in ("met3", "met5")},
    }
    single = mom_capacitance(sky130, one, (1.2, 2.7))
    double = mom_capacitance(sky130, two, (2.4, 2.7))
    assert double.value_fF == pytest.approx(single.value_fF, rel=0.01)
    between = double.to_other_fF["T2"] + double.to_other_fF[NEIGHBOURS]
    assert between == pytest.approx(single.to_other_fF[NEIGHBOURS], rel=0.03)
    assert between > 0.1 * single.value_fF


def test_position_and_drawing_of_the_unit_do_not_matter(sky130: Pdk) -> None:
    pitch = (1.2, 2.4)
    nets: Nets = {"T": {"met4": [(0.45, 0.3, 0.75, 1.8)]}, "GND": {"met4": [(-0.15, 0.0, 0.15, 2.4)]}}
    split: Nets = {"T": nets["T"], "GND": {"met4": [(0.0, 0.0, 0.15, 2.4), (1.05, 0.0, 1.2, 2.4)]}}
    moved: Nets = {
        net: {
            m: [(a + 1.3, b + 7.7, c + 1.3, d + 7.7) for a, b, c, d in boxes] for m, boxes in layers.items()
        }
        for net, layers in nets.items()
    }
    values = [mom_capacitance(sky130, n, pitch).value_fF for n in (nets, split, moved)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-3)


def test_longer_fingers_and_smaller_gaps_store_more(sky130: Pdk) -> None:
    values = [
        mom_capacitance(sky130, bars(1, length), (3.0, 6.0), refine=0.5).value_fF for length in (1, 2, 4)
    ]
    assert values[0] < values[1] < values[2]
    assert values[2] - values[1] == pytest.approx(2 * (values[1] - values[0]), rel=0.05)  # ends are alike
    bare = bars(1, 2)
    del bare["GND"]["met3"]
    assert mom_capacitance(sky130, bare, (3.0, 6.0), refine=0.5).value_fF < values[1]


def test_via_spans_the_gap_between_its_metals(sky130: Pdk) -> None:
    stack = load_stack(sky130)
    assert stack.spans["via3"] == (stack.spans["met3"][1], stack.spans["met4"][0])
    nets: Nets = {
        "T": {"met3": [(0.6, 0.6, 1.0, 1.0)], "met4": [(0.6, 0.6, 1.0, 1.0)]},
        "GND": {"met3": [(1.4, 0.0, 1.7, 1.6)], "met4": [(1.4, 0.0, 1.7, 1.6)]},
    }
    without = mom_capacitance(sky130, nets, (2.3, 2.3)).value_fF
    nets["T"]["via3"] = [(0.7, 0.7, 0.9, 0.9)]
    assert without < mom_capacitance(sky130, nets, (2.3, 2.3)).value_fF < 1.1 * without


def test_study_deck_scales_its_parent(sky130: Pdk) -> None:
    small = load_pdk("scaled65")
    full = mom_capacitance(sky130, bars(1, 2), (3.0, 4.0))
    half = mom_capacitance(small, bars(1, 2, scale=0.5), (1.5, 2.0))
    assert half.value_fF == pytest.approx(full.value_fF / 2, rel=1e-3)
    assert load_stack(small).spans["met4"][0] == pytest.approx(load_stack(sky130).spans["met4"][0] / 2)


def refuse(*_: Any) -> Capacitance:
    raise AssertionError("solved again")


def test_a_solved_unit_is_not_solved_again(
    sky130: Pdk, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mom_capacitance(sky130, bars(1, 1), (2.0, 2.2), refine=0.5)
    solve = capacitance._solve
    monkeypatch.setattr(capacitance, "_solve", refuse)
    assert mom_capacitance(sky130, bars(1, 1), (2.0, 2.2), refine=0.5) is first
    capacitance._memory.clear()
    assert mom_capacitance(sky130, bars(1, 1), (2.0, 2.2), refine=0.5) == first
    capacitance._memory.clear()
    with pytest.raises(AssertionError, match="solved again"):
        mom_capacitance(sky130, bars(1, 1), (2.0, 2.205), refine=0.5)

    (file,) = empty_cache.iterdir()
    file.write_text(file.read_text()[:40])
    monkeypatch.setattr(capacitance, "_solve", solve)
    assert mom_capacitance(sky130, bars(1, 1), (2.0, 2.2), refine=0.5) == first


def test_a_cache_that_cannot_be_written_does_no_harm(
    sky130: Pdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(capacitance, "cache_folder", lambda: tmp_path / "file" / "below")
    assert mom_capacitance(sky130, bars(1, 1), (2.0, 2.2), refine=0.5).value_fF > 0


PLATE = (0.0, 0.0, 2.0, 2.0)
FINGER = (0.5, 0.5, 0.8, 1.5)


@pytest.mark.parametrize(
    ("nets", "pitch", "message"),
    [
        ({"T": {"met9": [FINGER]}, "GND": {"met3": [PLATE]}}, (2, 2), "layer 'met9'"),
        ({"T": {"met4": []}, "GND": {"met3": [PLATE]}}, (2, 2), "net 'T' has no box"),
        ({"T": {"met4": [FINGER]}}, (2, 2), "net 'GND' has no box"),
        ({"T": {"via3": [FINGER]}, "GND": {"met5": [PLATE]}}, (2, 2), "no box on a metal"),
        ({"T": {"met4": [(0.8, 0.5, 0.5, 1.5)]}, "GND": {"met3": [PLATE]}}, (2, 2), "has no area"),
        ({"T": {"met4": [(0, 0, math.nan, 1)]}, "GND": {"met3": [PLATE]}}, (2, 2), "has no area"),
        ({"T": {"met4": [FINGER]}, "GND": {"met3": [PLATE]}}, (0, 2), "pitch"),
        ({"T": {"met4": [FINGER]}, "GND": {"met3": [PLATE]}}, (2, 0.9), "1 um long in y"),
        ({"T": {"met4": [FINGER]}, "GND": {"met4": [PLATE]}}, (2, 2), "'T' and 'GND' touch"),
        ({"T": {"met4": [FINGER]}, "GND": {"met4": [(0.8, 0, 1.1, 1)]}}, (2, 2), "'T' and 'GND' touch"),
        ({"T": {"met4": [FINGER]}, "GND": {"met4": [(2.7, 4.2, 2.9, 4.9)]}}, (2, 2), "'T' and 'GND' touch"),
        ({"T": {"via3": [FINGER], "met4": [FINGER]}, "GND": {"met3": [PLATE]}}, (2, 2), "touch"),
    ],
)
def test_bad_input_is_one_clear_line(
    sky130: Pdk, nets: Nets, pitch: tuple[float, float], message: str
) -> None:
    with pytest.raises(InputError, match=r"^capacitor: ") as caught:
        mom_capacitance(sky130, nets, pitch)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_grid_has_a_point_inside_every_gap() -> None:
    lines = capacitance._graded([0.0, 0.005, 0.3, 9.0], 0.075)
    for low, high in ((0.0, 0.005), (0.005, 0.3), (0.3, 9.0)):
        assert np.any((lines > low + 1e-6) & (lines < high - 1e-6))
        assert np.isclose(lines, low).any()
        assert np.isclose(lines, high).any()
    assert np.all(np.diff(lines) > 0)
