"""The thin cell's tracks: every position that bitcell, MAC unit, dummies and strips share.

Solved from the design rules and the transistor widths alone. The left half is described; the right
half is its mirror image about the centre ``xc`` (devices: 180 degree rotation of the bitcell).
Boundaries between stacked cells come in two kinds: at y = 0 the left N column is contacted to GND, the left
P strip to VDD and the right N column to GBLB ("G boundary"); at y = H it is LBL, VDD on the right, GND on
the right ("L boundary"). All lengths in um.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from picoram_layout.netlist.circuit import Diffusion
from picoram_layout.pdk import Pdk


@dataclass(frozen=True)
class Wire:
    """Dimensions of one metal and of the via pads on it."""

    w: float  # minimum width
    s: float  # minimum space
    pad: float  # short side of a pad around a via to the next metal
    pad_long: float  # long side of that pad

    @property
    def pitch(self) -> float:
        """Pitch of minimum wires."""
        return self.w + self.s


@dataclass(frozen=True)
class Lane:
    """A vertical track: from x1 to x2."""

    x1: float
    x2: float

    @property
    def x(self) -> float:
        """Centre."""
        return (self.x1 + self.x2) / 2

    @property
    def w(self) -> float:
        """Width."""
        return self.x2 - self.x1


@dataclass(frozen=True)
class ThinCell:
    """Solved tracks of the thin cell; x grows from the left edge, y from the G boundary."""

    pdk: Pdk
    pass_gate_w: float
    pull_down_w: float
    pull_up_w: float
    # devices
    gate_l: float
    licon: float
    xn1: float
    xn2: float
    x_well: float
    xp1: float
    xp2: float
    xc: float
    width: float
    height: float
    end: float  # diffusion beyond the contact at the end of a strip
    pad_x: float  # poly pad around a contact, along the gate
    gate_pitch: float  # gate to gate with a contact between
    pad_pitch: float  # poly pads one above the other
    # wires
    m1: Wire
    m2: Wire
    line: float  # width of a met1 wire that holds a contact
    lanes: dict[str, Lane] = field(hash=False)  # vertical met1 tracks, the same in bitcells and MAC rows
    y_wlr: float  # centres of the wordlines' via pads and lines
    y_wlr_left: float
    y_wlr_mid: float
    y_wll: float
    y_wll_line: float

    @property
    def xn(self) -> float:
        """Contacts of the left N column: the centre of its narrower transistor."""
        return _n_contact(self.pdk, self.xn2, self.pass_gate_w, self.pull_down_w)

    @property
    def xp(self) -> float:
        """Contacts of the left P strip: its centre."""
        return self.pdk.down((self.xp1 + self.xp2) / 2)

    @property
    def y1(self) -> float:
        """Lower poly track."""
        return self.height / 4

    @property
    def y2(self) -> float:
        """Upper poly track."""
        return 3 * self.height / 4

    @property
    def contact_end(self) -> float:
        """From a contact's centre to the end of the diffusion."""
        return self.licon / 2 + self.end

    def diffusion(self, net: str, contact: float, gate: float, *, shared: bool = False) -> Diffusion:
        """Source or drain from a gate to the middle of its contact (centres along y): where the next gate's
        half begins (``shared``) or the cell's boundary lies."""
        return Diffusion(net, abs(contact - gate) - self.gate_l / 2, shared)

    def diffusion_end(self, net: str, contact: float, gate: float) -> Diffusion:
        """Source or drain that ends behind its contact."""
        return Diffusion(net, abs(contact - gate) - self.gate_l / 2 + self.contact_end)


def wire(pdk: Pdk, metal: str, via: str) -> Wire:
    """Width, space and via pads of a metal under the via above it."""
    size, plain, adjacent = pdk.size(via), pdk.enclosure(metal, via), pdk.enclosure_adjacent(metal, via)
    return Wire(pdk.width(metal), pdk.space(metal), pdk.up2(size + 2 * plain), pdk.up2(size + 2 * adjacent))


def via_pad(pdk: Pdk, metal: str, *vias: str) -> tuple[float, float]:
    """Short and long side of a metal pad that encloses every one of these vias, all on one spot."""
    short = max(pdk.size(v) + 2 * pdk.enclosure(metal, v) for v in vias)
    long = max(pdk.size(v) + 2 * pdk.enclosure_adjacent(metal, v) for v in vias)
    return pdk.up2(short), pdk.up2(long)


def poly_pad(pdk: Pdk) -> tuple[float, float]:
    """Short and long side of a poly pad around one contact."""
    licon = pdk.size("licon")
    return (
        pdk.up2(licon + 2 * pdk.enclosure("poly", "licon_poly")),
        pdk.up2(licon + 2 * pdk.enclosure_adjacent("poly", "licon_poly")),
    )


def solve(pdk: Pdk, pass_gate_w: float, pull_down_w: float, pull_up_w: float) -> ThinCell:
    """Solve the thin cell for these transistor widths (um)."""
    up = pdk.up
    licon = pdk.size("licon")
    gate_l = pdk.up2(pdk.width("poly"))
    wn, wp = max(pass_gate_w, pull_down_w), pull_up_w
    m1, m2 = wire(pdk, "met1", "via"), wire(pdk, "met2", "via")
    line = pdk.up2(pdk.size("mcon") + 2 * pdk.enclosure("met1", "mcon"))
    pad_y, pad_x = poly_pad(pdk)
    pad_pitch = pad_y + pdk.space("poly")
    contacted = gate_l + 2 * pdk.space("licon_diff", "gate") + licon
    gate_pitch = pdk.up2(max(contacted, pdk.find("gate_pitch", "poly")))
    # Two wordlines, their pads on opposite edges, and half a free track on the G boundary.
    tracks = 1.5 * m2.w + m2.pad + 2.5 * m2.s
    quarter = 4 * pdk.grid
    height = math.ceil(max(2 * pad_pitch, 2 * gate_pitch, tracks) / quarter - 1e-6) * quarter

    poly_contact = pdk.space("licon_poly", "active")
    xn1 = up(max(licon / 2 + poly_contact, pdk.space("active") / 2))
    # beside the wordlines' contacts on the edge: their islands in met1, corners of li1 a quarter cell away
    over = licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    beside = 2 * over + corner(pdk.space("li1"), height / 4 - licon)
    beside = max(beside, m1.pad_long / 2 + m1.s + line / 2)
    xn1 += up(max(0.0, beside - _n_contact(pdk, xn1 + wn, pass_gate_w, pull_down_w)))
    xn2 = xn1 + wn
    x_well = up(xn2 + pdk.space("ndiff", "nwell"))
    xp1 = up(x_well + pdk.enclosure("nwell", "pdiff"))
    xp2 = xp1 + wp
    implant = pdk.space("licon_poly", "psdm") + pdk.enclosure("psdm", "pdiff")
    strips = pdk.space("psdm") / 2 + pdk.enclosure("psdm", "pdiff")
    front_end = up(xp2 + max(licon / 2 + poly_contact, licon / 2 + implant, strips))

    xn, xp = _n_contact(pdk, xn2, pass_gate_w, pull_down_w), pdk.down((xp1 + xp2) / 2)
    for power in (line, m1.w):  # wide supply lines where they cost no width
        wires = pdk.up2(_wires(m1, line, power, xn, xp))
        if wires <= 2 * front_end:
            break
    xc = max(front_end, wires / 2)

    y1, y2 = height / 4, 3 * height / 4
    free = max(m2.pad, via_pad(pdk, "met2", "via2")[0])  # widest pad on the G boundary's free track
    y_wlr = up(max(y1, (m2.w + m2.pad) / 2 + m2.s, (m2.w + free) / 2 + m2.s))
    above_wlr = m2.pitch + m2.s + (m2.w + m2.pad) / 2  # over WLR, which is over a wire on the boundary
    y_wll = pdk.up(max(min(y2, height - m2.s / 2 - m2.pad / 2), above_wlr))
    y_wlr_left = min(y_wlr, pdk.down(y_wll - m2.pad / 2 - m2.s - m2.w / 2))
    return ThinCell(
        pdk=pdk,
        pass_gate_w=pass_gate_w,
        pull_down_w=pull_down_w,
        pull_up_w=pull_up_w,
        gate_l=gate_l,
        licon=licon,
        xn1=xn1,
        xn2=xn2,
        x_well=x_well,
        xp1=xp1,
        xp2=xp2,
        xc=xc,
        width=2 * xc,
        height=height,
        end=pdk.enclosure("diff", "licon_diff"),
        pad_x=pad_x,
        gate_pitch=gate_pitch,
        pad_pitch=pad_pitch,
        m1=m1,
        m2=m2,
        line=line,
        lanes=_lanes(m1, line, power, xn, xp, 2 * xc),
        y_wlr=y_wlr,
        y_wlr_left=y_wlr_left,
        y_wlr_mid=max(y_wlr_left, up(free / 2 + m2.s + m2.w / 2)),
        y_wll=y_wll,
        y_wll_line=max(y_wll, up(y_wlr + m2.pad / 2 + m2.s + m2.w / 2)),
    )


def corner(space: float, beside: float) -> float:
    """Distance that two corners need along one axis when they are ``beside`` apart along the other."""
    return math.sqrt(max(0.0, space**2 - max(0.0, beside) ** 2))


def _n_contact(pdk: Pdk, xn2: float, pass_gate_w: float, pull_down_w: float) -> float:
    return pdk.down(xn2 - min(pass_gate_w, pull_down_w) / 2)


def _wires(m1: Wire, line: float, power: float, xn: float, xp: float) -> float:
    """Least width of the cell for its met1 tracks."""
    lanes = _lanes(m1, line, power, xn, xp)
    beside = _beside_gblb(m1, line, xn)
    return max(
        lanes["GBLB"].x2 + m1.s / 2,
        lanes["GND_R"].x1 + line + beside,
        lanes["VDD_R"].x2 + m1.s + m1.pad + beside,
    )


def _beside_gblb(m1: Wire, line: float, xn: float) -> float:
    """From the right edge of GND's contacts and via pads, which are beside GBLB, to the cell's edge."""
    return m1.s + line / 2 + xn


def _lanes(
    m1: Wire, line: float, power: float, xn: float, xp: float, width: float | None = None
) -> dict[str, Lane]:
    """Pack the vertical met1 tracks of a MAC row from left to right (``power``: supply lines' width).

    Islands with vias take the pad's width. Without ``width`` all tracks are as far left as they can be;
    with it, the right half's tracks stand over their contacts where there is room.
    """
    edge, pad, s = m1.pad_long / 2, m1.pad, m1.s
    # At a G boundary the GND line carries a via pad between LBL and a VDD contact.
    gnd_pad = xn - line / 2 + m1.w + s + pad
    tracks = [  # name, width, least left edge, wanted left edge in a cell of known width
        ("VL_N", pad, edge + s, xn - pad / 2),
        ("GND_L", power, gnd_pad - power, 0.0),
        ("VDD_L", power, gnd_pad + s, xp - power / 2 if power == line else 0.0),
        ("VL", m1.w, 0.0, 0.0),
        ("PCHB", pad, 0.0, 0.0),
        ("VDD_R", power, 0.0, (width or 0.0) - xp - power / 2),
        ("GND_R", power, 0.0, (width or 0.0) - gnd_pad),
        ("XL_T", pad, 0.0, (width or 0.0) - xn - pad / 2),
        ("GBLB", m1.w, 0.0, (width or 0.0) - s / 2 - m1.w),
    ]
    room = [0.0] * len(tracks)  # what the tracks to the right of each need, up to the cell's edge
    for k in reversed(range(len(tracks) - 1)):
        room[k] = room[k + 1] + tracks[k + 1][1] + s
        if tracks[k][0] == "GND_R":
            room[k] = max(room[k], _beside_gblb(m1, line, xn) + line - power - s / 2)
        if tracks[k][0] == "VDD_R":
            room[k] = max(room[k], _beside_gblb(m1, line, xn) + pad + s - s / 2)
    lanes: dict[str, Lane] = {}
    x = 0.0
    for (name, w, least, wanted), rest in zip(tracks, room, strict=True):
        x1 = max(x, lanes["VDD_L"].x1 + line + s if name == "VL" else least)  # beside VDD's contacts
        if width is not None:
            x1 = max(x1, min(wanted, width - s / 2 - rest - w))
        elif name in ("VL_N", "VDD_L"):
            x1 = max(x1, wanted)
        x1 = round(x1, 6)
        lanes[name] = Lane(x1, round(x1 + w, 6))
        x = lanes[name].x2 + s
    return lanes
