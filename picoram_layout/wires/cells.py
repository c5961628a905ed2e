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
from picoram_layout.plan import Plan
from picoram_layout.wires.coefficients import load_coefficients
from picoram_layout.wires.extract import Capacitances, wire_capacitance
from picoram_layout.wires.nets import Place, nets_of

Wires = dict[tuple[str, str | None], float]

_SUPPLIES = ("VDD", "GND")
_CAPACITOR = ("met3", "met4", "met5")


def cell_wires(plan: Plan, supply: str = "VDD", segment: bool = False, cut: bool = False) -> Wires:
    """Wire capacitance (fF) of one cluster inside the array, between two of its nets or to ground (None).

    ``supply``, ``segment`` and ``cut`` as for `cluster`. Nets: LBL, VL (VL_UP above a cut), GBLB, XL, SOUT,
    ACC, PCHB, SEG, T, WLL[k], WLR[k], DATA[j], cellK.Q and cellK.QB. A wire that runs through the cluster
    counts with the part that lies in it.
    """
    row = plan.segment if segment else plan.plain
    c = draw_clusters(plan, supply, segment, cut)
    return _solve(c, list(cluster_places(row, cut)), plan.t.width, row.height)


def strip_wires(plan: Plan, index: int, supply: str = "VDD", segment: bool = False) -> Wires:
    """Wire capacitance (fF) of DAC strip ``index`` in one row inside the array; see `cell_wires`.

    Nets: SMP, SHR, XL_L, XL_R, DATA[j] and the row wires that run through.
    """
    row, strip = plan.segment if segment else plan.plain, plan.strips[index]
    c, middle = draw_strips(plan, index, supply, segment)
    return _solve(c, list(_strip_places(middle, plan, supply)), strip.width, row.height)


def draw_clusters(plan: Plan, supply: str, segment: bool = False, cut: bool = False) -> Canvas:
    """A cluster at the origin with plain ones on all sides of it."""
    library, row = Library(plan.pdk), plan.segment if segment else plan.plain
    c = Canvas(library, "cluster_in_array")
    middle, plain = cluster(library, row, supply, cut), cluster(library, plan.plain, _other(supply))
    for column in (-1, 0, 1):
        for block, y in ((plain, -plan.plain.height), (middle, 0.0), (plain, row.height)):
            c.place(block, column * plan.t.width, y, mirror_x=column != 0)
    return c


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


def _solve(c: Canvas, places: list[Place], width: float, height: float) -> Wires:
    """Capacitance of the named nets in the cell from (0, 0) to its size."""
    layout = c.lib.layout
    nets = nets_of(layout, c.cell.name, c.pdk, places)
    found = wire_capacitance(
        nets, c.pdk, layout.dbu, within=kdb.DBox(0, 0, width, height), counts=_outside_capacitor
    )
    return grounded(found, sorted({place.net for place in places} - set(_SUPPLIES)))


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


def _outside_capacitor(layer: str, other: str) -> bool:
    return not (layer in _CAPACITOR and other in _CAPACITOR)


def cluster_places(row: ClusterRow, cut: bool) -> Iterator[Place]:
    """Where the nets of a cluster can be met, on the lower left cluster of the drawing's origin."""
    t, m = row.t, row.mac
    for k in range(row.cells):
        base, sign = (k * t.height, 1) if k % 2 == 0 else ((k + 1) * t.height, -1)
        for net, x in (("Q", t.xn), ("QB", t.width - t.xn)):
            yield Place(f"cell{k}.{net}", "li1", x, base + sign * t.height / 2)
    for name, (y, _) in row.wires().items():
        if name != "SUPPLY":
            yield Place(_indexed(name), "met2", t.m2.w / 4, y)
    for j, y in enumerate(row.data):
        yield Place(f"DATA[{j}]", "met2", t.m2.w / 4, y)
    yield Place("XL", "met2", t.lanes["XL_T"].x, row.y_xl_pad)
    yield Place("T", "met2", t.lanes["XL_T"].x, row.y_mac + m.t_pad)
    low = t.m1.w / 2
    yield Place("LBL", "met1", t.xn - t.line / 2 + low, low)
    yield Place("VL", "met1", t.lanes["VL"].x, low)
    if cut:
        yield Place("VL_UP", "met1", t.lanes["VL"].x, row.height - low)
    yield Place("GBLB", "met1", t.width - t.xn, low)
    for lane in ("GND_L", "VDD_L", "VDD_R", "GND_R"):
        yield Place(lane[:3], "met1", t.lanes[lane].x, low)
    yield Place("GND", "met4", 0.0, 0.0)


def _strip_places(strip: Block, plan: Plan, supply: str) -> Iterator[Place]:
    """The ports of a strip that lie on conductors."""
    known = set(load_coefficients(plan.pdk).layers)
    for net, ports in strip.ports.items():
        for port in ports:
            x1, y1, x2, y2 = port.box
            if port.layer in known:
                name = supply if net == "SUPPLY" else _indexed(net)
                yield Place(name, port.layer, (x1 + x2) / 2, (y1 + y2) / 2)


def _indexed(name: str) -> str:
    """``WLL3`` as ``WLL[3]``."""
    head = name.rstrip("0123456789")
    return f"{head}[{name[len(head) :]}]" if head != name else name
