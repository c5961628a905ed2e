"""The command line: help, exit statuses, what goes to which stream, and what is not imported."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import klayout.db as kdb
import pytest

from picoram_layout import __version__
from picoram_layout.commands import build as build_command
from picoram_layout.errors import EnvironmentProblem
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.progress import passing
from picoram_layout.spec import json_schema
from tests.conftest import Picoram

SPECS = Path(__file__).parent.parent / "specs"
TINY = SPECS / "picoram_tiny.yaml"
COMMANDS = "build validate schema drc lvs density view rules cells cell simulate sweep doctor klayout".split()
HEAVY = {"gdsfactory", "kfactory", "matplotlib", "numpy", "PIL", "klayout"}


def wires(path: Path, width: float, dbu: float = 0.001) -> Path:
    """A 20 um square with a met1 wire of this width (um) in a cell that is placed twice."""
    layout = kdb.Layout()
    layout.dbu = dbu
    leaf, top = layout.create_cell("leaf"), layout.create_cell("top")
    leaf.shapes(layout.layer(68, 20)).insert(kdb.DBox(1, 2, 1 + width, 12))
    top.shapes(layout.layer(*load_pdk("sky130").marks["boundary"])).insert(kdb.DBox(0, 0, 20, 20))
    for x in (0, 5):
        top.insert(kdb.DCellInstArray(leaf.cell_index(), kdb.DTrans(x, 0)))
    layout.write(str(path))
    return path


def test_help_lists_every_command(picoram: Picoram) -> None:
    outcome = picoram("--help")
    assert (outcome.status, outcome.err) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  ", outcome.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(picoram: Picoram, command: str) -> None:
    outcome = picoram(command, "--help")
    assert outcome.status == 0
    assert re.search(rf"^  Example: picoram {command}\b", outcome.out, re.MULTILINE)


def test_no_command_is_answered_with_the_help(picoram: Picoram) -> None:
    outcome = picoram()
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: picoram")


def test_a_build_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "picoram_layout.cli",
        "build",
        str(TINY),
        "-o",
        str(tmp_path / "out" / "x"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.read(7) == "drawing"
        assert list(tmp_path.iterdir())  # it has begun
        process.terminate()
        process.stderr.read()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_version(picoram: Picoram) -> None:
    assert picoram("--version").out == f"picoram {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["schema"], ["doctor"], ["cells"], ["rules"]])
def test_quick_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from picoram_layout.cli import main; status = main(sys.argv[1:]); "
        "print('imported:', *sorted({name.partition('.')[0] for name in sys.modules})); sys.exit(status)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    imported = set(run.stdout.splitlines()[-1].split()[1:])
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_what_is_mostly_short_shows_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, quiet, seen in (
        (Terminal(), False, True),
        (Terminal(), True, False),
        (io.StringIO(), False, False),
    ):
        with passing("checking the spec", quiet=quiet, stream=stream):
            pass
        assert ("checking the spec" in stream.getvalue()) is seen


def test_validate(picoram: Picoram) -> None:
    outcome = picoram("validate", TINY)
    assert (outcome.status, outcome.err) == (0, "")
    assert "768 bits in sky130" in outcome.out
    data = json.loads(picoram("validate", TINY, "--json").out)
    assert (data["valid"], data["bits"], data["spec"]["bitcell"]["pull_up_w"]) == (True, 768, 0.42)


def test_shipped_specs_go_by_name(picoram: Picoram, tmp_path: Path) -> None:
    outcome = picoram("validate", "picoram_tiny", "--json")
    assert json.loads(outcome.out)["spec"]["name"] == "picoram_tiny"
    (tmp_path / "picoram_tiny").write_text("- a list")  # a file of the user comes first
    assert picoram("validate", "picoram_tiny").status == 2


def test_schema(picoram: Picoram) -> None:
    assert json.loads(picoram("schema").out) == json_schema()


@pytest.mark.parametrize("pdk", pdk_names())
def test_rules(picoram: Picoram, pdk: str) -> None:
    rules = load_pdk(pdk).rules
    data = json.loads(picoram("rules", "--pdk", pdk, "--json").out)
    assert [(row["id"], row["value"]) for row in data["rules"]] == [(rule.id, rule.value) for rule in rules]
    assert data["rules_not_checked"] == load_pdk(pdk).not_checked
    text = picoram("rules", "--pdk", pdk).out
    shown = {line.split()[0] for line in text.splitlines() if line}
    assert {rule.id for rule in rules} | {item["id"] for item in data["rules_not_checked"]} <= shown


def test_study_deck_says_so(picoram: Picoram, tmp_path: Path) -> None:
    assert "study deck" in picoram("rules", "--pdk", "scaled65").out
    wires(tmp_path / "w.gds", 1.0)
    assert "study deck" in picoram("drc", "w.gds", "--pdk", "scaled65").out


def test_drc_clean(picoram: Picoram, tmp_path: Path) -> None:
    wires(tmp_path / "w.gds", 0.14)
    outcome = picoram("drc", "w.gds")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("w.gds: top: clean (")


@pytest.mark.parametrize("suffix", ["gds", "oas", "gds.gz", "oas.gz"])
def test_drc_finds_a_narrow_wire(picoram: Picoram, tmp_path: Path, suffix: str) -> None:
    path = wires(tmp_path / f"w.{suffix}", 0.135)
    outcome = picoram("drc", path.name, "--json", "-o", "w.lyrdb")
    assert (outcome.status, outcome.err) == (1, "")
    data = json.loads(outcome.out)
    assert (data["status"], data["violations"], data["by_rule"]) == ("violations", 1, {"m1.1": 1})
    (marker,) = data["markers"]
    assert (marker["rule"], marker["cell"]) == ("m1.1", "leaf")
    assert marker["box"] == pytest.approx([1, 2, 1.135, 12], abs=0.002)
    assert "leaf" in (tmp_path / "w.lyrdb").read_text()
    text = picoram("drc", path.name)
    assert text.status == 1
    assert "1 violations" in text.out
    assert re.search(r"^m1\.1 +leaf +0\.999 1\.999 1\.136 12\.001 ", text.out, re.MULTILINE)


def test_drc_of_a_layout_with_another_database_unit(picoram: Picoram, tmp_path: Path) -> None:
    for dbu, width, status in [(0.0005, 0.14, 0), (0.0005, 0.135, 1), (0.005, 0.14, 0), (0.005, 0.135, 1)]:
        wires(tmp_path / "w.gds", width, dbu)
        assert picoram("drc", "w.gds").status == status


def test_drc_notes_a_database_unit_that_cannot_show_the_grid(picoram: Picoram, tmp_path: Path) -> None:
    wires(tmp_path / "w.gds", 1.0, 0.01)
    outcome = picoram("drc", "w.gds")
    assert outcome.status == 0
    assert "note: w.gds: the database unit (0.01 um)" in outcome.err


def test_density(picoram: Picoram, tmp_path: Path) -> None:
    for name, width in [("half.gds", 1.0), ("full.gds", 1.9)]:
        layout = kdb.Layout()
        met1, boundary = layout.layer(68, 20), layout.layer(*load_pdk("sky130").marks["boundary"])
        top = layout.create_cell("top")
        top.shapes(boundary).insert(kdb.DBox(0, 0, 20, 20))
        for i in range(10):
            top.shapes(met1).insert(kdb.DBox(2 * i, 0, 2 * i + width, 20))
        layout.write(str(tmp_path / name))
    outcome = picoram("density", "half.gds", "full.gds", "--json")
    half, full = json.loads(outcome.out)
    assert half["layers"]["met1"]["overall"] == pytest.approx(0.5)
    assert (half["over_limit"], full["over_limit"], outcome.status) == ([], ["met1"], 1)
    assert picoram("density", "half.gds").status == 0
    text = picoram("density", "full.gds")
    assert text.status == 1
    assert "above the limit: met1" in text.out


def test_cells(picoram: Picoram) -> None:
    data = json.loads(picoram("cells", "--json").out)
    assert "bitcell" in data
    text = picoram("cells").out
    for name, entry in data.items():
        assert f"{name}: {entry['summary']}" in text


def test_cell(picoram: Picoram, tmp_path: Path) -> None:
    outcome = picoram("cell", "bitcell", "--set", "pass_gate_w=0.5", "-o", "b", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    data = json.loads(outcome.out)
    assert (data["params"], data["drc"]["status"]) == ({"pass_gate_w": 0.5}, "clean")
    kinds = {rule.id: rule.kind for rule in load_pdk("sky130").rules}
    assert "density" not in {kinds[rule] for rule in data["drc"]["rules_checked"]}
    assert data["drc"]["rules_not_checked"]
    suffixes = ("cdl", "gds", "lvsdb", "lyrdb", "png", "spice")
    files = sorted(path.name for path in (tmp_path / "b").iterdir())
    assert files == [*(f"bitcell.{suffix}" for suffix in suffixes), "report.json"]
    assert data["lvs"]["status"] == "match"
    told = {row["id"] for row in data["drc"]["rules_not_checked"]}
    assert {"nwell.4", "LU.2", "LU.3"} <= told  # its taps are in other cells; a file is asked for them
    whole = picoram("drc", "b/bitcell.gds")
    assert whole.status == 1
    assert "nwell.4" in whole.out
    again = picoram("cell", "bitcell", "-o", "b")
    assert again.status == 0
    assert "clean" in again.out
    assert json.loads((tmp_path / "b" / "report.json").read_text())["params"] == {}


def test_build(picoram: Picoram, tmp_path: Path) -> None:
    outcome = picoram("build", TINY)
    assert outcome.status == 0, outcome.err
    assert "768 bits" in outcome.out
    assert re.search(r"^DRC \.\.\. [0-9.]+ s$", outcome.err, re.MULTILINE)
    assert (tmp_path / "out" / "picoram_tiny" / "picoram_tiny.gds").is_file()


def test_build_without_drc(picoram: Picoram, tmp_path: Path) -> None:
    outcome = picoram("build", TINY, "--no-drc", "--json", "-o", "here")
    assert (outcome.status, outcome.err) == (0, "")
    assert json.loads(outcome.out)["drc"]["status"] == "not run"
    assert json.loads((tmp_path / "here" / "report.json").read_text())["drc"]["status"] == "not run"


def test_doctor(picoram: Picoram) -> None:
    outcome = picoram("doctor", "--json")
    assert outcome.status == 0
    found = {entry["what"]: entry for entry in json.loads(outcome.out)["findings"]}
    assert {
        "Python",
        "gdsfactory",
        "klayout",
        "pydantic",
        "PDK sky130",
        "PDK scaled65",
        "ngspice (program)",
    } <= set(found)
    assert found["gdsfactory"]["wanted"]
    assert "everything that is needed is there" in picoram("doctor").out


def test_doctor_says_why_results_cannot_be_written(picoram: Picoram, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    outcome = picoram("doctor", "--json")
    assert outcome.status == 3
    found = {entry["what"]: entry["found"] for entry in json.loads(outcome.out)["findings"]}
    assert found["results folder"] == f"{tmp_path / 'out'}: is a file, not a folder"


def test_doctor_misses_a_package(picoram: Picoram, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    monkeypatch.setattr(metadata, "requires", lambda name: ["no-such-package>=1", "PyYAML>=999"])
    outcome = picoram("doctor", "--json")
    assert outcome.status == 3
    found = {entry["what"]: entry["status"] for entry in json.loads(outcome.out)["findings"]}
    assert (found["no-such-package"], found["PyYAML"]) == ("missing", "untested")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (EnvironmentProblem("no renderer"), 3, "no renderer"),
        (OSError(28, "No space left on device", "x.gds"), 2, "x.gds: No space left on device"),
    ],
)
def test_trouble_while_building(
    picoram: Picoram, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(build_command, "build", fail)
    outcome = picoram("build", TINY)
    assert (outcome.status, outcome.out, outcome.err) == (status, "", f"picoram: error: {message}\n")


def test_interrupted(picoram: Picoram, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build_command, "build", interrupt)
    outcome = picoram("build", TINY)
    assert (outcome.status, outcome.out) == (130, "")
    assert "Traceback" not in outcome.err


def test_reader_that_goes_away(tmp_path: Path) -> None:
    command = f"{sys.executable} -m picoram_layout.cli rules | head -n 1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (len(run.stdout.splitlines()), run.stderr) == (1, "")
