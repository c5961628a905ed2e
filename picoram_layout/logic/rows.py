"""Rows of logic: where diffusions, gates, contacts and tracks lie, solved from the rules.

Sources, drains and gates stand on one grid of columns, wide enough for a vertical li1 wire on each. Between
the rails of met1 (GND at the bottom, VDD at the top, both shared with the mirrored row beyond) lie horizontal
met1 tracks: any column reaches any track that its li1 is not kept from. All lengths in um.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from picoram_layout.cells.thin_cell import poly_pad, via_pad
from picoram_layout.pdk import Pdk


@dataclass(frozen=True)
class Row:
    """One solved row; y grows from the GND rail's centre to the VDD rail's (``height``)."""

    pdk: Pdk
    wn: float  # widest transistors that the row holds
    wp: float
    gate_l: float
    pitch: float  # of columns
    li: float  # width of li1 wires
    yn1: float  # nMOS strip: its lower edge, and its upper edge, where transistors of every width end
    yn2: float
    low: float  # contacts of gates: both the same, or (two gates in a column) the nMOS's below
    high: float
    yp1: float
    yp2: float
    height: float
    rail: float  # half a rail's width
    track: float  # width of a track
    close: bool = False  # columns as close as li1 allows: neighbours of one net cannot share a track

    @cached_property
    def tracks(self) -> tuple[float, ...]:
        """Centres of the met1 tracks."""
        first = self.pdk.up(self.rail + self.pdk.space("met1") + self.track / 2)
        pitch = self.track + self.pdk.space("met1")
        count = math.floor((self.height - 2 * first) / pitch + 1e-6) + 1
        first = self.pdk.down((self.height - (count - 1) * pitch) / 2)
        return tuple(round(first + k * pitch, 6) for k in range(count))

    @cached_property
    def split(self) -> bool:
        """Whether a column can have two gates."""
        return self.high > self.low

    @cached_property
    def licon(self) -> float:
        """Half a contact."""
        return self.pdk.size("licon") / 2

    @cached_property
    def end(self) -> float:
        """From the centre of a strip's last column to the end of its diffusion."""
        pdk = self.pdk
        beyond = pdk.rule("extension", "diff", "poly") + self.gate_l / 2 - self.pitch
        return pdk.up(max(self.licon + pdk.enclosure_adjacent("diff", "licon_diff"), beyond))

    @cached_property
    def pad(self) -> float:
        """Half of the li1 around a contact, along the wire."""
        pdk = self.pdk
        least = pdk.area("li1") / self.li / 2
        return pdk.up(max(self.licon + pdk.enclosure_adjacent("li1", "licon"), least))

    def width(self, columns: int) -> float:
        """Width of so many columns with half a gap at both ends."""
        return round((columns + 1) * self.pitch, 6)

    def x(self, column: int) -> float:
        """Centre of a column."""
        return round((column + 1) * self.pitch, 6)

    def contacts(self, y1: float, y2: float) -> list[float]:
        """Centres of the contacts in a diffusion between y1 and y2; li1 keeps away from that on rails."""
        pdk = self.pdk
        pitch = pdk.size("licon") + pdk.space("licon")
        inset = self.licon + pdk.enclosure("diff", "licon_diff")
        from_rail = self.li / 2 + pdk.space("li1") + self.pad
        low, high = max(y1 + inset, from_rail), min(y2 - inset, self.height - from_rail)
        count = math.floor((high - low) / pitch + 1e-6) + 1
        middle = (y1 + y2 - (count - 1) * pitch) / 2
        first = pdk.down(min(max(middle, low), high - (count - 1) * pitch))
        return [round(first + k * pitch, 6) for k in range(count)]

    def solved(self, height: float = 0.0, pitch: float = 0.0) -> Row:
        """The row solved anew, at least so high, its columns at least so far apart; never lower or closer."""
        height, pitch = max(height, self.height), max(pitch, self.pitch)
        return solve_row(self.pdk, self.wn, self.wp, self.split, height, self.gate_l, pitch, self.close)

    @cached_property
    def tap(self) -> tuple[float, float]:
        """Width and height of a tap."""
        pdk = self.pdk
        size = pdk.size("licon")
        width = pdk.up2(size + 2 * pdk.enclosure_adjacent("tap", "licon_tap"))
        area = max(pdk.area("ntap"), pdk.area("ptap"))
        return width, pdk.up2(max(size + 2 * pdk.enclosure("tap", "licon_tap"), area / width))

    @cached_property
    def tap_low(self) -> float:
        """Lower edge of a well tap's li1."""
        return self.yp2 - self.tap[1] / 2 - self.pad

    @cached_property
    def tap_reach(self) -> float:
        """From a tap's centre to the end of the implant around it."""
        pdk = self.pdk
        around = [pdk.rule("space", a, b) for a, b in (("nsdm", "ptap"), ("psdm", "ntap"))]
        around += [pdk.rule("enclosure", a, b) for a, b in (("psdm", "ptap"), ("nsdm", "ntap"))]
        return self.tap[0] / 2 + pdk.up(max(around))


def gate_length(pdk: Pdk, length: float) -> float:
    """Length of channels as drawn: at least the PDK's shortest, which is meant by 0."""
    return pdk.up2(max(length, pdk.width("poly")))


def solve_row(
    pdk: Pdk,
    wn: float,
    wp: float,
    split: bool = False,
    height: float = 0.0,
    length: float = 0.0,
    pitch: float = 0.0,
    close: bool = False,
) -> Row:
    """The lowest row for transistors up to these widths and of this length.

    It is at least ``height`` high, its columns at least ``pitch`` apart. ``close``: for gates in which no two
    neighbouring columns have a net in common.
    """
    up = pdk.up
    licon, gate_l = pdk.size("licon") / 2, gate_length(pdk, length)
    li = pdk.up2(max(pdk.width("li1"), pdk.size("licon"), pdk.size("mcon")))
    contacted = gate_l / 2 + pdk.space("licon_diff", "gate") + licon
    # one mcon beside the other: rails and tracks may need both
    beside = 0.0 if close else pdk.size("mcon") + pdk.space("mcon")
    pitch = up(max(pitch, beside, li + pdk.space("li1"), contacted, _apart(pdk, gate_l)))
    pad_y, _ = poly_pad(pdk)
    li_pad = licon + pdk.enclosure_adjacent("li1", "licon")
    endcap = pdk.rule("extension", "poly", "diff")
    edge = up(max(pdk.space("active") / 2, endcap + pdk.space("poly") / 2))
    off_diff = pdk.space("licon_poly", "active") + licon
    to_p = pdk.enclosure("psdm", "pdiff") + pdk.space("licon_poly", "psdm") + licon
    yn1, yn2 = edge, round(edge + wn, 6)
    low = up(yn2 + off_diff)
    high = up(low + max(pad_y + pdk.space("poly"), 2 * li_pad + pdk.space("li1"))) if split else low
    wells = pdk.space("ndiff", "nwell") + pdk.enclosure("nwell", "pdiff")
    yp1 = up(max(high + max(off_diff, to_p), yn2 + wells))
    least = pdk.up2(yp1 + wp + edge)
    total = max(least, pdk.up2(height))
    shift = pdk.down((total - least) / 2)  # more height goes between the strips
    low, high = round(low + shift, 6), round(high + shift, 6)
    yp1 = round(yp1 + total - least, 6)
    short, _ = via_pad(pdk, "met1", "via")
    track = pdk.up2(max(short, pdk.size("mcon") + 2 * pdk.enclosure("met1", "mcon"), pdk.width("met1")))
    return Row(
        pdk,
        wn,
        wp,
        gate_l,
        pitch,
        li,
        yn1,
        yn2,
        low,
        high,
        yp1,
        round(yp1 + wp, 6),
        total,
        track,
        track,
        close,
    )


def raised(rows: Sequence[Row], heights: Sequence[float]) -> tuple[Row, ...]:
    """The same rows, at least so high as is given, if it is."""
    return tuple(row.solved(height) for row, height in zip(rows, heights or [0.0] * len(rows), strict=True))


def _apart(pdk: Pdk, gate_l: float) -> float:
    """Column pitch at which gates that are two columns apart, and strips that end so, keep their distance."""
    _, pad_x = poly_pad(pdk)
    gates = (max(pad_x, gate_l) + pdk.space("poly")) / 2
    end = pdk.size("licon") / 2 + pdk.enclosure_adjacent("diff", "licon_diff")
    return max(gates, (2 * end + pdk.space("active")) / 2)
