"""From a spec and lists of values to the points of a sweep: all combinations, the last key fastest."""

from __future__ import annotations

import copy
import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from picoram_layout.errors import InputError
from picoram_layout.spec.document import scalar
from picoram_layout.spec.model import Spec
from picoram_layout.spec.problem import shown
from picoram_layout.spec.sections import SECTIONS

MOST_POINTS = 10_000
# Points have names of their own: the spec's, at most this long, and their number.
_LONGEST_STEM = 56


@dataclass(frozen=True)
class Point:
    """One variant: its place in the sweep, what is set, and the mapping of plain values that a spec is."""

    index: int
    settings: dict[str, Any]
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the spec, and so of its top cell."""
        return str(self.data["name"])


def told(settings: Mapping[str, Any]) -> str:
    """Settings on one line, the keys without their section."""
    return ", ".join(f"{key.rpartition('.')[2]}={shown(value)}" for key, value in settings.items())


def sweep_keys() -> list[str]:
    """Dotted keys that a sweep can set: all of a spec but its name."""
    plain = [key for key in Spec.model_fields if key not in SECTIONS and key != "name"]
    return plain + [f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields]


def parse_settings(settings: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each ``key=a,b,c``, read as YAML scalars; `InputError` names a key that no spec has."""
    found: dict[str, list[Any]] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not text.strip():
            raise InputError(f"--set: {setting}: must be key=value,value,...")
        if key in found:
            raise InputError(f"--set: {key}: is given twice")
        found[key] = [scalar(part.strip()) for part in text.split(",")]
    check_keys(found)
    return found


def check_keys(settings: Mapping[str, Sequence[Any]]) -> None:
    """`InputError` where a key cannot be set, has no value, or has one twice."""
    known = sweep_keys()
    for key, values in settings.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"keys of a spec: {', '.join(known)}"
            why = "the sweep names its points itself" if key == "name" else "no such key"
            raise InputError(f"--set: {key}: {why}; {hint}")
        if not values:
            raise InputError(f"--set: {key}: has no value")
        for value in values:
            if not isinstance(value, str | int | float | None):
                raise InputError(f"--set: {key}: {shown(value)}: must be a single value")
            if list(map(shown, values)).count(shown(value)) > 1:
                raise InputError(f"--set: {key}: {shown(value)}: is given twice")


def make_points(spec: Spec, settings: Mapping[str, Sequence[Any]]) -> list[Point]:
    """All combinations of the values in the order of the keys; the other keys are those of ``spec``.

    Widths and a capacitance that are the defaults of the spec's PDK stay defaults where another PDK is set.
    """
    check_keys(settings)
    combinations = itertools.product(*settings.values())
    count = 1
    for values in settings.values():
        count *= len(values)
    if count > MOST_POINTS:
        raise InputError(f"--set: {count} combinations: at most {MOST_POINTS}")
    base = _without_defaults(spec)
    points = []
    for index, values in enumerate(combinations, 1):
        chosen = dict(zip(settings, values, strict=True))
        data = copy.deepcopy(base)
        data["name"] = f"{spec.name[:_LONGEST_STEM]}_{index:0{len(str(count))}d}"
        for key, value in chosen.items():
            section, _, name = key.rpartition(".")
            (data.setdefault(section, {}) if section else data)[name] = value
        points.append(Point(index, chosen, data))
    return points


def _without_defaults(spec: Spec) -> dict[str, Any]:
    """The spec's mapping with null where a value is what null would give."""
    data = spec.model_dump()
    for section in set(data) & set(SECTIONS):
        for key, value in data[section].items():
            try:
                same = Spec.model_validate(data | {section: data[section] | {key: None}})
            except ValueError:
                continue
            if getattr(getattr(same, section), key) == value:
                data[section][key] = None
    return data
