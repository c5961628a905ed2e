"""Every kind of bad input: one clear line (each problem of a spec has its own), status 2, nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picoram_layout.errors import InputError
from picoram_layout.layout_file import read_layout
from picoram_layout.logic.wiring import Unroutable
from picoram_layout.publish import MANIFEST
from tests.conftest import Picoram

TINY = (Path(__file__).parent.parent / "specs" / "picoram_tiny.yaml").read_text()

BOMB = """\
a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: [*d, *d, *d, *d, *d, *d, *d, *d, *d]
"""

# Content of the spec file, and the whole message but for "picoram: error: bad.yaml".
SPEC_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ": is empty"),
    "blank": (b" \n\n", ": is empty"),
    "comments only": (b"# nothing\n", ": is empty"),
    "null": (b"null\n", ": is empty"),
    "binary": (b"\x00\x06\x00\x02\x02\x58", ": is a binary file, not a YAML text"),
    "not UTF-8": (b"name: \xff\xfe", ": is not UTF-8 text (byte 6 is 0xff)"),
    "control character": (
        b"name: \x07",
        ": not a YAML text: unacceptable character #x0007: special characters are not allowed",
    ),
    "a list": (b"- 1\n- 2\n", ":1: must be a mapping with the keys of a spec, not a list"),
    "a word": (b"hello\n", ":1: must be a mapping with the keys of a spec, not a single value"),
    "not YAML": (b"a: 1\n b: 2\n", ":2: not valid YAML: mapping values are not allowed here"),
    "unclosed": (
        b"a: [1, 2\n",
        ":2: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
    ),
    "tab": (
        b"a:\n\tb: 1\n",
        ":2: not valid YAML: while scanning for the next token, found character '\\t' that cannot start "
        "any token",
    ),
    "two documents": (
        b"a: 1\n---\nb: 1\n",
        ":2: not valid YAML: expected a single document in the stream, but found another document",
    ),
    "unknown alias": (b"a: *b\n", ":1: not valid YAML: found undefined alias 'b'"),
    "alias of itself": (b"a: &a [*a]\n", ":1: holds an alias of itself"),
    "aliases in aliases": (
        BOMB.encode(),
        ":1: holds more than 1000 values (aliases counted at each use): not a spec",
    ),
    "too deep": (b"a: " + b"[" * 30_000, ":1: is nested deeper than 16 levels"),
    "too long": (b"#" * 70_000, ": is larger than 64 KiB: not a spec"),
    "too many": (
        b"a: [" + b"1," * 5000 + b"]",
        ":1: holds more than 1000 values (aliases counted at each use): not a spec",
    ),
}

# What replaces a line of the tiny spec (None: the line goes), and the message after "bad.yaml:LINE: ".
SPEC_LINES: dict[str, tuple[str, str | None, str]] = {
    "10^9 inputs": (
        "  inputs: 16",
        "  inputs: 1000000000",
        "array.inputs: 1000000000: must be a multiple of 8 (2^(weight_bits - 1)) from 16 to 4096; "
        "nearest legal value: 4096",
    ),
    "10^5000 inputs": ("  inputs: 16", f"  inputs: 1{'0' * 5000}", "array.inputs: '1000000000"),
    "text for a number": (
        "  outputs: 4",
        "  outputs: four",
        "array.outputs: four: must be a multiple of 4 from 4 to 1024",
    ),
    "quoted number": (
        "  outputs: 4",
        "  outputs: '4'",
        "array.outputs: '4': must be a multiple of 4 from 4 to 1024, so that the columns "
        "(outputs x weight_bits) are a multiple of 16 (2^input_bits); nearest legal value: 4",
    ),
    "truth for a number": (
        "  weight_bits: 4",
        "  weight_bits: true",
        "array.weight_bits: true: must be a whole number from 1 to 6",
    ),
    "fraction for a count": (
        "  weight_bits: 4",
        "  weight_bits: 4.0",
        "array.weight_bits: 4.0: must be a whole number from 1 to 6; nearest legal value: 4",
    ),
    "not a number": (
        "  target_fF: 1.0",
        "  target_fF: .nan",
        "capacitor.target_fF: nan: must be 0.1 to 50 fF",
    ),
    "infinite": (
        "  target_fF: 1.0",
        "  target_fF: 1e999",
        "capacitor.target_fF: inf: must be 0.1 to 50 fF",
    ),
    "unknown key": (
        "  style: shielded",
        "  stile: shielded",
        "capacitor.stile: shielded: unknown key (known here: style, target_fF); did you mean style?",
    ),
    "unknown choice": (
        "  style: shielded",
        "  style: shield",
        "capacitor.style: shield: must be one of shielded, comb; nearest legal value: shielded",
    ),
    "unknown PDK": (
        "pdk: sky130",
        "pdk: sky90",
        "pdk: sky90: must be one of scaled65, sky130; nearest legal value: sky130",
    ),
    "key given twice": (
        "  input_bits: 4",
        "  inputs: 16",
        "array.inputs: the key is given twice (first on line ",
    ),
    "a path for a name": (
        "name: picoram_tiny",
        "name: ../../etc",
        "name: ../../etc: must be a letter, then at most 63 letters, digits or _; nearest legal value: etc",
    ),
    "missing key": ("  inputs: 16", None, "array.inputs: missing: must be a multiple of 8"),
    "missing section": (
        "array:",
        "arrays:",
        "arrays: a section with 5 keys: unknown key (known here: name, pdk, array, bitcell, capacitor); "
        "did you mean array?",
    ),
    "a list for a section": (
        "array:",
        "array: []\nbitcell2:",
        "array: a list of 0: must be a section with the keys inputs, outputs, weight_bits, input_bits, "
        "cells_per_cluster",
    ),
    "a Python object": (
        "name: picoram_tiny",
        "name: !!python/object/apply:os.system [ls]",
        "name: the YAML tag python/object/apply:os.system is not supported",
    ),
}


def one_error(outcome_err: str) -> str:
    """The only line of an error stream, without its prefix."""
    lines = outcome_err.splitlines()
    assert len(lines) == 1, outcome_err
    assert lines[0].startswith("picoram: error: ")
    return lines[0].removeprefix("picoram: error: ")


def files_below(folder: Path) -> set[str]:
    """Everything in a folder, folders included."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("command", ["validate", "build"])
@pytest.mark.parametrize("kind", SPEC_FILES)
def test_spec_file(picoram: Picoram, tmp_path: Path, kind: str, command: str) -> None:
    content, message = SPEC_FILES[kind]
    (tmp_path / "bad.yaml").write_bytes(content)
    outcome = picoram(command, "bad.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err) == f"bad.yaml{message}"
    assert files_below(tmp_path) == {"bad.yaml"}


@pytest.mark.parametrize("kind", SPEC_LINES)
def test_spec_line(picoram: Picoram, tmp_path: Path, kind: str) -> None:
    old, new, message = SPEC_LINES[kind]
    lines = TINY.splitlines()
    number = lines.index(old)
    lines[number : number + 1] = [] if new is None else [new]
    (tmp_path / "bad.yaml").write_text("\n".join(lines))
    outcome = picoram("build", "bad.yaml", "--json")
    assert (outcome.status, outcome.out) == (2, "")
    # A missing key is reported where its section begins.
    line = lines.index("array:") + 1 if new is None else number + 1
    assert any(e.startswith(f"picoram: error: bad.yaml:{line}: {message}") for e in outcome.err.splitlines())
    assert "Traceback" not in outcome.err
    assert files_below(tmp_path) == {"bad.yaml"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing.yaml", "nothing.yaml: no such file"),
        (".", ".: is a folder, not a spec file"),
        ("/dev/zero", "/dev/zero: is larger than 64 KiB: not a spec"),
        (f"{'a' * 300}.yaml", f"{'a' * 300}.yaml: cannot be read: File name too long"),
        ("picoram_tine", "picoram_tine: no such file, nor a shipped spec; did you mean picoram_tiny?"),
        (
            "?",
            "?: no such file, nor a shipped spec; shipped specs: picoram_1mb, picoram_1mb_scaled65, "
            "picoram_40kb, picoram_40kb_scaled65, picoram_tiny",
        ),
    ],
)
def test_spec_path(picoram: Picoram, path: str, message: str) -> None:
    outcome = picoram("validate", path)
    assert outcome.status == 2
    assert one_error(outcome.err) == message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_unreadable_spec(picoram: Picoram, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").touch(mode=0o000)
    outcome = picoram("validate", "s.yaml")
    assert outcome.status == 2
    assert one_error(outcome.err) == "s.yaml: cannot be read: Permission denied"


def a_file(tmp_path: Path) -> Path:
    """A file where a folder should be."""
    (tmp_path / "taken").write_text("mine")
    return tmp_path / "taken"


def below_a_file(tmp_path: Path) -> Path:
    """A folder that cannot be made."""
    return a_file(tmp_path) / "deeper" / "out"


def unwritable(tmp_path: Path) -> Path:
    """A folder where nobody, not even root, makes files."""
    return Path("/proc/picoram")


@pytest.mark.parametrize("place", [a_file, below_a_file, unwritable])
@pytest.mark.parametrize("command", [["build", "tiny.yaml"], ["cell", "bitcell"]])
def test_output_folder(
    picoram: Picoram, tmp_path: Path, command: list[str], place: Callable[[Path], Path]
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    out = place(tmp_path)
    before = files_below(tmp_path)
    outcome = picoram(*command, "-o", out)
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err).startswith(f"{out.parent}/")
    assert files_below(tmp_path) == before


def test_files_of_the_user_are_not_replaced(picoram: Picoram, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("mine")
    outcome = picoram("cell", "bitcell", "-o", ".")
    assert outcome.status == 2
    assert MANIFEST in one_error(outcome.err)
    assert (tmp_path / MANIFEST).read_text() == "mine"


@pytest.fixture
def layout() -> kdb.Layout:
    """Two top cells, one with a narrow met1 wire, the other with enough shapes to be cut in the middle."""
    layout = kdb.Layout()
    met1 = layout.layer(68, 20)
    layout.create_cell("narrow").shapes(met1).insert(kdb.Box(0, 0, 100, 1000))
    wires = layout.create_cell("wires").shapes(met1)
    for i in range(2000):
        wires.insert(kdb.Box(1000 * i, 0, 1000 * i + 500, 500 + i))
    return layout


@pytest.mark.parametrize("command", ["drc", "density"])
@pytest.mark.parametrize("suffix", ["gds", "oas", "gds.gz"])
def test_layout_cut_in_half(
    picoram: Picoram, tmp_path: Path, layout: kdb.Layout, suffix: str, command: str
) -> None:
    path = tmp_path / f"cut.{suffix}"
    layout.write(str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcome = picoram(command, path.name)
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err).startswith(f"cut.{suffix}: is damaged or cut off: ")


@pytest.mark.parametrize("command", ["drc", "density"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.gds: is empty"),
        (b"just text\n", "x.gds: is not a GDS or OASIS file"),
        (b"\x1f\x8bbroken", "x.gds: is damaged or cut off: "),
        (b"\x00\x06\x00\x02", "x.gds: is damaged or cut off: "),
        (b"%SEMI-OASIS\r\n", "x.gds: is damaged or cut off: "),
    ],
)
def test_not_a_layout(picoram: Picoram, tmp_path: Path, command: str, content: bytes, message: str) -> None:
    (tmp_path / "x.gds").write_bytes(content)
    outcome = picoram(command, "x.gds")
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.gds"], "no.gds: no such file"),
        (["."], ".: is a folder, not a layout file"),
        (["two.gds"], "two.gds: has 2 top cells; choose one with --top: narrow, wires"),
        (["two.gds", "--top", "wire"], "two.gds: --top: wire: no such cell; did you mean wires?"),
        (["two.gds", "--top", "?"], "two.gds: --top: ?: no such cell; top cells: narrow, wires"),
        (["two.gds", "--pdk", "sky90"], "pdk: 'sky90' is unknown; available: scaled65, sky130"),
        (["other.gds"], "other.gds: TOP has no shape on any layer of sky130: is --pdk right?"),
        (["hollow.gds"], "hollow.gds: holds no cells"),
    ],
)
@pytest.mark.parametrize("command", ["drc", "density"])
def test_layout_arguments(
    picoram: Picoram, tmp_path: Path, layout: kdb.Layout, command: str, arguments: list[str], message: str
) -> None:
    layout.write(str(tmp_path / "two.gds"))
    other = kdb.Layout()
    other.write(str(tmp_path / "hollow.gds"))
    other.create_cell("TOP").shapes(other.layer(1, 0)).insert(kdb.Box(0, 0, 100, 100))
    other.write(str(tmp_path / "other.gds"))
    outcome = picoram(command, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err) == message


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (".", ".: is a folder"),
        ("no/x.lyrdb", "no/x.lyrdb: is in a folder that does not exist"),
        ("/proc/x.lyrdb", "/proc/x.lyrdb: cannot be written: "),
    ],
)
def test_marker_file(picoram: Picoram, tmp_path: Path, layout: kdb.Layout, output: str, message: str) -> None:
    layout.write(str(tmp_path / "two.gds"))
    outcome = picoram("drc", "two.gds", "--top", "narrow", "-o", output)
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bitcel"], "cell: bitcel: no such cell; did you mean bitcell?"),
        (["?"], "cell: ?: no such cell; known: "),
        (["bitcell", "--set", "novalue"], "--set: novalue: must be key=value"),
        (
            ["bitcell", "--set", "pass_gate=0.5"],
            "--set: pass_gate: bitcell has no such parameter; did you mean",
        ),
        (["bitcell", "--set", "pass_gate_w=wide"], "--set: pass_gate_w: wide: must be a number in um"),
        (["bitcell", "--pdk", "sky90"], "pdk: 'sky90' is unknown; available: scaled65, sky130"),
    ],
)
def test_cell(picoram: Picoram, tmp_path: Path, arguments: list[str], message: str) -> None:
    outcome = picoram("cell", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert one_error(outcome.err).startswith(message)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("value", ["0.421", "0.1", "-1", "1e9", "nan", "inf"])
def test_cell_with_an_impossible_size(picoram: Picoram, tmp_path: Path, value: str) -> None:
    outcome = picoram("cell", "bitcell", "--set", f"pass_gate_w={value}")
    assert (outcome.status, outcome.out) == (2, "")
    assert "pass_gate_w" in one_error(outcome.err)
    assert files_below(tmp_path) == set()


def test_cell_whose_wires_find_no_place(
    picoram: Picoram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise Unroutable("A: no place for its trunk", 0)

    monkeypatch.setattr("picoram_layout.periphery.counter.solve_counter", full)
    outcome = picoram("cell", "counter", "--set", "slices=7")
    assert (outcome.status, outcome.out) == (2, "")
    message = "cell: counter: cannot be drawn with slices=7: A: no place for its trunk"
    assert one_error(outcome.err) == message
    assert files_below(tmp_path) == set()


def test_macro_whose_wires_find_no_place(
    picoram: Picoram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise Unroutable("row 3: 9 wires find no place on 8 tracks", 3)

    monkeypatch.setattr("picoram_layout.macro.drawing.macro", full)
    outcome = picoram("build", "picoram_tiny", "--no-drc", "--no-lvs")
    assert outcome.status == 2
    lines = [line for line in outcome.err.splitlines() if line.startswith("picoram: error: ")]
    assert lines == [
        "picoram: error: array: wires beside an array of inputs 16, outputs 4, weight_bits 4, input_bits 4, "
        "cells_per_cluster 3 find no place (row 3: 9 wires find no place on 8 tracks); fewer input_bits, "
        "more weight_bits or another count of cells_per_cluster may have room"
    ]
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bild"], "No such command 'bild'. Did you mean 'build'?"),
        (["build"], "Missing argument 'SPEC'."),
        (["density"], "Missing argument 'FILE...'."),
        (["build", "--fast"], "No such option"),
        (["build", "a.yaml", "-o"], "Option '-o' requires an argument."),
        (["rules", "--pdk", ""], "pdk: '' is unknown; available: scaled65, sky130"),
        (["rules", "--pdk", "../sky130"], "pdk: '../sky130' is unknown; available: scaled65, sky130"),
        (["view", "nothing"], "nothing"),
    ],
)
def test_usage(picoram: Picoram, arguments: list[str], message: str) -> None:
    outcome = picoram(*arguments)
    assert outcome.status == 2
    assert message.rstrip(".") in one_error(outcome.err)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from(["gds", "oas", "gds.gz", "oas.gz"]))
def test_a_layout_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, share: float, suffix: str
) -> None:
    layout = kdb.Layout()
    for name in ("a", "b"):
        layout.create_cell(name).shapes(layout.layer(68, 20)).insert(kdb.Box(0, 0, 100, 100))
    path = tmp_path_factory.getbasetemp() / f"cut.{suffix}"
    layout.write(str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"is empty|is damaged or cut off|not a GDS"):
        read_layout(path)
