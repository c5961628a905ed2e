"""Rows of the array and blocks of rows, each drawn once."""

from __future__ import annotations

from math import lcm

from picoram_layout.cells.cluster import ClusterRow, cluster
from picoram_layout.cells.dac_strip import dac_strip
from picoram_layout.cells.ends import bar_vias, dummy_column, strip_end
from picoram_layout.cells import parts
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.plan import Plan

# Blocks of rows hold this many of the next smaller kind: deep DRC is fastest with small steps.
NEST = 4


def _columns(plan: Plan, c: Canvas, group: int, y: float, pick: list[Block]) -> None:
    """Fill a group with columns; ``pick`` gives the block by column number modulo its length."""
    first = sum(plan.groups[:group])
    x, width, period = plan.x[group][1], plan.t.width, len(pick)
    for phase in range(min(period, plan.groups[group])):
        number = first + phase
        count = (plan.groups[group] - phase + period - 1) // period
        c.place(
            pick[number % period],
            x + phase * width,
            y,
            mirror_x=number % 2 == 1,
            nx=count,
            dx=period * width,
        )


@block
def tile(lib: Library, plan: Plan, rows: int) -> Block:
    """Two mirrored columns of one or two plain rows."""
    c = Canvas(lib, f"tile_{rows}")
    for r in range(rows):
        unit = cluster(lib, plan.plain, plan.supply(r))
        c.place(unit, 0, r * plan.plain.height)
        c.place(unit, plan.t.width, r * plan.plain.height, mirror_x=True)
    return c.done(2 * plan.t.width, rows * plan.plain.height)


@block
def row_pair(lib: Library, plan: Plan) -> Block:
    """Two plain rows, VDD and GND on their supply tracks."""
    c = Canvas(lib, "row_pair")
    pair = tile(lib, plan, 2)
    for g, size in enumerate(plan.groups):
        if size % 2:
            for r in range(2):
                unit = cluster(lib, plan.plain, plan.supply(r))
                _columns(plan, c, g, r * plan.plain.height, [unit, unit])
        else:
            c.place(pair, plan.x[g][1], 0, nx=size // 2)
    for r in range(2):
        _strips(lib, plan, c, r * plan.plain.height, r, plan.plain)
    return c.done(plan.width, 2 * plan.plain.height)


@block
def single_row(lib: Library, plan: Plan, supply_of: int, cut: int) -> Block:
    """One row: plain, or (``cut`` > 0) a segment row whose VL is open in column ``cut`` of each output.

    ``supply_of`` is 0 or 1, the parity of the row's number.
    """
    row = plan.segment if cut else plan.plain
    supply = plan.supply(supply_of)
    c = Canvas(lib, f"row_{supply.lower()}" + (f"_segment_{cut}" if cut else ""))
    bits = plan.spec.array.weight_bits
    period = lcm(2, bits) if cut else 2
    pick = [cluster(lib, row, supply, bool(cut) and n % bits == cut) for n in range(period)]
    for g in range(len(plan.groups)):
        _columns(plan, c, g, 0.0, pick)
    _strips(lib, plan, c, 0.0, supply_of, row)
    return c.done(plan.width, row.height)


def _strips(lib: Library, plan: Plan, c: Canvas, y: float, parity: int, row: ClusterRow) -> None:
    """DAC strips of one row."""
    supply = plan.supply(parity)
    for g, s in enumerate(plan.strips):
        even = sum(plan.groups[:g]) % 2 == 0
        c.place(dac_strip(lib, row, s, supply, even), plan.x[g][0], y)


@block
def row_block(lib: Library, plan: Plan, level: int) -> Block:
    """``2 * NEST ** level`` plain rows, nested."""
    if level == 0:
        return row_pair(lib, plan)
    part = row_block(lib, plan, level - 1)
    c = Canvas(lib, f"rows_{2 * NEST**level}")
    c.place(part, 0, 0, ny=NEST)
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
        c.place(strip_end(lib, plan.plain, end, s, even), plan.x[g][0], 0)
        _columns(plan, c, g, 0.0, [column, column])
        x1 = plan.x[g][1]
        x2 = x1 + plan.groups[g] * plan.t.width
        c.box("met4", x1, end.gnd - end.bar / 2, x2, end.height)
        for x in bar_vias(end, x1, x2):
            parts.rect(c, "via4", x, end.gnd, size, size)
    c.box("met4", 0, end.vdd - end.bar / 2, plan.width, end.vdd + end.bar / 2)
    for x in bar_vias(end, 0.0, plan.width):
        parts.rect(c, "via4", x, end.vdd, size, size)
    over = size / 2 + pdk.enclosure_adjacent("met5", "via4")
    straps = {"VDD": (end.vdd + over - end.strap, end.vdd + over), "GND": (end.gnd - over, end.gnd - over + end.strap)}
    for net, (y1, y2) in straps.items():
        c.box("met5", 0, y1, plan.width, y2)
        c.port(net, "met5", 0, y1, plan.width, y2)
    return c.done(plan.width, end.height)
