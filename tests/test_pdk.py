"""The PDK tables: what generators rely on, and how the study deck follows from its parent."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk, pdk_names, pdk_root

SKY, SCALED = load_pdk("sky130"), load_pdk("scaled65")


def test_both_pdks_are_there_and_an_unknown_one_is_named() -> None:
    assert {"sky130", "scaled65"} <= set(pdk_names())
    with pytest.raises(InputError, match=r"'sky90' is unknown; available: .*scaled65, sky130"):
        load_pdk("sky90")


@pytest.mark.parametrize("pdk", [SKY, SCALED], ids=lambda pdk: pdk.name)
def test_every_row_speaks_of_known_layers_and_has_a_source(pdk) -> None:  # type: ignore[no-untyped-def]
    known = {*pdk.drawn, *pdk.derived, *(f"{name}.pin" for name in pdk.pins)}
    for rule in pdk.rules:
        assert set(rule.layers) <= known, rule
        assert rule.source, rule
    keys = [(rule.kind, rule.layers) for rule in pdk.rules]
    assert len(keys) == len(set(keys))
    assert set(pdk.density["layers"]) <= known


@pytest.mark.parametrize("pdk", [SKY, SCALED], ids=lambda pdk: pdk.name)
def test_vias_fit_side_by_side_on_tracks(pdk) -> None:  # type: ignore[no-untyped-def]
    pitch, _ = pdk.tracks["met2"]
    assert via_pad(pdk, "met2", "via2")[0] + pdk.space("met2") <= pitch + 1e-9


def test_a_rule_is_either_checked_or_listed_as_not_checked() -> None:
    assert not {rule.id for rule in SKY.rules} & {row["id"] for row in SKY.not_checked}
    assert all(row["why"] for row in SKY.not_checked)
    assert len({row["id"] for row in SKY.not_checked}) == len(SKY.not_checked)


def test_a_missing_rule_is_an_error_not_a_default() -> None:
    with pytest.raises(KeyError, match="sky130 has no width rule for licon"):
        SKY.width("licon")


DERIVE = yaml.safe_load((pdk_root() / "scaled65" / "pdk.yaml").read_text())["derive"]
REPLACED = {(r["kind"], tuple(r["layers"])): r["value"] for r in DERIVE["replaced"]["rules"]}


def test_scaled_values_lie_on_the_grid_and_are_not_below_half() -> None:
    for parent, rule in zip(SKY.rules, SCALED.rules, strict=True):
        assert (parent.id, parent.kind, parent.layers) == (rule.id, rule.kind, rule.layers)
        if parent.value is None or rule.value is None:
            assert rule.value == parent.value
            continue
        if rule.kind in ("density", "antenna", "angle", "grid"):
            assert rule.value == parent.value
        elif rule.kind in ("area", "hole"):
            assert rule.value == pytest.approx(parent.value / 4, abs=1e-6)
        elif (rule.kind, rule.layers) in REPLACED:
            assert rule.value == REPLACED[rule.kind, rule.layers]
            assert "IHP" in rule.source
        else:
            assert rule.value >= parent.value / 2 - 1e-9
            assert rule.value == pytest.approx(SCALED.up(rule.value))


def test_published_65_nm_figures_are_floors() -> None:
    for floor in DERIVE["floors"]:
        assert SCALED.rule(floor["kind"], *floor["layers"]) >= floor["value"]
    pitch = SCALED.width("poly") + 2 * SCALED.space("licon_diff", "gate") + SCALED.size("licon")
    assert pitch >= DERIVE["contacted_gate_pitch"]["value"] - 1e-9
    assert SCALED.size("licon") == 0.09  # a floor that binds
    assert "Bai" in next(r.source for r in SCALED.rules if (r.kind, r.layers) == ("size", ("licon",)))


def test_antenna_ratio_of_a_shrunk_wire_stays_the_same() -> None:
    parent, rule = (next(r for r in pdk.rules if r.id == "ar.met1.1") for pdk in (SKY, SCALED))
    assert rule.extra["thickness"] == pytest.approx(parent.extra["thickness"] / 2)
    assert rule.extra["diode_factor"] == pytest.approx(parent.extra["diode_factor"] * 4)
    assert rule.extra["diode_bonus"] == parent.extra["diode_bonus"]


def test_grid_helpers() -> None:
    assert SKY.up(0.1401) == 0.145
    assert SKY.up(0.14) == 0.14
    assert SKY.down(0.1449) == 0.14
    assert SKY.up2(0.145) == 0.15


def test_a_third_pdk_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    text = (
        "title: mine\nderive: {from: sky130, scale: 0.8, source: none, floors: [], replaced: {rules: []},"
        " contacted_gate_pitch: {value: 0.1}, contacted_metal_pitch: {value: 0.3}}\n"
    )
    (folder / "pdk.yaml").write_text(text)
    (tmp_path / "sky130").symlink_to(pdk_root() / "sky130")
    monkeypatch.setattr("picoram_layout.pdk.pdk_root", lambda: tmp_path)
    assert load_pdk("mine").width("met1") == 0.115
    load_pdk.cache_clear()
    (folder / "pdk.yaml").write_text(text.replace("0.3}", "0.4}"))
    with pytest.raises(ValueError, match=r"contacted metal pitch 0\.325 um is below the published 0\.4 um"):
        load_pdk("mine")
    load_pdk.cache_clear()
