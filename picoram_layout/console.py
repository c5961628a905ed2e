"""What commands print: tables for people, JSON for programs, notes on the error stream."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def emit_json(data: Any) -> None:
    """Print a result as JSON."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Print a remark that is not part of the result."""
    print(f"picoram: note: {text}", file=sys.stderr)


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table, ruled on a terminal, in plain aligned columns elsewhere."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _ruled(headings, cells, title)
        return
    if title:
        print(title)
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in [list(headings), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _ruled(headings: Sequence[str], cells: list[list[str]], title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    ruled = Table(*headings, title=title or None, title_justify="left", box=SIMPLE_HEAD)
    for row in cells:
        ruled.add_row(*map(escape, row))
    Console().print(ruled)
