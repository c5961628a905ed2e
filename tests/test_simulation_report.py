"""Simulated figures in the HTML report of a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from picoram_layout.flow import build
from picoram_layout.progress import Quiet
from picoram_layout.publish import sha256
from picoram_layout.report.simulation import FOLDER, SUMMARY, figures, read_simulation, refresh
from picoram_layout.spec import load_spec
from picoram_layout.spec.shipped import find_spec

SPEC = load_spec(find_spec(Path("picoram_tiny")))
FOUND: dict[str, Any] = {
    "spec": SPEC.model_dump(),
    "ngspice": "ngspice-39",
    "bitcell": {
        "conditions": [{}] * 45,
        "worst": {"disturb_V": {"value": 0.162, "at": ["fs", 105, 1.98]}},
        "disturb_limit_V": 0.3,
        "flips": 0,
        "failed_writes": 1,
    },
    "dac": {
        "conditions": [{"corner": "tt", "worst_inl": 0.06}, {"corner": "ss", "worst_inl": 0.2}],
        "one_level": {"worst_inl": 0.215},
        "inl_limit": 0.1,
        "met": True,
    },
    "mac": {
        "rows": 16,
        "points": [{}] * 24,
        "rms_lsb": 0.3,
        "max_lsb": 1.7,
        "limits_lsb": {"rms": 0.5, "max": 1.5},
        "with_square_of_w": {"rms_lsb": 0.25, "max_lsb": 0.62},
        "random_alone": {"rms_lsb": 0.14, "max_lsb": 0.31},
        "gain": {"conditions": [{}] * 45, "rows": 16, "worst_change": 0.021, "limit": 0.05},
    },
    "sram": {
        "conditions": [{}] * 45,
        "wrong_bits": 0,
        "margin_limit_V": 0.1,
        "worst": {"read_snm_V": {"value": 0.09}, "access_ns": {"value": 14.3}},
    },
    "adc": {
        "codes": 361,
        "monotonic": True,
        "inl": 0.5,
        "dnl": 0.1,
        "conversion_ns": 480.0,
        "cycle_ns": 620.0,
        "limits": {"levels": 362, "inl": 1.0, "dnl": 0.5, "conversion_ns": 500.0, "cycle_ns": 1000.0},
        "checks": {
            "levels": False,
            "monotonic": True,
            "inl": True,
            "dnl": True,
            "conversion": True,
            "cycle": True,
        },
        "energy": {"saved": 0.71, "limit": 0.5, "met": True},
        "noise": {"all_lsb": 0.31},
        "mismatch": {"offset_lsb": 6.5},
        "crosstalk": {"worst_lsb": 0.12},
        "followed": [
            {
                "corner": "ss",
                "temp_C": -40.0,
                "vdd_V": 1.62,
                "iref_r_A": 7e-6,
                "codes": 370,
                "inl": 1.2,
                "met": False,
            }
        ],
    },
    "energy": {"fJ_per_mac": 447.0, "tops_per_w": 4.47, "vdd_V": 1.8},
    "monte_carlo": {"samples": 100, "spread_lsb": 0.4, "limit_lsb": 0.59},
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A result folder with a simulation of its spec beside it."""
    out = tmp_path / SPEC.name
    build(SPEC, out, drc=False, lvs=False, progress=Quiet())
    (out / FOLDER).mkdir()
    (out / FOLDER / SUMMARY).write_text(json.dumps(FOUND))
    return out


def test_figures_stand_beside_their_limits() -> None:
    rows = {row.what: (row.value, row.limit, row.met) for row in figures(FOUND)}
    assert rows["read disturb, worst condition"] == ("0.162 V", "<= 0.3 V", True)
    assert rows["flips and failed writes, 45 conditions"] == ("1", "0", False)
    assert rows["row DAC, INL, one reference for all (tt)"] == ("0.215 of a step", "<= 0.1", False)
    assert rows["row DAC, INL, a reference for each bit (tt)"] == ("0.060 of a step", "<= 0.1", True)
    assert rows["MAC residual, max, 16 rows, all 24 vectors"] == ("1.700 LSB", "<= 1.5 LSB", False)
    assert rows["MAC residual, rms, the random vectors among them"] == ("0.140 LSB", "<= 0.5 LSB", True)
    assert rows["gain change, 45 conditions, 16 rows"] == ("2.10 %", "<= 5 %", True)
    assert rows["spread with mismatch, 100 samples"] == ("0.400 LSB", "<= 0.59 LSB", True)
    assert rows["SRAM write and read, wrong bits, 45 conditions"] == ("0", "0", True)
    assert rows["SRAM read margin, worst condition"] == ("0.090 V", ">= 0.1 V", False)
    assert rows["ADC, codes over AL's range"] == ("361, monotonic", ">= 362", False)
    assert rows["ADC, energy saved by its dual threshold"] == ("71 %", ">= 50 %", True)
    assert rows["ADC, INL"] == ("0.50 LSB", "<= 1 LSB", True)
    assert rows["ADC, noise"] == ("0.31 LSB rms", "", None)
    at = "ADC at ss -40 C 1.62 V, IREF_R = 7.0 uA, codes and INL"
    assert rows[at] == ("370, 1.20 LSB", ">= 362, <= 1 LSB", False)
    assert rows["efficiency at 1.8 V"] == ("4.5 TOPS/W", "", None)


def test_what_was_run_away_from_its_conditions_is_not_judged() -> None:
    dac = FOUND["dac"] | {"conditions": FOUND["dac"]["conditions"][1:], "met": None}
    sram = FOUND["sram"] | {"worst": FOUND["sram"]["worst"] | {"access_ns": {"value": None}}}
    rows = {row.what: (row.value, row.limit, row.met) for row in figures({"dac": dac, "sram": sram})}
    assert rows["row DAC, INL, a reference for each bit (ss)"] == ("0.200 of a step", "<= 0.1 at tt", None)
    assert rows["SRAM access, slowest"] == ("never", "", None)


def test_parts_that_were_not_run_are_left_out() -> None:
    assert [row.what for row in figures({"monte_carlo": FOUND["monte_carlo"]})] == [
        "spread with mismatch, 100 samples"
    ]


def test_only_a_simulation_of_the_same_spec_counts(built: Path) -> None:
    assert read_simulation(built, SPEC.model_dump()) == json.loads(json.dumps(FOUND))
    assert read_simulation(built, {**SPEC.model_dump(), "pdk": "scaled65"}) is None
    assert read_simulation(built.parent, SPEC.model_dump()) is None
    (built / FOLDER / SUMMARY).write_text("{")
    assert read_simulation(built, SPEC.model_dump()) is None


def test_the_report_is_refreshed_with_its_digest(built: Path) -> None:
    page = built / "report.html"
    assert "Not run for this spec" in page.read_text(encoding="utf-8")
    assert refresh(built)
    text = page.read_text(encoding="utf-8")
    assert "MAC residual, rms" in text
    assert "missed" in text
    assert "no limit" in text
    assert json.loads((built / "report.json").read_text())["sha256"]["report.html"] == sha256(page)
    build(SPEC, built, drc=False, lvs=False, progress=Quiet())  # a new build replaces it, and shows it again
    assert "MAC residual, rms" in page.read_text(encoding="utf-8")


def test_a_report_that_was_changed_by_hand_stays(built: Path) -> None:
    page = built / "report.html"
    page.write_text("mine")
    assert not refresh(built)
    assert page.read_text() == "mine"
    assert not refresh(built.parent)
