"""What a row driver is made of: its gates in rows, and which nets run through all drivers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from picoram_layout.logic.devices import row_for
from picoram_layout.logic.gates import (
    GND,
    NONE,
    TAP,
    VDD,
    Gate,
    gate,
    inverter,
    join,
    nand,
    nor,
    pass_latch,
    tap,
)
from picoram_layout.logic.rows import Row, solve_row
from picoram_layout.logic.wiring import Feed, columns, trunk_pitch
from picoram_layout.periphery.row_places import (
    Parts,
    Taps,
    Wires,
    demand,
    fits,
    interleaved,
    mixed,
    ordered,
    packed,
    roomiest,
)
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

_ROOM = 0.7  # part of a row's length that trunks can take


@dataclass(frozen=True)
class Arrangement:
    """Gates of a row driver from the array outwards.

    ``words`` rows of them drive wordlines, the others have the decoder and the bits; lines of signals lie
    above those and ``over`` rows of wordline drivers. More have no room for trunks to them.
    """

    gates: tuple[tuple[Gate, ...], ...]
    rows: tuple[Row, ...]
    feeds: tuple[Feed, ...]
    words: int
    over: int = 0


def arrangements(
    plan: Plan, wires: Mapping[str, float], fill: float
) -> Iterator[tuple[Arrangement, Arrangement]]:
    """Ways to place the gates of plain and segment drivers, the most promising ones first: those with room
    for all trunks, that need the fewest tracks.

    Both have the same gates in the same rows but for SEG's. ``wires``: places of the row's pins (um). Rows of
    logic are filled up to a part ``fill`` of their length.
    """
    pdk, width = plan.pdk, plan.plain.height
    higher = plan.segment.height if plan.cuts else width
    w = pdk.channel_width
    plain = solve_row(pdk, w, _GATE[1] * w, close=True)
    seg = inverter(w, _GATE[1] * w).named("SEG", A="SEGB", Y="SEG")
    reach = Wires(wires, lambda net: net in (*_THROUGH, "ACCI", "ACCO") or net.startswith("CSB"), BRIDGED)

    @cache
    def order(gates: tuple[Gate, ...], wide: float) -> list[Gate]:
        return ordered(gates, wide, plain, reach)

    @cache
    def places(wide: float) -> Taps:
        return Taps(wide, plain, reach)

    data = min((packed(groups, width, plain) for groups in _bits(plan, w)), key=len)
    ways: list[tuple[float, float, int, Parts, Parts, int, list[bool]]] = []
    for words, logic in _words_and_logic(plan, fill * width, plain, w):
        # a segment row is higher, so that there is room for SEG's inverter somewhere, or in a row of its own
        place = roomiest(logic, seg, higher, plain)
        if place == len(logic):
            logic.append([])
        need = sum(_height(plain, demand(columns(order(tuple(g), width)), plain, reach)[0]) for g in logic)
        for kinds in interleaved(len(logic), len(data)):
            crowd = _crowd([*words, *mixed(logic, data, kinds)], len(words), wires, plain)
            ways.append((max(0.0, crowd - _ROOM * width), need, len(ways), words, logic, place, kinds))
    for *_, words, logic, place, kinds in sorted(ways, key=lambda way: way[:3]):
        made = []
        for wide, extra in ((width, []), (higher, [seg] if plan.cuts else [])):
            rows = [order((*g, *(extra if k == place else [])), wide) for k, g in enumerate(logic)]
            taps = places(wide).spread([*words, *mixed(rows, data, kinds)], len(words))
            if taps is not None:
                made.append(_arranged(plan, taps, seg, len(words), kinds, place))
        if len(made) == 2:
            yield made[0], made[1]


def _crowd(rows: Parts, words: int, pins: Mapping[str, float], row: Row) -> float:
    """Width of the trunks that stand side by side in the fullest row (um), about: met3 lines are taken to lie
    over all rows but the wordline drivers', in the order of their gates."""
    least, _, wide = trunk_pitch(row)
    ends: dict[str, list[float]] = {net: [-1.0] for net in pins}
    for k, gates in enumerate(rows):
        for g in gates:
            for net in {*g.n, *g.p} - {NONE, TAP, GND, VDD}:
                ends.setdefault(net, []).append(k)
    lined = [net for net in ends if net.partition("[")[0] in ("PA", "PB", "PC", "BUS", "VREF")]
    above = (len(rows) - words) / max(1, len(lined))
    for k, net in enumerate(sorted(lined, key=lambda net: ends[net][0])):
        ends[net].append(words + (k + 0.5) * above)
    crowd = [0.0] * len(rows)
    for net, at in ends.items():
        if min(at) < max(at):
            for k in range(max(0, math.floor(min(at))), math.floor(max(at)) + 1):
                crowd[k] += wide if net in lined else least
    return max(crowd[words:]) + wide  # and the supply's


def _height(row: Row, tracks: int) -> float:
    """Height of a row with so many tracks."""
    return 2 * row.rail + row.pdk.space("met1") + tracks * (row.track + row.pdk.space("met1"))


def _arranged(
    plan: Plan, rows: Parts, seg: Gate, words: int, kinds: Sequence[bool], place: int
) -> Arrangement:
    """Gates in rows with what runs through all drivers."""
    feeds = []
    for k, row in enumerate(rows):
        nets = {net for g in row for net in g.pins}
        feeds += [Feed(net, k) for net in sorted(nets) if net in _THROUGH or net.startswith("CSB")]
        if "ACCI" in nets and "ACCO" in nets:
            feeds += [Feed("ACCI", k, right=False, joins="ACCO"), Feed("ACCO", k, left=False)]
    # SEGB's few gates join its long track by met2: as one wire of met1 it would be too large an antenna
    at = words + [k for k, kind in enumerate(kinds) if not kind][place]
    feeds.append(Feed("SEGB", at - 1 if at == len(rows) - 1 else at + 1))
    sizes = tuple(
        row_for(plan.pdk, [*row, *([seg] if k >= words and not kinds[k - words] else [])], close=True)
        for k, row in enumerate(rows)
    )
    return Arrangement(tuple(map(tuple, rows)), sizes, tuple(feeds), words)


def _words_and_logic(plan: Plan, width: float, row: Row, w: float) -> list[tuple[Parts, Parts]]:
    """Rows of wordline drivers, each filled, and rows of logic, which take up to two of those: the fewest
    rows; none where the drivers of a single cell are longer than a row."""
    cells, long = plan.spec.array.cells_per_cluster, plan.plain.height
    if not fits([_cell(0, w), tap()], long, row):
        return []
    ways: list[tuple[Parts, Parts]] = []
    for count in range(1, cells + 1):  # each cell in a row of its own at the latest
        words, left = _dealt(cells, count, long, row, w)
        if len(left) > 2:
            continue
        groups = [_select(w), _buffers(w), _accumulate(w), *([[[g] for g in left]] if left else [])]
        for order in itertools.permutations(groups):
            way = words, packed(order, width, row)
            ways += [way]
        if not left:
            break
    least = min(len(words) + len(logic) for words, logic in ways)
    found = {
        tuple(map(frozenset, rows)): (words, rows) for words, rows in ways if len(words) + len(rows) == least
    }
    return [_copied(*way) for way in found.values()]


def _copied(words: Parts, logic: Parts) -> tuple[Parts, Parts]:
    """A cell's select is a track in each row that needs it."""
    seen: set[str] = set()
    made: Parts = []
    for gates in (*words, *logic):
        names = {
            net: copy_of(net, int(net in seen)) for g in gates for net in g.pins if net.startswith("CSB")
        }
        made.append([g.renamed(names) for g in gates])
        seen |= set(names)
    return made[: len(words)], made[len(words) :]


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
    """Row selects of both wordlines and the enable of the input latches: the row's address and a line
    each."""
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
    latches = [
        pass_latch(_LATCH[0] * w, _LATCH[1] * w).named(
            f"bit{k}", D=f"BUS[{k}]", E="E", EB="EB", Q=f"q{k}", QB=f"qb{k}"
        )
        for k in range(count)
    ]
    both: list[Parts] = [
        [[latches[k[0]], _data(plan, k, w), *(latches[j] for j in k[1:])]] for k in [*first, *pairs]
    ]
    each: list[Parts] = [[[latches[k], _data(plan, (k,), w)]] for k in range(count)]
    parts: list[Parts] = [[[_data(plan, k, w)], *([latches[j]] for j in k)] for k in [*first, *pairs]]
    return [both, each, parts]


def _data(plan: Plan, bits: Sequence[int], w: float) -> Gate:
    """Data drivers of one or two bits: nMOS alone, as no level is above half of VDD. Each bit's line is at
    its level while the bit is set, else at GND."""
    wide = max(data_width(plan, k) for k in bits) * w
    strip = [GND]
    for k in bits:
        half = [f"qb{k}", f"D{k}", f"q{k}", f"VREF[{k}]"]
        strip = [*half[::-1], *strip] if k != bits[-1] else [*strip, *half]
    pins = [net for net in strip if net != GND]
    return gate(" ".join(strip), " ".join([NONE] * len(strip)), wide, 0.0, " ".join(pins))


def _dealt(cells: int, count: int, width: float, row: Row, w: float) -> tuple[Parts, list[Gate]]:
    """``count`` rows of wordline drivers, neighbours in different rows, and what finds no place.

    The first row and every second one have a tap. Where half a cell's drivers find room they are divided.
    """

    def room(gates: list[Gate], number: int) -> bool:
        return fits([*gates, *([tap()] if number % 2 or not number else [])], width, row)

    rows: Parts = [[] for _ in range(count)]
    waiting = []
    for k in range(cells):
        if room([*rows[k % count], _cell(k, w)], k % count):
            rows[k % count].append(_cell(k, w))
        else:
            waiting.append(k)
    left: list[int] = []
    for k in waiting:
        free = [number for number, gates in enumerate(rows) if room([*gates, _cell(k, w)], number)]
        if free:
            rows[free[0]].append(_cell(k, w))
        else:
            left += [k]
    # a left wordline alone only below another one, where their selects join in poly
    half, above = _wordline("WLL0", w), float(cells)
    takes: list[int] = []
    for k in reversed(range(count)):
        takes = [k, *takes] if above > len(rows[k]) and room([*rows[k], half], k) else takes
        above = len(rows[k]) + 0.5 * (k in takes)
    for k, cell in zip(takes[-len(left) :] if left else [], left, strict=False):
        rows[k].append(_wordline(f"WLL{cell}", w).mirrored)
    taken = min(len(takes), len(left))
    return rows, [
        *(_wordline(f"WLL{cell}", w) for cell in left[taken:]),
        *(_wordline(f"WLR{cell}", w) for cell in left),
    ]
