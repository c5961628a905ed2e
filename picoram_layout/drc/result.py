"""What a DRC run found, and its KLayout report database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import klayout.rdb as rdb

from picoram_layout.publish import save


@dataclass(frozen=True)
class Violation:
    """A merged marker: rule id, owning cell, bounding box in that cell's own coordinates (um), text."""

    rule: str
    cell: str
    box: tuple[float, float, float, float]
    text: str


@dataclass
class DrcResult:
    """Outcome of one run. A cell's violation counts once however often the cell is placed."""

    top: str
    violations: list[Violation]
    rules_checked: list[str]
    rules_not_checked: list[dict[str, str]]
    seconds: float
    database: rdb.ReportDatabase | None = None

    @property
    def status(self) -> str:
        """``clean`` or ``violations``."""
        return "violations" if self.violations else "clean"

    @cached_property
    def by_rule(self) -> dict[str, int]:
        """Number of violations of each rule that has any, in the order of the rules."""
        count = Counter(v.rule for v in self.violations)
        return {rule: count[rule] for rule in self.rules_checked if rule in count}

    def write_lyrdb(self, path: Path) -> None:
        """Write the markers for KLayout's marker browser; `InputError` if the file cannot be written."""
        assert self.database is not None
        save(path, self.database.save)
