"""Every row of the rule table is checked: just legal passes, one grid short is found by that rule's id."""

from __future__ import annotations

import pytest

from picoram_layout.drc import run_drc
from picoram_layout.drc.checks import CHECKS
from picoram_layout.pdk import Pdk, load_pdk
from tests.drc.fixtures import MAKERS, Case, cases

PDKS = ("sky130", "scaled65")
ALL = [(name, case) for name in PDKS for case in cases(load_pdk(name))]


def broken(pdk: Pdk, case: Case, short: bool) -> set[str]:
    sketch = case.build(short)
    return set(run_drc(sketch.layout, "FIXTURE", pdk).by_rule)


@pytest.mark.parametrize(("name", "case"), ALL, ids=[f"{name}-{case.label}" for name, case in ALL])
def test_one_grid_short_is_found_by_that_rule(name: str, case: Case) -> None:
    pdk = load_pdk(name)
    # A fixture draws what its rule is about and no more, so rules about what is missing may speak up
    # in both drawings; the one grid between them must be found by the rule alone.
    legal, short = broken(pdk, case, False), broken(pdk, case, True)
    assert case.rule.id not in legal
    assert case.rule.id in short
    assert short - legal - case.also == {case.rule.id}


@pytest.mark.parametrize("name", PDKS)
def test_every_row_has_a_check_and_a_fixture(name: str) -> None:
    pdk = load_pdk(name)
    kinds = {rule.kind for rule in pdk.rules}
    assert kinds <= set(CHECKS)
    assert kinds <= set(MAKERS)
    assert {case.rule.id for case in cases(pdk)} == {rule.id for rule in pdk.rules}
