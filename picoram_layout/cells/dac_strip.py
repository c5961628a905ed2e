"""DAC strip: the switches between two column groups of a row, and the supplies' way up.

Strip k samples the group on its right (width proportional to the group's columns) and, but for the first,
can share its charge with the group on its left. SMP and SHR run vertically in met1; XL is cut here. The
group's data line ends here, and its track goes on to the right as a GND wire that the last strip samples.
In met4 a VDD line runs through the strip; GND crosses it in met3.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.cells.bitcell import wlr_bend
from picoram_layout.cells.capacitor import rail_end, rail_w
from picoram_layout.cells.cluster import ClusterRow
from picoram_layout.cells.thin_cell import Lane, ThinCell, poly_pad, via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.circuit import Diffusion
from picoram_layout.pdk import Pdk


@dataclass(frozen=True)
class Strip:
    """Solved strip: what it switches and where its tracks are (um)."""

    index: int
    last: bool
    sample_w: float
    share_w: float
    fingers: int
    lanes: tuple[tuple[str, Lane], ...]
    width: float

    def lane(self, name: str) -> Lane:
        """A met1 track by name."""
        return dict(self.lanes)[name]

    def has(self, name: str) -> bool:
        """Whether the strip has this track."""
        return name in dict(self.lanes)


# XL of all columns is emptied through the sharing switches and the last sampling switch in series: as wide as
# these parts of the columns, where a group's sampling switch is as wide as all of its own (in least widths).
# With a fourth of both, XL followed the local bitlines that fall together, and T with it: 1.7 LSB of what
# inputs and weights alone give (16 rows, tt) instead of 0.8.
_SHARE_PART, _LAST_PART = 1 / 8, 1 / 4


def solve_strips(row: ClusterRow, groups: Sequence[int]) -> tuple[Strip, ...]:
    """The strips of a row, each on the left of one of these groups of columns."""
    columns = sum(groups)
    return tuple(widest_strip(row, k, k == len(groups) - 1, n, columns) for k, n in enumerate(groups))


def widest_strip(row: ClusterRow, index: int, last: bool, group: int, columns: int) -> Strip:
    """Strip ``index`` of a row of ``columns``: its switches as wide as wanted where that costs no width."""
    unit = row.t.pdk.channel_width
    narrow = solve_strip(row, index, last, unit * group, unit)
    shares = range(max(1, int(columns * _SHARE_PART)) if index else 1, 0, -1)
    samples = range(max(group, int(columns * _LAST_PART)), group - 1, -1) if last else [group]
    for share_w, sample_w in itertools.product((unit * k for k in shares), (unit * k for k in samples)):
        if min(_sample_room(row, fingers, share_w) for fingers in (1, 2)) >= unit:
            strip = solve_strip(row, index, last, sample_w, round(share_w, 6))
            if strip.width <= narrow.width:
                return strip
    return narrow


def solve_strip(row: ClusterRow, index: int, last: bool, sample_w: float, share_w: float) -> Strip:
    """Solve strip ``index`` for switches of these widths; one strip serves plain and segment rows.

    `ValueError` for a row that is too low for a finger of the sampling switch beside the sharing one.
    """
    t, m1 = row.t, row.t.m1
    unit, fingers = t.pdk.channel_width, 1
    while sample_w / fingers > (room := _sample_room(row, fingers, share_w)):
        if fingers > 1 and room < unit:  # further fingers have no more
            text = (
                f"a row of {row.plain_height:g} um has {max(room, 0):g} um for a sampling switch of {unit:g}"
            )
            raise ValueError(f"{text} um beside a sharing switch of {share_w:g} um")
        fingers += 2 if fingers > 1 else 1
    sample_w = t.pdk.up(sample_w / fingers) * fingers
    edge = m1.pad_long / 2 + m1.s  # beside islands of the columns
    names = (["SHR"] if index else []) + (["D"] if _own_lane(row, index) else []) + ["XL_L", "XL_R", "SMP"]
    x = edge if index else m1.s
    lanes: list[tuple[str, Lane]] = []
    for name in names:
        w = m1.w if name in ("SHR", "SMP") else m1.pad
        if name == "XL_R":  # pads of both XL wires lie side by side
            x = max(x, lanes[-1][1].x + t.m2.pad_long + t.m2.s - w / 2)
        if name == "D":  # it runs past SHR's contact
            x = max(x + t.line - m1.w, t.pdk.up(_edge_clear(t)) + t.line / 2 + m1.s)
        lanes.append((name, Lane(round(x, 6), round(x + w, 6))))
        x += w + m1.s
    wires = x - m1.s + edge
    device = 2 * t.xn1 + fingers * t.gate_pitch + t.licon + 2 * _beside(row)
    width = t.pdk.up2(max(wires, device))
    shift = t.pdk.down((width - wires) / 2)
    moved = tuple((n, Lane(round(v.x1 + shift, 6), round(v.x2 + shift, 6))) for n, v in lanes)
    return Strip(index, last, sample_w, share_w, fingers, moved, width)


def _own_lane(row: ClusterRow, index: int) -> bool:
    """Whether the data line lies above XL, so that it cannot share XL_L's met1 track."""
    return index > 0 and bool(row.data) and max(row.data) > row.y_mac


def _beside(row: ClusterRow) -> float:
    """Enclosure of a contact column by diffusion on its outer side."""
    return row.t.pdk.enclosure_adjacent("diff", "licon_diff")


@dataclass(frozen=True)
class _Heights:
    smp: float  # SMP's poly contact
    d_bar: float  # li1 that joins the data side of several fingers
    y1: float  # sampling diffusion
    room: float
    shr: float  # SHR's poly contact
    ys1: float  # sharing diffusion
    ys2: float


def _heights(row: ClusterRow, fingers: int, share_w: float) -> _Heights:
    """Heights in the strip; ``room`` is what the sampling diffusion may take above ``y1``."""
    t, pdk = row.t, row.t.pdk
    half, li_s = t.licon / 2, pdk.space("li1")
    npc = half + pdk.enclosure("npc", "licon_poly") + pdk.space("npc") / 2
    margin = max(pdk.space("poly") / 2 + poly_pad(pdk)[0] / 2, npc)
    beside = li_s + pdk.enclosure_adjacent("li1", "licon") - t.end  # li1 of pad and contact columns
    off = half + max(pdk.space("licon_poly", "active"), beside)
    smp = pdk.up(margin)
    shr = pdk.down(row.plain_height - margin)
    ys2 = shr - pdk.up(off)
    ys1 = ys2 - share_w
    reach = half + pdk.enclosure_adjacent("li1", "licon")
    y1, d_bar = smp + pdk.up(off), 0.0
    gap = max(pdk.space("active"), 2 * pdk.rule("extension", "poly", "diff") + pdk.space("poly"))
    if fingers > 1:
        d_bar = pdk.up(smp + t.licon + li_s)
        y1 = max(y1, pdk.up(d_bar + half + li_s + reach - half - t.end))
        gap = max(gap, 2 * (li_s + reach - half - t.end) + t.licon)
    return _Heights(smp, d_bar, y1, ys1 - pdk.up(gap) - y1, shr, ys1, ys2)


def devices(row: ClusterRow, s: Strip) -> list[tuple[float, float, float, float]]:
    """Boxes (um) that hold the diffusion of the strip's switches."""
    h, off = _heights(row, s.fingers, s.share_w), row.t.licon / 2 + _beside(row)
    xs = _contact_columns(row.t, s)
    sampling = (xs[0] - off, h.y1, xs[-1] + off, h.y1 + s.sample_w / s.fingers)
    return [sampling, (0.0, h.ys1, s.width, h.ys2)] if s.index else [sampling]


def _sample_room(row: ClusterRow, fingers: int, share_w: float) -> float:
    return _heights(row, fingers, share_w).room


@block
def dac_strip(lib: Library, row: ClusterRow, s: Strip, supply: str, even: bool) -> Block:
    """The strip in one cluster row; ``even``: the column on its right has an even index (its WLL edge)."""
    names = [f"dac_strip_{s.index}", supply.lower()] + (["segment"] if row.mac.segment else [])
    c = Canvas(lib, "_".join(names))
    h = _heights(row, s.fingers, s.share_w)
    _sampling(c, row, s, h)
    if s.index:
        _sharing(c, row, s, h)
    _columns(c, row, s, h)
    _row_wires(c, row, s, even, "VDD" if supply == "VDD" else "GND_LOW")
    _circuit(c, row, s)
    c.box("nsdm", 0, 0, s.width, row.height)
    line = met4_line(row, s.width, s.index > 0, True)
    supply_stack(c, row, supply, c.pdk.down(sum(line) / 2), line)
    rail = rail_w(c.pdk)
    for net, y in (("GND_LOW", row.lift), ("GND", row.height + row.lift)):
        c.box("met3", 0, y - rail / 2, s.width, y + rail / 2)
        c.port(net, "met3", 0, y - rail / 2, s.width, y + rail / 2)
    params = {"index": s.index, "sample_w": s.sample_w, "share_w": s.share_w, "fingers": s.fingers}
    return c.done(s.width, row.height, params)


def _circuit(c: Canvas, row: ClusterRow, s: Strip) -> None:
    """Fingers of the sampling switch, contact columns in turns data and XL; the sharing switch."""
    t = row.t
    nmos = c.circuit.nmos(t.gate_l)
    xs = _contact_columns(t, s)
    columns = [(x, "XL_R" if k % 2 else data_net(s)) for k, x in enumerate(xs)]
    for k, ((x1, left), (x2, right)) in enumerate(itertools.pairwise(columns)):
        gate = (x1 + x2) / 2
        ends = [
            _column_diffusion(row, net, x, gate, outer)
            for net, x, outer in ((left, x1, k == 0), (right, x2, k == s.fingers - 1))
        ]
        nmos("SMP", ends[0], ends[1], round(s.sample_w / s.fingers, 6))
    if s.index:
        ends = [_column_diffusion(row, net, 0.0, t.gate_pitch / 2, True) for net in ("XL_L", "XL_R")]
        nmos("SHR", ends[0], ends[1], s.share_w)


def _column_diffusion(row: ClusterRow, net: str, x: float, gate: float, outer: bool) -> Diffusion:
    """Diffusion of one contact column, the outer ones with their enclosure."""
    inner = row.t.diffusion(net, x, gate, shared=not outer)
    return Diffusion(net, inner.length + row.t.licon / 2 + _beside(row)) if outer else inner


def data_net(s: Strip) -> str:
    """What the strip samples: the first one its own wire, the last one ground, the others a data line."""
    return "D" if s.index == 0 else "GND" if s.last else f"DATA[{s.index - 1}]"


def _sampling(c: Canvas, row: ClusterRow, s: Strip, h: _Heights) -> None:
    """Sampling switch: contact columns (even ones data, odd ones XL) with vertical gates between."""
    t, pdk = row.t, c.pdk
    half, w = t.licon / 2, s.sample_w / s.fingers
    reach = half + pdk.enclosure_adjacent("li1", "licon")
    y2 = h.y1 + w
    xs = _contact_columns(t, s)
    c.box("diff", xs[0] - half - _beside(row), h.y1, xs[-1] + half + _beside(row), y2)
    low, high = h.y1 + t.end + half, y2 - t.end - half
    for j, x in enumerate(xs):
        for y in _spread(pdk, low, high):
            parts.licon(c, x, y)
        c.box("li1", x - half, low - reach, x + half, high + reach)
        if s.fingers > 1:  # down to the data bar or up to the XL bar
            if j % 2 == 0:
                c.box("li1", x - half, h.d_bar - half, x + half, low)
            else:
                c.box("li1", x - half, high, x + half, _x_bar(row, y2) + half)
    gates = [(a + b) / 2 for a, b in itertools.pairwise(xs)]
    endcap = pdk.rule("extension", "poly", "diff")
    x_pad = s.lane("XL_R").x if s.fingers > 1 else _pad_x(row, s)
    pad_y, _ = poly_pad(pdk)
    for x in gates:
        c.box("poly", x - t.gate_l / 2, h.smp - pad_y / 2, x + t.gate_l / 2, y2 + endcap)
    c.box("poly", min(gates) - t.gate_l / 2, h.smp - pad_y / 2, max(x_pad, max(gates)), h.smp + pad_y / 2)
    parts.poly_contact(c, x_pad, h.smp)
    m = pdk.size("mcon") / 2
    x_mcon = _line_mcon(c, t, s, "SMP", h.smp)
    c.box("li1", x_pad - reach, h.smp - half, max(x_pad + reach, x_mcon + m), h.smp + half)
    if s.fingers > 1:
        c.box("li1", xs[0] - half, h.d_bar - half, xs[-1] + half, h.d_bar + half)
        y = _x_bar(row, y2)
        lane = s.lane("XL_R")
        c.box("li1", min(xs[1], lane.x) - half, y - half, max(xs[-2], lane.x) + half, y + half)


def _x_bar(row: ClusterRow, y2: float) -> float:
    """Centre of the li1 that joins the XL side of several fingers above a diffusion that ends at ``y2``."""
    t, pdk = row.t, row.t.pdk
    reach = pdk.enclosure_adjacent("li1", "licon")
    return pdk.up(y2 - t.end + reach + pdk.space("li1") + t.licon / 2)


def _spread(pdk: Pdk, low: float, high: float) -> list[float]:
    """As many contact centres from ``low`` to ``high`` as the contacts' space allows."""
    pitch = pdk.size("licon") + pdk.space("licon")
    count = math.floor((high - low) / pitch + 1e-6) + 1
    return [pdk.down(low + k * pitch) for k in range(count)]


def _contact_columns(t: ThinCell, s: Strip) -> list[float]:
    """Centres of the sampling switch's contact columns, around the XL lanes."""
    middle = s.width / 2
    if s.fingers == 1:
        middle = (s.lane("XL_L").x + s.lane("XL_R").x) / 2
    middle = t.pdk.down(middle)
    return [middle + (j - s.fingers / 2) * t.gate_pitch for j in range(s.fingers + 1)]


def _pad_x(row: ClusterRow, s: Strip) -> float:
    """Centre of SMP's poly contact: its li1 beside the data column's."""
    t, pdk = row.t, row.t.pdk
    reach = t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    return pdk.up(_contact_columns(t, s)[0] + t.licon / 2 + pdk.space("li1") + reach)


def _edge_clear(t: ThinCell) -> float:
    """From the strip's edge to an mcon whose li1 keeps its space to contacts on the edge."""
    pdk = t.pdk
    over = t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    return over + pdk.space("li1") + pdk.size("mcon") / 2


def _line_mcon(c: Canvas, t: ThinCell, s: Strip, name: str, y: float) -> float:
    """mcon on a minimum-width track near the strip's edge, widened inwards there; returns its x.

    li1 on it keeps its space to contacts on the edge.
    """
    pdk, lane = c.pdk, s.lane(name)
    half, clear = t.line / 2, _edge_clear(t)
    right = name == "SMP"
    x = min(lane.x2 - half, pdk.down(s.width - clear)) if right else max(lane.x1 + half, pdk.up(clear))
    reach = pdk.up(parts.mcon_reach(pdk, t.line))
    c.box("met1", min(lane.x1, x - half), y - reach, max(lane.x2, x + half), y + reach)
    parts.mcon(c, x, y)
    return x


def _sharing_contacts(t: ThinCell, h: _Heights) -> tuple[float, float]:
    """Centres of the lowest and the highest contact on the sharing diffusion; the same if one has room."""
    off, pdk = t.end + t.licon / 2, t.pdk
    low, high = h.ys1 + off, h.ys2 - off
    if high - low < pdk.size("licon") + pdk.space("licon"):
        low = high = pdk.down((low + high) / 2)
    return low, high


def _sharing(c: Canvas, row: ClusterRow, s: Strip, h: _Heights) -> None:
    """Sharing switch between the XL segments, its gate contact on the left."""
    t, pdk = row.t, c.pdk
    half, reach = t.licon / 2, t.licon / 2 + pdk.enclosure_adjacent("li1", "licon")
    middle = pdk.down((s.lane("XL_L").x + s.lane("XL_R").x) / 2)
    xa, xb = middle - t.gate_pitch / 2, middle + t.gate_pitch / 2
    c.box("diff", xa - half - _beside(row), h.ys1, xb + half + _beside(row), h.ys2)
    low, high = _sharing_contacts(t, h)
    for x in (xa, xb):
        for y in _spread(pdk, low, high):
            parts.licon(c, x, y)
        c.box("li1", x - half, low - reach, x + half, high + reach)
    pad_y, _ = poly_pad(pdk)
    x_pad = pdk.down(xb - half - pdk.space("li1") - reach)
    endcap = pdk.rule("extension", "poly", "diff")
    c.box("poly", middle - t.gate_l / 2, h.ys1 - endcap, middle + t.gate_l / 2, h.shr + pad_y / 2)
    c.box("poly", x_pad, h.shr - pad_y / 2, middle + t.gate_l / 2, h.shr + pad_y / 2)
    parts.poly_contact(c, x_pad, h.shr)
    x_mcon = _line_mcon(c, t, s, "SHR", h.shr)
    m = pdk.size("mcon") / 2
    c.box("li1", min(x_pad - reach, x_mcon - m), h.shr - half, x_pad + reach, h.shr + half)


def _columns(c: Canvas, row: ClusterRow, s: Strip, h: _Heights) -> None:
    """met1: control lines, data line and both ends of XL up to their row wires."""
    t, pdk = row.t, c.pdk
    for name in ("SHR", "SMP"):
        if s.has(name):
            c.box("met1", s.lane(name).x1, 0, s.lane(name).x2, row.height)
            c.port(name, "met1", s.lane(name).x1, 0, s.lane(name).x2, row.height)
    xs = _contact_columns(t, s)
    y2 = h.y1 + s.sample_w / s.fingers
    many = s.fingers > 1
    d_lane = s.lane("D") if s.has("D") else s.lane("XL_L")
    d_y = h.d_bar if many else pdk.down((h.y1 + y2) / 2)
    x_y = _x_bar(row, y2) if many else d_y
    track = row.y_xl_pad if s.index == 0 else data_track(row, s)
    parts.island(c, d_lane.x1, d_lane.x2, d_y, track, d_lane.x if many else xs[0])
    xl_r = s.lane("XL_R")
    parts.island(c, xl_r.x1, xl_r.x2, x_y, row.y_xl_pad, xl_r.x if many else xs[1])
    if s.index:
        middle = pdk.down((s.lane("XL_L").x + xl_r.x) / 2)
        # Straight up from the contact beside XL's pad: from the middle of a wide switch the wire would cross
        # the data line's via on the same track.
        ends = _sharing_contacts(t, h)
        y = pdk.down(min(max(row.y_xl_pad, ends[0]), ends[1]))
        for name, x in (("XL_L", middle - t.gate_pitch / 2), ("XL_R", middle + t.gate_pitch / 2)):
            parts.island(c, s.lane(name).x1, s.lane(name).x2, y, row.y_xl_pad, x)


def data_track(row: ClusterRow, s: Strip) -> float:
    """The track that the strip's data comes in on: the last strip samples GND from the first track."""
    return row.data[0] if s.last else row.data[s.index - 1]


def _row_wires(c: Canvas, row: ClusterRow, s: Strip, even: bool, supply: str) -> None:
    """met2: wordlines, phases, supply and data lines through the strip, XL up to its ends."""
    t, m2, w = row.t, row.t.m2, s.width
    wide, high = m2.pad_long, m2.pad

    def wire(net: str, y: float, x1: float = 0.0, x2: float = w) -> None:
        c.box("met2", x1, y - m2.w / 2, x2, y + m2.w / 2)
        c.port(net, "met2", x1, y - m2.w / 2, x2, y + m2.w / 2)

    for net, (y, y_inner) in row.wires().items():
        name = supply if net == "SUPPLY" else net
        if y == y_inner or not even:
            wire(name, y_inner)
            continue
        bend = wlr_bend(t)  # clear of the supply's via in the middle of the strip
        left = 0.0 if s.index == 0 else bend
        wire(name, y_inner, left, w - bend)
        wire(name, y, w - bend - m2.w, w)
        if s.index:
            wire(name, y, 0.0, bend + m2.w)
    for name in ("XL_L", "XL_R"):
        x = s.lane(name).x
        parts.rect(c, "met2", x, row.y_xl_pad, wide, high)
        net = data_net(s) if name == "XL_L" and s.index == 0 else name
        wire(net, row.y_xl(even), *((0.0, x) if name == "XL_L" else (x, w)))
    for j, y in enumerate(row.data):
        if s.index == 0:
            wire(f"DATA[{j}]", y)
            continue
        mine = abs(y - data_track(row, s)) < 1e-9
        if mine:
            x = (s.lane("D") if s.has("D") else s.lane("XL_L")).x
            parts.rect(c, "met2", x, y, wide, high)
            gnd = x if s.last else x + wide / 2 + m2.s
            _gnd_stack(c, row, y, gnd)
            wire(data_net(s), y, 0.0, x)
            wire("GND", y, gnd, w)
        else:
            wire(f"DATA[{j}]", y)


def _gnd_stack(c: Canvas, row: ClusterRow, y: float, left: float) -> None:
    """Vias from a data track to the met3 GND rail above, as far left as the wire from ``left`` allows."""
    pdk = c.pdk
    short, long = via_pad(pdk, "met2", "via2")
    wide = supply_island(pdk)
    x = pdk.up(left + max(long, wide) / 2)
    parts.rect(c, "met2", x, y, long, short)
    parts.via(c, "via2", x, y)
    c.box("met3", x - wide / 2, pdk.down(y - wide / 2), x + wide / 2, row.height + row.lift)


def supply_island(pdk: Pdk) -> float:
    """Width of met3 under and over the supplies' vias."""
    sizes = [pdk.size(v) + 2 * pdk.enclosure_adjacent("met3", v) for v in ("via2", "via3")]
    return max(pdk.up2(max(sizes)), pdk.width("met3"))


def met4_line(row: ClusterRow, width: float, left: bool, right: bool) -> tuple[float, float]:
    """Left and right edge of VDD's met4 line in a strip with capacitors on these sides (um)."""
    pdk = row.t.pdk
    off = rail_end(pdk) + max(pdk.space("met3"), pdk.space("met4"))
    free = pdk.up(max(pdk.space("met3"), pdk.space("met4")) / 2)
    wide = pdk.get("wide_space", "met4")
    if wide and wide.value and width - 2 * free >= wide.extra["wide"]:
        off, free = max(off, rail_end(pdk) + wide.value), max(free, wide.value)
    return pdk.up(off if left else free), pdk.down(width - (off if right else free))


def supply_stack(c: Canvas, row: ClusterRow, supply: str, x: float, line: tuple[float, float]) -> None:
    """VDD's met4 line through a row and the vias at ``x`` from the row's supply track: VDD to the line, GND
    to the met3 rail below."""
    pdk, y = c.pdk, row.supply
    c.box("met4", line[0], 0, line[1], row.height)
    c.port("VDD", "met4", line[0], 0, line[1], row.height)
    if not supply:
        return
    short, long = via_pad(pdk, "met2", "via2")
    parts.rect(c, "met2", x, y, long, short)
    parts.via(c, "via2", x, y)
    wide = supply_island(pdk)
    if supply == "GND":
        c.box("met3", x - wide / 2, row.lift, x + wide / 2, y + wide / 2)
    else:
        parts.rect(c, "met3", x, y, wide, pdk.up2(max(wide, pdk.area("met3") / wide)))
        parts.via(c, "via3", x, y)
