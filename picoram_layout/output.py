"""Checks of result folders before any work starts."""

from __future__ import annotations

import os
from pathlib import Path

from picoram_layout.errors import InputError


def check_folder(folder: Path) -> Path:
    """Nearest part of the path that exists; `InputError` if ``folder`` cannot be made or written there."""
    existing = folder
    while not existing.exists():
        if existing.is_symlink():
            raise InputError(f"{folder}: {existing} is a link to nothing")
        existing = existing.parent
    if not existing.is_dir():
        what = "is a file, not a folder" if existing == folder else f"cannot be made: {existing} is a file"
        raise InputError(f"{folder}: {what}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: {existing} is not writable")
    return existing
