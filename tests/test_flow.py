"""A build gives a complete folder or none, always the same bytes, and never at a user's expense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import klayout.db as kdb
import klayout.rdb as rdb
import pytest

from picoram_layout import flow, macro
from picoram_layout.errors import InputError
from picoram_layout.flow import Result, build
from picoram_layout.macro import Drawing
from picoram_layout.pdk import Pdk
from picoram_layout.progress import Quiet
from picoram_layout.publish import sha256
from picoram_layout.spec import Spec, load_spec

SPEC = Path(__file__).parent.parent / "specs" / "picoram_tiny.yaml"


@pytest.fixture
def spec() -> Spec:
    return load_spec(SPEC)


@dataclass(frozen=True)
class Built:
    """A finished build that tests only read."""

    spec: Spec
    result: Result

    @property
    def out(self) -> Path:
        return self.result.out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    spec = load_spec(SPEC)
    return Built(spec, build(spec, tmp_path_factory.mktemp("flow") / "out" / spec.name, progress=Quiet()))


@pytest.fixture
def former(spec: Spec, tmp_path: Path) -> Path:
    """A result folder without DRC, LVS and pictures."""
    return build(spec, tmp_path / "result", drc=False, lvs=False, pictures=False, progress=Quiet()).out


def content(folder: Path) -> dict[str, str]:
    """Digests of all files below a folder, hidden ones too."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in folder.rglob("*") if p.is_file()}


def test_the_files(built: Built) -> None:
    name = built.spec.name
    files = set(content(built.out))
    assert {f"{name}.gds", f"{name}.oas", f"{name}.lyrdb", "report.json", "report.html"} < files
    assert {"pictures/floorplan.svg", "pictures/density.svg", "pictures/bitcell.png"} < files
    assert [p.name for p in built.out.parent.iterdir()] == [built.out.name]


def test_the_report_is_the_result(built: Built) -> None:
    assert json.loads((built.out / "report.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(built.result.report)
    )


def test_the_digests_are_those_of_the_files(built: Built) -> None:
    found = content(built.out)
    del found["report.json"]
    assert built.result.report["sha256"] == found


def test_the_shipped_spec_is_clean(built: Built) -> None:
    drc = built.result.report["drc"]
    assert (drc["status"], drc["violations"], drc["by_rule"]) == ("clean", 0, {})
    assert built.result.exit_status == 0


def test_the_layout_is_its_netlist(built: Built) -> None:
    lvs = built.result.report["lvs"]
    assert (lvs["status"], lvs["differences"], lvs["first"]) == ("match", 0, [])
    assert sum(lvs["devices"].values()) > 0


def test_every_step_is_timed(built: Built) -> None:
    times = built.result.report["timings_s"]
    steps = ["drawing", "layout files", "netlists", "views", "density", "LVS", "pictures", "DRC", "total"]
    assert list(times) == steps
    assert times["total"] >= sum(value for step, value in times.items() if step != "total") - 0.01


def test_two_processes_write_the_same_bytes(built: Built, tmp_path: Path) -> None:
    """All but the two reports, which hold times; the other process has no DRC."""
    command = [
        sys.executable,
        "-m",
        "picoram_layout.cli",
        "build",
        str(SPEC),
        "-o",
        str(tmp_path),
        "--no-drc",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [
        {name: digest for name, digest in content(out).items() if not name.startswith("report.")}
        for out in (built.out, tmp_path)
    ]
    assert len(found[1]) > 5
    assert found[0].pop(f"{built.spec.name}.lyrdb")
    assert found[0] == found[1]


def test_without_drc_the_report_says_so(spec: Spec, former: Path) -> None:
    report = json.loads((former / "report.json").read_text(encoding="utf-8"))
    assert report["drc"]["status"] == "not run"
    assert report["drc"]["violations"] is None
    assert report["drc"]["rules_checked"] == []
    assert {"m1.1", "poly.2"} < {row["id"] for row in report["drc"]["rules_not_checked"]}
    assert not (former / f"{spec.name}.lyrdb").exists()
    page = (former / "report.html").read_text(encoding="utf-8")
    assert "DRC not run" in page
    assert "DRC clean" not in page


def test_a_violation_gives_status_1(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A met5 sliver in the bitcell is found, counted, reported."""
    draw = macro.draw

    def spoiled(spec: Spec, pdk: Pdk, solved: Any) -> Drawing:
        drawing = draw(spec, pdk, solved)
        sliver = kdb.DBox(1.0, 0.3, 1.1, 0.4)
        drawing.gallery["bitcell"].cell.shapes(drawing.library.layer("met5")).insert(sliver)
        return drawing

    monkeypatch.setattr(macro, "draw", spoiled)
    result = build(spec, tmp_path / "out", lvs=False, pictures=False, progress=Quiet())
    drc = result.report["drc"]
    assert result.exit_status == 1
    assert drc["status"] == "violations"
    assert drc["by_rule"]["m5.1"] >= 1
    assert drc["violations"] == sum(drc["by_rule"].values())
    database = rdb.ReportDatabase("read again")
    database.load(str(result.out / f"{spec.name}.lyrdb"))
    assert database.num_items() >= drc["violations"]
    page = (result.out / "report.html").read_text(encoding="utf-8")
    assert f"DRC: {drc['violations']} violation" in page
    assert all(marker["cell"] in page for marker in drc["markers"])


STOPS = [RuntimeError("the disk caught fire"), KeyboardInterrupt()]


@pytest.mark.parametrize("stop", STOPS, ids=["error", "Ctrl-C"])
@pytest.mark.parametrize("step", ["_diagrams", "sha256"])
def test_a_stop_leaves_nothing_new(
    spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, step: str
) -> None:
    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr(flow, step, fail)
    with pytest.raises(type(stop)):
        build(spec, tmp_path / "deep" / "out", drc=False, lvs=False, progress=Quiet())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", STOPS, ids=["error", "Ctrl-C"])
def test_a_stop_leaves_the_former_result(
    spec: Spec, former: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    before = content(former)

    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr(flow, "_diagrams", fail)
    with pytest.raises(type(stop)):
        build(spec, former, drc=False, lvs=False, progress=Quiet())
    assert content(former) == before
    assert [p.name for p in former.parent.iterdir()] == [former.name]


def test_what_only_the_former_run_wrote_goes(spec: Spec, tmp_path: Path) -> None:
    out = build(spec, tmp_path / "out", lvs=False, progress=Quiet()).out
    assert (out / f"{spec.name}.lyrdb").exists()
    assert (out / "pictures").exists()
    build(spec, out, drc=False, lvs=False, pictures=False, progress=Quiet())
    assert not (out / f"{spec.name}.lyrdb").exists()
    assert not (out / "pictures").exists()
    assert not list(out.glob(".*"))


def test_a_layout_that_was_edited_is_not_lost(spec: Spec, former: Path) -> None:
    """Said before anything is drawn; how result folders are treated in general is in test_publish."""
    with (former / f"{spec.name}.gds").open("ab") as file:
        file.write(b"edited")
    before = content(former)
    with pytest.raises(InputError, match=r"gds: was changed since it was built"):
        build(spec, former, drc=False, progress=Quiet())
    assert content(former) == before
