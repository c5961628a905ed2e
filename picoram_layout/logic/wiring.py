"""Wires of rows of logic, solved before anything is drawn.

A net is joined within a row by one horizontal met1 track, or by two where its columns reach no common one.
Rows, lines above and pins at the edges are joined by one vertical met2 trunk. Tracks are found by search:
every piece of a net takes a track that all its columns reach, clear of other pieces and of vias on trunks
beside. All lengths in um, in the coordinates of a block whose rows lie one above the other, every other one
mirrored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.logic.gates import GND, NONE, TAP, VDD, Gate, strips
from picoram_layout.logic.rows import Row, gate_length
from picoram_layout.logic.tracks import find as find_tracks
from picoram_layout.pdk import Pdk

RAILS = (GND, VDD)


class Unroutable(Exception):
    """Rows have too few tracks (their numbers), or a trunk finds no place (no number)."""

    def __init__(self, text: str, *rows: int):
        super().__init__(text)
        self.rows = rows


@dataclass(frozen=True)
class Columns:
    """A row of gates column by column: nets of both strips, and their channel widths."""

    n: tuple[str, ...]
    p: tuple[str, ...]
    wn: tuple[float, ...]
    wp: tuple[float, ...]

    @property
    def both(self) -> Iterable[tuple[str, tuple[str, ...], tuple[float, ...]]]:
        """Each strip with its name and widths."""
        return (("n", self.n, self.wn), ("p", self.p, self.wp))

    def runs(self, side: str) -> Iterator[tuple[int, int]]:
        """First and last column of each piece of diffusion of a strip."""
        strip = self.n if side == "n" else self.p
        start = None
        for k in range(0, len(strip), 2):
            if strip[k] != NONE and start is None:
                start = k
            if start is not None and (k + 1 >= len(strip) or strip[k + 1] == NONE):
                yield start, k
                start = None


def columns(gates: Sequence[Gate]) -> Columns:
    """Gates side by side, sharing diffusions where they can."""
    if not gates:
        return Columns((), (), (), ())
    placed = strips(gates)
    if TAP in placed[0][0].n:  # a tap keeps away from the row's end
        placed = [(g, at + 2) for g, at in placed]
    count = max(at + len(g.n) for g, at in placed) + (2 if TAP in placed[-1][0].n else 0)
    nets = {side: [NONE] * count for side in "np"}
    widths = {side: [0.0] * count for side in "np"}
    for g, at in placed:  # a column that two gates share is the same in both
        over = slice(at, at + len(g.n))
        for side, strip, w in (("n", g.n, g.wn), ("p", g.p, g.wp)):
            nets[side][over], widths[side][over] = strip, [w] * len(strip)
    return Columns(tuple(nets["n"]), tuple(nets["p"]), tuple(widths["n"]), tuple(widths["p"]))


@dataclass(frozen=True)
class Strap:
    """Vertical li1 over a column: its net, contacts (kind and centres), extent, and how far it may reach."""

    net: str
    column: int
    contacts: tuple[tuple[str, float], ...]  # (``diff`` or ``poly``, centre)
    y1: float
    y2: float
    low: float
    high: float


@lru_cache(maxsize=10_000)  # while one row of a block grows the others stay
def straps(row: Row, cols: Columns, inner: frozenset[str]) -> tuple[Strap, ...]:
    """All straps of a row; nets in ``inner`` (between two transistors in series) need no contact."""
    found: list[Strap] = []
    for k, (n, p) in enumerate(zip(cols.n, cols.p, strict=True)):
        if n == TAP:
            continue  # drawn with its taps
        column = _gates(row, k, n, p) if k % 2 else _ends(row, k, cols, inner)
        found += _with_reach(row, column, row.tap_low if p == TAP else row.height - row.li / 2)
    return tuple(found)


def _gates(row: Row, k: int, n: str, p: str) -> list[Strap]:
    both = n == p
    made: list[Strap] = []
    for net, y in ((n, row.low), (p, row.high)):
        if net == NONE or (both and made):
            continue
        made.append(Strap(net, k, (("poly", y),), y - row.pad, y + row.pad, 0.0, 0.0))
    return made


def _ends(row: Row, k: int, cols: Columns, inner: frozenset[str]) -> list[Strap]:
    made: list[Strap] = []
    places = (
        (cols.n[k], row.yn2 - cols.wn[k], row.yn2),
        (cols.p[k], row.yp1, row.yp1 + cols.wp[k]),
    )
    for net, y1, y2 in places:
        if net in (NONE, TAP) or net in inner:
            continue
        ys = row.contacts(y1, y2)
        contacts = tuple(("diff", y) for y in ys)
        strap = Strap(net, k, contacts, ys[0] - row.pad, ys[-1] + row.pad, 0.0, 0.0)
        if made and made[0].net == net:
            first = made.pop()
            strap = Strap(net, k, first.contacts + contacts, first.y1, strap.y2, 0.0, 0.0)
        made.append(strap)
    return made


def _with_reach(row: Row, column: list[Strap], top: float) -> list[Strap]:
    """Straps of one column, upwards, with their reach: up to half way to the next one, or to a rail.

    ``top``: lower edge of the li1 at the column's end.
    """
    if not column:
        return []
    space = row.pdk.space("li1")
    tied = [_tied(row, s) for s in column]
    lows, highs = [row.li / 2 + space], []
    for (a, _), (b, _) in itertools.pairwise(tied):
        middle = (a.y2 + b.y1) / 2
        high = b.y1 - space if b.net in RAILS else a.y2 if a.net in RAILS else middle - space / 2
        highs.append(high)
        lows.append(a.y2 + space if a.net in RAILS else b.y1 if b.net in RAILS else middle + space / 2)
    highs.append(top - space)
    return [
        s if on_rail else Strap(s.net, s.column, s.contacts, s.y1, s.y2, low, high)
        for (s, on_rail), low, high in zip(tied, lows, highs, strict=True)
    ]


def _tied(row: Row, s: Strap) -> tuple[Strap, bool]:
    """A strap of a supply goes to its rail."""
    if s.net not in RAILS:
        return s, False
    y1, y2 = (-row.li / 2, s.y2) if s.net == GND else (s.y1, row.height + row.li / 2)
    return Strap(s.net, s.column, s.contacts, y1, y2, y1, y2), True


@dataclass(frozen=True)
class Line:
    """A horizontal wire above the rows that a net's trunk has to meet: its layer, centre and width."""

    net: str
    layer: str
    y: float
    w: float


def line_width(pdk: Pdk) -> float:
    """Width of a met3 line (um): vias from trunks lie anywhere along it."""
    return pdk.up2(max(pdk.width("met3"), via_pad(pdk, "met3", "via2")[1]))


@dataclass(frozen=True)
class Pin:
    """Where a net leaves the block: at the lower or upper edge; ``x``: its place, if that is given."""

    net: str
    edge: str  # ``bottom`` or ``top``
    x: float | None = None


@dataclass(frozen=True)
class Span:
    """Heights that a net's trunk has to cover: vias to one of several lines are set outside."""

    net: str
    y1: float
    y2: float


@dataclass(frozen=True)
class Feed:
    """A net whose track runs to the block's left or right edge or to both, where the next block goes on.

    ``joins``: the net that arrives at the other edge must be on the same track.
    """

    net: str
    row: int
    left: bool = True
    right: bool = True
    joins: str = ""


@dataclass
class Piece:
    """A net's wire in one row: what it joins and its track's centre."""

    net: str
    row: int
    straps: tuple[Strap, ...]
    track: float = 0.0  # in the row's own coordinates
    x1: float = 0.0
    x2: float = 0.0


@dataclass
class Trunk:
    """A vertical met2 wire; ``level``: the line in which it turns off from its pin at the lower edge."""

    net: str
    x: float
    y1: float
    y2: float
    pins: tuple[Pin, ...] = ()
    lines: tuple[Line, ...] = ()
    level: int = 0


@dataclass(frozen=True)
class Fan:
    """Wires from pins at given places to trunks: nets, the trunks' places, in which line each turns off."""

    nets: tuple[str, ...]
    xs: tuple[float, ...]
    levels: tuple[int, ...]

    @property
    def lines(self) -> int:
        """Lines above the one that lies in the first row."""
        return max(self.levels, default=0)


@dataclass
class Wiring:
    """What is drawn over the rows."""

    straps: list[list[Strap]]
    pieces: list[Piece]
    fan: Fan
    bridges: tuple[tuple[int, int], ...] = ()  # row and column of gates that go on into the next row, in poly
    trunks: dict[str, Trunk] = field(default_factory=dict)

    def trunk(self, piece: Piece) -> Trunk | None:
        """The trunk that a piece has a via to."""
        return self.trunks.get(piece.net)


@dataclass(frozen=True)
class Problem:
    """Rows from the bottom (every other one upside down), nets' lines and pins, nets that need a wire."""

    rows: tuple[Row, ...]
    gates: tuple[tuple[Gate, ...], ...]
    lines: tuple[Line, ...] = ()
    pins: tuple[Pin, ...] = ()
    spans: tuple[Span, ...] = ()
    feeds: tuple[Feed, ...] = ()
    exported: frozenset[str] = frozenset()
    bridged: frozenset[str] = frozenset()  # nets whose gates join row to row, in poly, where they can
    width: float = 0.0  # of the block; 0: as its rows need
    tracks: Mapping[tuple[str, int], float] = field(default_factory=dict)  # given ones, by net and row
    base: float = 0.0  # below the rows, for wires that turn from pins to trunks
    joined: bool = False  # the lowest rail is the highest one of rows below
    edges: tuple[float, float] | None = None  # outermost trunks of pins, where other blocks are beside

    @property
    def wanted(self) -> frozenset[str]:
        """Nets that something outside wants."""
        return self.exported | self.crossed | {feed.net for feed in self.feeds}

    @property
    def crossed(self) -> frozenset[str]:
        """Nets whose trunks meet something besides tracks: lines, pins, spans."""
        over = {line.net for line in self.lines} | {span.net for span in self.spans}
        return frozenset(over | {pin.net for pin in self.pins})

    def y(self, row: int, at: float) -> float:
        """A height in a row's own coordinates as one of the block."""
        base = self.base + sum(r.height for r in self.rows[:row])
        return round(base + (self.rows[row].height - at if row % 2 else at), 6)

    @property
    def height(self) -> float:
        """All rows together, and what is below them."""
        return round(self.base + sum(r.height for r in self.rows), 6)


def reached_above(problem: Problem, nets: Iterable[str], rows: int = 1) -> Problem:
    """The same, with trunks of these nets over all of the last rows: vias to met3 go anywhere there."""
    y, high = problem.height, sum(row.height for row in problem.rows[-rows:])
    spans = tuple(Span(net, round(y - high, 6), y) for net in nets)
    return replace(problem, spans=(*problem.spans, *spans))


def widest(problem: Problem) -> float:
    """Width of the longest row (um)."""
    return max(r.width(len(columns(g).n)) for r, g in zip(problem.rows, problem.gates, strict=True))


def solve(problem: Problem) -> Wiring:
    """Wire a block; `Unroutable` if a row has too few tracks."""
    wiring = _prepared(problem)
    pieces = wiring.pieces
    _place_all_trunks(problem, wiring)
    full: list[Unroutable] = []
    for number in range(len(problem.rows)):
        try:
            _assign(problem, wiring, number)
        except Unroutable as error:
            full.append(error)
    if full:
        raise Unroutable(str(full[0]), *(row for error in full for row in error.rows))
    for trunk in wiring.trunks.values():
        ys = [problem.y(p.row, p.track) for p in pieces if p.net == trunk.net]
        ys += [line.y for line in trunk.lines]
        ys += [0.0 if pin.edge == "bottom" else problem.height for pin in trunk.pins]
        ys += [y for span in problem.spans if span.net == trunk.net for y in (span.y1, span.y2)]
        trunk.y1, trunk.y2 = min(ys), max(ys)
    return wiring


def _prepared(problem: Problem) -> Wiring:
    """What is known before any place is chosen, and the fan."""
    _check(problem)
    cols = [columns(gates) for gates in problem.gates]
    inner = _inner(problem, cols)
    bridges = _bridges(problem, cols)
    all_straps = [
        [s for s in straps(row, c, inner) if (number, s.column) not in bridges]
        for number, (row, c) in enumerate(zip(problem.rows, cols, strict=True))
    ]
    pieces = [
        piece
        for number, (row, found) in enumerate(zip(problem.rows, all_straps, strict=True))
        for piece in _pieces(problem, number, row, found)
    ]
    there = {(piece.net, piece.row) for piece in pieces}
    pieces += [Piece(f.net, f.row, ()) for f in problem.feeds if (f.net, f.row) not in there]
    rows: dict[str, set[int]] = {}
    for piece in pieces:
        rows.setdefault(piece.net, set()).add(piece.row)
    pins = [net for _, net in sorted((pin.x, pin.net) for pin in problem.pins if pin.x is not None)]
    together = [bool(rows.get(a, set()) & rows.get(b, set())) for a, b in itertools.pairwise(pins)]
    slots = sum(0 in where and len(where) > 1 for net, where in rows.items() if net not in pins)
    spanned = {span.net for span in problem.spans}  # vias anywhere
    beside = [a in spanned or b in spanned for a, b in itertools.pairwise(pins)]
    return Wiring(all_straps, pieces, fan(problem, together, slots, beside), bridges)


def _check(problem: Problem) -> None:
    """Gates must have their row's channel length and fit into it; contacts of two rows meet on a rail."""
    for number, (row, above) in enumerate(itertools.pairwise(problem.rows)):
        low, high = sorted((row.pitch, above.pitch))
        if abs(high / low - round(high / low)) * low > row.pdk.grid / 2:
            raise ValueError(
                f"rows {number} and {number + 1}: columns of {row.pitch:g} and {above.pitch:g} um"
            )
    for number, (row, gates) in enumerate(zip(problem.rows, problem.gates, strict=True)):
        wide = row.width(len(columns(gates).n))
        if problem.width and wide > problem.width + row.pdk.grid / 2:
            raise ValueError(f"row {number}: {wide:g} um of gates in a block of {problem.width:g} um")
        for g in (g for g in gates if set(g.n[1::2] + g.p[1::2]) - {NONE}):
            length = gate_length(row.pdk, g.length)
            name = f"row {number}: gate {' '.join(g.pins)}"
            if abs(length - row.gate_l) > row.pdk.grid / 2:
                raise ValueError(f"{name}: channels of {length:g} um in a row of {row.gate_l:g} um")
            if g.wn > row.wn + row.pdk.grid / 2 or g.wp > row.wp + row.pdk.grid / 2:
                raise ValueError(f"{name}: wider ({g.wn:g}, {g.wp:g}) than its row ({row.wn:g}, {row.wp:g})")


def _bridges(problem: Problem, cols: Sequence[Columns]) -> tuple[tuple[int, int], ...]:
    """Row and column of gates that need no contact, as the next row has one of the net on the same column."""

    def alone(c: Columns, k: int, net: str) -> bool:
        """Whether the column's poly may cross both strips."""
        return k < len(c.n) and net in (c.n[k], c.p[k]) and {c.n[k], c.p[k]} <= {net, NONE}

    return tuple(
        (number, k)
        for number, (here, there) in enumerate(itertools.pairwise(cols))
        for k in range(1, len(here.n), 2)
        for net in ({here.n[k], here.p[k]} & problem.bridged)
        if alone(here, k, net) and alone(there, k, net)
    )


def fan_height(problem: Problem) -> float:
    """Room below the rows that wires need to turn from their pins to their trunks (0: none)."""
    lines, pdk = _prepared(problem).fan.lines, problem.rows[0].pdk
    return pdk.up2((lines + 1) * (pdk.width("met2") + pdk.space("met2"))) if lines else 0.0


def _inner(problem: Problem, cols: Sequence[Columns]) -> frozenset[str]:
    """Nets of a single diffusion: between transistors in series."""
    seen: dict[str, int] = {}
    for c in cols:
        for _, strip, _ in c.both:
            for k, net in enumerate(strip):
                seen[net] = seen.get(net, 0) + (1 if k % 2 == 0 else 2)
    kept = {*RAILS, *problem.wanted}
    return frozenset(net for net, count in seen.items() if count == 1 and net not in kept)


def _pieces(problem: Problem, number: int, row: Row, found: Sequence[Strap]) -> list[Piece]:
    """Wires that a row's nets need: none for a net of a single strap that nobody else wants."""
    others = {
        net for k, gates in enumerate(problem.gates) if k != number for g in gates for net in (*g.n, *g.p)
    }
    wanted = problem.wanted | others
    made: list[Piece] = []
    by_net: dict[str, list[Strap]] = {}
    for s in found:
        if s.net not in RAILS:
            by_net.setdefault(s.net, []).append(s)
    for net, members in by_net.items():
        if len(members) == 1 and net not in wanted:
            continue
        made += [Piece(net, number, tuple(group)) for group in _groups(row, number, members)]
    return made


def _reachable(row: Row, members: Iterable[Strap]) -> list[float]:
    """Tracks that all straps can reach."""
    half = row.li / 2
    members = list(members)
    if not members:
        return list(row.tracks)
    low, high = max(s.low for s in members) + half, min(s.high for s in members) - half
    return [y for y in row.tracks if low - 1e-6 <= y <= high + 1e-6]


def _groups(row: Row, number: int, members: list[Strap]) -> list[list[Strap]]:
    """Straps that reach a common track: all, or the lower and the upper ones."""
    if _reachable(row, members):
        return [members]
    members = sorted(members, key=lambda s: s.low + s.high)
    for k in range(1, len(members)):
        two = [members[:k], members[k:]]
        if all(_reachable(row, part) for part in two):
            return two
    raise Unroutable(f"{members[0].net}: no two tracks reach all its columns", number)


def trunk_pitch(row: Row) -> tuple[float, float, float]:
    """Least distance of a trunk from another's via, of two vias at one height, of two with vias to met3."""
    pdk = row.pdk
    w, s = pdk.width("met2"), pdk.space("met2")
    pad, wide = via_pad(pdk, "met2", "via")[0], via_pad(pdk, "met2", "via", "via2")[0]
    return pdk.up((w + pad) / 2 + s), pdk.up(pad + s), pdk.up(wide + s)


def _place_all_trunks(problem: Problem, wiring: Wiring) -> None:
    """Trunks in one of the ways in which all find a place."""
    for tight, long in ((False, False), (True, False), (True, True)):
        try:
            _place_trunks(problem, wiring, tight, long)
            return
        except Unroutable:
            wiring.trunks.clear()
            if long:
                raise


def _place_trunks(problem: Problem, wiring: Wiring, tight: bool, long: bool) -> None:
    """Trunks for nets of several pieces, of lines and pins: those of pins at a given place first.

    ``tight``: each as close beside another as it can be; else where its met1 is shortest. ``long``: the
    longest one comes first; else that with the fewest places left.
    """
    row = problem.rows[0]
    apart = trunk_pitch(row)[2]
    nets: dict[str, list[Piece]] = {}
    for piece in wiring.pieces:
        nets.setdefault(piece.net, []).append(piece)
    for pin in problem.pins:
        nets.setdefault(pin.net, [])
    width = problem.width or widest(problem)
    spans: list[tuple[float, float, float, bool]] = []  # x, y1, y2 of trunks so far; whether they meet lines
    spread = wiring.fan
    for net, x, level in zip(spread.nets, spread.xs, spread.levels, strict=True):
        spans.append(_trunk(problem, wiring, net, nets[net], x))
        wiring.trunks[net].level = level
    waiting = [
        net
        for net, pieces in nets.items()
        if net not in wiring.trunks and (len(pieces) > 1 or net in problem.crossed)
    ]
    lined = {line.net for line in problem.lines} | {span.net for span in problem.spans}
    step = 2 * row.pdk.grid
    edge = row.pdk.up(max(apart / 2, _from_edge(row) if problem.edges else 0.0))
    grid = edge + step * np.arange(max(0, int((width - 2 * edge) / step)), dtype=np.float64)
    places = {net: _Places.at(problem, net, nets[net], net in lined, grid) for net in waiting}
    for span in spans:
        _block(problem, waiting, places, span)
    while waiting:
        net = min(waiting, key=lambda n: (places[n].y1 - places[n].y2 if long else 0.0, places[n].count))
        found, xs = places[net], grid[places[net].free]
        if not len(xs):
            raise Unroutable(f"{net}: no place for its trunk")
        if len(xs) * step < 2 * apart or tight:  # beside another one, so that a further one has room, too
            cost = _side(xs, found.near, problem.width)
        else:
            cost = _cost(row, nets[net], xs, found.near, problem.width)
        at = round(float(xs[int(np.argmin(cost))]), 6)
        waiting.remove(net)
        _block(problem, waiting, places, _trunk(problem, wiring, net, nets[net], at))


def _from_edge(row: Row) -> float:
    """Of trunks from the edge of a block that repeats, where met1 of the next one's outermost pin may end."""
    reach = parts.via_reach(row.pdk, "met1", "via", row.track)
    return 2 * reach + row.pdk.space("met1") - trunk_pitch(row)[1] / 2


def _cost(
    row: Row, pieces: Sequence[Piece], xs: NDArray[np.float64], near: Sequence[float], period: float
) -> NDArray[np.float64]:
    """Length of met1 that a trunk at each of ``xs`` takes, and what others lose: tracks, room for trunks."""
    least, apart, wide = trunk_pitch(row)
    cost = np.zeros(len(xs))
    for piece in pieces:
        joined = [row.x(s.column) for s in piece.straps]
        if joined:  # else a track from edge to edge
            cost += np.maximum(0.0, min(joined) - xs) + np.maximum(0.0, xs - max(joined))
    side = _side(xs, near, period)
    cost += np.where(side < apart - 1e-6, apart * len(pieces), 0.0)
    return cost + np.where((wide < side) & (side < wide + least), least, 0.0)


def _side(xs: NDArray[np.float64], near: Sequence[float], period: float) -> NDArray[np.float64]:
    """Distance of places to the next trunk."""
    side = np.full(len(xs), math.inf)
    for x in near:
        side = np.minimum(side, _away(xs - x, period))
    return side


@dataclass
class _Places:
    """Where a net's trunk can still be on the grid of places, and the trunks beside it so far."""

    y1: float
    y2: float
    pitch: float  # least distances from other trunks, and from those with vias to lines
    apart: float
    grid: NDArray[np.float64]
    free: NDArray[np.bool_]
    count: int
    near: list[float] = field(default_factory=list)

    @staticmethod
    def at(
        problem: Problem, net: str, pieces: Sequence[Piece], own: bool, grid: NDArray[np.float64]
    ) -> _Places:
        """All places; ``own``: the net has vias to lines itself."""
        least, _, apart = trunk_pitch(problem.rows[0])
        y1, y2 = _span(problem, net, pieces)
        pitch = apart if own else least
        return _Places(y1, y2, pitch, max(apart, pitch), grid, np.ones(len(grid), dtype=bool), len(grid))


def _block(
    problem: Problem,
    waiting: Sequence[str],
    places: Mapping[str, _Places],
    trunk: tuple[float, float, float, bool],
) -> None:
    """Take the places beside a new trunk from the nets that wait."""
    x, low, high, wide = trunk
    away: NDArray[np.float64] | None = None
    for net in waiting:
        place = places[net]
        if place.y1 < high and low < place.y2:
            if away is None:
                away = _away(place.grid - x, problem.width)
            place.free &= away >= (place.apart if wide else place.pitch) - 1e-6
            place.count = int(np.count_nonzero(place.free))
            place.near.append(x)


def fan(problem: Problem, together: Sequence[bool], slots: int, beside: Sequence[bool] = ()) -> Fan:
    """Spread the pins that have a place for the trunks' vias.

    ``together``: neighbours have some in one row; ``beside``: some to met3 at any height, which no track
    avoids. Least squares of what they move, in order and apart (isotonic regression), with ``slots`` places
    for further trunks in their widest gap. A wire that has to pass where its neighbour was turns off above
    it.
    """
    pins = sorted((pin.x, pin.net) for pin in problem.pins if pin.x is not None)
    xs = [x for x, _ in pins]
    if not xs:
        return Fan((), (), ())
    pdk = problem.rows[0].pdk
    w, space = pdk.width("met2"), pdk.space("met2")
    least, apart, wide = trunk_pitch(problem.rows[0])
    gaps = [b - a for a, b in itertools.pairwise(xs)]
    widest = gaps.index(max(gaps)) if gaps else 0
    low, high = problem.edges or (w / 2, (problem.width or math.inf) - w / 2)
    firm = [*beside, *(len(together) - len(beside)) * [False]]
    steps = [wide if lined else apart if both else least for both, lined in zip(together, firm, strict=True)]
    if steps:
        steps[widest] = max(steps[widest], (slots + 1) * least)
    room = min(high - low, math.inf if problem.edges else (problem.width or math.inf) - least) - sum(steps)
    # what vias need gives way to what wires need, where it must: then tracks keep vias apart
    for k, lined in enumerate(firm):
        if room < 0 and steps[k] == apart and not lined:
            steps[k] = least
            room += apart - least
    if room < 0:
        raise Unroutable(f"{len(xs)} wires and {slots} more do not fit into {problem.width:g} um")
    offsets = list(itertools.accumulate(steps, initial=0.0))
    ideal = isotonic([x - off for x, off in zip(xs, offsets, strict=True)])
    free = room < math.inf and not problem.edges  # the first and the last one only keep apart
    start = min(max(low, ideal[-1] - room), max(low, ideal[0])) if free else low
    found = [
        pdk.up(min(max(z, start), start + room) + off - pdk.grid / 2)
        for z, off in zip(ideal, offsets, strict=True)
    ]
    return Fan(tuple(net for _, net in pins), tuple(found), turn_levels(xs, found, w + space))


def isotonic(values: Sequence[float]) -> list[float]:
    """The non-decreasing sequence that is nearest by least squares (pool adjacent violators)."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    return [float(np.mean(pool)) for pool in pools for _ in pool]


def turn_levels(pins: Sequence[float], trunks: Sequence[float], pitch: float) -> tuple[int, ...]:
    """In which line each wire turns off from its pin to its trunk: above the neighbour that it would meet."""
    levels = [0] * len(pins)
    for k in reversed(range(len(pins) - 1)):
        if trunks[k] > pins[k] and trunks[k] + pitch > pins[k + 1] + 1e-6:
            levels[k] = levels[k + 1] + 1
    for k in range(1, len(pins)):
        if trunks[k] < pins[k] and trunks[k] - pitch < pins[k - 1] - 1e-6:
            levels[k] = levels[k - 1] + 1
    return tuple(levels)


def _away(dx: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Distance of two trunks where blocks of this width repeat (0: they do not)."""
    off = np.abs(dx)
    return np.minimum(off, np.abs(period - off)) if period else off


def _span(problem: Problem, net: str, pieces: Sequence[Piece]) -> tuple[float, float]:
    """Lower and upper end of what a trunk may take: whole rows, as tracks are not known yet."""
    ys = [problem.y(p.row, at) for p in pieces for at in (0.0, problem.rows[p.row].height)]
    ys += [line.y + way * line.w for line in problem.lines if line.net == net for way in (-1, 1)]
    ys += [0.0 if p.edge == "bottom" else problem.height for p in problem.pins if p.net == net]
    ys += [y for span in problem.spans if span.net == net for y in (span.y1, span.y2)]
    return min(ys), max(ys)


def _trunk(
    problem: Problem, wiring: Wiring, net: str, pieces: Sequence[Piece], x: float
) -> tuple[float, float, float, bool]:
    pins = tuple(p for p in problem.pins if p.net == net)
    lines = tuple(line for line in problem.lines if line.net == net)
    y1, y2 = _span(problem, net, pieces)
    wiring.trunks[net] = Trunk(net, x, y1, y2, pins, lines)
    return x, y1, y2, bool(lines or any(s.net == net for s in problem.spans))


def _assign(problem: Problem, wiring: Wiring, number: int) -> None:
    """Extents and tracks of one row's pieces."""
    row = problem.rows[number]
    pdk = row.pdk
    pieces = [p for p in wiring.pieces if p.row == number]
    reach = pdk.up(parts.mcon_reach(pdk, row.track)), pdk.up(parts.via_reach(pdk, "met1", "via", row.track))
    least = pdk.up2(pdk.area("met1") / row.track)
    for piece in pieces:
        xs = [row.x(s.column) for s in piece.straps]
        ends = [x - reach[0] for x in xs] + [x + reach[0] for x in xs]
        trunk = wiring.trunk(piece)
        if trunk:
            ends += [trunk.x - reach[1], trunk.x + reach[1]]
        feed = next((f for f in problem.feeds if (f.net, f.row) == (piece.net, number)), None)
        if feed:
            ends += ([0.0] if feed.left else []) + ([problem.width] if feed.right else [])
        more = max(0.0, least - (max(ends) - min(ends)))
        piece.x1 = pdk.down(min(ends) - more / 2)
        piece.x2 = pdk.up(max(ends) + more / 2)
    tracks = row.tracks
    options = []
    for piece in pieces:
        near = float(np.mean([(s.y1 + s.y2) / 2 for s in piece.straps] or [row.height]))
        given = problem.tracks.get((piece.net, number))
        mine = [y for y in _reachable(row, piece.straps) if given is None or abs(y - given) < pdk.grid / 2]
        options.append([tracks.index(y) for y in sorted(mine, key=lambda y: abs(y - near))])
    number_of = {piece.net: k for k, piece in enumerate(pieces)}
    equal: dict[int, int] = {}
    for feed in problem.feeds:
        if feed.row == number and feed.joins:
            a, b = number_of[feed.net], number_of[feed.joins]
            equal |= {a: b, b: a}
    found = find_tracks(options, _apart(row, wiring, pieces), equal)
    if found is None:
        text = f"row {number}: {len(pieces)} wires find no place on {len(tracks)} tracks"
        raise Unroutable(text, number)
    for piece, track in zip(pieces, found, strict=True):
        piece.track = tracks[track]


def _apart(row: Row, wiring: Wiring, pieces: Sequence[Piece]) -> dict[tuple[int, int], int]:
    """By how many tracks pieces must differ: one where they overlap, more where their vias are close."""
    pdk = row.pdk
    space, pitch = pdk.space("met1"), row.track + pdk.space("met1")
    _, apart, _ = trunk_pitch(row)
    tall = math.ceil((via_pad(pdk, "met2", "via")[1] + pdk.space("met2")) / pitch - 1e-6)
    found = {}
    for (i, a), (j, b) in itertools.combinations(enumerate(pieces), 2):
        ta, tb = wiring.trunk(a), wiring.trunk(b)
        if a.net != b.net and ta and tb and abs(ta.x - tb.x) < apart - 1e-6:
            found[i, j] = tall
        elif a.x1 < b.x2 + space - 1e-6 and b.x1 < a.x2 + space - 1e-6:
            found[i, j] = 1
    return found
