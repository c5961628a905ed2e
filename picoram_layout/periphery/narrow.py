"""Rows of ADC slices of few weight bits, which are narrow: the same gates in more, shorter rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.gates import Gate, tap
from picoram_layout.logic.wiring import Unroutable, columns
from picoram_layout.pdk import Pdk

Rows = tuple[tuple[Gate, ...], ...]
_FINGER = 3  # columns of a single transistor: it has no middle to be halved at


def all_fit(pdk: Pdk, rows: Sequence[Sequence[Gate]], width: float) -> bool:
    """Whether no row is longer than ``width`` (um)."""
    sized = zip(rows_for(pdk, rows), rows, strict=True)
    return all(row.width(len(columns(made).n)) <= width + pdk.grid / 2 for row, made in sized)


def packed(pdk: Pdk, gates: Sequence[Gate], width: float) -> Rows:
    """Gates in their order in rows of this width, each after a tap; what no row holds is halved.

    `Unroutable` for a gate of one finger that no row holds.
    """
    rows: list[list[Gate]] = []
    left = list(gates)
    while left:
        g = left.pop(0)
        if rows and all_fit(pdk, [[*rows[-1], g]], width):
            rows[-1].append(g)
        elif all_fit(pdk, [[tap(), g]], width):
            rows.append([tap(), g])
        elif len(g.n) > _FINGER:
            left[:0] = halves(g)
        else:
            raise Unroutable(f"a tap and a gate of {', '.join(g.pins)} are wider than rows of {width:g} um")
    return tuple(map(tuple, rows))


def halves(g: Gate) -> tuple[Gate, Gate]:
    """Both sides of the diffusions in the middle, which each of them has."""
    middle = len(g.n) // 4 * 2
    return (
        replace(g, n=g.n[: middle + 1], p=g.p[: middle + 1]),
        replace(g, n=g.n[middle:], p=g.p[middle:]),
    )
