"""Run the rule table over a layout."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb

from picoram_layout.drc import electrical, latchup  # noqa: F401  they register their checks
from picoram_layout.drc.checks import CHECKS
from picoram_layout.drc.deck import Deck, Marker
from picoram_layout.drc.result import DrcResult, Violation
from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, Rule, load_pdk


def run_drc(
    layout: kdb.Layout, top: str, pdk: Pdk, *, flat: bool = False, only: Collection[str] | None = None
) -> DrcResult:
    """Check the cell ``top`` and all below it against every rule of the PDK, or those with an id in ``only``.

    ``flat`` runs the same checks without hierarchy (slow; for comparison). `InputError` if the cell or
    a rule id is unknown.
    """
    start = time.perf_counter()
    cell = layout.cell(top)
    if cell is None:
        raise InputError(f"top: the layout has no cell '{top}'")
    known = {rule.id for rule in pdk.rules}
    unknown = sorted(set(only or ()) - known)
    if unknown:
        raise InputError(f"only: {pdk.name} has no rule {', '.join(unknown)}")
    rules = [rule for rule in pdk.rules if only is None or rule.id in only]
    deck = Deck(layout, cell, pdk, flat)
    database = rdb.ReportDatabase(f"DRC {pdk.name}")
    database.description = f"{pdk.title}; {'flat' if flat else 'hierarchical'} run"
    database.top_cell_name = top
    cells = _Cells(database)
    violations: list[Violation] = []
    names = list(dict.fromkeys(rule.id for rule in rules))
    for name in names:
        rows = [rule for rule in rules if rule.id == name]
        markers = [marker for rule in rows for marker in CHECKS[rule.kind](deck, rule) if not _empty(marker)]
        if markers:
            category = database.create_category(name)
            category.description = "; ".join(describe(rule) for rule in rows)
            scale = kdb.CplxTrans(layout.dbu)
            for place, region in _merged(markers).items():
                category.scan_collection(cells[place or top], scale, region, flat or bool(place))
            violations += _violations(database, category)
    return DrcResult(
        top,
        violations,
        names,
        list(pdk.not_checked) if only is None else [],
        time.perf_counter() - start,
        database,
    )


def check_file(file: Path, top: str, pdk: str, report: Path) -> DrcResult:
    """Check a cell of a GDS or OASIS file and write the markers to ``report``; the result holds no database.

    For another process: everything can be pickled.
    """
    layout = kdb.Layout()
    layout.read(str(file))
    result = run_drc(layout, top, load_pdk(pdk))
    result.write_lyrdb(report)
    return replace(result, database=None)


def describe(rule: Rule) -> str:
    """A rule in one line: what, on which layers, value, source."""
    parts = [rule.kind.replace("_", " "), ", ".join(rule.layers)]
    if rule.value is not None:
        parts.append(f"{rule.value:g}")
    parts += [f"{key} {value}" for key, value in rule.extra.items()]
    return f"{rule.id}: {' '.join(parts)}" + (f" ({rule.source})" if rule.source else "")


class _Cells(dict[str, rdb.RdbCell]):
    """Cells of a report database by name, each created once."""

    def __init__(self, database: rdb.ReportDatabase):
        super().__init__()
        self.database = database

    def __missing__(self, name: str) -> rdb.RdbCell:
        known = self.database.cell_by_qname(name)
        self[name] = known if known is not None else self.database.create_cell(name)
        return self[name]


def _empty(marker: Marker) -> bool:
    return not marker if isinstance(marker, dict) else marker.is_empty()


def _merged(markers: list[Marker]) -> dict[str, kdb.Region]:
    """Merged markers by cell; under "" those that carry their own hierarchy.

    Points and lines get one database unit around them to have an area.
    """
    total: dict[str, kdb.Region] = {}
    for marker in markers:
        if isinstance(marker, kdb.EdgePairs):
            marker = marker.polygons(1)
        elif isinstance(marker, kdb.Edges):
            marker = marker.extended(1, 1, 1, 1, False)
        for cell, region in marker.items() if isinstance(marker, dict) else [("", marker)]:
            total[cell] = total[cell] + region if cell in total else region
    return {cell: region.merged() for cell, region in total.items()}


def _violations(database: rdb.ReportDatabase, category: rdb.RdbCategory) -> list[Violation]:
    found = []
    for item in database.each_item_per_category(category.rdb_id()):
        boxes = [value.polygon().bbox() for value in item.each_value() if value.is_polygon()]
        for box in boxes:
            corners = (round(box.left, 6), round(box.bottom, 6), round(box.right, 6), round(box.top, 6))
            cell = database.cell_by_id(item.cell_id()).name()
            found.append(Violation(category.name(), cell, corners, category.description))
    return sorted(found, key=lambda v: (v.cell, v.box))
