"""The PicoRAM menu. Runs in KLayout's own Python, installed there as the module ``picoram_menu``.

It needs nothing but KLayout and Python: the layout is built by the program that installed the menu, whose
command stands in ``picoram.json`` beside the folder of this file.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pya

MENU = "picoram_menu"
_FOLDER_KEY = "picoram-folder"  # in KLayout's configuration: where the last file was chosen
_NEW_VIEW = 1
_POLL_S = 0.1


class Refused(Exception):
    """Something that the user is told in a message box."""


def install_menu() -> None:
    """Put the menu before KLayout's help menu; nothing where KLayout runs without its window."""
    window = pya.MainWindow.instance()
    if window is None:
        return
    menu = window.menu()
    if menu.is_menu(MENU):
        menu.delete_item(MENU)
    menu.insert_menu("help_menu", MENU, "PicoRAM")
    for name, title, action in (
        ("build", "Build from spec...", ask_and_build),
        ("open", "Open build folder...", ask_and_open),
    ):
        item = pya.Action()
        item.title = title
        item.on_triggered = action
        menu.insert_item(f"{MENU}.end", name, item)
        _KEPT[name] = item


_KEPT: dict[str, Any] = {}  # actions live as long as something refers to them


def ask_and_build() -> None:
    """Build the spec that the user chooses and open what comes out."""
    asked = pya.FileDialog.ask_open_file_name("Spec to build", _last_folder(), "Specs (*.yaml *.yml)")
    if asked is not None:
        _remember(Path(asked).parent)
        _or_message(lambda: build_and_open(Path(asked)))


def ask_and_open() -> None:
    """Open the build that the user chooses."""
    asked = pya.FileDialog.ask_existing_dir("Result folder of a build", _last_folder())
    if asked is not None:
        _remember(Path(asked))
        _or_message(lambda: open_build(Path(asked)))


def build_and_open(spec: Path) -> Path | None:
    """Build a spec into ``out/<name>`` beside it and open it; its folder, or None if the user stopped it."""
    status, out, err = _run(["validate", str(spec), "--json"], spec.parent, "Checking the spec")
    if status:
        raise Refused(err)
    folder = spec.parent / "out" / json.loads(out)["spec"]["name"]
    try:
        status, out, err = _run(["build", str(spec), "-o", str(folder)], spec.parent, f"Building {spec.stem}")
    except Stopped:
        return None
    if status > 1:  # 1: built, but not clean; the reports show it
        raise Refused(err)
    open_build(folder)
    return folder


def open_build(folder: Path) -> None:
    """Show the layout of a result folder in its technology, with its DRC and LVS reports."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        pdk, name = report["pdk"], report.get("cell") or report["name"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(f"{folder}: is not the result folder of a build (no report.json of one)") from None
    layout = folder / f"{name}.gds"
    if not layout.is_file():
        raise Refused(f"{layout}: no such file")
    window = pya.MainWindow.instance()
    cell_view = window.load_layout(str(layout), f"picoram_{pdk}", _NEW_VIEW)
    view = window.current_view()
    view.max_hier()
    markers, comparison = layout.with_suffix(".lyrdb"), layout.with_suffix(".lvsdb")
    if comparison.is_file():
        database = pya.LayoutVsSchematic()
        database.read(str(comparison))
        view.show_lvsdb(view.add_lvsdb(database), cell_view.index())
    if markers.is_file():
        index = view.create_rdb("DRC")
        view.rdb(index).load(str(markers))
        view.show_rdb(index, cell_view.index())


class Stopped(Exception):
    """The user pressed the button that stops the build."""


def _run(arguments: list[str], folder: Path, what: str) -> tuple[int, str, str]:
    """Run the program with a progress bar: status, output, the messages of its error stream."""
    command = json.loads(Path(__file__).parent.parent.joinpath("picoram.json").read_text())["command"]
    # KLayout may bring a Python of its own; the program's is another one.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        except OSError as error:
            raise Refused(f"{command[0]}: {error.strerror}; run 'picoram klayout install' again") from None
        try:
            _wait(process, err, what)
        finally:
            if process.poll() is None:
                process.terminate()  # the program removes what it has begun
                process.wait()
        texts = [_text(out), _text(err)]
    prefix = "picoram: error: "
    told = [line[len(prefix) :] for line in texts[1].splitlines() if line.startswith(prefix)]
    return process.returncode, texts[0], "\n".join(told or texts[1].splitlines()[-5:])


def _wait(process: subprocess.Popen[bytes], err: Any, what: str) -> None:
    """Show the step that the program is at until it has ended."""
    progress = pya.AbsoluteProgress(what)
    try:
        beats = 0
        while process.poll() is None:
            time.sleep(_POLL_S)
            steps = _text(err).splitlines()
            progress.desc = f"{what}: {steps[-1].partition(' ...')[0]}" if steps else what
            beats += 1
            try:
                progress.set(beats, True)
            except Exception:  # KLayout's way to say that the user pressed "Cancel"
                raise Stopped from None
    finally:
        progress._destroy()


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read()
    return text


def _or_message(action: Any) -> None:
    try:
        action()
    except Stopped:
        pass
    except Refused as error:
        pya.MessageBox.warning("PicoRAM", str(error), pya.MessageBox.Ok)


def _last_folder() -> str:
    found: str | None = pya.Application.instance().get_config(_FOLDER_KEY)
    return found or str(Path.home())


def _remember(folder: Path) -> None:
    pya.Application.instance().set_config(_FOLDER_KEY, str(folder))
