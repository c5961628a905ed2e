"""Places for the taps of rows of gates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from picoram_layout.logic.gates import TAP, Gate, tap
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import Unroutable, columns

_PART = 0.8  # of the distance that is allowed from a transistor to its tap: what taps are counted for
_MANY = 2000  # ways to try
_NEAR = 3  # places for a tap in long rows
_MOST = 0.95  # what that of any column may be


def tapped(
    rows: Sequence[Row], gates: Sequence[Sequence[Gate]], before: Sequence[float] = ()
) -> tuple[tuple[Gate, ...], ...]:
    """Each row with as few taps as reach it, away from those of rows that share a rail or right at those.

    Of all places for them those are taken that leave no column far from a tap; `Unroutable` without any.
    ``before``: places of the taps in the row below the first.
    """
    found: list[tuple[Gate, ...]] = []
    last = list(before)
    for row, mine in zip(rows, gates, strict=True):
        far = row.tap_reach * 2 + max(row.pdk.space("nsdm"), row.pdk.space("psdm"))
        reach = _reach(row)
        least = math.ceil(row.width(len(columns(mine).n)) / (2 * _PART * reach))
        way = next(_clear(row, mine, far, last, reach, least), None)
        if way is None:
            longest = max(mine, key=lambda g: len(g.n))
            text = f"taps find no place within {reach:g} um of all gates"
            raise Unroutable(f"{text}, the longest of {len(longest.n)} columns")
        found.append(way)
        last = taps_at(row, way)
    return tuple(found)


def _clear(
    row: Row, gates: Sequence[Gate], far: float, last: Sequence[float], reach: float, least: int
) -> Iterator[tuple[Gate, ...]]:
    """Ways with taps where they may be that reach every column, the fewest taps and the nearest first."""
    for count in range(least, len(gates) + 2):
        ways = [_with(gates, places) for places in _places(gates, count)]
        ways.sort(key=lambda way: _farthest(row, way))
        for way in ways:
            near = (abs(x - o) for x in taps_at(row, way) for o in last)
            if _farthest(row, way) > _MOST * reach:
                break
            if all(dx < row.pdk.grid / 2 or dx >= far for dx in near):
                yield way


def _places(gates: Sequence[Gate], count: int) -> Iterable[tuple[int, ...]]:
    """Numbers of the gates that taps may stand in front of: all ways, or in long rows those about even."""
    numbers = range(len(gates) + 1)
    if math.comb(len(numbers), count) <= _MANY:
        return itertools.combinations(numbers, count)
    starts = list(itertools.accumulate((len(g.n) + 1 for g in gates), initial=0))
    ideal = [starts[-1] * (2 * k + 1) / (2 * count) for k in range(count)]
    near = [sorted(numbers, key=partial(_off, starts, at))[:_NEAR] for at in ideal]
    return [way for way in itertools.product(*near) if all(a < b for a, b in itertools.pairwise(way))]


def _off(starts: Sequence[float], at: float, number: int) -> float:
    return abs(starts[number] - at)


def _with(gates: Sequence[Gate], places: Sequence[int]) -> tuple[Gate, ...]:
    """Taps in front of the gates of these numbers."""
    made = [[tap()] * (k in places) + [g] for k, g in enumerate(gates)]
    return (*itertools.chain(*made), *([tap()] if len(gates) in places else []))


def reached(row: Row, gates: Sequence[Gate]) -> bool:
    """Whether the taps among a row's gates are near enough to all its columns."""
    return _farthest(row, gates) <= _MOST * _reach(row)


def _reach(row: Row) -> float:
    """How far a transistor may be from its tap (um)."""
    return row.pdk.rule("latchup", "ndiff_sd", "ptap", "nwell")


def taps_at(row: Row, gates: Sequence[Gate]) -> list[float]:
    """Centres of the taps of a row (um)."""
    return [row.x(k) for k, net in enumerate(columns(gates).n) if net == TAP]


def _farthest(row: Row, gates: Sequence[Gate]) -> float:
    """From the column that is farthest from any tap to that tap."""
    taps = taps_at(row, gates)
    return max(min(abs(row.x(k) - x) for x in taps) for k in range(len(columns(gates).n)))
