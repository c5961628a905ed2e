"""The Liberty file, as yosys reads it and as a small reader of its own does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from picoram_layout.layout import Library
from picoram_layout.views.liberty import write_liberty
from picoram_layout.views.pins import pins
from tests.views import pins_block, plan_of, run, written


def parsed(text: str) -> dict[str, Any]:
    """Groups of a Liberty file, ``kind(name)`` or attribute; statements have to end as they should."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    stack: list[dict[str, Any]] = [{}]
    statement = re.compile(r'\s*(?:(\w+)\s*\(([^()]*)\)\s*(\{|;)|(\w+)\s*:\s*("[^"]*"|[^;{}]+?)\s*;|(\}))')
    at = 0
    while at < len(text.rstrip()):
        found = statement.match(text, at)
        assert found, text[at : at + 60]
        kind, name, opened, key, value, closed = found.groups()
        if opened == "{":
            made: dict[str, Any] = {}
            assert f"{kind}({name})" not in stack[-1]
            stack[-1][f"{kind}({name})"] = made
            stack.append(made)
        elif closed:
            stack.pop()
        else:
            stack[-1][key or f"{kind}({name})"] = value
        at = found.end()
    assert len(stack) == 1
    return stack[0]


def test_yosys_reads_it(tmp_path: Path) -> None:
    written(tmp_path, plan_of("picoram_tiny"))
    run(tmp_path, "yosys", "-q", "-p", "read_liberty -lib picoram_tiny.lib; write_json lib.json")
    ports = json.loads((tmp_path / "lib.json").read_text())["modules"]["picoram_tiny"]["ports"]
    table = {pin.name: pin for pin in pins(plan_of("picoram_tiny")) if pin.kind in ("signal", "analog")}
    assert {name: len(port["bits"]) for name, port in ports.items()} == {
        name: pin.width or 1 for name, pin in table.items()
    }
    assert {name: port["direction"] for name, port in ports.items()} == {
        name: pin.direction for name, pin in table.items()
    }


def test_cell(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    top = pins_block(Library(plan.pdk), plan)
    write_liberty(tmp_path / "t.lib", top, pins(plan), plan, {"WL": 4.536, "RA[0]": 3.0, "RA[2]": 4.5})
    text = (tmp_path / "t.lib").read_text()
    library = parsed(text)["library(picoram_tiny)"]
    assert (library["nom_voltage"], library["nom_temperature"]) == ("1.8", "25.0")
    assert {"voltage_map(VDD, 1.8)", "voltage_map(GND, 0)"} <= {*library}
    cell = library["cell(picoram_tiny)"]
    assert float(cell["area"]) == pytest.approx(top.width * top.height)
    assert cell["is_macro_cell"] == "true"
    assert cell["pg_pin(VDD)"]["pg_type"] == "primary_power"
    assert cell["pg_pin(GND)"]["pg_type"] == "primary_ground"
    assert cell["pin(WL)"]["capacitance"] == "4.536"
    assert cell["bus(RA)"]["capacitance"] == "4.5"  # the largest of its bits
    assert "capacitance" not in cell["pin(ENL)"]
    assert cell["bus(VREF)"]["is_analog"] == "true"
    assert cell["pin(SMP)"]["related_power_pin"] == "VDD"
    # no timing, and it says so
    assert "timing" not in text.replace("no timing arcs", "")
    assert "no timing arcs" in text


def test_without_capacitances_it_says_so(tmp_path: Path) -> None:
    plan = plan_of("picoram_tiny")
    write_liberty(tmp_path / "t.lib", pins_block(Library(plan.pdk), plan), pins(plan), plan)
    text = (tmp_path / "t.lib").read_text()
    assert "No pin has a capacitance" in text
    assert "capacitance :" not in text
