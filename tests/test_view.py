"""`picoram view`: KLayout if it can be started, else the command and a picture."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import klayout.db as kdb
import pytest
from PIL import Image

from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk
from picoram_layout.view import find_layout, klayout_command, view


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one result in ``out`` and neither KLayout nor a display."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    result = tmp_path / "out" / "tiny"
    result.mkdir(parents=True)
    layout = kdb.Layout()
    layout.create_cell("tiny").shapes(layout.layer(*load_pdk("sky130").drawn["met1"])).insert(
        kdb.DBox(0, 0, 2, 1)
    )
    layout.write(str(result / "tiny.gds"))
    (result / "report.json").write_text('{"pdk": "scaled65"}')
    return tmp_path


@pytest.fixture
def klayout(place: Path) -> Path:
    """A program called klayout that writes down its arguments."""
    program = place / "bin" / "klayout"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {place}/args.part\n/bin/mv {place}/args.part {place}/args\n"
    )
    program.chmod(0o755)
    return place / "args"


@pytest.mark.parametrize("target", ["tiny", "out/tiny", "out/tiny/tiny.gds"])
def test_a_result_by_name_folder_or_file(target: str) -> None:
    assert find_layout(target).resolve() == Path("out/tiny/tiny.gds").resolve()


def test_klayout_is_started_with_everything(klayout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":99")
    Path("out/tiny/tiny.lyrdb").write_text("<report-database/>")
    Path("out/tiny/tiny.lvsdb").write_text("#%lvsdb-klayout")
    assert view("tiny") == 0
    for _ in range(200):
        if klayout.exists():
            break
        time.sleep(0.05)
    folder = load_pdk("scaled65").folder
    files = ["-nn", folder / "scaled65.lyt", "-l", folder / "scaled65.lyp", "out/tiny/tiny.gds"]
    assert klayout.read_text().split("\n") == [
        *map(str, files),
        "-m",
        "out/tiny/tiny.lyrdb",
        "-mn",
        "out/tiny/tiny.lvsdb",
        "",
    ]
    assert not Path("out/tiny/tiny.view.png").exists()


def test_without_klayout(capsys: pytest.CaptureFixture[str]) -> None:
    assert view("tiny") == 0
    out = capsys.readouterr().out
    assert "not on the PATH" in out
    assert "klayout.de" in out
    assert shlex.join(klayout_command(Path("out/tiny/tiny.gds"), load_pdk("scaled65"))) in out
    assert "out/tiny/tiny.view.png" in out
    with Image.open("out/tiny/tiny.view.png") as picture:
        assert picture.width > 1000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a display is asked for on Linux only")
def test_without_a_display(klayout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert view("tiny") == 0
    assert "no display" in capsys.readouterr().out
    assert Path("out/tiny/tiny.view.png").exists()
    assert not klayout.exists()


def test_a_layout_from_elsewhere_in_a_folder_that_is_read_only(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = place / "other"
    other.mkdir()
    os.rename("out/tiny/tiny.gds", other / "chip.gds")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != other)
    assert view(str(other / "chip.gds")) == 0
    assert (place / "chip.view.png").is_file()
    assert "sky130.lyp" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("tinny", "built so far: tiny"),
        ("out/tiny/report.json", "not a layout file"),
        ("out", "no such file or result"),
    ],
)
def test_what_cannot_be_found(target: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        view(target)


def test_a_file_that_is_no_layout(place: Path) -> None:
    (place / "noise.gds").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="is not a GDS or OASIS file"):
        view("noise.gds")
