"""The report of a bench: who reported what, by kind and size, and every single mutation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from tests.mutations.bench import CHANGED, SAME_CIRCUIT, SAME_DRAWING, Verdict
from tests.mutations.edits import KINDS

_COLUMNS: dict[str, Callable[[Verdict], bool]] = {
    "made": lambda v: True,
    "LVS only": lambda v: v.effect == CHANGED and v.reported == "LVS only",
    "DRC only": lambda v: v.effect == CHANGED and v.reported == "DRC only",
    "both": lambda v: v.effect == CHANGED and v.reported == "both",
    "**missed**": lambda v: v.missed,
    "same circuit, reported": lambda v: v.effect == SAME_CIRCUIT and v.reported != "nobody",
    "same circuit, not reported": lambda v: v.effect == SAME_CIRCUIT and v.reported == "nobody",
    "same drawing, reported": lambda v: v.effect == SAME_DRAWING and v.reported != "nobody",
    "same drawing, not reported": lambda v: v.effect == SAME_DRAWING and v.reported == "nobody",
    "checker failed": lambda v: bool(v.failed),
}

_INTRO = """\
# Mutations: does a spoilt array get through?

{count} random single mutations of clean arrays of {sizes} sizes, made and checked by `{command}`.
Each is applied to a copy of the layout, which LVS and DRC then check. {verdict}

What a mutation does is told by a judge of its own (`tests/mutations/circuit.py`: flat, no hierarchy, no code
of the LVS). It says *changed* unless it can prove that the drawing is the same on all layers, or that the
circuit is: the same transistors with the same sizes between the same named wires, taps in parallel counting
once, capacitors within 1 %.

- Same circuit, reported: LVS counts every tap, and DRC asks for more than the circuit needs.
- Same circuit, not reported: a contact beside another one, a wire cut in a mesh or behind its last device, a
  capacitor changed by less than 1 %.
- Same drawing: another cell draws the shape as well, or only a name inside a cell is changed.

A scope is `cell` (all places of a cell), `one` (one place of it) or `flat` (the drawing without hierarchy).
"""


def markdown(verdicts: Sequence[Verdict], command: str) -> str:
    """The whole report."""
    sizes = list(dict.fromkeys(v.size for v in verdicts))
    changed, missed = sum(v.effect == CHANGED for v in verdicts), sum(v.missed for v in verdicts)
    verdict = f"{changed} change the circuit; {missed} of them are reported by nobody."
    parts = [_INTRO.format(count=len(verdicts), sizes=len(sizes), command=command, verdict=verdict)]
    parts.append("## All sizes\n\n" + summary(verdicts))
    parts += [f"## {size}\n\n" + summary([v for v in verdicts if v.size == size]) for size in sizes]
    parts.append("## Every mutation\n\nPlaces in um, in the coordinates of the cell.\n\n" + _list(verdicts))
    return "\n".join(parts)


def summary(verdicts: Sequence[Verdict]) -> str:
    """One row for each kind, and their sum."""
    rows = [[kind, *_counts([v for v in verdicts if v.kind == kind])] for kind in KINDS]
    rows = [row for row in rows if row[1] != "0"]
    return _table(["mutation", *_COLUMNS], [*rows, ["sum", *_counts(verdicts)]])


def _counts(verdicts: Sequence[Verdict]) -> list[str]:
    return [str(sum(map(test, verdicts))) for test in _COLUMNS.values()]


def _list(verdicts: Sequence[Verdict]) -> str:
    head = ["no", "size", "scope", "mutation", "cell", "place", "effect", "LVS", "DRC", "failed"]
    rows = []
    for number, v in enumerate(verdicts, 1):
        found = [_some(v.lvs), _some(v.drc), "; ".join(v.failed)]
        rows.append([str(number), v.size, v.scope, v.text, v.cell, v.place, v.effect, *found])
    return _table(head, rows)


def _some(found: Sequence[str]) -> str:
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_json(verdicts: Sequence[Verdict], command: str) -> str:
    """All verdicts, for programs."""
    total = {name.strip("*"): sum(map(test, verdicts)) for name, test in _COLUMNS.items()}
    rows = [v.row() for v in verdicts]
    return json.dumps({"command": command, "total": total, "mutations": rows}, indent=1) + "\n"
