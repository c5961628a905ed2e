"""Places for the gates of a row driver: dealt to rows, in an order that needs few tracks, with taps."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from picoram_layout.logic.gates import GND, NONE, TAP, Gate, tap
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import RAILS, Columns, columns

Parts = list[list[Gate]]
_NEAR = 0.9  # part of the distance that is allowed from a transistor to its tap


@dataclass(frozen=True)
class Wires:
    """What wires of a row's nets have to reach besides its gates: pins (um), or both edges (``through``)."""

    pins: Mapping[str, float]
    through: Callable[[str], bool]
    bridged: frozenset[str]


def length(gates: Sequence[Gate]) -> int:
    """Columns of a row."""
    return len(columns(gates).n)


def fits(gates: Sequence[Gate], width: float, row: Row) -> bool:
    """Whether a row is no longer than ``width``."""
    return row.width(length(gates)) <= width


def packed(groups: Sequence[Parts], width: float, row: Row) -> Parts:
    """Groups of parts, of gates in rows of this width: what no row holds as a whole is divided.

    Rows have room for a tap, but for a single part that leaves none: the next one has it.
    """
    rows: Parts = [[]]

    def add(gates: list[Gate]) -> None:
        if rows[-1] and not fits(tapped(rows[-1] + gates), width, row):
            close(gates)
            rows.append([])
        rows[-1] += gates

    def close(following: list[Gate]) -> None:
        """A row for a tap alone, if neither the last row nor the following gates leave room for one."""
        if not any(fits(tapped(gates), width, row) for gates in (rows[-1], following)):
            rows.append([])

    for group in groups:
        joined = [g for part in group for g in part]
        if any(fits(tapped(start + joined), width, row) for start in (rows[-1], [])):
            add(joined)
            continue
        for part in group:
            for gates in [part] if fits(part, width, row) else [[g] for g in part]:
                add(gates)
    close(rows[-1])
    return rows


def roomiest(rows: Sequence[list[Gate]], g: Gate, width: float, row: Row) -> int:
    """The row that is shortest with one gate more, or a new one if it is longer than ``width``."""
    lengths = [row.width(length(tapped([*gates, g]))) for gates in rows]
    return lengths.index(min(lengths)) if min(lengths) <= width else len(rows)


def tapped(gates: Sequence[Gate]) -> list[Gate]:
    """The gates with a tap where it takes least, or with one above a data driver."""
    return well_tapped(gates) or min(_with_tap(gates), key=length)


def _with_tap(gates: Sequence[Gate]) -> list[list[Gate]]:
    return [[*gates[:k], tap(), *gates[k:]] for k in (*range(1, len(gates)), len(gates), 0)]


def well_tapped(gates: Sequence[Gate]) -> list[Gate]:
    """The gates with a well tap above the ground of a data driver, if there is one."""
    for k, g in enumerate(gates):
        if set(g.p) == {NONE} and GND in g.n:
            p = tuple(TAP if net == GND else NONE for net in g.n)
            return [*gates[:k], replace(g, p=p), *gates[k + 1 :]]
    return []


_UNWIRED = frozenset((NONE, TAP, *RAILS))


def demand(cols: Columns, row: Row, wires: Wires) -> tuple[int, float]:
    """Most wires side by side at any column of a row, and length of all (um)."""
    ends: dict[str, list[int]] = {}
    for strip in (cols.n, cols.p):
        for k, net in enumerate(strip):
            if net not in _UNWIRED and not (k % 2 and net in wires.bridged):
                ends.setdefault(net, []).append(k)
    right = row.width(len(cols.n))
    spans = []
    for net, at in ends.items():
        if wires.through(net):
            spans.append((0.0, right))
        elif net in wires.pins or len(at) > 1:
            xs = [row.x(min(at)), row.x(max(at)), *([wires.pins[net]] if net in wires.pins else [])]
            spans.append((min(xs) - row.pitch, max(xs) + row.pitch))
    starts, stops = sorted(a for a, _ in spans), sorted(b for _, b in spans)
    most = max((bisect_right(starts, x) - bisect_left(stops, x) for x in starts), default=0)
    return most, sum(b - a for a, b in spans)


def ordered(gates: Sequence[Gate], width: float, row: Row, wires: Wires) -> list[Gate]:
    """The gates in the order, of those found by exchanging some, that asks for the fewest tracks in this
    width."""

    def cost(order: Sequence[Gate]) -> tuple[bool, int, float]:
        cols = columns(order)
        return (row.width(len(cols.n)) > width, *demand(cols, row, wires))

    best = tapped(gates)
    least = cost(best)
    while True:
        spots = range(len(best))
        ways = [
            [*best[:i], *best[i : j + 1][::-1], *best[j + 1 :]] for i, j in itertools.combinations(spots, 2)
        ]
        for i, j in itertools.permutations(spots, 2):
            if abs(i - j) == 1:
                continue  # as turned round above
            rest = [*best[:i], *best[i + 1 :]]
            ways.append([*rest[:j], best[i], *rest[j:]])
        new, found = min(((cost(way), k) for k, way in enumerate(ways)), default=(least, 0))
        if new >= least:
            return [g for g in best if set(g.n) | set(g.p) != {TAP}]
        best, least = ways[found], new


def mixed(logic: Parts, data: Parts, kinds: Sequence[bool]) -> Parts:
    """Rows of both in turns: of ``data`` where ``kinds`` says so."""
    left = iter(logic), iter(data)
    return [next(left[kind]) for kind in kinds]


def interleaved(logic: int, data: int) -> list[list[bool]]:
    """All ways to mix so many rows of both kinds, those of data (True) close together first."""
    total = logic + data
    ways = sorted(itertools.combinations(range(total), data), key=lambda at: (at[-1] - at[0], -at[0]))
    return [[k in at for k in range(total)] for at in ways]


class Taps:
    """Places for the taps of drivers of one width; their rows of gates recur in many arrangements."""

    def __init__(self, width: float, row: Row, wires: Wires):
        self.width, self.row, self.wires = width, row, wires
        pdk = row.pdk
        self.far = row.tap_reach * 2 + max(pdk.space("nsdm"), pdk.space("psdm"))
        # a tap is so near to both ends of the row
        self.near = _NEAR * pdk.rule("latchup", "ndiff_sd", "ptap", "nwell")
        # a tap above a driver's ground leaves room for the implant beside it within the row
        self.beside = row.tap_reach + max(pdk.width("nsdm"), pdk.width("psdm"))
        self.ways = cache(self._ways)

    def _ways(self, gates: tuple[Gate, ...], word: bool, first: bool) -> list[tuple[list[Gate], Columns]]:
        """A row with its tap, the best place first, and with less than one."""
        row, width, wires = self.row, self.width, self.wires
        found = [(way, columns(way)) for way in _with_tap(gates)]
        found.sort(key=lambda way: demand(way[1], row, wires))
        if word:
            found.sort(key=lambda way: TAP not in way[0][-1].n)
        more = [(way, columns(way)) for way in (well_tapped(gates), list(gates)) if way]
        found += [way for way in more if self._inside(_tap_x(way[1], "p", row))]
        return [
            way
            for way in found
            if row.width(len(way[1].n)) <= width
            and (not first or TAP in way[1].n)
            and all(
                max(x, width - x) <= self.near
                for side in "np"
                if (x := _tap_x(way[1], side, row)) is not None
            )
        ]

    def _inside(self, x: float | None) -> bool:
        return x is None or self.beside <= x <= self.width - self.beside

    def spread(self, rows: Sequence[Sequence[Gate]], words: int) -> Parts | None:
        """A tap for each row, away from that of a row that shares its rail, or on the same column.

        Rows that share a well need a tap to it in one of them at least, and so do neighbours beyond a GND
        rail one to the substrate. The first rows, of ``words``, have theirs at the end: there it moves no
        gate away from those of the next row.
        """

        def placed(number: int, above: Columns | None) -> Parts | None:
            """Rows up to this one; the last ones, the fullest, are placed first."""
            if number < 0:
                return []
            side = "n" if number % 2 else "p"  # that faces the row above
            there = _tap_x(above, side, self.row)
            for way, mine in self.ways(tuple(rows[number]), number < words, not number):
                here = _tap_x(mine, side, self.row)
                if here is None and there is None:
                    continue
                away = abs(here - there) if here is not None and there is not None else self.far
                if away < self.row.pdk.grid or away >= self.far:
                    before = placed(number - 1, mine)
                    if before is not None:
                        return [*before, way]
            return None

        return placed(len(rows) - 1, None)


def _tap_x(c: Columns | None, side: str, row: Row) -> float | None:
    """Place of a strip's tap."""
    strip = () if c is None else c.n if side == "n" else c.p
    return row.x(strip.index(TAP)) if TAP in strip else None
