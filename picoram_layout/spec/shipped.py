"""The specs that come with the program."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from picoram_layout.errors import InputError


def specs_root() -> Path:
    """Folder that holds the shipped specs: inside the package once installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    packaged = package / "_data" / "specs"
    return packaged if packaged.is_dir() else package.parent / "specs"


def shipped_specs() -> list[str]:
    """Names of the shipped specs."""
    return sorted(path.stem for path in specs_root().glob("*.yaml"))


def find_spec(given: Path) -> Path:
    """The file that was given, or the shipped spec of that name; `InputError` if there is neither."""
    if given.suffix or len(given.parts) != 1 or os.path.exists(given):
        return given
    if given.name in shipped_specs():
        return specs_root() / f"{given.name}.yaml"
    close = difflib.get_close_matches(given.name, shipped_specs(), 1)
    hint = f"did you mean {close[0]}?" if close else f"shipped specs: {', '.join(shipped_specs())}"
    raise InputError(f"{given}: no such file, nor a shipped spec; {hint}")
