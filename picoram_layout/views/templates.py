"""The environment that all views' templates are filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2


def environment(**filters: Callable[..., Any]) -> jinja2.Environment:
    """Templates of this package; ``filters`` are added to jinja's own."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("picoram_layout.views", ""),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(filters)
    return made
