"""Mutate, judge and check: who reports what.

The judge (`circuit`) says what a mutation does; LVS and DRC are asked without knowing it. Each of the three
runs in a process of its own with a time limit: a checker that never comes back has reported nothing.
"""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from picoram_layout.drc import run_drc
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from tests.mutations.circuit import Flat, FlatCircuit, same_circuit
from tests.mutations.edits import KINDS, Mutation, mutate, scopes
from tests.mutations.subject import Subject, subject

CHANGED, SAME_CIRCUIT, SAME_DRAWING = "changed", "same circuit", "same drawing"
_LIMIT = 300.0  # s: several field solutions of new plates on a busy machine

# What a checker says about a mutation: nothing, or its findings in words.
Checker = Callable[[Subject, Mutation], list[str]]


@dataclass(frozen=True)
class Verdict:
    """One mutation, what it does (``effect``) and what each checker found; ``failed`` lists checkers that
    raised or did not come back. ``place`` is a box in the cell (um)."""

    size: str
    kind: str
    scope: str
    cell: str
    layer: str
    place: str
    text: str
    effect: str
    lvs: list[str]
    drc: list[str]
    failed: list[str]

    @property
    def reported(self) -> str:
        """``both``, ``LVS only``, ``DRC only`` or ``nobody``."""
        return {(1, 1): "both", (1, 0): "LVS only", (0, 1): "DRC only"}.get(
            (int(bool(self.lvs)), int(bool(self.drc))), "nobody"
        )

    @property
    def missed(self) -> bool:
        """Whether the circuit changed and nobody said so."""
        return self.effect == CHANGED and self.reported == "nobody"

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"reported": self.reported, "missed": self.missed}


def lvs_findings(subject: Subject, mutation: Mutation) -> list[str]:
    """Differences that LVS reports, by kind and cell."""
    extraction = extract(mutation.layout, subject.name, subject.pdk)
    result = compare(extraction, subject.library.netlist, subject.name, subject.library.devices)
    return sorted({f"{found.kind} in {found.cell}" for found in result.differences})


def drc_findings(subject: Subject, mutation: Mutation) -> list[str]:
    """Rules that DRC reports."""
    return list(run_drc(mutation.layout, subject.name, subject.pdk).by_rule)


CHECKERS: dict[str, Checker] = {"LVS": lvs_findings, "DRC": drc_findings}


class Judge:
    """Compares mutated layouts of one subject with the clean one."""

    def __init__(self, subject: Subject):
        self.subject = subject
        self.drawn = Flat.of(subject.layout, subject.name, subject.pdk)
        self.circuit = FlatCircuit(self.drawn, subject.capacitor_fF)
        self.known = tuple(self.circuit.plates)

    def effect(self, mutation: Mutation) -> str:
        """What a mutation does: `CHANGED` unless the drawing or the circuit is proven to be the same."""
        drawn = Flat.of(mutation.layout, self.subject.name, self.subject.pdk)
        if drawn.same_as(self.drawn):
            return SAME_DRAWING
        mutated = FlatCircuit(drawn, self.subject.capacitor_fF, self.known)
        return SAME_CIRCUIT if same_circuit(self.circuit, mutated) else CHANGED


def check(judge: Judge, mutation: Mutation, checkers: Mapping[str, Checker] | None = None) -> Verdict:
    """Judge a mutation and ask the checkers."""
    failed: list[str] = []

    def ask(name: str, question: Callable[..., Any], otherwise: Any, *arguments: Any) -> Any:
        answer, problem = limited(partial(question, *arguments), _LIMIT)
        if problem:
            failed.append(f"{name}: {problem}")
        return otherwise if problem else answer

    found = {
        name: ask(name, checker, [], judge.subject, mutation)
        for name, checker in (checkers or CHECKERS).items()
    }
    effect = ask("judge", judge.effect, CHANGED, mutation)
    return Verdict(
        mutation.size,
        mutation.kind,
        mutation.scope,
        mutation.where,
        mutation.layer,
        str(mutation.box),
        mutation.text,
        effect,
        found["LVS"],
        found["DRC"],
        failed,
    )


def limited(question: Callable[[], Any], seconds: float) -> tuple[Any, str]:
    """Answer of a question asked in a process of its own, and what went wrong ("" if nothing)."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=_answer, args=(question, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return None, f"no answer in {seconds:g} s"
        answer, problem = ours.recv()
        return answer, problem
    except EOFError:
        return None, "crashed"
    finally:
        process.kill()
        process.join()


def _answer(question: Callable[[], Any], pipe: Connection) -> None:
    try:
        pipe.send((question(), ""))
    except Exception as error:
        pipe.send((None, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"))


def random_stream(size: str, kind: str, number: int, seed: int) -> Random:
    """The random numbers of one mutation, whatever else is made."""
    return Random(zlib.crc32(f"{size}/{kind}/{number}/{seed}".encode()))


def jobs(size: str, count: int, seed: int) -> Iterator[tuple[str, str, Random]]:
    """Kind, scope and random numbers of so many mutations of one size: kinds and scopes in turns.

    A changed capacitor takes seconds of field solution, so that only every third round has one.
    """
    made, number = 0, 0
    while made < count:
        for kind in KINDS:
            if made < count and not (kind == "capacitor plate cut" and number % 3):
                possible = scopes(kind)
                yield kind, possible[number % len(possible)], random_stream(size, kind, number, seed)
                made += 1
        number += 1


def run(size: str, count: int, seed: int, pdk: str = "sky130") -> Iterator[Verdict]:
    """Verdicts on so many random mutations of one size."""
    judge = Judge(subject(size, pdk))
    for kind, scope, rng in jobs(size, count, seed):
        yield check(judge, mutate(judge.subject, kind, scope, rng))
