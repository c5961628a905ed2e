"""Random single mutations of a small clean array: what changes the circuit is reported by LVS or DRC.

`tools/mutation_bench.py` does the same with hundreds on three sizes.
"""

from __future__ import annotations

from functools import cache

import klayout.db as kdb
import pytest

from tests.mutations.bench import (
    CHANGED,
    CHECKERS,
    SAME_CIRCUIT,
    SAME_DRAWING,
    Judge,
    Verdict,
    check,
    drc_findings,
    limited,
    random_stream,
)
from tests.mutations.edits import KINDS, Mutation, Site, mutate, scopes
from tests.mutations.subject import Subject, flattened, subject
from tests.mutations.table import as_json, markdown

SEED = 1
SLOW = "capacitor plate cut"  # a field solution each: one of them


@cache
def judge() -> Judge:
    return Judge(subject("bit"))


def mutation(kind: str, number: int) -> Mutation:
    possible = scopes(kind)
    rng = random_stream("bit", kind, number, SEED)
    return mutate(judge().subject, kind, possible[number % len(possible)], rng)


@cache
def verdicts(kind: str) -> tuple[Verdict, ...]:
    count = 1 if kind == SLOW else len(scopes(kind))
    return tuple(check(judge(), mutation(kind, number)) for number in range(count))


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_is_missed(kind: str) -> None:
    made = verdicts(kind)
    assert [v for v in made if v.missed or v.failed] == []
    assert {v.effect for v in made} <= {CHANGED, SAME_CIRCUIT, SAME_DRAWING}


def test_the_clean_array_is_clean_to_all() -> None:
    whole = judge().subject
    for layout in (whole.layout, whole.flat, flattened(whole.layout, whole.name)):
        clean = Mutation(
            whole.name, "none", "cell", whole.name, "", whole.top(layout).dbbox(), "none", layout
        )
        verdict = check(judge(), clean)
        assert (verdict.effect, verdict.reported, verdict.failed) == (SAME_DRAWING, "nobody", [])


def test_mutations_are_the_same_again() -> None:
    again = [mutation("wire cut", 2), mutation("wire cut", 2)]
    assert again[0].text == again[1].text
    assert again[0].box == again[1].box


def drawn(text: str, layer: str, box: kdb.Box, *, cell: str, gone: bool = False) -> Verdict:
    """The verdict on a box (database units) drawn in a cell or, with ``gone``, taken from the flat array."""
    whole = judge().subject
    base = whole.flat if gone else whole.layout
    layout = kdb.Layout()
    layout.assign(base)
    site = Site(base, base.cell(cell), whole.pdk)
    deed = site.remove((layer, kdb.Region(box))) if gone else site.add(layer, box)
    deed(layout.cell(cell))
    return check(judge(), Mutation(whole.name, text, "", cell, layer, box.to_dtype(layout.dbu), text, layout))


def test_a_name_on_a_wire_that_leads_nowhere_is_told() -> None:
    """The comparer takes no notice of nets without devices; the name is all that is left there."""
    whole = judge().subject
    top = whole.top(whole.flat)
    labels = top.shapes(whole.flat.layer(*whole.pdk.labels["met2"])).each(kdb.Shapes.STexts)
    at = next(shape.text for shape in labels if shape.text.string == "WLL[0]")
    box = kdb.Box(at.x + 500, at.y - 100, at.x + 640, at.y + 100)
    verdict = drawn("wordline cut off", "met2", box, cell=top.name, gone=True)
    assert (verdict.effect, verdict.failed) == (CHANGED, [])
    assert verdict.lvs


def test_plates_shorted_in_met3_are_told() -> None:
    """A short between the plates is a difference, not an error of the field solution."""
    whole = judge().subject
    site = Site(whole.layout, whole.layout.cell("capacitor"), whole.pdk)
    islands = site.own("met3").inside(kdb.Region(site.cell.bbox().enlarged(-500, -500)))
    box = next(islands.each()).bbox().enlarged(500, 0)
    verdict = drawn("plates shorted", "met3", box, cell="capacitor")
    assert (verdict.effect, verdict.failed) == (CHANGED, [])
    assert verdict.lvs


def blind(subject: Subject, mutation: Mutation) -> list[str]:
    """An LVS that always says match."""
    return []


def test_a_blind_checker_is_found_out() -> None:
    """A removed contact breaks no rule: without LVS it must count as missed."""
    blinded = {"LVS": blind, "DRC": drc_findings}
    seen = [check(judge(), mutation("contact or via removed", n), blinded) for n in range(3)]
    assert any(v.missed for v in seen)
    assert "| **missed** |" in markdown(seen, "test")
    assert '"missed": true' in as_json(seen, "test")


def test_a_checker_that_raises_or_hangs_is_no_report() -> None:
    def broken(subject: Subject, mutation: Mutation) -> list[str]:
        raise ValueError("broken")

    verdict = check(judge(), mutation("contact or via removed", 0), {**CHECKERS, "LVS": broken})
    assert verdict.failed == ["LVS: ValueError: broken"]
    assert verdict.lvs == []

    def hang() -> None:
        while True:
            pass

    assert limited(hang, 0.2) == (None, "no answer in 0.2 s")
