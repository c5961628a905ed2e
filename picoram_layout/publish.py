"""Results appear complete or not at all, and never at the expense of a user's files.

Everything is written into a hidden folder first. A new result folder is that folder renamed; in an existing
one file by file is exchanged, and put back if anything goes wrong on the way. A file is replaced or
removed only if the ``report.json`` beside it proves that a former run wrote it and nobody changed it since.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from picoram_layout.errors import InputError
from picoram_layout.output import check_folder

MANIFEST = "report.json"


class Staging:
    """The hidden folder (``folder``) in which results for ``out`` are collected."""

    def __init__(self, out: Path, folder: Path):
        self.out = out
        self.folder = folder

    def files(self) -> list[str]:
        """What has been written so far: paths relative to the result folder, sorted."""
        found = (p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file())
        return sorted(found)

    def publish(self) -> None:
        """Move everything to the result folder, and remove what only the former run wrote."""
        if not self.out.exists():
            os.rename(self.folder, self.out)
            return
        new = self.files()
        check_replaceable(self.out, new)
        stale = [name for name in _recorded(self.out) if name not in new]
        before = self.folder / ".before"
        moves: list[tuple[Path, Path]] = []
        try:
            for name in [*stale, *new]:
                _move(self.out / name, before / name, moves)
                _move(self.folder / name, self.out / name, moves)
        except BaseException:
            for source, target in reversed(moves):
                os.replace(target, source)
            raise
        for folder in {(self.out / name).parent for name in stale} - {self.out}:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Another path beside ``path`` to write a file to: it takes its place when all is written, else it goes.

    `InputError` if nothing can be written there, or what is there is no file.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    part = target.with_name(f".{secrets.token_hex(4)}.partial{''.join(target.suffixes[-2:])}")
    if target.exists() and not target.is_file():
        raise InputError(f"{path}: is {'a folder' if target.is_dir() else 'no regular file'}")
    try:
        part.touch(exist_ok=False)  # says why before KLayout and others write, who know less about it
        yield part
        os.replace(part, target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def save(path: Path, write: Callable[[str], object]) -> None:
    """Have KLayout ``write`` a file of a name that it is given; `InputError` if it cannot be written."""
    with replacing(path) as part:
        try:
            write(str(part))
        except RuntimeError as error:
            raise InputError(f"{path}: cannot be written: {error}") from None


@contextmanager
def staging(out: Path, names: Iterable[str]) -> Iterator[Staging]:
    """A `Staging` for ``out``, gone at the end whatever happens.

    ``names`` are files known to be written: `InputError` at once if one of them would replace a file that
    is not a former result, if ``out`` is not a folder, or if nothing can be written there.
    """
    check_folder(out)
    made: list[Path] = []
    try:
        if out.exists():
            check_replaceable(out, names)
            folder = out / f".partial-{secrets.token_hex(4)}"
        else:
            folder = out.parent / f".{out.name}.partial-{secrets.token_hex(4)}"
        _make(folder, made)
    except OSError as error:
        _unmake(made)
        raise InputError(f"{error.filename or out}: cannot be written: {error.strerror}") from None
    try:
        yield Staging(out, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unmake(made)


def check_replaceable(out: Path, names: Iterable[str]) -> None:
    """`InputError` if a file of the former result was changed, or one of ``names`` is somebody else's."""
    recorded = _recorded(out)
    for name in sorted({*recorded, *names}):
        path = out / name
        if not os.path.lexists(path):
            continue
        way_out = "move it away, or choose another folder with -o"
        if name not in recorded:
            raise InputError(f"{path}: is not a former result and would be replaced; {way_out}")
        if name != MANIFEST and sha256(path) != recorded[name]:
            raise InputError(f"{path}: was changed since it was built and would be lost; {way_out}")


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _recorded(out: Path) -> dict[str, str]:
    """Files of the former result and their digests, as its manifest has them; empty without one."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        manifest["versions"]["picoram_layout"]
        digests = dict(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    inside = {name: digest for name, digest in digests.items() if ".." not in PurePosixPath(name).parts}
    return {name: digest for name, digest in inside.items() if not name.startswith("/")} | {MANIFEST: ""}


def _move(source: Path, target: Path, moves: list[tuple[Path, Path]]) -> None:
    if os.path.lexists(source):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(source, target)
        moves.append((source, target))


def _make(folder: Path, made: list[Path]) -> None:
    """Make a folder and the missing ones above it, and note them."""
    if not folder.parent.exists():
        _make(folder.parent, made)
    folder.mkdir()
    made.append(folder)


def _unmake(made: list[Path]) -> None:
    """Remove the folders that were made and hold nothing."""
    for folder in reversed(made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
