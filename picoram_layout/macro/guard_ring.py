"""The guard ring: substrate taps tied to GND all around the macro.

The ring is made of pieces: each a strip of tap under li1 and met1, which go on from piece to piece. All
lengths in um.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.devices import SUBSTRATE
from picoram_layout.pdk import Pdk

PIECE = 12.0  # um, about: a piece holds some thirty contacts


@dataclass(frozen=True)
class Ring:
    """Sizes across the ring: tap, wire, implant (its whole width), and the space that it wants inside."""

    tap: float
    wire: float
    width: float
    gap: float


def solve_ring(pdk: Pdk) -> Ring:
    """The narrowest ring with covered contacts."""
    cut = pdk.size("licon")
    tap = pdk.up2(max(pdk.width("tap"), cut + 2 * pdk.enclosure("tap", "licon_tap")))
    width = pdk.up2(max(pdk.width("psdm"), tap + 2 * pdk.enclosure("psdm", "ptap")))
    inside = max(pdk.space("psdm"), pdk.space("li1"), pdk.space("met1"), pdk.space("nsdm", "ptap"))
    wire = pdk.up2(max(pdk.width("met1"), pdk.size("mcon") + 2 * pdk.enclosure("met1", "mcon")))
    return Ring(tap, wire, width, pdk.up(inside))


@block
def ring_piece(lib: Library, length: float) -> Block:
    """A piece of the ring lying along x; neighbours abut."""
    pdk, ring = lib.pdk, solve_ring(lib.pdk)
    c = Canvas(lib, f"guard_ring_{round(1000 * length)}")
    y = ring.width / 2
    off = pdk.up(max(pdk.space("active") / 2, pdk.space("active") - (ring.width - ring.tap) / 2))
    c.box("tap", off, y - ring.tap / 2, length - off, y + ring.tap / 2)
    c.box("psdm", 0, 0, length, ring.width)
    wide = ring.wire
    c.box("li1", 0, y - wide / 2, length, y + wide / 2)
    c.box("met1", 0, y - wide / 2, length, y + wide / 2)
    size = pdk.size("licon")
    step = pdk.up(max(size + pdk.space("licon"), pdk.size("mcon") + pdk.space("mcon")))
    first = off + pdk.enclosure_adjacent("tap", "licon_tap") + size / 2
    count = math.floor((length - 2 * first) / step + 1e-6) + 1
    start = pdk.down((length - (count - 1) * step) / 2)
    for k in range(count):
        parts.licon(c, start + k * step, y)
        parts.mcon(c, start + k * step, y)
    c.circuit.tap("ptap", "GND", SUBSTRATE, count)
    c.port("GND", "met1", 0, y - wide / 2, length, y + wide / 2)
    return c.done(length, ring.width)


def guard_ring(lib: Library, c: Canvas, width: float, height: float) -> None:
    """Draw the ring along the inside of a rectangle of this size."""
    ring = solve_ring(lib.pdk)
    for y in (0.0, height - ring.width):
        x = 0.0
        for length, count in _lengths(lib.pdk, width):
            c.place(ring_piece(lib, length), x, y, nx=count)
            x = round(x + length * count, 6)
    for x in (0.0, width - ring.width):
        y = ring.width
        for length, count in _lengths(lib.pdk, round(height - 2 * ring.width, 6)):
            for k in range(count):
                c.place(ring_piece(lib, length), x, round(y + k * length, 6), turned=True)
            y = round(y + length * count, 6)
    near, wide = ring.width / 2, ring.wire / 2
    for x1, y1 in itertools.product((0.0, width), (0.0, height)):
        dx, dy = (near if not x1 else -near), (near if not y1 else -near)
        for layer in ("li1", "met1"):  # from the lying pieces to the upright ones
            c.box(layer, x1 + dx - wide, min(y1 + dy, y1 + 2 * dy), x1 + dx + wide, max(y1 + dy, y1 + 2 * dy))


def _lengths(pdk: Pdk, side: float) -> list[tuple[float, int]]:
    """Lengths of pieces and their numbers that fill a side."""
    count = max(1, round(side / PIECE))
    length = pdk.down(side / count)
    last = round(side - (count - 1) * length, 6)
    return [(length, count)] if last == length else [(length, count - 1), (last, 1)]
