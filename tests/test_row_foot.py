"""Foot of the row side: what it decodes, and that it is clean and matches alone and below the row drivers."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import klayout.db as kdb
import pytest

from picoram_layout.layout import Block, Library
from picoram_layout.logic.devices import transistors
from picoram_layout.logic.gates import inverter
from picoram_layout.logic.wiring import Unroutable
from picoram_layout.pdk import pdk_names
from picoram_layout.periphery import row_driver
from picoram_layout.periphery.foot_logic import address_bits, cell_bits, foot
from picoram_layout.periphery.row_foot import (
    _dealt,
    arrivals,
    diode_area,
    logic_width,
    row_foot,
    spread,
)
from picoram_layout.plan import Plan
from tests.switch_level import Switches
from tests.test_row_side import differences, planned, row_side, violations

USUAL = {"inputs": 16, "cells_per_cluster": 9, "input_bits": 4, "outputs": 8, "weight_bits": 4}


class Levels:
    """The foot's gates at rest: nothing chosen, all pulses low."""

    def __init__(self, plan: Plan):
        self.plan = plan
        made = foot(plan, [a.net for a in arrivals(plan)])
        self.lines = [a.net for a in arrivals(plan)]
        self.inputs = set(made.inputs)
        self.switches = Switches(t for g in made.gates for t in transistors(plan.pdk, [g]))
        self.state = self.switches.drive({**dict.fromkeys(self.inputs, 0), "ALLB": 1})

    def drive(self, **levels: int) -> None:
        """Drive inputs (``RA``, ``CA``: as numbers)."""
        given = dict(levels)
        for name, bits in (("RA", sum(address_bits(self.plan))), ("CA", cell_bits(self.plan))):
            number = given.pop(name, None)
            if number is not None:
                given |= {f"{name}[{k}]": number >> k & 1 for k in range(bits)}
        self.state = self.switches.drive(given)

    def high(self, *names: str) -> set[str]:
        """Lines of these groups that are high; none is unknown."""
        mine = [line for line in self.lines if line.partition("[")[0] in names or line[:3] in names]
        assert all(self.state[line] is not None for line in mine)
        return {line for line in mine if self.state[line]}


def plan_of(pdk: str = "sky130", **keys: Any) -> Plan:
    """The usual small plan with some keys changed."""
    return planned(pdk, **USUAL | keys)


@cache
def drawn(pdk: str) -> tuple[Library, Block, Block]:
    """The foot, and the row drivers on it."""
    plan = plan_of(pdk)
    library = Library(plan.pdk)
    return library, row_foot(library, plan), row_side(library, plan)


# -- what it decodes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [4, 16, 24, 144])
def test_each_address_raises_the_lines_of_its_row_alone(rows: int) -> None:
    levels = Levels(plan_of(inputs=rows, weight_bits=4 if rows % 8 == 0 else 2))
    for row in range(rows):
        levels.drive(RA=row)
        chosen = row_driver.chosen(levels.plan, row)
        assert levels.high("PA", "PB", "PC") == {chosen["PA"], chosen["PB"], chosen["PC"]}


def test_all_rows_are_chosen_in_compute_cycles() -> None:
    levels = Levels(plan_of())
    for row in (0, 5, 15):
        levels.drive(RA=row, ALLB=0)
        lines = {line for line in levels.lines if line.startswith(("PA[", "PB[", "PC["))}
        assert levels.high("PA", "PB", "PC") == lines
        levels.drive(ALLB=1)
        assert len(levels.high("PA", "PB", "PC")) == 3


@pytest.mark.parametrize("cells", [3, 5, 9, 15])
def test_one_cell_select_is_low_while_the_pulse_is_high(cells: int) -> None:
    levels = Levels(plan_of(cells_per_cluster=cells))
    every = {line for line in levels.lines if line.startswith("CSB")}
    assert len({row_driver_cell(line) for line in every}) == cells
    for cell in range(cells):
        levels.drive(CA=cell)
        assert levels.high("CSB") == every
        levels.drive(WL_IN=1)
        assert every - levels.high("CSB") == {line for line in every if row_driver_cell(line) == cell}
        levels.drive(WL_IN=0)
        assert levels.high("CSB") == every


def row_driver_cell(line: str) -> int:
    """The cell of a select or of its copy (CSB8_2)."""
    return int(line[3:].partition("_")[0])


def test_other_lines_follow_their_inputs_alone() -> None:
    levels = Levels(plan_of())
    follow = {net for net in levels.inputs if "_IN" in net} - {"WL_IN"}
    assert len(follow) == 8 + 4  # signals and bus
    driven: set[str] = set()
    for net in sorted(follow):
        before = dict(levels.state)
        levels.drive(**{net: 1})
        moved = {line for line in levels.lines if levels.state[line] != before[line]}
        line = "RIPPLE[0]" if net == "ACC_IN" else net.replace("_IN", "")
        assert moved == {other for other in levels.lines if other == line or other.startswith(f"{line}_")}
        assert all(levels.state[other] == 1 for other in moved)
        driven |= moved
        levels.drive(**{net: 0})
    others = ("PA[", "PB[", "PC[", "CSB")
    assert driven == {line for line in levels.lines if not line.startswith(others)}


# -- drawn -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("rows", [16, 144])
def test_wires_turn_to_places_that_met2_allows(pdk: str, rows: int) -> None:
    plan = plan_of(pdk, inputs=rows)
    found = arrivals(plan)
    width = logic_width(plan)
    xs = spread(plan, found, width)
    least = plan.pdk.width("met2") + plan.pdk.space("met2")
    assert all(b - a >= least for a, b in itertools.pairwise(xs))
    assert xs[0] > 0
    assert xs[-1] < width < row_driver.solve_driver(plan, 0).problem.height
    assert any(b.x - a.x < least for a, b in itertools.pairwise(found))  # what this is for


@pytest.mark.parametrize("pdk", pdk_names())
def test_foot_is_clean_and_matches(pdk: str) -> None:
    library, alone, _ = drawn(pdk)
    assert violations(library, alone) == {}
    assert differences(library, alone) == []


@pytest.mark.parametrize("pdk", pdk_names())
def test_foot_and_row_drivers_are_clean_and_match(pdk: str) -> None:
    library, _, side = drawn(pdk)
    assert violations(library, side) == {}
    assert differences(library, side) == []


def test_a_wire_that_turns_to_its_neighbour_does_not_match() -> None:
    """Two lines joined in the landing: the comparison sees it."""
    plan = plan_of()
    library = Library(plan.pdk)
    side = row_side(library, plan)
    one, two = (next(a for a in arrivals(plan) if a.net == net) for net in ("PB[0]", "PB[1]"))
    cell = library.layout.cell("row_foot")
    top = row_foot(library, plan).height
    cell.shapes(library.layer(one.layer)).insert(kdb.DBox(one.x, top - one.w, two.x, top))
    assert differences(library, side)


def test_etching_the_longest_track_with_the_fewest_gates_harms_none() -> None:
    plan = plan_of(inputs=144, weight_bits=2, outputs=16)  # one segment row: SEGB has a single inverter
    assert diode_area(plan) > 1
    library = Library(plan.pdk)
    assert violations(library, row_side(library, plan)) == {}


def test_gates_that_no_row_of_the_foot_holds_are_told() -> None:
    plan = plan_of()
    w = plan.pdk.rule("channel_width", "gate", "diff")
    groups = [[inverter(w, 2 * w)] for _ in range(3)]
    assert len(_dealt(plan, groups, 100.0)) == 1
    with pytest.raises(Unroutable, match=r"longer than 0\.85 um"):
        _dealt(plan, groups, 1.0)
