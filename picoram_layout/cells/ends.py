"""What closes the array: dummy rows with taps at the bottom and top.

An end is drawn for the bottom; the top is its mirror image. Upwards: landing bars of the supplies, taps, a
row of dummy bitcells whose wordlines are tied to GND; the lower dummy's LBL belongs to the first row's, as in
any stack of cells. Column wires (VL, GBLB, SMP, SHR) run through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.cells.bitcell import beyond, bitcell, supply_contact, wlr_bend
from picoram_layout.cells.capacitor import rail_end, rail_w
from picoram_layout.cells.cluster import ClusterRow
from picoram_layout.cells.dac_strip import Strip, met4_line, supply_island
from picoram_layout.cells.mac import tap_size, well_tap
from picoram_layout.cells.thin_cell import ThinCell, corner, via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.devices import SUBSTRATE


@dataclass(frozen=True)
class End:
    """Solved heights of an end (um from the array's edge)."""

    t: ThinCell
    vdd: float  # centre of VDD's landing bar and of its vias
    gnd: float  # the same of GND's
    bar: float  # height of a bar
    strap: float  # height of a met5 strap
    tap: float  # centre of the taps
    dummy: float  # lower boundary of the dummy row
    height: float
    edge: float  # how far the last column's shared contacts reach past it

    @property
    def straps(self) -> dict[str, tuple[float, float]]:
        """Lower and upper edge of each supply's met5 strap: over VDD's vias outwards, over GND's inwards."""
        pdk = self.t.pdk
        over = pdk.size("via4") / 2 + pdk.enclosure_adjacent("met5", "via4")
        return {
            "VDD": (round(self.vdd + over - self.strap, 6), round(self.vdd + over, 6)),
            "GND": (round(self.gnd - over, 6), round(self.gnd - over + self.strap, 6)),
        }


def solve_end(row: ClusterRow) -> End:
    """Solve the ends for rows of this kind."""
    t, pdk = row.t, row.t.pdk
    size, rail = pdk.size("via4"), rail_w(pdk)
    bar = pdk.up2(size + 2 * pdk.enclosure_adjacent("met4", "via4"))
    over = pdk.enclosure_adjacent("met5", "via4")
    strap = pdk.up2(max(pdk.width("met5"), size + 2 * over))
    # straps reach over their bars, outwards from VDD's and inwards from GND's vias
    vdd = pdk.up(max(strap - size / 2 - over, bar / 2 + pdk.space("met4") / 2))
    gnd = pdk.up(vdd + size + 2 * over + pdk.space("met5"))
    # taps below the dummy row: implants of taps and devices meet corner to corner
    over_tap = pdk.up(pdk.enclosure("psdm", "ptap"))
    beside = t.xp1 - t.xn2 - 2 * pdk.up(pdk.enclosure("psdm", "pdiff"))
    below = max(
        beyond(t, "psdm", "pdiff") + corner(pdk.space("psdm"), beside) + over_tap + t.licon / 2,
        t.contact_end + pdk.space("active") + tap_size(t) / 2,
    )
    tap_low = pdk.up(tap_size(t) / 2 + pdk.enclosure("nwell", "ntap"))
    height = pdk.up(max(gnd + bar / 2 + rail / 2, tap_low + below + t.height))
    dummy = height - t.height
    npc = pdk.size("licon") / 2 + pdk.enclosure("npc", "licon_poly")
    edge = pdk.up(max(npc, t.pad_x / 2, t.m1.pad_long / 2, t.m2.pad_long / 2, rail_end(pdk)))
    return End(t, vdd, gnd, bar, strap, pdk.down(dummy - below), round(dummy, 6), height, edge)


@block
def dummy_column(lib: Library, end: End) -> Block:
    """End of one column: a dummy bitcell over taps, VL and GBLB to the edge."""
    t, pdk = end.t, lib.pdk
    c = Canvas(lib, "dummy_column")
    c.place(bitcell(lib, t, dummy=True), 0, end.dummy, mirror_y=True)
    y, half = end.tap, t.licon / 2
    length = max(tap_size(t), t.xn2 - t.xn1)
    p_over, n_over = pdk.up(pdk.enclosure("psdm", "ptap")), pdk.up(pdk.enclosure("nsdm", "ntap"))
    for side, x, lane, grow in (
        (1, (t.xn1 + t.xn2) / 2, "GND_L", "left"),
        (-1, t.width - (t.xn1 + t.xn2) / 2, "GND_R", "right"),
    ):
        parts.rect(c, "tap", x, y, length, t.licon)
        contact = t.xn if side > 0 else t.width - t.xn
        parts.licon(c, contact, y)
        supply_contact(c, t, lane, contact, y, grow)
        edge = 0.0 if side > 0 else t.width
        x1, x2 = sorted((edge, edge + side * (t.xn2 + p_over)))
        c.box("psdm", x1, y - half - p_over, x2, y + half + p_over)
        c.circuit.tap("ptap", lane, SUBSTRATE)
    c.circuit.tap("ntap", "VDD_R", "NW")
    x = well_tap(t)
    parts.rect(c, "tap", x, y, t.licon, tap_size(t))
    parts.licon(c, x, y)
    supply_contact(c, t, "VDD_R", x, y, "left")
    parts.rect(c, "nsdm", x, y, t.licon + 2 * n_over, tap_size(t) + 2 * n_over)
    well = pdk.up(tap_size(t) / 2 + pdk.enclosure("nwell", "ntap"))
    c.box("nwell", t.x_well, y - well, t.width - t.x_well, end.dummy)
    reach = pdk.up(parts.mcon_reach(pdk, t.line))
    for name in ("GND_L", "VDD_L", "VDD_R", "GND_R"):
        c.box("met1", t.lanes[name].x1, y - reach, t.lanes[name].x2, end.dummy)
    vl, gblb = t.lanes["VL"], t.width - t.xn
    c.box("met1", vl.x1, 0, vl.x2, end.dummy)
    c.port("VL", "met1", vl.x1, 0, vl.x2, t.m1.w)
    c.box("met1", gblb - t.line / 2, 0, gblb + t.line / 2, end.dummy)
    c.port("GBLB", "met1", gblb - t.line / 2, 0, gblb + t.line / 2, t.m1.w)
    c.export(hide=("LBL",))
    return c.done(t.width, end.height)


def dummy_wires(end: End) -> list[tuple[float, float]]:
    """The dummy row's wordlines: centre on a WLL edge and inside (um from the array's edge)."""
    t = end.t
    top = end.height
    return [(top - t.y_wll_line, top - t.y_wll_line), (top - t.y_wlr_left, top - t.y_wlr_mid)]


def _wordlines(c: Canvas, end: End, width: float, even: bool, left: bool) -> None:
    """Dummy wordlines through a strip; ``left``: columns on its left, too."""
    t, w = end.t, end.t.m2.w
    bend = wlr_bend(t)
    for y, y_inner in dummy_wires(end):
        outer = y if even else y_inner
        straight = outer == y_inner
        x1 = 0.0 if straight or not left else bend
        x2 = width if straight else width - bend
        c.box("met2", x1, y_inner - w / 2, x2, y_inner + w / 2)
        c.port("WL", "met2", x1, y_inner - w / 2, x2, y_inner + w / 2)
        if not straight and left:
            c.box("met2", 0, y - w / 2, bend + w, y + w / 2)
        if not straight:
            c.box("met2", width - bend - w, y - w / 2, width, y + w / 2)


@block
def strip_end(lib: Library, row: ClusterRow, end: End, s: Strip, even: bool) -> Block:
    """End of a DAC strip: control lines to the edge, the dummy wordlines, VDD's met4 line to its bar."""
    c = Canvas(lib, f"dac_strip_{s.index}_end")
    for name in ("SHR", "SMP"):
        if s.has(name):
            c.box("met1", s.lane(name).x1, 0, s.lane(name).x2, end.height)
            c.port(name, "met1", s.lane(name).x1, 0, s.lane(name).x2, end.t.m1.w)
    _wordlines(c, end, s.width, even, s.index > 0)
    _ground(c, row, end, s.width)
    c.box("nsdm", 0, end.dummy - beyond(end.t, "nsdm", "ndiff"), s.width, end.height)
    line = met4_line(row, s.width, s.index > 0, True)
    c.box("met4", line[0], end.vdd - end.bar / 2, line[1], end.height)
    c.port("VDD", "met4", line[0], end.vdd - end.bar / 2, line[1], end.height)
    return c.done(s.width, end.height)


def _ground(c: Canvas, row: ClusterRow, end: End, width: float) -> None:
    """Tie both dummy wordlines to the met3 GND rail of the first row, which goes on to the edge."""
    pdk, wide = c.pdk, supply_island(c.pdk)
    ys = sorted(y for _, y in dummy_wires(end))
    short, long = via_pad(pdk, "met2", "via2")
    x, y = pdk.down(width / 2), pdk.down((ys[0] + ys[1]) / 2)
    c.box("met2", x - long / 2, ys[0] - end.t.m2.w / 2, x + long / 2, ys[1] + end.t.m2.w / 2)
    parts.rect(c, "met2", x, y, long, short)
    parts.via(c, "via2", x, y)
    c.box("met3", x - wide / 2, 0, x + wide / 2, end.height + row.lift)


def bar_vias(end: End, x1: float, x2: float) -> list[float]:
    """Centres of the via4 of a bar from x1 to x2."""
    pdk = end.t.pdk
    size, pitch = pdk.size("via4"), pdk.size("via4") + pdk.space("via4")
    over = max(pdk.enclosure_adjacent(metal, "via4") for metal in ("met4", "met5"))
    room = x2 - x1 - size - 2 * over
    count = math.floor(room / pitch + 1e-6) + 1
    first = pdk.down((x1 + x2 - (count - 1) * pitch) / 2)
    return [first + k * pitch for k in range(count)]
