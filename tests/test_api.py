"""The Python API: its examples run, and it says what is wrong as the commands do."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from pathlib import Path

import klayout.db as kdb
import pytest

from picoram_layout import api
from picoram_layout.errors import InputError

EXAMPLES = Path(__file__).parent.parent / "docs" / "api.md"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_examples_of_the_page(tmp_path: Path) -> None:
    done = doctest.testfile(str(EXAMPLES), module_relative=False)
    assert (done.failed, done.attempted > 20) == (0, True)
    assert (tmp_path / "latch.gds").stat().st_size > 1000
    assert (tmp_path / "latch.png").read_bytes().startswith(b"\x89PNG")


def test_examples_of_the_docstrings() -> None:
    done = doctest.testmod(api)
    assert (done.failed, done.attempted > 4) == (0, True)


def test_importing_it_is_quick() -> None:
    code = "import picoram_layout.api, sys; print({n.partition('.')[0] for n in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"gdsfactory", "klayout", "numpy", "pydantic", "matplotlib"} & set(run.stdout.split("'"))


def test_all_public_names_are_there() -> None:
    assert all(hasattr(api, name) for name in api.__all__)


def test_what_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        api.read_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"versions": {}}))
    with pytest.raises(InputError, match="is not a report of picoram"):
        api.read_report(tmp_path)


def test_cells_and_parameters_that_are_not_there() -> None:
    with pytest.raises(InputError, match="did you mean latch"):
        api.draw_cell("lach")
    with pytest.raises(InputError, match="latch has no parameter fingers"):
        api.draw_cell("latch", fingers=2)


def test_cells_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = api.draw_cell("inverter")
    for write in (cell.write, cell.picture):
        with pytest.raises(InputError, match=r"^/proc/i\.gds: cannot be written: "):
            write("/proc/i.gds")

    def fail(*arguments: object) -> None:
        raise RuntimeError("disk full")

    (tmp_path / "i.gds").write_text("before")
    monkeypatch.setattr(kdb.Layout, "write", fail)
    with pytest.raises(InputError, match=r"i\.gds: cannot be written: disk full"):
        cell.write(tmp_path / "i.gds")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("i.gds", "before")]


def test_a_layout_without_a_netlist(tmp_path: Path) -> None:
    api.draw_cell("inverter").write(tmp_path / "i.gds")
    with pytest.raises(InputError, match=r"no netlist beside it \(i.spice\)"):
        api.lvs(tmp_path / "i.gds")
