"""The pin table, and that every view has its pins."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from picoram_layout.periphery.adc_digital import CODE_BITS
from picoram_layout.periphery.column_logic import LINES
from picoram_layout.periphery.foot_logic import foot
from picoram_layout.periphery.row_foot import arrivals
from picoram_layout.views.agree import block_pins, differences, read_views
from picoram_layout.views.librelane import write_librelane
from picoram_layout.views.pins import bit_names, pins
from picoram_layout.views.write import ENDINGS, LIBRELANE
from tests.views import SPECS, plan_of, written


def test_widths_follow_the_plan() -> None:
    width = {pin.name: pin.width for pin in pins(plan_of("picoram_40kb"))}
    # 144 rows = 4 x 8 x 5 lines; nine cells; rows of four bits; 32 columns; 8 outputs of 9 bits
    assert width["RA"] == 2 + 3 + 3
    assert width["CA"] == 4
    assert width["BUS"] == 4
    assert width["DI"] == width["DO"] == 32
    assert width["CODE"] == 8 * CODE_BITS == 72
    assert width["VREF"] == 4
    assert width["WL"] is None


def test_names_are_told_once() -> None:
    names = bit_names(pins(plan_of("picoram_tiny")))
    assert len(names) == len(set(names)) == len({name.lower() for name in names})
    assert {pin.kind for pin in pins(plan_of("picoram_tiny"))} == {"signal", "analog", "power", "ground"}


@pytest.mark.parametrize("spec", ["picoram_tiny", "picoram_40kb"])
def test_the_row_sides_inputs_are_those_of_its_foot(spec: str) -> None:
    plan = plan_of(spec)
    wanted = {net.replace("_IN", "") for net in foot(plan, [a.net for a in arrivals(plan)]).inputs}
    table = [pin for pin in pins(plan) if pin.block == "row side" and pin.kind == "signal"]
    assert {*bit_names(pin for pin in table if pin.direction == "input")} == wanted


def test_the_lines_of_the_column_side_are_pins() -> None:
    assert {*LINES} <= {pin.name for pin in pins(plan_of("picoram_tiny"))}


@pytest.mark.parametrize("spec", ["picoram_tiny", "picoram_40kb_scaled65"])
def test_all_views_have_the_same_pins(tmp_path: Path, spec: str) -> None:
    plan = plan_of(spec)
    top = written(tmp_path, plan)
    views = {"layout": block_pins(top), **read_views(tmp_path, spec)}
    assert len(views) == 7
    count = len(bit_names(pins(plan)))
    assert {name: len(found) for name, found in views.items()} == dict.fromkeys(views, count)
    assert differences(pins(plan), views) == []


@pytest.mark.parametrize(
    ("ending", "before", "after", "said"),
    [
        (".lef", "PIN DO[3]\n    DIRECTION OUTPUT", "PIN DO[3]\n    DIRECTION INPUT", "LEF: DO[3] is input"),
        (".lef", "PIN SMPZ\n", "PIN SMPX\n", "LEF: lacks SMPZ"),
        (".lib", "bit_width : 36", "bit_width : 35", "Liberty: lacks CODE[35]"),
        (".lib", "pg_pin (GND)", "pg_pin (VSS)", "Liberty: has VSS, which is no pin"),
        ("_stub.v", "input  wire SHR", "output wire SHR", "Verilog stub: SHR is output"),
        ("_stub.v", "inout  wire VDD", "inout  wire VPWR", "Verilog stub: lacks VDD"),
        ("_model.sv", "[15:0] DO", "[14:0] DO", "Verilog model: lacks DO[15]"),
        (".spice", " WL ", " ", "SPICE: lacks WL"),
        (".cdl", " WL ", " WORD ", "CDL: has WORD"),
    ],
)
def test_a_view_with_other_pins_is_found(
    tmp_path: Path, ending: str, before: str, after: str, said: str
) -> None:
    plan = plan_of("picoram_tiny")
    written(tmp_path, plan)
    file = tmp_path / f"picoram_tiny{ending}"
    text = file.read_text()
    if ending in (".spice", ".cdl"):
        text = text.replace("\n+", "")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
    lines = differences(pins(plan), read_views(tmp_path, "picoram_tiny"))
    assert any(line.startswith(said) for line in lines), lines


def test_librelane_names_the_files_that_are_written(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    written(tmp_path, plan)
    names = {file.name for file in tmp_path.iterdir()}
    assert {f"picoram_tiny{ending}" for ending in ENDINGS} | {LIBRELANE} <= names
    made = json.loads((tmp_path / LIBRELANE).read_text())
    macro = made["MACROS"]["picoram_tiny"]
    files = [*macro["gds"], *macro["lef"], *macro["vh"], *macro["spice"], *macro["lib"]["*"]]
    assert {file.removeprefix("dir::") for file in files} <= names
    (instance,) = macro["instances"]
    tracks = macro["instances"][instance]["location"][0] / plan.pdk.tracks["met2"][0]
    assert tracks == pytest.approx(round(tracks))
    assert made["PDN_MACRO_CONNECTIONS"] == [f"{instance} VPWR VGND VDD GND"]
    assert f"`ifdef {made['VERILOG_POWER_DEFINE']}\n" in (tmp_path / "picoram_tiny_stub.v").read_text()


def test_the_page_on_integration_has_the_snippet(tmp_path: Path) -> None:
    write_librelane(tmp_path / LIBRELANE, "picoram_40kb", plan_of("picoram_40kb").pdk)
    page = (SPECS.parent / "docs" / "integration.md").read_text()
    assert (tmp_path / LIBRELANE).read_text() in page
    named = {pin.name for pin in pins(plan_of("picoram_40kb"))}
    section = page.split("## Pins")[1].split("## Times")[0]
    assert named == set(
        re.findall(
            r"\b[A-Z][A-Z_]+\b",
            "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| ")),
        )
    ) - {"ADC"}


def test_views_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        written(folder, plan_of("picoram_tiny"))
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()
        if file.suffix != ".gds":
            assert not re.search(r"/(home|work|tmp|root)/", file.read_text())
