"""Wire capacitance of a cluster and of a DAC strip where they stand: drawn among their neighbours.

Supplies are ground, and so is every net of a neighbour. What the metals of the capacitor have among each
other is left out: the field solution of the capacitor has it.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as kdb

from picoram_layout.cells.cluster import ClusterRow, cluster
from picoram_layout.cells.dac_strip import dac_strip
from picoram_layout.layout import Block, Canvas, Library
from picoram_layout.pdk import Pdk
from picoram_layout.plan import Plan
from picoram_layout.wires.coefficients import load_coefficients
from picoram_layout.wires.extract import Capacitances, wire_capacitance
from picoram_layout.wires.nets import Place, nets_of

Wires = dict[tuple[str, str | None], float]

GROUND = "ground"  # name of every supply: none of them moves
_SUPPLIES = ("VDD", "GND", "PLATE")
_CAPACITOR = ("met3", "met4", "met5")


def cell_wires(plan: Plan, supply: str = "VDD", segment: bool = False, cut: bool = False) -> Wires:
    """Wire capacitance (fF) of one cluster inside the array, between two of its nets or to ground (None).

    ``supply``, ``segment`` and ``cut`` as for `cluster`. Nets: LBL, VL (VL_UP above a cut), GBLB, XL, SOUT,
    ACC, PCHB, SEG, T, WLL[k], WLR[k], DATA[j], cellK.Q and cellK.QB. A wire that runs through the cluster
    counts with the part that lies in it. What T's plate has to the wires below it is in here, and in the
    field solution too (`plan.capacitance`, ``to_other_fF["row wires"]``): who adds both takes that off.
    """
    row = plan.segment if segment else plan.plain
    c, middle = draw_clusters(plan, supply, segment, cut)
    return _solve(c, list(cluster_places(middle, row)), middle)


def strip_wires(plan: Plan, index: int, supply: str = "VDD", segment: bool = False) -> Wires:
    """Wire capacitance (fF) of DAC strip ``index`` in one row inside the array; see `cell_wires`.

    Nets: SMP, SHR, XL_L, XL_R, DATA[j] and the row wires that run through.
    """
    c, middle = draw_strips(plan, index, supply, segment)
    return _solve(c, list(port_places(middle, plan.pdk)), middle)


def draw_clusters(plan: Plan, supply: str, segment: bool = False, cut: bool = False) -> tuple[Canvas, Block]:
    """A cluster at the origin with plain ones on all sides of it; and its block."""
    library, row = Library(plan.pdk), plan.segment if segment else plan.plain
    c = Canvas(library, "cluster_in_array")
    middle, plain = cluster(library, row, supply, cut), cluster(library, plan.plain, _other(supply))
    for column in (-1, 0, 1):
        for block, y in ((plain, -plan.plain.height), (middle, 0.0), (plain, row.height)):
            c.place(block, column * plan.t.width, y, mirror_x=column != 0)
    return c, middle


def draw_strips(plan: Plan, index: int, supply: str, segment: bool = False) -> tuple[Canvas, Block]:
    """A strip at the origin with the ones above and below and clusters on both sides; and its block."""
    library, row = Library(plan.pdk), plan.segment if segment else plan.plain
    c, strip = Canvas(library, "strip_in_array"), plan.strips[index]
    even = sum(plan.groups[:index]) % 2 == 0
    beside = _other(supply)
    for solved, rail, y in (
        (plan.plain, beside, -plan.plain.height),
        (row, supply, 0.0),
        (plan.plain, beside, row.height),
    ):
        block = cluster(library, solved, rail)
        c.place(dac_strip(library, solved, strip, rail, even), 0, y)
        c.place(block, strip.width, y, mirror_x=not even)
        if index:
            c.place(block, -plan.t.width, y, mirror_x=even)
    return c, dac_strip(library, row, strip, supply, even)


def _other(supply: str) -> str:
    """The supply of the rows above and below: they take turns."""
    return "GND" if supply == "VDD" else "VDD"


def _solve(c: Canvas, places: list[Place], block: Block) -> Wires:
    """Capacitance of the named nets in the block that stands at the origin."""
    layout = c.lib.layout
    nets = nets_of(layout, c.cell.name, c.pdk, places)
    within = kdb.DBox(0, 0, block.width, block.height)
    found = wire_capacitance(nets, c.pdk, layout.dbu, within=within, counts=outside_capacitor)
    return grounded(found, sorted({place.net for place in places} - {GROUND}))


def grounded(found: Capacitances, nets: list[str]) -> Wires:
    """Capacitance among these nets, and of each one to all others as its capacitance to ground (fF)."""
    wires: Wires = {}
    for one in nets:
        rest = found.total(one)
        for other in nets:
            if other != one and (value := found.between(one, other)):
                rest -= value
                if one < other:
                    wires[one, other] = value
        wires[one, None] = max(rest, 0.0)
    return wires


def outside_capacitor(layer: str, other: str) -> bool:
    return not (layer in _CAPACITOR and other in _CAPACITOR)


def cluster_places(block: Block, row: ClusterRow) -> Iterator[Place]:
    """Where the nets of a cluster at the origin can be met: its ports, and the nets inside."""
    t = row.t
    yield from port_places(block, t.pdk)
    for k in range(row.cells):
        base, sign = (k * t.height, 1) if k % 2 == 0 else ((k + 1) * t.height, -1)
        for net, x in (("Q", t.xn), ("QB", t.width - t.xn)):
            yield Place(f"cell{k}.{net}", "li1", x, base + sign * t.height / 2)
    yield Place("T", "met2", t.lanes["XL_T"].x, row.y_mac + row.mac.t_pad)
    yield Place("LBL", "met1", t.xn - t.line / 2 + t.m1.w / 2, t.height / 2)
    for lane in ("GND_L", "VDD_L", "VDD_R", "GND_R"):
        yield Place(GROUND, "met1", t.lanes[lane].x, t.height / 2)


def port_places(block: Block, pdk: Pdk) -> Iterator[Place]:
    """The ports of a block that lie on conductors."""
    known = set(load_coefficients(pdk).layers)
    for net, ports in block.ports.items():
        for port in ports:
            x1, y1, x2, y2 = port.box
            if port.layer in known:
                name = GROUND if net.startswith(_SUPPLIES) else net
                yield Place(name, port.layer, (x1 + x2) / 2, (y1 + y2) / 2)
