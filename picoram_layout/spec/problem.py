"""One thing that is wrong with a spec, and the error that lists them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picoram_layout.errors import InputError

_LONGEST = 72


@dataclass(frozen=True)
class Problem:
    """Where (dotted ``key``), which ``value``, ``why`` with the allowed range, the ``nearest`` legal value.

    ``line`` is the line of the file, 0 where there is none.
    """

    key: str
    value: Any
    why: str
    nearest: Any = None
    line: int = 0

    def text(self, file: str = "") -> str:
        """The problem as one line, ``file:line: key: value: why; nearest legal value: x``."""
        where = f"{file}:{self.line}" if self.line else file
        parts = [where, self.key, "" if self.value is None else shown(self.value), self.why]
        nearest = "" if self.nearest is None else f"; nearest legal value: {shown(self.nearest)}"
        return _printable(": ".join(part for part in parts if part) + nearest)


class SpecError(InputError):
    """A spec that cannot be used; the message has one line per problem."""

    def __init__(self, file: str, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(problem.text(file) for problem in problems))


def shown(value: Any) -> str:
    """A value as it is written in YAML, on one line and of bounded length."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"a section with {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, float) else str(value)
    text = _printable(text)
    if isinstance(value, str) and (not text or _reads_as_number(text)):
        text = f"'{text}'"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 10]}... ({len(text)} characters)"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
