"""The MAC unit: 3 N + 2 P (4 N + 2 P with the segment device) on the bitcell's columns, with all taps.

It lies between two clusters: y = 0 is the L boundary of the cluster below (which it serves), y = height the
G boundary of the cluster above. Left N column, upwards: LBL -[ACC]- VL -[SOUT]- T, with the segment device
LBL -[ACC]- VL -[SEG]- VL' -[SOUT]- T. Right N column: XL -[LBL]- T. P strip: VDD -[PCHB]- LBL and the
dummy next to the cluster above. Row wires are met2, stacked from the bottom in the order ACC, XL, PCHB,
VL strap (left) and T (right), SEG, VL' strap, SOUT, data lines that found no free track in the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.cells.bitcell import beyond, implant, nitride, supply_contact, vdd_corner, vdd_upright
from picoram_layout.cells.capacitor import most_lift, stack_room, stack_x
from picoram_layout.cells.thin_cell import Lane, ThinCell, corner, via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.devices import SUBSTRATE


@dataclass(frozen=True)
class MacRow:
    """Solved heights of a MAC row (um from its lower boundary): devices, li1, met2 tracks."""

    t: ThinCell
    segment: bool
    acc: float  # left N column
    vl: float
    seg: float
    vl2: float
    sout: float
    t_left: float
    x_t: float  # T's contact on the left column
    xl: float  # right N column
    mul: float
    t_right: float
    p_vdd: float  # P strips
    pchb: float
    pchb_mcon: float
    p_lbl: float
    dummy: float
    dummy_vdd: float
    li_t: float  # li1 tracks
    tap: float
    vdd: float  # where VDD and GND on the right reach met1
    gnd: float
    acc_pad: float  # met2: centres of pads and wires
    acc_wire: float
    xl_pad: float
    xl_wire: float
    pchb_pad: float
    dip: float  # how far XL and PCHB dip between the edges
    pchb_wire: float
    t_pad: float
    vl_wire: float
    vl2_wire: float
    seg_wire: float
    sout_wire: float
    data: tuple[float, ...]
    height: float


def t_pad(t: ThinCell) -> tuple[float, float, float]:
    """met2 pad from T's via to the via stack of the capacitor: left and right edge, height."""
    via, stack = via_pad(t.pdk, "met2", "via"), via_pad(t.pdk, "met2", "via2")
    a, b = t.lanes["XL_T"].x, stack_x(t)
    x1, x2 = min(a - via[1] / 2, b - stack[1] / 2), max(a + via[1] / 2, b + stack[1] / 2)
    return x1, x2, max(via[0], stack[0])


def solve_mac(t: ThinCell, segment: bool, data_lines: int) -> MacRow:
    """Stack the row from its lower boundary; ``data_lines`` are the data wires it has to carry.

    Where straight row wires set the height, XL and PCHB are bent round each other's pads.
    """
    straight, bent = (_stack(t, segment, data_lines, bent) for bent in (False, True))
    return bent if bent.height < straight.height else straight


def _stack(t: ThinCell, segment: bool, data_lines: int, bent: bool) -> MacRow:
    pdk, g, e = t.pdk, t.gate_pitch / 2, t.contact_end
    active, li = pdk.space("active"), t.licon + pdk.space("li1")
    m1, m2 = t.m1, t.m2
    up = pdk.up

    # devices; poly pads keep their pitch to the cluster below, whose last pads are a quarter cell away
    over = t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    first_pad = max(t.pad_pitch - t.height / 4, t.gate_l)
    acc = up(max(g, first_pad, t.licon + corner(pdk.space("li1"), t.xn - 2 * over)))
    # VL's island keeps off that of LBL on the boundary below
    islands = parts.mcon_reach(pdk, t.line) + m1.s + parts.mcon_reach(pdk, m1.pad)
    acc = max(acc, up(islands - g))
    vl = acc + g
    xl = up(2 * e + active)
    mul = xl + g
    last_li = -t.height / 4  # li1 of the cluster's last storage node, on the centre contact
    pchb = up(max(first_pad, last_li + li + g))
    # PCHB's li1 and that of the VDD contact on the boundary below may meet corner to corner
    vdd_left, vdd_top = vdd_corner(t)
    pchb_right = max(t.xc + over, t.lanes["PCHB"].x + pdk.size("mcon") / 2)
    pchb = max(pchb, up(vdd_top + corner(pdk.space("li1"), vdd_left - pchb_right) + t.licon / 2))
    p_vdd, p_lbl = pchb - g, pchb + g
    # PCHB's island keeps off the VDD contact on the boundary below
    pchb_mcon, m_reach = pchb, parts.mcon_reach(pdk, m1.pad)
    if t.lanes["VDD_R"].x2 - t.line - t.lanes["PCHB"].x2 < m1.s - 1e-9:
        pchb_mcon = max(pchb, up(parts.mcon_reach(pdk, t.line) + m1.s + m_reach))
    mul = max(mul, up(pchb_mcon + li))
    t_right = mul + g
    li_t = mul + li
    x_t = max(t.xn, up(2 * over + pdk.space("li1")))  # beside SOUT's contact on the edge

    # row wires
    below_pad = t.y_wll + m2.pad / 2 - t.height
    below_wire = t.y_wll_line + m2.w / 2 - t.height
    acc_low = max(below_pad, below_wire) + m2.s
    acc_low = max(acc_low, up(acc - t.height / 4))  # the island keeps off the one below
    acc_pad, acc_wire = acc_low + m2.pad / 2, acc_low + m2.w / 2
    xl_pad = acc_low + m2.w + m2.s + m2.pad / 2
    xl_low = acc_low + m2.pad + m2.s
    xl_wire = xl_low + m2.w / 2
    pchb_low = max(xl_low + m2.w, xl_pad + m2.pad / 2) + m2.s
    pchb_wire = pchb_low + m2.w / 2
    dip = m2.pad - m2.w if bent else 0.0  # XL below ACC's pad's top but on the edge, PCHB over it
    pchb_pad = pchb_low - dip + m2.pad / 2
    t_high = t_pad(t)[2]
    t_met2 = up(pchb_low + m2.w + m2.s + t_high / 2)
    # VL's via beside the PCHB island: clear of it in met1 and of its pad in met2
    reach = pdk.up(parts.via_reach(pdk, "met1", "via", m1.pad))
    pchb_island = max(pchb_pad + reach, pchb_mcon + m_reach)
    vl_wire = up(max(pchb_low - dip + m2.pad + m2.s + m2.pad / 2, pchb_island + m1.s + reach))
    seg = vl2 = seg_wire = vl2_wire = 0.0
    top = max(vl_wire + m2.pad / 2, t_met2 + t_high / 2)
    sout = up(max(vl + g, acc + t.pad_pitch))
    edge_reach = parts.via_reach(pdk, "met1", "via", m1.pad_long)
    if segment:
        seg = sout
        seg_wire = up(top + m2.s + m2.w / 2)
        # VL' starts above VL's strap: both use the same met1 track
        vl2 = up(max(seg + g, vl_wire + reach + m1.s + parts.mcon_reach(pdk, m1.pad)))
        vl2_wire = up(max(seg_wire + m2.w / 2 + m2.s + m2.pad / 2, vl_wire + 2 * reach + m1.s))
        top = vl2_wire + m2.pad / 2
        sout = up(max(vl2 + g, seg + t.pad_pitch))
        # SOUT's island starts above SEG's on the same edge
        island = seg_wire + m2.w / 2 - m2.pad_long / 2 + edge_reach
        sout = max(sout, up(island + m1.s + parts.mcon_reach(pdk, m1.pad_long)))
    t_left = max(sout + g, up(p_lbl + li))  # T's li1 crosses LBL's leg above its upper end
    sout_wire = max(up(top + m2.s + m2.w / 2), up(sout + m2.pad_long / 2 - m2.w / 2))
    top = sout_wire + m2.w / 2
    pad = max(m2.pad, via_pad(pdk, "met2", "via2")[0])  # data lines end in vias between columns
    data = [up(top + m2.s + pad / 2 + k * (m2.s + (m2.w + pad) / 2)) for k in range(data_lines)]
    top = data[-1] + pad / 2 if data else top

    # taps above everything that belongs to the row, then the cluster above
    tap_low = max(max(t_left, t_right) + e + active, li_t + li - t.licon / 2)
    tap = up(tap_low + t.licon / 2)
    li_end = t_left + t.licon / 2 + pdk.space("li1") + t.licon / 2
    tap = max(tap, up(li_end)) if segment else tap
    # the right tap's implant and the P strip of the cluster above meet corner to corner
    beside = t.xp1 - t.xn2 - 2 * up(pdk.enclosure("psdm", "pdiff"))
    implants = corner(pdk.space("psdm"), beside) + up(pdk.enclosure("psdm", "ptap"))
    front_end = tap + t.licon / 2 + max(active + e, implants)
    # VL's island and the GND contact of the cluster above likewise
    beside = t.lanes["GND_L"].x2 - t.line - t.lanes["VL_N"].x2
    vl_top = max(vl_wire, vl2_wire) + reach
    front_end = max(front_end, vl_top + corner(m1.s, beside) + parts.mcon_reach(pdk, t.line))
    wiring = top + m2.s + max(m2.w / 2 - t.y_wlr_left, m2.pad / 2 - t.y_wlr)
    # GBLB is back on its track below WLR's island of the cluster above
    t_island = t_met2 + reach
    island_low = t.y1 - parts.mcon_reach(pdk, m1.pad_long)
    front_end = max(front_end, t_island + m1.w + 2 * m1.s - island_low)
    # T's via stack may reach over the upper boundary as far as the capacitor can be lifted
    height = up(max(front_end, wiring, t_met2 + stack_room(pdk) - most_lift(pdk)))
    beside_island = m1.s + parts.mcon_reach(pdk, t.line)
    vdd, gnd = (up(max(tap, top + beside_island)) for top in (pchb_island, t_island))
    return MacRow(
        t=t,
        segment=segment,
        acc=acc,
        vl=vl,
        seg=seg,
        vl2=vl2,
        sout=sout,
        t_left=t_left,
        x_t=x_t,
        xl=xl,
        mul=mul,
        t_right=t_right,
        p_vdd=p_vdd,
        pchb=pchb,
        pchb_mcon=pchb_mcon,
        p_lbl=p_lbl,
        dummy=height - max(g, first_pad),
        dummy_vdd=height - max(g, first_pad) - g,
        li_t=li_t,
        tap=tap,
        vdd=vdd,
        gnd=gnd,
        acc_pad=acc_pad,
        acc_wire=acc_wire,
        xl_pad=xl_pad,
        xl_wire=xl_wire,
        pchb_pad=pchb_pad,
        dip=dip,
        pchb_wire=pchb_wire,
        t_pad=t_met2,
        vl_wire=vl_wire,
        vl2_wire=vl2_wire,
        seg_wire=seg_wire,
        sout_wire=sout_wire,
        data=tuple(data),
        height=height,
    )


@block
def mac(lib: Library, row: MacRow, cut: bool = False) -> Block:
    """MAC unit of a solved row; with ``cut`` VL is opened, so that only the segment device joins its ends."""
    t = row.t
    name = "mac" if not row.segment else "mac_segment_cut" if cut else "mac_segment"
    c = Canvas(lib, name)
    _n_devices(c, row)
    _p_devices(c, row)
    _taps(c, row)
    _wells(c, row)
    _li(c, row)
    _columns(c, row, cut)
    _rows(c, row)
    _circuit(c, row, cut)
    return c.done(t.width, row.height, {"segment": row.segment, "cut": cut})


def _circuit(c: Canvas, row: MacRow, cut: bool) -> None:
    """The transistors, upwards in each column, and the taps."""
    t = row.t
    nmos, pmos = c.circuit.nmos(t.gate_l), c.circuit.pmos(t.gate_l, "NW")
    upper = "VL_UP" if cut else "VL"
    left = [("LBL", 0.0), ("ACC", row.acc), ("VL", row.vl)]
    if row.segment:
        left += [("SEG", row.seg), (upper, row.vl2)]
    left += [("SOUT", row.sout), ("T", row.t_left)]
    for k in range(1, len(left), 2):
        (source, y1), (gate, y), (drain, y2) = left[k - 1 : k + 2]
        below = t.diffusion(source, y1, y, shared=k > 1)
        last = k + 2 == len(left)
        above = t.diffusion_end(drain, y2, y) if last else t.diffusion(drain, y2, y, shared=True)
        nmos(gate, below, above, t.pass_gate_w)
    ends = t.diffusion_end("XL", row.xl, row.mul), t.diffusion_end("T", row.t_right, row.mul)
    nmos("LBL", *ends, t.pass_gate_w)
    ends = t.diffusion_end("VDD", row.p_vdd, row.pchb), t.diffusion_end("LBL", row.p_lbl, row.pchb)
    pmos("PCHB", *ends, t.pull_up_w)
    ends = t.diffusion_end("VDD", row.dummy_vdd, row.dummy), t.diffusion("VDD", row.height, row.dummy)
    pmos("VDD", *ends, t.pull_up_w)
    for net in ("GND_L", "GND_R"):
        c.circuit.tap("ptap", net, SUBSTRATE)
    c.circuit.tap("ntap", "VDD", "NW")


def _n_devices(c: Canvas, row: MacRow) -> None:
    """Both N columns: diffusion, gates and contacts."""
    t, e = row.t, row.t.contact_end
    endcap, half = t.pdk.rule("extension", "poly", "diff"), t.gate_l / 2
    # as wide as the pass gate that the left column shares its LBL contact with
    left1, right1, right2 = t.xn2 - t.pass_gate_w, t.width - t.xn2, t.width - t.xn2 + t.pass_gate_w
    c.box("diff", left1, -e, t.xn2, row.t_left + e)
    c.box("diff", right1, row.xl - e, right2, row.t_right + e)
    parts.licon(c, t.xn, 0)  # LBL's, shared with the cluster below
    parts.li_pad(c, t.xn, 0, "x")
    parts.licon(c, row.x_t, row.t_left)
    for y in [row.vl] + ([row.vl2] if row.segment else []):
        parts.licon(c, t.xn, y)
    parts.licon(c, t.width - t.xn, row.xl)
    parts.licon(c, t.width - t.xn, row.t_right)
    for y in [row.acc, row.sout] + ([row.seg] if row.segment else []):
        c.box("poly", 0, y - half, t.xn2 + endcap, y + half)
        parts.poly_contact(c, 0, y)
        parts.li_pad(c, 0, y, "x")
    x = _mul_contact(t)
    c.box("poly", x, row.mul - half, right2 + endcap, row.mul + half)
    parts.poly_contact(c, x, row.mul)


def _mul_contact(t: ThinCell) -> float:
    """Where LBL's contact on the multiplying gate stands: between the P strip and the right N column, its
    li1 beside XL's."""
    pdk, lane, x = t.pdk, t.lanes["XL_T"], t.width - t.xn
    over = t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    xl_left = min(x - over, parts.mcon_in(pdk, x, lane.x1, lane.x2) - pdk.size("mcon") / 2)
    beside_gate = t.width - t.xn2 - pdk.space("licon_poly", "active") - t.licon / 2
    return pdk.down(min(beside_gate, xl_left - pdk.space("li1") - over))


def _p_devices(c: Canvas, row: MacRow) -> None:
    """Precharge device and the dummy that shares VDD with the cluster above."""
    t, e = row.t, row.t.contact_end
    endcap, half = t.pdk.rule("extension", "poly", "diff"), t.gate_l / 2
    c.box("diff", t.xp1, row.p_vdd - e, t.xp2, row.p_lbl + e)
    c.box("diff", t.xp1, row.dummy_vdd - e, t.xp2, row.height + e)
    for y in (row.p_vdd, row.p_lbl, row.dummy_vdd, row.height):  # the last one shared with the cluster above
        parts.licon(c, t.xp, y)
    for y in (row.pchb, row.dummy):
        c.box("poly", t.xp1 - endcap, y - half, t.xc, y + half)
        parts.poly_contact(c, t.xc, y)


def tap_size(t: ThinCell) -> float:
    """Length of a tap as wide as its contact: encloses the contact on two sides and has the least area."""
    enclosed = t.licon + 2 * t.pdk.enclosure_adjacent("tap", "licon_tap")
    return t.pdk.up2(max(enclosed, max(t.pdk.area("ntap"), t.pdk.area("ptap")) / t.licon))


def well_tap(t: ThinCell) -> float:
    """Centre of the well tap: over the right P strip, its li1 clear of GND's."""
    over = t.licon / 2 + t.pdk.enclosure_adjacent("li1", "licon")
    gnd = t.lanes["GND_R"].x1 + t.line / 2 - t.pdk.size("mcon") / 2
    return min(t.width - t.xp, t.pdk.down(gnd - t.pdk.space("li1") - over))


def _taps(c: Canvas, row: MacRow) -> None:
    """One substrate tap per N column, as wide as the column, and one upright well tap."""
    t, x = row.t, (row.t.xn1 + row.t.xn2) / 2
    length = max(tap_size(t), t.xn2 - t.xn1)
    for at in (x, t.width - x):
        parts.rect(c, "tap", at, row.tap, length, t.licon)
    parts.licon(c, t.xn, row.tap)
    parts.licon(c, t.width - t.xn, row.tap)
    parts.rect(c, "tap", well_tap(t), row.tap, t.licon, tap_size(t))
    parts.licon(c, well_tap(t), row.tap)


def _wells(c: Canvas, row: MacRow) -> None:
    """Well, implants (interrupted by the taps' own) and nitride."""
    t, pdk, half = row.t, row.t.pdk, row.t.licon / 2
    p_over, p_off = pdk.up(pdk.enclosure("psdm", "ptap")), pdk.up(pdk.rule("space", "nsdm", "pdiff"))
    low, high = row.tap - half, row.tap + half
    n = beyond(t, "nsdm", "ndiff")
    for side in "LR":
        implant(c, t, "nsdm", side, -n, low - p_off)
        implant(c, t, "nsdm", side, high + p_off, row.height + n)
    implant(
        c,
        t,
        "psdm",
        "L",
        min(0.0, row.p_vdd - beyond(t, "psdm", "pdiff")),
        row.height + beyond(t, "psdm", "pdiff"),
    )
    psdm = pdk.up(pdk.enclosure("psdm", "pdiff"))
    c.box("psdm", 0, low - p_over, t.xp2 + psdm, high + p_over)
    c.box("psdm", t.width - t.xn2 - p_over, low - p_over, t.width, high + p_over)
    n_over = pdk.up(pdk.enclosure("nsdm", "ntap"))
    parts.rect(c, "nsdm", well_tap(t), row.tap, t.licon + 2 * n_over, tap_size(t) + 2 * n_over)
    well = beyond(t, "nwell", "pdiff")
    c.box("nwell", t.x_well, -well, t.width - t.x_well, row.height + well)
    nitride(c, t, row.height)
    c.port("NW", "nwell", t.xp1, 0, t.xp2, row.height)


def _li(c: Canvas, row: MacRow) -> None:
    """Local wires: LBL from its contact to precharge and multiplier, T across the cell, VDD, GND."""
    t, pdk, half = row.t, row.t.pdk, row.t.licon / 2
    over = half + pdk.enclosure_adjacent("li1", "licon")
    lanes, m = t.lanes, pdk.size("mcon") / 2
    leg = pdk.down((t.xn + half + t.xp - over) / 2)
    xr, x_mul = t.width - t.xn, _mul_contact(t)

    # LBL
    c.box("li1", t.xn - half, -half, leg + half, half)
    c.box("li1", leg - half, -half, leg + half, row.p_lbl + half)
    c.port("LBL", "li1", leg - half, half, leg + half, row.p_lbl)
    c.box("li1", leg - half, row.p_lbl - half, t.xp + half, row.p_lbl + half)
    c.box("li1", t.xp - half, row.p_lbl - over, t.xp + half, row.mul + half)
    c.box("li1", t.xp - half, row.mul - half, x_mul + over, row.mul + half)
    # T: left column, down or up beside LBL's leg, across to the right column
    low, high = sorted((row.t_left, row.li_t))
    c.box("li1", row.x_t - over, row.t_left - half, max(row.x_t + over, leg + half), row.t_left + half)
    c.box("li1", leg - half, low - half, leg + half, high + half)
    c.box("li1", leg - half, row.li_t - half, xr + half, row.li_t + half)
    c.box("li1", xr - half, row.t_right - over, xr + half, max(row.li_t + half, row.t_right + over))
    # single contacts
    for y in [row.vl] + ([row.vl2] if row.segment else []):
        parts.li_pad(c, t.xn, y, "y")
    parts.li_pad(c, xr, row.xl, "x")
    x_pchb = lanes["PCHB"].x
    c.box("li1", t.xc - over, row.pchb - half, max(t.xc + over, x_pchb + m), row.pchb + half)
    c.box("li1", x_pchb - m, row.pchb - half, x_pchb + m, row.pchb_mcon + m)
    # VDD: precharge source; dummy, its gate, well tap
    supply_contact(c, t, "VDD_L", t.xp, row.p_vdd, "right")
    if row.dummy_vdd - row.tap < over - half:  # else the strip up to the cluster encloses the contact
        c.box("li1", t.xp - over, row.dummy_vdd - half, t.xp + over, row.dummy_vdd + half)
    c.box("li1", t.xp - half, min(row.tap, row.dummy_vdd) - half, t.xp + half, row.height + half)
    c.box("li1", t.xc - half, row.tap - half, t.xc + half, row.dummy + over)
    x_tap = well_tap(t)
    c.box("li1", t.xp - half, row.tap - half, x_tap + over, row.tap + half)
    vdd = lanes["VDD_R"].x2 - t.line / 2
    c.box("li1", vdd - m, row.tap - half, vdd + m, row.vdd + m)
    _supply_pad(c, t, vdd, row.vdd)
    supply_contact(c, t, "VDD_L", t.xp, row.height, "right", vdd_upright(t))
    # GND: left tap up to the contact of the cluster above, right tap to met1
    c.box("li1", t.xn - over, row.tap - half, t.xn + over, row.tap + half)
    c.box("li1", t.xn - half, row.tap - half, t.xn + half, row.height + half)
    supply_contact(c, t, "GND_L", t.xn, row.height, "left")
    gnd = lanes["GND_R"].x1 + t.line / 2
    c.box("li1", gnd - m, row.tap - half, xr + over, row.tap + half)
    c.box("li1", gnd - m, row.tap - half, gnd + m, row.gnd + m)
    _supply_pad(c, t, gnd, row.gnd)


def _supply_pad(c: Canvas, t: ThinCell, x: float, y: float) -> None:
    """mcon with its met1 on a supply track."""
    parts.mcon(c, x, y)
    parts.rect(c, "met1", x, y, t.line, 2 * parts.mcon_reach(t.pdk, t.line))


def _columns(c: Canvas, row: MacRow, cut: bool) -> None:
    """met1: supplies straight through, VL (opened with ``cut``), GBLB round T's and XL's islands, islands."""
    t, pdk, m1, lanes = row.t, row.t.pdk, row.t.m1, row.t.lanes
    for name in ("GND_L", "VDD_L", "VDD_R", "GND_R"):
        lane = lanes[name]
        c.box("met1", lane.x1, 0, lane.x2, row.height)
        c.port("VDD" if name[:3] == "VDD" else name, "met1", lane.x1, 0, lane.x2, row.height)
    reach = pdk.up(parts.via_reach(pdk, "met1", "via", m1.pad))

    # VL: island on the left column, strap on met2, via on the track
    strap = [(row.vl, row.vl_wire)] + ([(row.vl2, row.vl2_wire)] if row.segment else [])
    for y, wire in strap:
        parts.island(c, lanes["VL_N"].x1, lanes["VL_N"].x2, y, wire, t.xn)
        _vl_via(c, t, wire, reach)
    vl = lanes["VL"]
    pieces = [("VL", 0.0, row.height)]
    if cut:
        pieces = [("VL", 0.0, row.vl_wire + reach), ("VL_UP", row.vl2_wire - reach, row.height)]
    for net, y1, y2 in pieces:
        c.box("met1", vl.x1, y1, vl.x2, y2)
        c.port(net, "met1", vl.x1, y1, vl.x2, y2)

    # islands
    edge = m1.pad_long / 2
    gates = [(row.acc, row.acc_pad), (row.sout, _hanging(row, row.sout_wire))]
    for y, pad in gates + ([(row.seg, _hanging(row, row.seg_wire))] if row.segment else []):
        parts.island(c, -edge, edge, y, pad)
    parts.island(c, lanes["PCHB"].x1, lanes["PCHB"].x2, row.pchb_mcon, row.pchb_pad)
    xr, island = t.width - t.xn, lanes["XL_T"]
    xl_low, _ = parts.island(c, island.x1, island.x2, row.xl, row.xl_pad, xr)
    _, t_high = parts.island(c, island.x1, island.x2, row.li_t, row.t_pad, xr)

    # GBLB
    lane, line = lanes["GBLB"], t.line
    for y1, y2 in ((min(0.0, xl_low - m1.s - m1.w), xl_low - m1.s), (t_high + m1.s, row.height)):
        c.box("met1", xr - line / 2, y1, xr + line / 2, y2)
    c.box("met1", lane.x1, xl_low - m1.s - m1.w, lane.x2, t_high + m1.s + m1.w)
    c.port("GBLB", "met1", lane.x1, xl_low - m1.s, lane.x2, t_high + m1.s)
    for y in (xl_low - m1.s - m1.w, t_high + m1.s):
        c.box("met1", xr - line / 2, y, lane.x2, y + m1.w)


def _vl_via(c: Canvas, t: ThinCell, y: float, reach: float) -> None:
    """Via from VL's met1 track to the strap; the pad grows to the right."""
    x1, pad = t.lanes["VL"].x1, t.m1.pad
    c.box("met1", x1, y - reach, x1 + pad, y + reach)
    parts.via(c, "via", x1 + pad / 2, y)


def _hanging(row: MacRow, wire: float) -> float:
    """Centre of an upright pad that hangs down from its wire, beside the VL strap below."""
    return wire + row.t.m2.w / 2 - row.t.m2.pad_long / 2


def _rows(c: Canvas, row: MacRow) -> None:
    """met2: row wires with their pads, VL straps, T's pad."""
    t, m2, w = row.t, row.t.m2, row.t.width
    lanes = t.lanes
    upright, flat = (m2.pad, m2.pad_long), (m2.pad_long, m2.pad)
    wires = [
        ("ACC", row.acc_wire, 0.0, row.acc_pad, flat),
        ("SOUT", row.sout_wire, 0.0, _hanging(row, row.sout_wire), upright),
    ]
    if row.segment:
        wires.append(("SEG", row.seg_wire, 0.0, _hanging(row, row.seg_wire), upright))
    for net, y, x, pad, size in wires:
        c.box("met2", 0, y - m2.w / 2, w, y + m2.w / 2)
        parts.rect(c, "met2", x, pad, *size)
        c.port(net, "met2", 0, y - m2.w / 2, w, y + m2.w / 2)
    xl, pchb = lanes["XL_T"].x, lanes["PCHB"].x
    parts.rect(c, "met2", xl, row.xl_pad, *flat)
    parts.rect(c, "met2", pchb, row.pchb_pad, *flat)
    # XL dips once it is past ACC's pad, PCHB once it is past that bend and up to XL's own pad
    bend1 = t.pdk.up(m2.pad_long / 2 + m2.s)
    bend2, bend3 = bend1 + m2.pitch, t.pdk.down(xl - m2.pad_long / 2 - m2.s - m2.w)
    low = row.xl_wire - row.dip
    _path(c, "XL", [(row.xl_wire, 0.0, bend1), (low, bend1, w)])
    low = row.pchb_wire - row.dip
    _path(c, "PCHB", [(row.pchb_wire, 0.0, bend2), (low, bend2, bend3), (row.pchb_wire, bend3, w)])
    left, right = lanes["VL_N"], Lane(lanes["VL"].x1, lanes["VL"].x1 + t.m1.pad)
    for y in [row.vl_wire] + ([row.vl2_wire] if row.segment else []):
        c.box("met2", left.x, y - m2.w / 2, right.x, y + m2.w / 2)
        for lane in (left, right):
            parts.rect(c, "met2", lane.x, y, *flat)
    x1, x2, high = t_pad(t)
    c.box("met2", x1, row.t_pad - high / 2, x2, row.t_pad + high / 2)
    c.port("T", "met2", x1, row.t_pad - high / 2, x2, row.t_pad + high / 2)
    for k, y in enumerate(row.data):
        c.box("met2", 0, y - m2.w / 2, w, y + m2.w / 2)
        c.port(f"DATA[{k}]", "met2", 0, y - m2.w / 2, w, y + m2.w / 2)


def _path(c: Canvas, net: str, pieces: list[tuple[float, float, float]]) -> None:
    """met2 wire of pieces (y, x1, x2) from left to right; each runs on under the next one's start."""
    w, end = c.pdk.width("met2"), pieces[-1][2]
    for y, x1, x2 in pieces:
        c.box("met2", x1, y - w / 2, min(x2 + w, end), y + w / 2)
        c.port(net, "met2", x1, y - w / 2, x2, y + w / 2)
