"""What a row driver is made of: its gates in rows, and which nets run through all drivers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from picoram_layout.logic.devices import row_for
from picoram_layout.logic.gates import TAP, Gate, gate, inverter, latch, nand, nor, tap
from picoram_layout.logic.rows import Row, solve_row
from picoram_layout.logic.wiring import Feed, columns
from picoram_layout.plan import Plan

# Nets that run through the drivers of all rows, but for the cell selects and DOE.
_THROUGH = ("ENL", "ENR", "PCH", "SOUTB", "ACCG")
BRIDGED = frozenset({"RSLB", "RSRB"})  # row selects: they join the wordlines' drivers in poly

# Channel widths in the PDK's least, nMOS and pMOS. Sized by `simulation.drivers`.
_GATE = (1, 2)
_WORDLINE = (1, 3)  # two pMOS in series
_DATA_COLUMNS = 6  # of a DAC group for each least width of its data driver
_DATA_MOST = 4


@dataclass(frozen=True)
class Arrangement:
    """Gates of a row driver from the array outwards.

    ``words`` rows of them drive wordlines, ``logic`` rows have the decoder, the others the bits.
    """

    gates: tuple[tuple[Gate, ...], ...]
    rows: tuple[Row, ...]
    feeds: tuple[Feed, ...]
    words: int
    logic: int


def arrange(plan: Plan, segment: bool, fill: float = 1.0, short: bool = False) -> Arrangement:
    """The gates of a driver; plain and segment rows have the same ones in the same rows but for SEG's.

    Rows of logic are filled up to a part ``fill`` of their length. ``short``: row wires end as early as can
    be, which leaves more room for others but takes more height.
    """
    pdk, width = plan.pdk, plan.plain.height
    w, most = pdk.rule("channel_width", "gate", "diff"), fill * width
    plain = solve_row(pdk, w, _GATE[1] * w)
    words, feeds = _words(plan.spec.array.cells_per_cluster, _capacity(plain, width, w), w)
    first = [_buffers(w), _selects(w)] if short else [_selects(w), _buffers(w)]
    logic = _packed([first, [_load(w)], [_accumulate(w)]], most, plain)
    # a segment row is higher, so that there is room for SEG's inverter somewhere, or in a row of its own
    seg = inverter(w, _GATE[1] * w).named("SEG", A="SEGB", Y="SEG")
    place = _roomiest(logic, seg, plan.segment.height, plain)
    if place == len(logic):
        logic.append([])
    # SEGB's few gates join its long track by met2: as one wire of met1 it would be too large an antenna
    feeds.append(Feed("SEGB", len(words) + place + 1))
    if segment:
        logic[place].append(seg)
    data = _packed([_bit(plan, k, w) for k in range(plan.spec.array.input_bits)], most, plain)
    data = [[_copied(g, "DOE", k) for g in row] for k, row in enumerate(data)]
    rows = _spread_taps([*words, *logic, *data], (plan.segment if segment else plan.plain).height, plain)
    for k, row in enumerate(rows[len(words) :], len(words)):
        nets = {net for g in row for net in g.pins}
        feeds += [Feed(net, k) for net in sorted(nets) if net in _THROUGH or net.startswith("DOE")]
        if "ACCI" in nets and "ACCO" in nets:
            feeds += [Feed("ACCI", k, right=False, joins="ACCO"), Feed("ACCO", k, left=False)]
    sizes = tuple(row_for(pdk, [*row, seg]) for row in rows)  # all rows hold a gate of the usual size
    return Arrangement(tuple(map(tuple, rows)), sizes, tuple(feeds), len(words), len(logic))


def _words(cells: int, capacity: int, w: float) -> tuple[list[list[Gate]], list[Feed]]:
    """Rows of wordline drivers; a cell's select is a track in each row that needs it."""
    rows: list[list[Gate]] = []
    feeds: list[Feed] = []
    seen: set[str] = set()
    for k, names in enumerate(_dealt(cells, capacity)):
        row = [_wordline(net, f"RS{net[2]}B", f"CSB{net[3:]}", w) for net in names]
        selects = sorted({net for g in row for net in g.pins if net.startswith("CSB")})
        for net in selects:
            copy = int(net in seen)
            row = [_copied(g, net, copy) for g in row]
            feeds.append(Feed(copy_of(net, copy), k))
        seen |= set(selects)
        rows.append(row)
    return rows, feeds


def copy_of(net: str, number: int) -> str:
    """Name of a net's second, third, ... wire; the foot drives each like the first one."""
    return f"{net}_{number + 1}" if number else net


def _copied(g: Gate, net: str, number: int) -> Gate:
    """The gate on a net's copy."""
    return g.renamed({net: copy_of(net, number)})


def _wordline(net: str, select: str, cell: str, w: float) -> Gate:
    n, p = _WORDLINE
    return nor(n * w, p * w).named(net, A=select, B=cell, Y=net)


def _selects(w: float) -> list[Gate]:
    """Row selects of both wordlines."""
    return [
        nand(w, _GATE[1] * w, "A B C D").named(f"rs{s}", A="PA", B="PB", C="PC", D=f"EN{s}", Y=f"RS{s}B")
        for s in "LR"
    ]


def _buffers(w: float) -> list[Gate]:
    """Row wires that are the same in all rows."""
    through = {"PCHB": "PCH", "SOUT": "SOUTB"}
    return [inverter(w, _GATE[1] * w).named(out, A=source, Y=out) for out, source in through.items()]


def _load(w: float) -> list[Gate]:
    """Enable of the input latches."""
    return [
        nand(w, _GATE[1] * w, "A B C").named("load", A="PB", B="PC", C="LOAD", Y="EB"),
        inverter(w, _GATE[1] * w).named("load", A="EB", Y="E"),
    ]


def _accumulate(w: float) -> list[Gate]:
    """ACC's delay from row to row, and ACC: high while the ripple has come and ACCG is high."""
    return [
        inverter(w, _GATE[1] * w).named("early", A="ACCI", Y="accb"),
        inverter(w, _GATE[1] * w).named("late", A="accb", Y="ACCO"),
        nand(w, _GATE[1] * w).named("acc", A="ACCO", B="ACCG", Y="accn"),
        inverter(w, _GATE[1] * w).named("acc", A="accn", Y="ACC"),
    ]


def data_width(plan: Plan, bit: int) -> int:
    """Channel width of a bit's data driver, in the PDK's least: its group's columns take the same time."""
    columns = plan.columns >> (plan.spec.array.input_bits - bit)
    return min(_DATA_MOST, -(-columns // _DATA_COLUMNS))


def _bit(plan: Plan, k: int, w: float) -> list[list[Gate]]:
    """Latch and data driver of one bit; the driver is nMOS alone, as no level is above half of VDD."""
    wide = data_width(plan, k) * w
    driver = gate(f"VREF[{k}] up D{k} down GND", ". . . . .", wide, _GATE[1] * w, f"VREF[{k}] up D{k} down")
    q, qb = f"q{k}", f"qb{k}"
    return [
        [latch(w, _GATE[1] * w).named(f"bit{k}", D=f"BIT[{k}]", Q=q, QB=qb)],
        [
            nand(w, _GATE[1] * w).named(f"bit{k}", A=q, B="DOE", Y=f"down{k}"),
            inverter(w, _GATE[1] * w).named(f"bit{k}", A=f"down{k}", Y=f"up{k}"),
            driver.named(f"bit{k}", up=f"up{k}", down=f"down{k}"),
        ],
    ]


def _capacity(row: Row, width: float, w: float) -> int:
    """Wordline drivers that fit into a row with a tap."""
    gates: list[Gate] = []
    while True:
        gates.append(_wordline(f"W{len(gates)}", "RSB", "CSB", w))
        if not _fits(_tapped(gates), width, row):
            return len(gates) - 1


def _dealt(cells: int, capacity: int) -> list[list[str]]:
    """Wordlines of each row of drivers: both of a cell together, neighbours in different rows.

    So the drivers of a row are spread as their wordlines are. Rows that hold an odd number of drivers take
    one of two left over.
    """
    rows: list[list[str]] = [[] for _ in range(-(-2 * cells // capacity))]
    pairs = capacity // 2 * len(rows)
    for k in range(cells):
        both = f"WLL{k}", f"WLR{k}"
        if k < pairs:
            rows[k % len(rows)] += both
        else:
            for net, row in zip(both, sorted(rows, key=len), strict=False):
                row.append(net)
    return rows


def _packed(groups: Sequence[list[list[Gate]]], width: float, row: Row) -> list[list[Gate]]:
    """Groups of parts, of gates in rows of this width: what no row holds as a whole is divided.

    Rows have room for a tap, but for a single part that leaves none: the next one has it.
    """
    rows: list[list[Gate]] = [[]]

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
    lengths = [row.width(len(columns(_tapped([*gates, g])).n)) for gates in rows]
    return lengths.index(min(lengths)) if min(lengths) <= width else len(rows)


def _fits(gates: Sequence[Gate], width: float, row: Row) -> bool:
    return row.width(len(columns(gates).n)) <= width


def _tapped(gates: Sequence[Gate], after: int = 1) -> list[Gate]:
    return [*gates[:after], tap(), *gates[after:]]


def _spread_taps(rows: Sequence[Sequence[Gate]], width: float, row: Row) -> list[list[Gate]]:
    """A tap for each row, away from those of rows that share a rail, or on the same column.

    A row that has no room for one does without if the row that shares its well has one.
    """
    far = row.tap_reach * 2 + max(row.pdk.space("nsdm"), row.pdk.space("psdm"))

    def placed(left: Sequence[Sequence[Gate]], last: float | None) -> list[list[Gate]] | None:
        """Rows from the first on; the last ones, the fullest, are placed first."""
        if not left:
            return []
        *others, gates = left
        ways = [_tapped(gates, k) for k in (*range(1, len(gates)), len(gates), 0)]
        ways = [way for way in ways if _fits(way, width, row)]
        # of the two rows that share a well (0 and 1, 2 and 3, ...) one at least has a tap
        if len(left) % 2 == 0 or last is not None:
            ways.append(list(gates))
        for way in ways:
            at = _tap_x(way, row)
            off = math.inf if last is None or at is None else abs(at - last)
            if off < row.pdk.grid or off >= far:
                before = placed(others, at)
                if before is not None:
                    return [*before, way]
        return None

    found = placed(rows, None)
    if found is None:
        raise ValueError(f"no room for taps in {width:g} um")
    return found


def _tap_x(gates: Sequence[Gate], row: Row) -> float | None:
    nets = columns(gates).n
    return row.x(nets.index(TAP)) if TAP in nets else None
