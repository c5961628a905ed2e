"""Rows of the array and blocks of rows, each drawn once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import lcm

from picoram_layout.array.nets import by_column, by_row, cluster_nets, end_nets, group_nets, strip_nets
from picoram_layout.cells import parts
from picoram_layout.cells.cluster import ClusterRow, cluster
from picoram_layout.cells.dac_strip import dac_strip
from picoram_layout.cells.ends import bar_vias, dummy_column, strip_end
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.plan import Plan

# Blocks of rows hold this many of the next smaller kind: deep DRC is fastest with small steps.
NEST = 4


@dataclass(frozen=True)
class RowKind:
    """One row, or a pair of plain ones: parity of the (first) row's number, place of the cut column or 0."""

    rows: int
    parity: int
    cut: int = 0

    def row(self, plan: Plan) -> ClusterRow:
        """Its solved row."""
        return plan.segment if self.cut else plan.plain

    def period(self, plan: Plan) -> int:
        """Columns after which the pattern repeats: mirrored pairs, and the cut column of each output."""
        return lcm(2, plan.spec.array.weight_bits) if self.cut else 2

    def name(self, plan: Plan) -> str:
        """For cells' names."""
        supply = "pair" if self.rows == 2 else plan.supply(self.parity).lower()
        return supply + (f"_segment_{self.cut}" if self.cut else "")


def _cluster(lib: Library, plan: Plan, kind: RowKind, number: int, r: int) -> Block:
    """The cluster of column ``number`` in row ``r`` of a row or pair."""
    cut = bool(kind.cut) and number % plan.spec.array.weight_bits == kind.cut
    return cluster(lib, kind.row(plan), plan.supply(kind.parity + r), cut)


@block
def tiles(lib: Library, plan: Plan, kind: RowKind, level: int) -> Block:
    """``NEST ** level`` periods of columns side by side, nested."""
    period, w = kind.period(plan), plan.t.width
    c = Canvas(lib, f"tile_{kind.name(plan)}_{period * NEST**level}")
    if level:
        part, columns = tiles(lib, plan, kind, level - 1), period * NEST ** (level - 1)
        c.place(part, 0, 0, nx=NEST, nets=lambda i, _: by_column(part.circuit.pins, i * columns))
    else:
        for number, r in product(range(period), range(kind.rows)):
            unit = _cluster(lib, plan, kind, number, r)
            nets = cluster_nets(plan, kind, unit.circuit.pins, r, number)
            c.place(unit, number * w, r * unit.height, mirror_x=number % 2 == 1, nets=nets)
    c.export()
    return c.done(period * NEST**level * w, kind.rows * kind.row(plan).height)


def _group(lib: Library, plan: Plan, kind: RowKind, c: Canvas, group: int) -> None:
    """Fill a group with columns, as many as possible in the largest tiles."""
    period, x = kind.period(plan), plan.x[group][1]
    number = sum(plan.groups[:group])
    end = number + plan.groups[group]
    while number < end:
        whole = (end - number) // period
        if number % period or not whole:
            for r in range(kind.rows):
                unit = _cluster(lib, plan, kind, number, r)
                nets = cluster_nets(plan, kind, unit.circuit.pins, r, number)
                nets = group_nets(plan, kind, group, unit.circuit.pins, nets)
                c.place(unit, x, r * unit.height, mirror_x=number % 2 == 1, nets=nets)
            number, x = number + 1, x + plan.t.width
            continue
        level = 0
        while NEST ** (level + 1) <= whole:
            level += 1
        columns, count = NEST**level * period, whole // NEST**level
        part = tiles(lib, plan, kind, level)
        for k in range(count):
            nets = by_column(part.circuit.pins, number + k * columns)
            nets = group_nets(plan, kind, group, part.circuit.pins, nets)
            c.place(part, x + k * part.width, 0, nets=nets)
        number, x = number + count * columns, x + count * part.width


@block
def row(lib: Library, plan: Plan, kind: RowKind) -> Block:
    """One row or a pair: groups of columns and DAC strips."""
    c = Canvas(lib, f"row_{kind.name(plan)}")
    solved = kind.row(plan)
    for g, s in enumerate(plan.strips):
        _group(lib, plan, kind, c, g)
        even = sum(plan.groups[:g]) % 2 == 0
        for r in range(kind.rows):
            strip = dac_strip(lib, solved, s, plan.supply(kind.parity + r), even)
            nets = strip_nets(plan, kind, g, r, strip.circuit.pins)
            c.place(strip, plan.x[g][0], r * solved.height, nets=nets)
    c.export(hide={f"XL{g}[{r}]" for g, r in product(range(len(plan.strips)), range(kind.rows))})
    return c.done(plan.width, kind.rows * solved.height)


@block
def row_block(lib: Library, plan: Plan, level: int) -> Block:
    """``2 * NEST ** level`` plain rows, nested."""
    if level == 0:
        return row(lib, plan, RowKind(2, 0))
    part, rows = row_block(lib, plan, level - 1), 2 * NEST ** (level - 1)
    c = Canvas(lib, f"rows_{2 * NEST**level}")
    c.place(part, 0, 0, ny=NEST, nets=lambda _, j: by_row(plan, part.circuit.pins, j * rows))
    c.export()
    return c.done(part.width, NEST * part.height)


@block
def end_row(lib: Library, plan: Plan) -> Block:
    """The end below the first row; mirrored it closes the last one."""
    end, pdk = plan.end, lib.pdk
    c = Canvas(lib, "end_row")
    column = dummy_column(lib, end)
    size = pdk.size("via4")
    for g, s in enumerate(plan.strips):
        even = sum(plan.groups[:g]) % 2 == 0
        nets = {net: f"{net}[{g}]" for net in ("SMP", "SHR")}
        c.place(strip_end(lib, plan.plain, end, s, even), plan.x[g][0], 0, nets=nets)
        first = sum(plan.groups[:g])
        for k in range(min(2, plan.groups[g])):
            count = (plan.groups[g] - k + 1) // 2
            x = plan.x[g][1] + k * plan.t.width

            def dummies(i: int, _: int, number: int = first + k) -> dict[str, str]:
                return end_nets(column.circuit.pins, number + 2 * i)

            c.place(column, x, 0, mirror_x=(first + k) % 2 == 1, nx=count, dx=2 * plan.t.width, nets=dummies)
        x1 = plan.x[g][1]
        x2 = x1 + plan.groups[g] * plan.t.width
        c.box("met4", x1, end.gnd - end.bar / 2, x2, end.height)
        for x in bar_vias(end, x1, x2):
            parts.rect(c, "via4", x, end.gnd, size, size)
    c.box("met4", 0, end.vdd - end.bar / 2, plan.width, end.vdd + end.bar / 2)
    for x in bar_vias(end, 0.0, plan.width):
        parts.rect(c, "via4", x, end.vdd, size, size)
    for net, (y1, y2) in end.straps.items():
        c.box("met5", 0, y1, plan.width, y2)
        c.port(net, "met5", 0, y1, plan.width, y2)
    c.export()
    return c.done(plan.width, end.height)
