"""Result folders change completely or not at all, and users' files in them are safe."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from picoram_layout.errors import InputError
from picoram_layout.publish import MANIFEST, replacing, sha256, staging

FIRST = {"a.gds": "one", "a.lyrdb": "markers", "pictures/cell.png": "picture", "pictures/old.png": "old"}
SECOND = {"a.gds": "two", "pictures/cell.png": "another picture", "pictures/new.png": "new"}


def write(out: Path, files: dict[str, str], names: tuple[str, ...] = ("a.gds", MANIFEST)) -> None:
    """What a build does, with text for layouts."""
    with staging(out, names) as stage:
        for name, text in files.items():
            path = stage.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        digests = {name: sha256(stage.folder / name) for name in stage.files()}
        manifest = {"versions": {"picoram_layout": "1"}, "sha256": digests}
        (stage.folder / MANIFEST).write_text(json.dumps(manifest))
        stage.publish()


def content(folder: Path) -> dict[str, str]:
    """All files below a folder but the manifest."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A result folder that a former run wrote."""
    write(tmp_path / "out", FIRST)
    return tmp_path / "out"


@pytest.fixture(params=["absent", "absent with its parent", "empty"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder without a result."""
    if request.param == "empty":
        (tmp_path / "out").mkdir()
    return tmp_path / "deep" / "out" if "parent" in request.param else tmp_path / "out"


def test_a_new_result(fresh: Path) -> None:
    write(fresh, FIRST)
    assert content(fresh) == FIRST
    assert [path.name for path in fresh.parent.iterdir()] == ["out"]


def test_nothing_is_there_before_all_is(fresh: Path) -> None:
    with staging(fresh, []) as stage:
        (stage.folder / "a.gds").write_text("one")
        assert not (fresh / "a.gds").exists()
        assert not [path for path in fresh.glob("*") if not path.name.startswith(".")]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_a_stop_leaves_nothing(fresh: Path, tmp_path: Path, stop: type[BaseException]) -> None:
    before = sorted(tmp_path.rglob("*"))

    def run() -> None:
        with staging(fresh, []) as stage:
            (stage.folder / "a.gds").write_text("one")
            raise stop

    with pytest.raises(stop):
        run()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_former_result_is_replaced(out: Path) -> None:
    write(out, SECOND)
    assert content(out) == SECOND
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_folder_of_pictures_that_is_no_longer_needed_goes(out: Path) -> None:
    write(out, {"a.gds": "two"})
    assert not (out / "pictures").exists()


def test_the_folder_itself_stays(out: Path) -> None:
    """A shell that stands in it, a link or a mount keeps its meaning."""
    link = out.parent / "link"
    link.symlink_to(out)
    before = out.stat().st_ino
    write(link, SECOND)
    assert link.is_symlink()
    assert out.stat().st_ino == before
    assert content(out) == SECOND


def test_files_of_others_stay(out: Path) -> None:
    mine = {"notes.txt": "mine", "pictures/photo.png": "mine too"}
    for name, text in mine.items():
        (out / name).write_text(text)
    write(out, SECOND)
    assert content(out) == SECOND | mine
    write(out, {})
    assert content(out) == mine


@pytest.mark.parametrize("name", ["a.gds", MANIFEST])
@pytest.mark.parametrize("text", ["{}", "[1, 2]", "\udcff", ""])
def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, errors="surrogateescape")
    before = (tmp_path / name).read_bytes()
    with pytest.raises(InputError, match=f"{name}: is not a former result"):
        write(tmp_path, FIRST)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


def test_one_that_nobody_announced_is_not_replaced_either(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cell.png").write_text("mine")
    with pytest.raises(InputError, match=r"cell\.png: is not a former result"):
        write(tmp_path, FIRST)
    assert content(tmp_path) == {"pictures/cell.png": "mine"}


@pytest.mark.parametrize("name", sorted(FIRST))
def test_a_result_that_was_edited_is_not_lost(out: Path, name: str) -> None:
    (out / name).write_text("edited")
    with pytest.raises(InputError, match=f"{Path(name).name}: was changed since it was built"):
        write(out, SECOND)
    assert content(out) == FIRST | {name: "edited"}


def test_a_result_that_was_deleted_is_written_again(out: Path) -> None:
    (out / "a.gds").unlink()
    write(out, SECOND)
    assert content(out) == SECOND


def test_a_manifest_that_names_files_elsewhere_has_no_power(out: Path) -> None:
    outside = out.parent / "outside.txt"
    outside.write_text("mine")
    manifest = json.loads((out / MANIFEST).read_text())
    manifest["sha256"] |= {"../outside.txt": sha256(outside), str(outside): sha256(outside)}
    (out / MANIFEST).write_text(json.dumps(manifest))
    write(out, SECOND)
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("allowed", range(9))
def test_a_failure_while_exchanging_files_puts_all_back(
    out: Path, monkeypatch: pytest.MonkeyPatch, allowed: int, stop: BaseException
) -> None:
    """`os.rename` fails after ``allowed`` calls."""
    before, rename = content(out), os.rename
    calls: list[Path] = []

    def failing(source: Path, target: Path) -> None:
        if len(calls) == allowed:
            raise stop
        calls.append(target)
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(type(stop)):
        write(out, SECOND)
    assert len(calls) == allowed
    assert content(out) == before
    assert not list(out.glob(".*"))


def test_the_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file, not a folder"):
        write(tmp_path / "out", FIRST)


def test_a_folder_that_cannot_be_written(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        write(fresh, FIRST)


# -- single files ------------------------------------------------------------------------------------------


def test_a_file_takes_its_place_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.gds.gz"
    path.write_text("before")
    with replacing(path) as part:
        assert part.name.endswith(".gds.gz")  # formats are told by it
        part.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert [p.name for p in tmp_path.iterdir()] == ["x.gds.gz"]


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_stop_while_a_file_is_written_leaves_the_former_one(tmp_path: Path, stop: BaseException) -> None:
    path = tmp_path / "x.png"
    path.write_text("before")

    def write() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise stop

    with pytest.raises((InputError, KeyboardInterrupt)) as caught:
        write()
    if isinstance(stop, OSError):
        assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with replacing(tmp_path / "link") as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/dev/null", "/dev/null: is no regular file"),
        ("/proc", "/proc: is a folder"),
        ("/proc/picoram.gds", "/proc/picoram.gds: cannot be written: "),
    ],
)
def test_where_no_file_can_be(place: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"), replacing(Path(place)):
        pass
