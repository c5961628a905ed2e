"""One cluster: a stack of bitcells, their MAC unit on top and the capacitor over all of them.

The free met2 track on every inner G boundary carries a supply (with vias to the columns' met1 tracks) or a
data line; data lines that find no track there run in the MAC row.
"""

from __future__ import annotations

from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.cells.bitcell import bitcell
from picoram_layout.cells.capacitor import capacitor, stack_room
from picoram_layout.cells.mac import MacRow, mac, solve_mac
from picoram_layout.cells.thin_cell import ThinCell, via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.netlist.circuit import moved


@dataclass(frozen=True)
class ClusterRow:
    """All heights of one kind of cluster row (um from its lower boundary)."""

    t: ThinCell
    cells: int
    mac: MacRow
    supply: float  # track of the supply
    data: tuple[float, ...]  # tracks of the data lines, the most significant one that crosses columns first
    style: str
    plain_height: float  # height of a row without the segment device
    lift: float  # the capacitor's lower boundary above the cluster's

    @property
    def y_mac(self) -> float:
        """Lower boundary of the MAC unit."""
        return self.cells * self.t.height

    @property
    def t_y(self) -> float:
        """T's via stack above the capacitor's lower boundary."""
        return self.y_mac + self.mac.t_pad - self.lift

    @property
    def height(self) -> float:
        """Cluster pitch."""
        return self.y_mac + self.mac.height

    def wires(self) -> dict[str, tuple[float, float]]:
        """Every met2 row wire: its centre on the row's left edge and on a right (odd) column edge."""
        t, m = self.t, self.mac
        wires = {}
        for k in range(self.cells):
            base, sign = (k * t.height, 1) if k % 2 == 0 else ((k + 1) * t.height, -1)
            wires[f"WLL[{k}]"] = (base + sign * t.y_wll_line,) * 2
            wires[f"WLR[{k}]"] = (base + sign * t.y_wlr_left, base + sign * t.y_wlr_mid)
        rows = {"ACC": m.acc_wire, "PCHB": m.pchb_wire, "SOUT": m.sout_wire}
        if m.segment:
            rows["SEG"] = m.seg_wire
        wires |= {n: (self.y_mac + y,) * 2 for n, y in rows.items()}
        return wires | {"SUPPLY": (self.supply,) * 2}

    @property
    def y_xl_pad(self) -> float:
        """Centre of pads on the XL wire."""
        return self.y_mac + self.mac.xl_pad

    def y_xl(self, even: bool = True) -> float:
        """Centre of the XL wire on the left edge of an even column, or of an odd (mirrored) one."""
        return self.y_mac + self.mac.xl_wire - (0.0 if even else self.mac.dip)


def solve_cluster(t: ThinCell, cells: int, data_lines: int, style: str, segment: bool = False) -> ClusterRow:
    """Solve a cluster row with ``data_lines`` data lines over its columns."""
    tracks = [2 * k * t.height for k in range(1, (cells + 1) // 2)]
    inner = min(data_lines, len(tracks) - 1)
    plain = solve_mac(t, False, data_lines - inner)
    row = solve_mac(t, True, data_lines - inner) if segment else plain
    data = tracks[1 : 1 + inner] + [cells * t.height + y for y in row.data]
    base = cells * t.height
    lift = max(0.0, t.pdk.up(plain.t_pad + stack_room(t.pdk) - plain.height))
    return ClusterRow(t, cells, row, tracks[0], tuple(data), style, base + plain.height, lift)


@block
def cluster(lib: Library, row: ClusterRow, supply: str, cut: bool = False) -> Block:
    """Cluster whose supply track is ``VDD`` or ``GND``; ``cut``: with VL opened at the segment device."""
    t = row.t
    kind = "" if not row.mac.segment else "_segment_cut" if cut else "_segment"
    c = Canvas(lib, f"cluster_{supply.lower()}{kind}")
    cell, unit = bitcell(lib, t), mac(lib, row.mac, cut)
    cap = capacitor(lib, t, row.style, row.plain_height, row.t_y, row.height)
    supplies = {"VDD_L": "VDD", "VDD_R": "VDD"}
    if supply == "GND":
        supplies |= {"GND_L": "GND", "GND_R": "GND"}

    def nets(number: int) -> dict[str, str]:
        return supplies | {wl: f"{wl}[{number}]" for wl in ("WLL", "WLR")}

    for k, count in ((0, (row.cells + 1) // 2), (1, row.cells // 2)):  # upright ones, mirrored ones between

        def number(_: int, j: int, first: int = k) -> dict[str, str]:
            return nets(2 * j + first)

        c.place(cell, 0, k * t.height, mirror_y=k == 1, ny=count, dy=2 * t.height, nets=number)
    inner = [y for y in row.data if y < row.y_mac]
    c.place(unit, 0, row.y_mac, nets=supplies | moved(unit.circuit.pins, {"DATA": len(inner)}))
    c.place(cap, 0, row.lift, nets={"GND": "PLATE"})
    for net, y in ((supply, row.supply), *((f"DATA[{k}]", y) for k, y in enumerate(inner))):
        c.box("met2", 0, y - t.m2.w / 2, t.width, y + t.m2.w / 2)
        c.port(net, "met2", 0, y - t.m2.w / 2, t.width, y + t.m2.w / 2)
    supply_vias(c, t, supply, row.supply)
    c.export(hide=("LBL", "T"))
    c.label("LBL", "met1", t.xn, t.height)
    return c.done(
        t.width,
        row.height,
        {"supply": supply, "segment": row.mac.segment, "cut": cut},
        area_um2=t.width * row.height,
    )


def supply_vias(c: Canvas, t: ThinCell, supply: str, y: float) -> None:
    """Join a supply's met1 tracks to its met2 track on a G boundary.

    VDD on the left has no room for a via there; the well tap's li1 joins it to the right in every MAC unit.
    """
    pad, right = t.m1.pad, t.lanes[f"{supply}_R"]
    if supply == "VDD":
        places = [right.x2 - pad]
    else:
        beside_gblb = t.width - t.xn - t.line / 2 - t.m1.s - pad
        places = [min(right.x1, beside_gblb), t.lanes["GND_L"].x2 - pad]
    reach = parts.via_reach(t.pdk, "met1", "via", pad)
    short, long = via_pad(t.pdk, "met2", "via")
    for x1 in places:
        c.box("met1", x1, y - t.pdk.up(reach), x1 + pad, y + t.pdk.up(reach))
        parts.via(c, "via", x1 + pad / 2, y)
        parts.rect(c, "met2", x1 + pad / 2, y, long, short)
