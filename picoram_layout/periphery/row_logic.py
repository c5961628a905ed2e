"""What a row driver is made of: its gates in rows, and which nets run through all drivers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from picoram_layout.logic.devices import row_for
from picoram_layout.logic.gates import GND, NONE, TAP, Gate, gate, inverter, join, nand, nor, pass_latch, tap
from picoram_layout.logic.rows import Row, solve_row
from picoram_layout.logic.wiring import Columns, Feed, columns
from picoram_layout.plan import Plan

# Nets that run through the drivers of all rows, but for the cell selects.
_THROUGH = ("ENL", "ENR", "LOAD", "PCH", "SOUTB", "ACCGB")
BRIDGED = frozenset({"RSLB", "RSRB", "E", "EB"})  # gates of neighbouring rows join in poly

# Channel widths in the PDK's least, nMOS and pMOS. Sized by `simulation.drivers`.
_GATE = (1, 2)
_WORDLINE = (1, 2)  # two pMOS in series: edges of more than 1 ns disturb the cells less
_LATCH = (1, 1)
_LATE = 2  # fingers of the inverter that hands ACC on
_DATA_COLUMNS = 6  # of a DAC group for each least width of its data driver
_DATA_MOST = 4

Parts = list[list[Gate]]


@dataclass(frozen=True)
class Arrangement:
    """Gates of a row driver from the array outwards.

    ``words`` rows of them drive wordlines, the others have the decoder and the bits.
    """

    gates: tuple[tuple[Gate, ...], ...]
    rows: tuple[Row, ...]
    feeds: tuple[Feed, ...]
    words: int


def arrange(plan: Plan, segment: bool, fill: float = 1.0, back: bool = False) -> Arrangement:
    """The gates of a driver; plain and segment rows have the same ones in the same rows but for SEG's.

    Rows of logic are filled up to a part ``fill`` of their length. ``back``: groups of gates in the opposite order.
    """
    pdk, width = plan.pdk, plan.plain.height
    w, most = pdk.rule("channel_width", "gate", "diff"), fill * width
    plain = solve_row(pdk, w, _GATE[1] * w, close=True)
    words, logic = _words_and_logic(plan.spec.array.cells_per_cluster, width, most, plain, w, back)
    # a segment row is higher, so that there is room for SEG's inverter somewhere, or in a row of its own
    seg = inverter(w, _GATE[1] * w).named("SEG", A="SEGB", Y="SEG")
    place = _roomiest(logic, seg, plan.segment.height, plain)
    if place == len(logic):
        logic.append([])
    feeds: list[Feed] = []
    data = min((_packed(groups, most, plain) for groups in _bits(plan, w)), key=len)
    kinds = _order(words, logic, data, width, plain)
    if segment:
        logic[place].append(seg)
        width = plan.segment.height
    rows = _spread_taps([*words, *_mixed(logic, data, kinds)], len(words), width, plain)
    if rows is None:
        raise ValueError(f"no room for taps in {width:g} um")
    for k, row in enumerate(rows):
        nets = {net for g in row for net in g.pins}
        feeds += [Feed(net, k) for net in sorted(nets) if net in _THROUGH or net.startswith("CSB")]
        if "ACCI" in nets and "ACCO" in nets:
            feeds += [Feed("ACCI", k, right=False, joins="ACCO"), Feed("ACCO", k, left=False)]
    # SEGB's few gates join its long track by met2: as one wire of met1 it would be too large an antenna
    at = len(words) + [k for k, kind in enumerate(kinds) if not kind][place]
    feeds.append(Feed("SEGB", at - 1 if at == len(rows) - 1 else at + 1))
    sizes = tuple(
        row_for(pdk, [*row, *([seg] if k >= len(words) and not kinds[k - len(words)] else [])], close=True)
        for k, row in enumerate(rows)
    )
    return Arrangement(tuple(map(tuple, rows)), sizes, tuple(feeds), len(words))


def _words_and_logic(
    cells: int, width: float, most: float, row: Row, w: float, back: bool
) -> tuple[Parts, Parts]:
    """Rows of wordline drivers, each filled, and rows of logic, which take up to two of those: the fewest rows."""
    ways = []
    for count in itertools.count(1):
        words, left = _dealt(cells, count, width, row, w)
        if len(left) > 2:
            continue
        groups = [_select(w), _buffers(w), _accumulate(w), *([[g] for g in left] and [[[g] for g in left]])]
        orders = list(itertools.permutations(groups))
        logic = min((_packed(order, most, row) for order in orders[:: -1 if back else 1]), key=len)
        ways.append((words, logic))
        if not left:
            break
    words, logic = min(ways, key=lambda way: len(way[0]) + len(way[1]))
    seen: set[str] = set()
    for gates in (*words, *logic):  # a cell's select is a track in each row that needs it
        for net in sorted({net for g in gates for net in g.pins if net.startswith("CSB")}):
            name = copy_of(net, int(net in seen))
            gates[:] = [g.renamed({net: name}) if net in g.pins else g for g in gates]
            seen.add(net)
    return words, logic


def copy_of(net: str, number: int) -> str:
    """Name of a net's second, third, ... wire; the foot drives each like the first one."""
    return f"{net}_{number + 1}" if number else net


def _wordline(net: str, w: float) -> Gate:
    n, p = _WORDLINE
    return nor(n * w, p * w).named(net, A=f"RS{net[2]}B", B=f"CSB{net[3:]}", Y=net)


def _cell(k: int, w: float) -> Gate:
    """Drivers of both wordlines of a cell: they share their supplies in the middle."""
    left, right = _wordline(f"WLL{k}", w), _wordline(f"WLR{k}", w)
    return join([left.mirrored, right], f"WLL{k} CSB{k} RSLB RSRB WLR{k}")


def _select(w: float) -> Parts:
    """Row selects of both wordlines and the enable of the input latches: the row's address and a line each."""
    p = _GATE[1] * w
    return [
        [
            nand(w, p, "A B C").named("row", A="PA", B="PB", C="PC", Y="rowb"),
            inverter(w, p).named("row", A="rowb", Y="row"),
        ],
        [nand(w, p).named(f"rs{s}", A="row", B=f"EN{s}", Y=f"RS{s}B") for s in "LR"],
        [
            nand(w, p).named("load", A="row", B="LOAD", Y="EB"),
            inverter(w, p).named("load", A="EB", Y="E"),
        ],
    ]


def _buffers(w: float) -> Parts:
    """Row wires that are the same in all rows."""
    through = {"PCHB": "PCH", "SOUT": "SOUTB"}
    return [[inverter(w, _GATE[1] * w).named(out, A=source, Y=out) for out, source in through.items()]]


def _accumulate(w: float) -> Parts:
    """ACC's delay from row to row, and ACC: high while the ripple has come and ACCGB is low."""
    p = _GATE[1] * w
    return [
        [
            inverter(w, p).named("early", A="ACCI", Y="accb"),
            inverter(w, p, _LATE).named("late", A="accb", Y="ACCO"),
        ],
        [nor(w, p).named("acc", A="accb", B="ACCGB", Y="ACC")],
    ]


def data_width(plan: Plan, bit: int) -> int:
    """Channel width of a bit's data driver, in the PDK's least: its group's columns take the same time."""
    columns = plan.columns >> (plan.spec.array.input_bits - bit)
    return min(_DATA_MOST, -(-columns // _DATA_COLUMNS))


def _bits(plan: Plan, w: float) -> list[list[Parts]]:
    """Ways to divide the bits' latches and drivers: two bits together, each alone, all parts alone."""
    count = plan.spec.array.input_bits
    pairs = [(k, k + 1) for k in range(count % 2, count, 2)]
    first = [(0,)] if count % 2 else []
    latches = [pass_latch(_LATCH[0] * w, _LATCH[1] * w).named(f"bit{k}", D=f"BUS[{k}]", E="E", EB="EB", Q=f"q{k}", QB=f"qb{k}") for k in range(count)]
    both: list[Parts] = [[[latches[k[0]], _data(plan, k, w), *(latches[j] for j in k[1:])]] for k in [*first, *pairs]]
    each: list[Parts] = [[[latches[k], _data(plan, (k,), w)]] for k in range(count)]
    parts: list[Parts] = [[[_data(plan, k, w)], *([latches[j]] for j in k)] for k in [*first, *pairs]]
    return [both, each, parts]


def _data(plan: Plan, bits: Sequence[int], w: float) -> Gate:
    """Data drivers of one or two bits: nMOS alone, as no level is above half of VDD. Each bit's line is at its
    level while the bit is set, else at GND."""
    wide = max(data_width(plan, k) for k in bits) * w
    strip = [GND]
    for k in bits:
        half = [f"VREF[{k}]", f"q{k}", f"D{k}", f"qb{k}"]
        strip = [*half, *strip] if k == bits[0] else [*strip, *half[::-1]]
    pins = [net for net in strip if net != GND]
    return gate(" ".join(strip), " ".join([NONE] * len(strip)), wide, 0.0, " ".join(pins))


def _dealt(cells: int, count: int, width: float, row: Row, w: float) -> tuple[Parts, list[Gate]]:
    """``count`` rows of wordline drivers, neighbours in different rows, and what finds no place.

    The first row and every second one have a tap. Where half a cell's drivers find room they are divided.
    """
    single = _wordline("WLL0", w)

    def room(gates: list[Gate], number: int) -> bool:
        return _fits([*gates, *([tap()] if number % 2 or not number else [])], width, row)

    rows: Parts = [[] for _ in range(count)]
    number = 0
    for number in range(cells):
        new = _cell(number, w)
        free = [k for k in range(count) if room([*rows[k], new], k)]
        if not free:
            break
        rows[min(free, key=lambda k: (len(rows[k]), k))].append(new)
    else:
        return rows, []
    left = [_wordline(f"WL{s}{k}", w) for k in range(number, cells) for s in "LR"]
    for k, gates in enumerate(rows):
        if left and room([*gates, single], k):
            gates.append(left.pop(0))
    return rows, left


def _packed(groups: Sequence[Parts], width: float, row: Row) -> Parts:
    """Groups of parts, of gates in rows of this width: what no row holds as a whole is divided.

    Rows have room for a tap, but for a single part that leaves none: the next one has it.
    """
    rows: Parts = [[]]

    def add(gates: list[Gate]) -> None:
        if rows[-1] and not _fits(_tapped(rows[-1] + gates), width, row):
            close(gates)
            rows.append([])
        rows[-1] += gates

    def close(following: list[Gate]) -> None:
        """A row for a tap alone, if neither the last row nor the following gates leave room for one."""
        if not any(_fits(_tapped(gates), width, row) for gates in (rows[-1], following)):
            rows.append([])

    for group in groups:
        joined = [g for part in group for g in part]
        if any(_fits(_tapped(start + joined), width, row) for start in (rows[-1], [])):
            add(joined)
            continue
        for part in group:
            for gates in [part] if _fits(part, width, row) else [[g] for g in part]:
                add(gates)
    close(rows[-1])
    return rows


def _roomiest(rows: Sequence[list[Gate]], g: Gate, width: float, row: Row) -> int:
    """The row that is shortest with one gate more, or a new one if it is longer than ``width``."""
    lengths = [row.width(_length(_tapped([*gates, g]))) for gates in rows]
    return lengths.index(min(lengths)) if min(lengths) <= width else len(rows)


def _fits(gates: Sequence[Gate], width: float, row: Row) -> bool:
    return row.width(_length(gates)) <= width


def _tapped(gates: Sequence[Gate]) -> list[Gate]:
    """The gates with a tap where it takes least, or with one above a data driver."""
    return _well_tapped(gates) or min(_with_tap(gates), key=_length)


def _with_tap(gates: Sequence[Gate]) -> list[list[Gate]]:
    return [[*gates[:k], tap(), *gates[k:]] for k in (*range(1, len(gates)), len(gates), 0)]


def _length(gates: Sequence[Gate]) -> int:
    """Columns of a row."""
    return len(columns(gates).n)


def _well_tapped(gates: Sequence[Gate]) -> list[Gate]:
    """The gates with a well tap above the ground of a data driver, if there is one."""
    for k, g in enumerate(gates):
        if set(g.p) == {NONE} and GND in g.n:
            p = tuple(TAP if net == GND else NONE for net in g.n)
            return [*gates[:k], replace(g, p=p), *gates[k + 1 :]]
    return []


def _order(words: Parts, logic: Parts, data: Parts, width: float, row: Row) -> list[bool]:
    """For each row after the wordline drivers', whether it is one of ``data``: so that there is room for taps.

    Rows of data stand together, between those of logic where they have no taps to the substrate.
    """
    total = len(logic) + len(data)
    ways = sorted(itertools.combinations(range(total), len(data)), key=lambda at: (at[-1] - at[0], -at[0]))
    for at in ways:
        kinds = [k in at for k in range(total)]
        if _spread_taps([*words, *_mixed(logic, data, kinds)], len(words), width, row) is not None:
            return kinds
    raise ValueError(f"no room for taps in {width:g} um")


def _mixed(logic: Parts, data: Parts, kinds: Sequence[bool]) -> Parts:
    left = iter(logic), iter(data)
    return [next(left[kind]) for kind in kinds]


def _spread_taps(rows: Sequence[Sequence[Gate]], words: int, width: float, row: Row) -> Parts | None:
    """A tap for each row, away from that of a row that shares its rail, or on the same column.

    Rows that share a well need a tap to it in one of them at least, and so do neighbours beyond a GND rail one to
    the substrate. The first rows, of ``words``, have theirs at the end: there it moves no gate away from those of
    the next row.
    """
    far = row.tap_reach * 2 + max(row.pdk.space("nsdm"), row.pdk.space("psdm"))

    def placed(left: Sequence[Sequence[Gate]], above: Columns | None) -> Parts | None:
        """Rows from the first on; the last ones, the fullest, are placed first."""
        if not left:
            return []
        *others, gates = left
        ways = sorted(_with_tap(gates), key=_length)
        if len(left) <= words:
            ways.sort(key=lambda way: TAP not in way[-1].n)
        for way in (*ways, _well_tapped(gates), list(gates)):
            mine = columns(way)
            if not way or row.width(len(mine.n)) > width or (not others and TAP not in mine.n):
                continue
            side = "p" if len(left) % 2 else "n"  # that faces the row above
            here, there = (_tap_x(c, side, row) for c in (mine, above))
            if here is None and there is None:
                continue
            if here is None or there is None or abs(here - there) < row.pdk.grid or abs(here - there) >= far:
                before = placed(others, mine)
                if before is not None:
                    return [*before, way]
        return None

    return placed(rows, None)


def _tap_x(c: Columns | None, side: str, row: Row) -> float | None:
    """Place of a strip's tap."""
    strip = () if c is None else c.n if side == "n" else c.p
    return row.x(strip.index(TAP)) if TAP in strip else None
