"""Sweeps: points from keys and values, builds side by side, results that compare them."""

from __future__ import annotations

import csv
import json
import os
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from picoram_layout.errors import EnvironmentProblem, InputError
from picoram_layout.spec import Spec, load_spec
from picoram_layout.spec.shipped import specs_root
from picoram_layout.sweep import Point, make_points, parse_settings, run, run_points
from picoram_layout.sweep.points import sweep_keys
from tests.conftest import Picoram

NIGHTLY = Path(__file__).parent.parent / "tools" / "nightly.py"


@pytest.fixture
def tiny() -> Spec:
    return load_spec(specs_root() / "picoram_tiny.yaml")


def test_values_are_read_as_in_a_spec() -> None:
    assert parse_settings(["array.inputs=16, 32", "capacitor.target_fF=1e0,null", "pdk=sky130"]) == {
        "array.inputs": [16, 32],
        "capacitor.target_fF": [1.0, None],
        "pdk": ["sky130"],
    }


def test_every_key_of_a_spec_but_its_name_can_be_set(tiny: Spec) -> None:
    data = tiny.model_dump()
    found = [f"{s}.{k}" for s, part in data.items() if isinstance(part, dict) for k in part]
    assert set(sweep_keys()) == {*found, "pdk"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("array.inputs", "must be key=value"),
        ("array.inputs=", "must be key=value"),
        ("array.input=16", "no such key; did you mean array.inputs?"),
        ("name=a,b", "names its points itself"),
        ("array.inputs=16,32,16", "array.inputs: 16: is given twice"),
    ],
)
def test_settings_that_cannot_be_used(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        parse_settings([setting])


def test_points_are_all_combinations_the_last_key_fastest(tiny: Spec) -> None:
    points = make_points(tiny, {"array.outputs": [4, 8], "array.inputs": [16, 32, 64]})
    assert [tuple(p.settings.values()) for p in points] == [
        (4, 16), (4, 32), (4, 64), (8, 16), (8, 32), (8, 64),
    ]  # fmt: skip
    assert [p.name for p in points] == [f"picoram_tiny_{n}" for n in range(1, 7)]
    assert [p.data["array"]["inputs"] for p in points] == [16, 32, 64] * 2
    assert {p.data["array"]["weight_bits"] for p in points} == {4}


def test_defaults_of_a_pdk_follow_the_pdk(tiny: Spec) -> None:
    wide = tiny.model_copy(update={"bitcell": tiny.bitcell.model_copy(update={"pull_up_w": 0.5})})
    point = make_points(wide, {"pdk": ["scaled65"]})[0]
    assert point.data["bitcell"] == {"pass_gate_w": None, "pull_down_w": None, "pull_up_w": 0.5}
    assert point.data["capacitor"]["target_fF"] == 1.0  # given in the spec
    assert Spec.model_validate(point.data).bitcell.pass_gate_w < tiny.bitcell.pass_gate_w


def test_too_many_points(tiny: Spec) -> None:
    with pytest.raises(InputError, match="10100 combinations: at most 10000"):
        make_points(tiny, {"array.inputs": list(range(101)), "array.outputs": list(range(100))})


def test_a_sweep(picoram: Picoram, tmp_path: Path) -> None:
    arguments = ["sweep", "picoram_tiny", "--set", "array.inputs=16,20,32", "-o", "s"]
    outcome = picoram(*arguments)
    assert outcome.status == 0
    assert "sweep: 3 of 3 runs" in outcome.err
    table = outcome.out.splitlines()
    assert table[0].split()[1:5] == ["inputs", "bits", "um2", "Kb/mm2"]
    assert [line.split()[:3] for line in table[1:3]] == [["1", "16", "768"], ["3", "32", "1,536"]]
    assert table[3].startswith("point 2 (inputs=20): illegal: array.inputs: 20: must be a multiple of 8")

    report = json.loads((tmp_path / "s" / "report.json").read_text())
    first, second, third = report["points"]
    assert [p["status"] for p in report["points"]] == ["built", "illegal", "built"]
    assert first["density_kb_per_mm2"] == pytest.approx(0.75e6 / first["area_um2"])
    assert third["density_kb_per_mm2"] > first["density_kb_per_mm2"]
    assert sum(first["area_share"].values()) == pytest.approx(1, abs=1e-5)
    assert first["drc"] == {"status": "not run", "violations": None}
    assert first["lvs"] == {"status": "not run", "differences": None}
    assert 0 < first["timings_s"]["drawing"] < first["timings_s"]["total"]
    assert "area_um2" not in second

    with (tmp_path / "s" / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["array.inputs"] for row in rows] == ["16", "20", "32"]
    assert float(rows[2]["density_kb_per_mm2"]) == third["density_kb_per_mm2"]
    assert rows[1]["reason"] == second["reason"]
    text = "".join(ET.parse(tmp_path / "s" / "sweep.svg").getroot().itertext())
    assert "array.inputs" in text
    assert "3: inputs=32" in text

    # The spec of a point builds the same layout again.
    built = picoram("build", f"s/{third['spec']}", "--no-drc", "--no-lvs", "--json", "-o", "again")
    again = json.loads(built.out)
    assert again["sha256"][f"{third['name']}.gds"] == third["sha256"][f"{third['name']}.gds"]

    (tmp_path / "s" / "sweep.csv").write_text("mine now")
    outcome = picoram(*arguments)
    assert outcome.status == 2
    assert "was changed since it was built" in outcome.err
    assert "runs" not in outcome.err  # told before anything is built


def test_nothing_legal_to_build(picoram: Picoram) -> None:
    outcome = picoram("sweep", "picoram_tiny", "--set", "array.cells_per_cluster=4,6")
    assert outcome.status == 2
    assert outcome.out.count("illegal: array.cells_per_cluster") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["picoram_tiny"], "--set: at least one"),
        (["picoram_tiny", "--set", "array.rows=3"], "no such key"),
        (["nosuch.yaml", "--set", "pdk=sky130"], "nosuch.yaml: no such file"),
        (["picoram_tiny", "--set", "pdk=sky130", "--workers", "0"], "at least 1"),
        (
            ["picoram_tiny", "--set", "pdk=sky130", "--workers", "2", "--dask", "tcp://h:1"],
            "of its scheduler",
        ),
    ],
)
def test_bad_usage(picoram: Picoram, arguments: list[str], message: str) -> None:
    outcome = picoram("sweep", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def fake(data: dict[str, Any], checks: bool) -> run.Found:
    """In place of a build: one point's process is killed, one fails, one is not clean."""
    match data["array"]["inputs"]:
        case 16:
            os.kill(os.getpid(), 9)
        case 24:
            raise ZeroDivisionError("a defect\nof two lines")
    drc = {"status": "violations" if data["array"]["inputs"] == 32 else "clean", "violations": 3}
    lvs = {"status": "match", "differences": 0}
    return "built", "", {"drc": drc, "lvs": lvs, "views": {"differences": []}, "checks": checks}, False


def test_a_point_that_dies_stops_no_other(tiny: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "evaluate", fake)
    told: list[tuple[int, int]] = []
    points = make_points(tiny, {"array.inputs": [16, 24, 32, 40]})
    outcomes = run_points(points, checks=True, workers=2, told=lambda *count: told.append(count))
    assert [outcome.point.index for outcome in outcomes] == [1, 2, 3, 4]
    assert [outcome.status for outcome in outcomes] == ["failed", "failed", "built", "built"]
    assert "ended with status -9" in outcomes[0].reason
    assert outcomes[1].reason == "ZeroDivisionError: a defect of two lines"
    assert [outcome.clean for outcome in outcomes] == [False, False, False, True]
    assert outcomes[3].report is not None
    assert outcomes[3].report["checks"] is True
    assert told == [(n, 4) for n in range(5)]


def test_a_point_that_the_build_refuses_is_illegal(tiny: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise InputError("array.inputs: 16:\n no place")

    monkeypatch.setattr("picoram_layout.flow.build", refuse)
    data = make_points(tiny, {"array.inputs": [16]})[0].data
    assert run.evaluate(data, False) == ("illegal", "array.inputs: 16: no place", None, True)
    data["array"]["inputs"] = 17
    status, _, report, late = run.evaluate(data, False)
    assert (status, report, late) == ("illegal", None, False)


@pytest.mark.skipif(not NIGHTLY.is_file(), reason="a source package has no tools")
@pytest.mark.parametrize(
    ("status", "late", "told"),
    [
        ("illegal", False, "refused by the check"),
        ("illegal", True, "refused by the build"),
        ("failed", False, "failed"),
    ],
)
def test_nightly_tells_who_refused(tiny: Spec, status: str, late: bool, told: str) -> None:
    nightly = runpy.run_path(str(NIGHTLY))
    point = make_points(tiny, {"array.inputs": [16]})[0]
    line = nightly["row"](run.Outcome(point, status, "why", None, late))
    assert line.startswith(f"{told:20} sky130 shielded 16 ")
    assert line.endswith(": why")


def test_status_and_verdicts_of_checks(picoram: Picoram, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcomes(points: list[Point], **options: Any) -> list[run.Outcome]:
        assert options["checks"] is True
        done = run.evaluate(points[0].data, False)
        report = done[2]
        assert report is not None
        dirty = report | {"drc": {"status": "violations", "violations": 7}}
        return [run.Outcome(points[0], *done), run.Outcome(points[1], "built", "", dirty)]

    monkeypatch.setattr("picoram_layout.sweep.run_points", outcomes)
    outcome = picoram("sweep", "picoram_tiny", "--set", "array.inputs=16,32", "--checks")
    assert outcome.status == 1
    assert "7 violations" in outcome.out.splitlines()[2]


def test_over_a_dask_scheduler(tiny: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(run, "evaluate", fake)
    points = make_points(tiny, {"array.inputs": [16, 32, 40]})
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:  # fmt: skip
        outcomes = run_points(points, dask=cluster.scheduler_address)
    assert outcomes == run_points(points)
    assert [outcome.status for outcome in outcomes] == ["failed", "built", "built"]


def test_no_scheduler(tiny: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(run, "_CONNECT_S", 0.2)
    points = make_points(tiny, {"array.inputs": [16]})
    with pytest.raises(EnvironmentProblem, match="no scheduler answers there"):
        run_points(points, dask="tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="is not an address"):
        run_points(points, dask="nonsense://x")
