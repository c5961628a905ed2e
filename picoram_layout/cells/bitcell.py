"""The 6T bitcell: split wordline, left pass gate to LBL, right pass gate to GBLB.

One half is drawn and its 180 degree rotation is the other half; met1 tracks and wordlines are
drawn once over both. Contacts on an edge are drawn whole, since the mirrored neighbour shares them.
"""

from __future__ import annotations

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import ThinCell, corner
from picoram_layout.layout import Block, Canvas, Library, block


@block
def bitcell(lib: Library, t: ThinCell, dummy: bool = False) -> Block:
    """The bitcell for solved tracks ``t``; y = 0 is its G boundary, y = height its L boundary.

    The local bitline of a ``dummy`` ends before the G boundary: it is no load to a cluster there.
    """
    c = Canvas(lib, "bitcell_dummy" if dummy else "bitcell")
    for pen in (c, parts.Turned(c, t.width, t.height)):
        _half(pen, t)
    _wells(c, t)
    _bitlines(c, t, t.m1.s if dummy else 0.0)
    _supplies(c, t)
    wordlines(c, t)
    _circuit(c, t)
    return c.done(t.width, t.height, {"w_pass_gate": t.pass_gate_w, "w_pull_down": t.pull_down_w})


def _circuit(c: Canvas, t: ThinCell) -> None:
    """Two inverters on Q (left) and QB (right), a pass gate to each bitline; one half is the other turned."""
    nmos, pmos, mid = c.circuit.nmos(t.gate_l), c.circuit.pmos(t.gate_l, "NW"), t.height / 2
    for out, other, side, bitline, word in (("Q", "QB", "L", "LBL", "WLL"), ("QB", "Q", "R", "GBLB", "WLR")):
        low, high = (t.diffusion(out, mid, y, shared=True) for y in (t.y1, t.y2))
        nmos(other, t.diffusion(f"GND_{side}", 0, t.y1), low, t.pull_down_w)
        pmos(other, t.diffusion(f"VDD_{side}", 0, t.y1), t.diffusion_end(out, mid, t.y1), t.pull_up_w)
        nmos(word, high, t.diffusion(bitline, t.height, t.y2), t.pass_gate_w)
    half = t.licon / 2
    c.label("Q", "li1", t.xp, mid + half)
    c.label("QB", "li1", t.width - t.xp, mid - half)


def _half(pen: parts.Pen, t: ThinCell) -> None:
    """Pull-down, pull-up and pass gate of the left side with their contacts and li1."""
    pdk, y1, y2, mid = t.pdk, t.y1, t.y2, t.height / 2
    endcap, l2 = pdk.rule("extension", "poly", "diff"), t.gate_l / 2
    # Where the column changes its width, field poly keeps its space to the wider part.
    clear = pdk.space("field_poly", "diff")
    step = y1 + l2 + clear if t.pass_gate_w > t.pull_down_w else y2 - l2 - clear
    step = pdk.up(step) if t.pass_gate_w > t.pull_down_w else pdk.down(step)
    pen.box("diff", t.xn2 - t.pull_down_w, -t.contact_end, t.xn2, step)
    pen.box("diff", t.xn2 - t.pass_gate_w, step, t.xn2, t.height + t.contact_end)
    pen.box("diff", t.xp1, -t.contact_end, t.xp2, mid + t.contact_end)
    for y in (0.0, mid, t.height):
        parts.licon(pen, t.xn, y)
    for y in (0.0, mid):
        parts.licon(pen, t.xp, y)

    # inverter gate to the centre contact, pass gate to the edge contact
    pen.box("poly", t.xn2 - t.pull_down_w - endcap, y1 - l2, t.xc, y1 + l2)
    parts.poly_contact(pen, t.xc, y1)
    pen.box("poly", 0, y2 - l2, t.xn2 + endcap, y2 + l2)
    parts.poly_contact(pen, 0, y2)

    # storage node: N to P, up the P strip and over to the other inverter's gate
    half, over = t.licon / 2, t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    pen.box("li1", t.xn - over, mid - half, t.xp + half, mid + half)
    pen.box("li1", t.xp - half, mid - over, t.xp + half, y2 + half)
    pen.box("li1", t.xp - half, y2 - half, t.xc + over, y2 + half)
    parts.li_pad(pen, 0, y2, "x")


def _wells(c: Canvas, t: ThinCell) -> None:
    """Well, implants and nitride; they reach past the boundaries as far as shared diffusion needs."""
    n, p, well = beyond(t, "nsdm", "ndiff"), beyond(t, "psdm", "pdiff"), beyond(t, "nwell", "pdiff")
    implant(c, t, "nsdm", "L", -n, t.height + n)
    implant(c, t, "nsdm", "R", -n, t.height + n)
    implant(c, t, "psdm", "L", -p, t.height)
    implant(c, t, "psdm", "R", 0, t.height + p)
    c.box("nwell", t.x_well, -well, t.width - t.x_well, t.height + well)
    nitride(c, t, t.height)
    c.port("NW", "nwell", t.xp1, 0, t.xp2, t.height)


def beyond(t: ThinCell, outer: str, inner: str) -> float:
    """How far an enclosing layer reaches past a boundary with a shared contact."""
    return t.pdk.up(t.contact_end + t.pdk.enclosure(outer, inner))


def nitride(c: parts.Pen, t: ThinCell, height: float) -> None:
    """Nitride strips over the columns of poly contacts: the same in every row."""
    npc = t.pdk.up(t.licon / 2 + t.pdk.enclosure("npc", "licon_poly"))
    for x in (0.0, t.xc, t.width):
        c.box("npc", x - npc, 0, x + npc, height)


def implant(c: parts.Pen, t: ThinCell, layer: str, side: str, y1: float, y2: float) -> None:
    """Strip of nsdm over the N column or psdm over the P strip of one side, from y1 to y2."""
    if layer == "nsdm":
        x1, x2 = 0.0, t.xn2 + t.pdk.up(t.pdk.enclosure("nsdm", "ndiff"))
    else:
        enclosure = t.pdk.up(t.pdk.enclosure("psdm", "pdiff"))
        x1, x2 = t.xp1 - enclosure, t.xp2 + enclosure
    if side == "R":
        x1, x2 = t.width - x2, t.width - x1
    c.box(layer, x1, y1, x2, y2)


def _bitlines(c: Canvas, t: ThinCell, lbl_from: float) -> None:
    """LBL on the left (contacted at the L boundary), VL, GBLB on the right (contacted at the G boundary)."""
    reach = parts.mcon_reach(t.pdk, t.line)
    left = t.xn - t.line / 2
    c.box("met1", left, lbl_from, left + t.m1.w, t.height)
    parts.rect(c, "met1", t.xn, t.height, t.line, 2 * reach)
    parts.mcon(c, t.xn, t.height)
    parts.li_pad(c, t.xn, t.height, "x")
    c.port("LBL", "met1", left, lbl_from, left + t.m1.w, t.height)
    vl = t.lanes["VL"]
    c.box("met1", vl.x1, 0, vl.x2, t.height)
    c.port("VL", "met1", vl.x1, 0, vl.x2, t.height)
    x = t.width - t.xn
    c.box("met1", x - t.line / 2, -reach, x + t.line / 2, t.height)
    parts.mcon(c, x, 0)
    parts.li_pad(c, x, 0, "y")
    c.port("GBLB", "met1", x - t.line / 2, 0, x + t.line / 2, t.height)


def supply_contact(
    c: parts.Pen, t: ThinCell, lane: str, x: float, y: float, grow: str, upright: bool = False
) -> None:
    """Contact a supply track at height y; a narrow track is widened to its left or right there.

    ``x`` is the diffusion contact that the li1 reaches over from, along x or (``upright``) along y.
    """
    at = _supply_x(t, lane, x, grow)
    parts.rect(c, "met1", at, y, t.line, 2 * parts.mcon_reach(t.pdk, t.line))
    parts.mcon(c, at, y)
    half, m = t.licon / 2, t.pdk.size("mcon") / 2
    over = half + t.pdk.enclosure_adjacent("li1", "licon")
    if upright:
        parts.li_pad(c, x, y, "y")
        over = half
    c.box("li1", min(x - over, at - m), y - half, max(x + over, at + m), y + half)


def _supply_x(t: ThinCell, lane: str, x: float, grow: str) -> float:
    """Where the mcon of a supply contact stands."""
    track, line = t.lanes[lane], t.line
    if track.w < line:
        return track.x1 + line / 2 if grow == "right" else track.x2 - line / 2
    return min(max(x - line / 2, track.x1), track.x2 - line) + line / 2


def vdd_upright(t: ThinCell) -> bool:
    """Whether the storage node's li1 leaves room for VDD's li1 to stand upright."""
    over = t.licon / 2 + t.pdk.enclosure_adjacent("li1", "licon")
    return t.height / 2 - 2 * over >= t.pdk.space("li1") - 1e-9


def vdd_corner(t: ThinCell) -> tuple[float, float]:
    """Left and upper edge of VDD's li1 on an L boundary at y = 0."""
    x, half = t.width - t.xp, t.licon / 2
    over = half + t.pdk.enclosure_adjacent("li1", "licon")
    upright = vdd_upright(t)
    at = _supply_x(t, "VDD_R", x, "left") - t.pdk.size("mcon") / 2
    return min(x - (half if upright else over), at), over if upright else half


def _supplies(c: Canvas, t: ThinCell) -> None:
    """GND and VDD tracks of both sides with their contacts on the boundaries."""
    for name in ("GND_L", "VDD_L", "VDD_R", "GND_R"):
        lane = t.lanes[name]
        c.box("met1", lane.x1, 0, lane.x2, t.height)
        c.port(name, "met1", lane.x1, 0, lane.x2, t.height)
    upright = vdd_upright(t)
    supply_contact(c, t, "GND_L", t.xn, 0, "left")
    supply_contact(c, t, "VDD_L", t.xp, 0, "right", upright)
    supply_contact(c, t, "VDD_R", t.width - t.xp, t.height, "left", upright)
    supply_contact(c, t, "GND_R", t.width - t.xn, t.height, "right")


def wordlines(c: Canvas, t: ThinCell) -> None:
    """WLL with its via on the left edge, WLR with its via on the right edge, both met2 across the cell."""
    m, w, edge = t.m2, t.width, t.m1.pad_long / 2
    for x, y_poly, y in ((0.0, t.y2, t.y_wll), (w, t.y1, t.y_wlr)):
        parts.island(c, x - edge, x + edge, y_poly, y)
        parts.rect(c, "met2", x, y, m.pad_long, m.pad)
    c.box("met2", 0, t.y_wll_line - m.w / 2, w, t.y_wll_line + m.w / 2)
    for y, x1, x2 in wlr_path(t):
        c.box("met2", x1, y - m.w / 2, x2, y + m.w / 2)
    c.port("WLL", "met2", 0, t.y_wll_line - m.w / 2, w, t.y_wll_line + m.w / 2)
    c.port("WLR", "met2", 0, t.y_wlr_left - m.w / 2, m.pad_long / 2, t.y_wlr_left + m.w / 2)


def wlr_path(t: ThinCell) -> list[tuple[float, float, float]]:
    """Pieces of WLR (y, x1, x2): low beside WLL's pad on the left, then clear of vias on the G boundary."""
    if t.y_wlr_left == t.y_wlr_mid:
        return [(t.y_wlr_left, 0, t.width)]
    bend = wlr_bend(t)
    return [(t.y_wlr_left, 0, bend + t.m2.w), (t.y_wlr_mid, bend, t.width)]


def wlr_bend(t: ThinCell) -> float:
    """Where WLR leaves its low track: past the space that WLL's pad on the edge needs, corner to corner."""
    above = t.y_wll - t.m2.pad / 2 - (t.y_wlr_mid + t.m2.w / 2)
    return t.pdk.up(t.m2.pad_long / 2 + corner(t.m2.s, above))
