"""What touches what: the connections from silicon to the top metal that every extraction makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import klayout.db as kdb

CONTACT = "licon"


def connect_wires(
    extraction: kdb.LayoutToNetlist,
    layers: Mapping[str, kdb.Region],
    contacted: Iterable[str],
    stack: Sequence[str],
) -> None:
    """Connect registered layers: each with itself, those ``contacted`` over contacts to the first metal of
    the ``stack`` (metals and the cuts between them, from the bottom), and its metals over their cuts."""
    below = [*contacted, stack[0]]
    for name in (*below, CONTACT, *stack[1:]):
        extraction.connect(layers[name])
    for name in below:
        extraction.connect(layers[name], layers[CONTACT])
    for lower, upper in pairwise(stack):
        extraction.connect(layers[lower], layers[upper])
