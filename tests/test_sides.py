"""Row side and output side of the shipped 40 Kb specs, whole: other heights than small ones have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from picoram_layout.drc import run_drc
from picoram_layout.layout import Block, Library
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.periphery.risers import outputs_on_base
from picoram_layout.periphery.row_foot import row_side
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import load_spec

SPECS = Path(__file__).parent.parent / "specs"


@pytest.mark.parametrize("spec", ["picoram_40kb", "picoram_40kb_scaled65"])
@pytest.mark.parametrize("draw", [outputs_on_base, row_side], ids=["outputs_on_base", "row_side"])
def test_a_whole_side_is_clean_and_matches(draw: Callable[[Library, Plan], Block], spec: str) -> None:
    plan = make_plan(load_spec(SPECS / f"{spec}.yaml"))
    library = Library(plan.pdk)
    block = draw(library, plan)
    rules = [rule.id for rule in plan.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, block.name, plan.pdk, only=rules).by_rule == {}
    found = compare(
        extract(library.layout, block.name, plan.pdk), library.netlist, block.name, library.devices
    )
    assert found.differences == []
