"""``picoram klayout``."""

from __future__ import annotations

import shutil
from pathlib import Path

from picoram_layout.console import note


def install(home: Path | None) -> int:
    """Install the KLayout package and say where it is."""
    from picoram_layout.klayout import install as package

    folder = package.install(package.klayout_home() if home is None else home)
    print(f"installed: {folder}")
    print("KLayout has the technologies and the menu PicoRAM when it is started again; to remove both,")
    print("delete that folder or use Tools > Manage Packages")
    if shutil.which("klayout") is None:
        note("the KLayout application is not on the PATH (get it from https://www.klayout.de/build.html)")
    return 0
