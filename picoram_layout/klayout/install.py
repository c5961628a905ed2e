"""Put the KLayout package into a KLayout folder: complete or not at all, and only in place of itself."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from picoram_layout import __version__
from picoram_layout.errors import InputError
from picoram_layout.output import check_folder
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.report.technology import lyp, lyt

PACKAGE = "picoram_layout"
_ABOUT = {
    "name": PACKAGE,
    "version": __version__,
    "api-version": "0.28",
    "title": "PicoRAM: compute-in-memory SRAM layout",
    "doc": "Technologies, and a menu that builds a spec and opens results with DRC and LVS reports.",
    "license": "Apache-2.0",
}


def klayout_home() -> Path:
    """KLayout's folder for what belongs to the user, as KLayout itself finds it."""
    named = os.environ.get("KLAYOUT_HOME")
    if named:
        return Path(named)
    return Path.home() / ("KLayout" if sys.platform == "win32" else ".klayout")


def install(home: Path) -> Path:
    """Write the package below ``home`` and return its folder; a former one of the same name is replaced.

    `InputError` if another package has its place or nothing can be written there.
    """
    target = home / "salt" / PACKAGE
    check_folder(target)
    if target.exists() and _grain_name(target) != PACKAGE:
        raise InputError(f"{target}: is not this program's and would be replaced; move it away")
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name with a dot: KLayout would take every other folder here for a package.
    fresh, old = (target.parent / f".{PACKAGE}.{what}-{secrets.token_hex(4)}" for what in ("new", "old"))
    try:
        write_package(fresh)
        if target.exists():
            os.rename(target, old)
        os.rename(fresh, target)
    except OSError as error:
        if old.exists() and not target.exists():
            os.rename(old, target)
        raise InputError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)
    return target


def write_package(folder: Path) -> None:
    """Technologies of all PDKs, the menu and how to start this program, in KLayout's order of folders."""
    files = {"grain.xml": _xml("salt-grain", _ABOUT), "pymacros/picoram.lym": _macro()}
    for pdk in map(load_pdk, pdk_names()):
        place = f"tech/picoram_{pdk.name}/{pdk.name}"
        files |= {f"{place}.lyp": lyp(pdk), f"{place}.lyt": lyt(pdk)}
    files["python/picoram_menu.py"] = Path(__file__).with_name("menu.py").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "picoram_layout.cli"]
    files["picoram.json"] = json.dumps({"command": command, "version": __version__}, indent=2) + "\n"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _macro() -> str:
    """The macro that KLayout runs when it starts."""
    return _xml(
        "klayout-macro",
        {
            "description": "PicoRAM menu",
            "version": __version__,
            "category": "pymacros",
            "autorun": "true",
            "autorun-early": "false",
            "show-in-menu": "false",
            "interpreter": "python",
            "text": "import picoram_menu\n\npicoram_menu.install_menu()\n",
        },
    )


def _xml(name: str, texts: dict[str, str]) -> str:
    root = ET.Element(name)
    for tag, text in texts.items():
        ET.SubElement(root, tag).text = text
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _grain_name(folder: Path) -> str | None:
    try:
        return ET.parse(folder / "grain.xml").getroot().findtext("name")
    except (OSError, ET.ParseError):
        return None
