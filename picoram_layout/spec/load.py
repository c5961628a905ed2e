"""Read a spec file and say everything that is wrong with it, in this program's words."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from picoram_layout.pdk import Pdk, load_pdk, pdk_names
from picoram_layout.spec.document import Document, read_document
from picoram_layout.spec.model import Spec, flat
from picoram_layout.spec.numbers import NUMBERS, number_problems, steps, typed
from picoram_layout.spec.problem import Problem, SpecError
from picoram_layout.spec.sections import SECTIONS, Style

_MISSING, _UNKNOWN = "missing", "unknown key"


def load_spec(path: Path) -> Spec:
    """Read and check a spec file; `SpecError` lists all its problems, sorted by line."""
    document = read_document(path)
    spec, problems = check_all(document.data, document.problems)
    if problems or spec is None:
        placed = [_placed(problem, document) for problem in problems]
        raise SpecError(str(path), sorted(placed, key=lambda problem: problem.line))
    return spec


def check_all(data: dict[str, Any], found: Sequence[Problem] = ()) -> tuple[Spec | None, list[Problem]]:
    """As `check`; a spec without problems, none ``found`` before either, is planned as well."""
    spec, problems = check(data)
    problems = [*found, *problems]
    if spec is not None and not problems:
        problems = _plan_problems(spec)
    return spec, problems


def _plan_problems(spec: Spec) -> list[Problem]:
    from picoram_layout import limits, plan  # they need the Spec that is being loaded here
    from picoram_layout.periphery import room

    return limits.problems(spec) or plan.problems(spec) or room.problems(spec)


def check(data: dict[str, Any]) -> tuple[Spec | None, list[Problem]]:
    """The spec that a mapping of plain values describes, or everything that is wrong with it."""
    try:
        return Spec.model_validate(data), []
    except ValidationError as error:
        values, name = flat(data), data.get("pdk")
        pdk = load_pdk(name) if isinstance(name, str) and name in pdk_names() else None
        problems = number_problems(values, pdk)
        reported = {problem.key for problem in problems}
        for entry in error.errors(include_url=False, include_context=False):
            key = ".".join(map(str, entry["loc"]))
            if entry["loc"] and key not in reported:
                section = str(entry["loc"][0]) if len(entry["loc"]) > 1 else ""
                problems.append(_problem(key, section, entry["type"], entry["input"], values, pdk))
        return None, _without_misspelt(problems)


def _problem(
    key: str, section: str, kind: str, value: Any, values: Mapping[str, Any], pdk: Pdk | None
) -> Problem:
    """A problem that the models found, in this program's words."""
    name = key.removeprefix(f"{section}.")
    missing = kind == "missing"
    nearest: Any = None
    if kind == "extra_forbidden":
        known = list((SECTIONS[section] if section else Spec).model_fields)
        close = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        return Problem(key, value, f"{_UNKNOWN} (known here: {', '.join(known)}){meant}")
    if key in NUMBERS:
        sound = {
            k: v for k, v in values.items() if k in NUMBERS and typed(k, v) and steps(k, {}, pdk).holds(v)
        }
        legal = steps(key, sound, pdk)
        number = _number_in(value)
        why, nearest = legal.why, legal.nearest(number) if number is not None else None
    elif key == "name":
        why, nearest = "must be a letter, then at most 63 letters, digits or _", _as_name(value)
    elif key in SECTIONS:
        why, nearest = f"must be a section with the keys {', '.join(SECTIONS[key].model_fields)}", None
    else:
        choices = {"pdk": pdk_names(), "capacitor.style": list(get_args(Style))}[key]
        why, nearest = f"must be one of {', '.join(choices)}", _closest(value, choices)
    return Problem(key, None, f"{_MISSING}: {why}") if missing else Problem(key, value, why, nearest)


def _without_misspelt(problems: list[Problem]) -> list[Problem]:
    """Leave out "missing" where an unknown key beside it was meant."""
    meant = {
        f"{p.key.rpartition('.')[0]}.{p.why.rpartition(' ')[2].rstrip('?')}".lstrip(".")
        for p in problems
        if p.why.startswith(_UNKNOWN) and p.why.endswith("?")
    }
    return [p for p in problems if not (p.why.startswith(_MISSING) and p.key in meant)]


def _number_in(value: Any) -> float | None:
    """The number that a text or a number of the wrong type was meant to be."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _closest(value: Any, legal: list[str]) -> str | None:
    close = difflib.get_close_matches(str(value).lower(), legal, 1)
    return close[0] if close else None


def _as_name(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in str(value)).strip("_")
    return (name if name[:1].isalpha() else f"m_{name}")[:64] if name else None


def _placed(problem: Problem, document: Document) -> Problem:
    """Give a problem the line of its key, or of the section that lacks it."""
    if problem.line:
        return problem
    key = problem.key
    while key not in document.lines:
        key = key.rpartition(".")[0]
    return dataclasses.replace(problem, line=document.lines[key])
