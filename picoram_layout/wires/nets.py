"""Wires of a drawn cell by net: a flat extraction of connectivity, named by places on the wires."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import klayout.db as kdb

from picoram_layout.connectivity import connect_wires
from picoram_layout.pdk import Pdk
from picoram_layout.wires.geometry import GATE

Nets = dict[str, dict[str, kdb.Region]]


class Place(NamedTuple):
    """A point (um) on a wire of this net."""

    net: str
    layer: str
    x: float
    y: float


def nets_of(layout: kdb.Layout, cell: str, pdk: Pdk, places: Iterable[Place]) -> Nets:
    """All wires of a cell by net and layer (``diff``, ``gate``, ``poly``, ``li1``, ..), flat.

    Nets of one name are one, whether wired together or not; a net without a place gets a number for a name.
    ``ValueError`` if a place is on no wire, or two names are on one.
    """
    regions = _conductors(layout, layout.cell(cell), pdk)
    extraction = _connect(regions, pdk, layout.dbu)
    names = _names(extraction, regions, places)
    nets: Nets = {}
    for number, net in enumerate(extraction.netlist().top_circuit().each_net()):
        wires = nets.setdefault(names.get(net.cluster_id, f"net {number}"), {})
        for layer in ("diff", "poly", *pdk.stack[::2]):
            region = extraction.shapes_of_net(net, regions[layer], True)
            parts = {layer: region}
            if layer == "poly":
                parts = {layer: region - regions[GATE], GATE: region & regions[GATE]}
            for part, shapes in parts.items():
                if not shapes.is_empty():
                    wires[part] = wires.get(part, kdb.Region()) + shapes
    return nets


def _conductors(layout: kdb.Layout, top: kdb.Cell, pdk: Pdk) -> dict[str, kdb.Region]:
    """Flat shapes of every conductor and cut; ``diff`` is source, drain and taps, ``gate`` is for later."""
    drawn = ("diff", "tap", "poly", "licon", *pdk.stack)
    r = {n: kdb.Region(top.begin_shapes_rec(layout.layer(*pdk.drawn[n]))).merged() for n in drawn}
    r[GATE] = r["poly"] & r["diff"]
    r["diff"] = (r["diff"] - r["poly"]) + r.pop("tap")
    return r


def _connect(regions: dict[str, kdb.Region], pdk: Pdk, dbu: float) -> kdb.LayoutToNetlist:
    extraction = kdb.LayoutToNetlist("wires", dbu)
    conductors = [name for name in regions if name != GATE]
    for name in conductors:
        extraction.register(regions[name], name)
    connect_wires(extraction, regions, ["diff", "poly"], pdk.stack)
    extraction.extract_netlist()
    return extraction


def _names(
    extraction: kdb.LayoutToNetlist, regions: dict[str, kdb.Region], places: Iterable[Place]
) -> dict[int, str]:
    """Names by the cluster number of their net."""
    names: dict[int, str] = {}
    for place in places:
        net = extraction.probe_net(regions[place.layer], kdb.DPoint(place.x, place.y))
        if net is None:
            raise ValueError(f"no wire on {place.layer} at ({place.x:g}, {place.y:g}) for {place.net}")
        if names.setdefault(net.cluster_id, place.net) != place.net:
            raise ValueError(f"{place.net} and {names[net.cluster_id]} are one net")
    return names
