"""The package for the KLayout application: its files, and what they do inside it where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import klayout.db as kdb
import pytest

from picoram_layout import __version__
from picoram_layout.errors import InputError
from picoram_layout.klayout.install import install, klayout_home
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.report.technology import styles
from picoram_layout.spec.shipped import specs_root
from tests.conftest import Picoram, needs_klayout
from tests.test_cli import wires

ROOT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A KLayout folder with the package."""
    install(tmp_path / "home")
    return tmp_path / "home"


def test_the_files_of_the_package(home: Path) -> None:
    package = home / "salt" / "picoram_layout"
    assert [path.name for path in package.parent.iterdir()] == ["picoram_layout"]
    grain = ET.parse(package / "grain.xml").getroot()
    assert (grain.findtext("name"), grain.findtext("version")) == ("picoram_layout", __version__)
    for name in pdk_names():
        technology = kdb.Technology()
        technology.load(str(package / "tech" / f"picoram_{name}" / f"{name}.lyt"))
        assert technology.name == f"picoram_{name}"
        assert Path(technology.eff_layer_properties_file()).is_file()
    macro = ET.parse(package / "pymacros" / "picoram.lym").getroot()
    assert macro.findtext("autorun") == "true"
    compile(macro.findtext("text") or "", "macro", "exec")
    compile((package / "python" / "picoram_menu.py").read_text(), "menu", "exec")
    command = json.loads((package / "picoram.json").read_text())["command"]
    run = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"picoram {__version__}\n"


def test_a_former_package_is_replaced_and_nothing_else(home: Path) -> None:
    package = home / "salt" / "picoram_layout"
    (package / "old.txt").write_text("of a former version")
    assert install(home) == package
    assert not (package / "old.txt").exists()
    (package / "grain.xml").write_text("<salt-grain><name>other</name></salt-grain>")
    with pytest.raises(InputError, match="is not this program's"):
        install(home)
    (home / "salt" / "picoram_layout" / "grain.xml").unlink()
    with pytest.raises(InputError, match="is not this program's"):
        install(home)


def test_the_command(picoram: Picoram, tmp_path: Path) -> None:
    outcome = picoram("klayout", "install", "--home", tmp_path / "k")
    assert outcome.status == 0
    assert f"installed: {tmp_path}/k/salt/picoram_layout" in outcome.out
    (tmp_path / "file").touch()
    outcome = picoram("klayout", "install", "--home", tmp_path / "file")
    assert (outcome.status, len(outcome.err.splitlines())) == (2, 1)
    assert picoram("klayout").status == 2


def test_where_klayout_keeps_its_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KLAYOUT_HOME", str(tmp_path))
    assert klayout_home() == tmp_path
    monkeypatch.delenv("KLAYOUT_HOME")
    assert klayout_home().parent == Path.home()


def inside(home: Path, script: str, *options: str, **values: Any) -> dict[str, Any]:
    """Run a script in KLayout without a display; what it leaves in ``found``."""
    file, result = home / "script.py", home / "found.json"
    head = f"import json, pya\nfrom pathlib import Path\nvalues = {values!r}\nfound = {{}}\n"
    tail = f"\nPath({str(result)!r}).write_text(json.dumps(found))\n"
    file.write_text(head + script + tail)
    # The program that the menu starts is this checkout's.
    here = {"KLAYOUT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    environment = os.environ | here
    command = ["klayout", *(options or ("-z", "-nc")), "-r", str(file)]
    run = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=300, check=False, cwd=home
    )
    assert result.is_file(), run.stdout + run.stderr
    found: dict[str, Any] = json.loads(result.read_text())
    return found


@needs_klayout
def test_klayout_without_a_window_knows_the_technologies(home: Path) -> None:
    script = """
import picoram_menu  # what the macro imports
found["technologies"] = [name for name in pya.Technology.technology_names() if name]
"""
    found = inside(home, script, "-zz")
    assert set(found["technologies"]) == {f"picoram_{name}" for name in pdk_names()}


@needs_klayout
def test_build_from_the_menu(home: Path, tmp_path: Path) -> None:
    spec = tmp_path / "specs" / "mine.yaml"
    spec.parent.mkdir()
    shutil.copy(specs_root() / "picoram_tiny.yaml", spec)
    bad = spec.with_name("bad.yaml")
    bad.write_text(spec.read_text().replace("inputs: 16", "inputs: 20"))
    script = """
import picoram_menu

window = pya.MainWindow.instance()
asked, told, steps = [], [], []

class FileDialog:
    @staticmethod
    def ask_open_file_name(title, folder, kinds):
        asked.append(folder)
        return values["files"].pop(0)

class MessageBox:
    Ok = 0
    @staticmethod
    def warning(title, text, buttons):
        told.append(text)

class AbsoluteProgress(pya.AbsoluteProgress):
    def set(self, value, force):
        steps.append(self.desc)
        if values["stop_at"] and values["stop_at"] in self.desc:
            raise Exception("Operation cancelled")

for fake in (FileDialog, MessageBox, AbsoluteProgress):
    setattr(picoram_menu.pya, fake.__name__, fake)
titles = window.menu().items("picoram_menu")
found["titles"] = [window.menu().action(item).title for item in titles]
action = window.menu().action("picoram_menu.build")
action.trigger()  # refused
found["told"] = list(told)
found["views"] = [window.views()]
action.trigger()  # stopped
found["views"].append(window.views())
found["stopped"] = [str(path.name) for path in Path(values["folder"]).iterdir()]
values["stop_at"] = ""
action.trigger()  # built
found["views"].append(window.views())
found["told_in_all"] = len(told)
view = window.current_view()
found["asked"] = asked
found["steps"] = sorted(set(steps))
found["title"] = view.title
found["technology"] = view.active_cellview().technology
found["layers"] = [node.name for node in view.each_layer()]
found["markers"] = [view.rdb(i).num_items() for i in range(view.num_rdbs())]
found["circuits"] = [c.name for c in view.lvsdb(0).netlist().each_circuit_top_down()]
found["shown"] = [w.windowTitle for w in pya.QApplication.topLevelWidgets() if w.visible]
"""
    files = [str(bad), str(spec), str(spec)]
    found = inside(home, script, files=files, folder=str(spec.parent), stop_at="drawing")
    assert found["titles"] == ["Build from spec...", "Open build folder..."]
    assert len(found["told"]) == found["told_in_all"] == 1
    assert "array.inputs: 20: must be a multiple of 8" in found["told"][0]
    assert found["views"] == [0, 0, 1]
    assert sorted(found["stopped"]) == ["bad.yaml", "mine.yaml"]  # no folder of half a build
    assert found["asked"][1:] == [str(spec.parent)] * 2
    assert {"Checking the spec", "Building mine: DRC"} <= set(found["steps"])
    assert "picoram_tiny" in found["title"]
    assert found["technology"] == "picoram_sky130"
    assert found["layers"] == [style.name for style in styles(load_pdk("sky130"))]
    assert found["markers"] == [0]
    assert found["circuits"][0].lower() == "picoram_tiny"
    assert {"Marker Database Browser", "Netlist Database Browser"} <= set(found["shown"])
    assert (spec.parent / "out" / "picoram_tiny" / "report.html").is_file()


@needs_klayout
def test_open_from_the_menu(home: Path, picoram: Picoram, tmp_path: Path) -> None:
    """A folder with a violation: its marker is in the browser; another folder is refused."""
    folder = tmp_path / "out" / "top"
    folder.mkdir(parents=True)
    wires(folder / "top.gds", 0.13)
    assert picoram("drc", folder / "top.gds", "-o", folder / "top.lyrdb").status == 1
    (folder / "report.json").write_text(json.dumps({"name": "top", "pdk": "sky130"}))
    script = """
import picoram_menu

picoram_menu.open_build(Path(values["folder"]))
view = pya.MainWindow.instance().current_view()
found["markers"] = [item.category_id() and view.rdb(0).category_by_id(item.category_id()).name()
                    for item in view.rdb(0).each_item()]
found["lvs"] = view.num_l2ndbs()
try:
    picoram_menu.open_build(Path(values["other"]))
except picoram_menu.Refused as error:
    found["refused"] = str(error)
"""
    found = inside(home, script, folder=str(folder), other=str(tmp_path))
    assert found == {
        "markers": ["m1.1"],
        "lvs": 0,
        "refused": f"{tmp_path}: is not the result folder of a build (no report.json of one)",
    }
