"""Checks that need to know what is connected to what, how far the next tap is, or how full a window is."""

from __future__ import annotations

import klayout.db as kdb

from picoram_layout.density import one_layer_density
from picoram_layout.drc.checks import check, value
from picoram_layout.drc.deck import CellMarkers, Deck, Marker
from picoram_layout.drc.nets import Nets, key
from picoram_layout.pdk import Rule

Node = kdb.CompoundRegionOperationNode


@check("tapped")
def tapped(deck: Deck, rule: Rule) -> list[Marker]:
    """Every well holds a tap with a contact."""
    well, tap, contact = (deck.layer(name) for name in rule.layers)
    nets = Nets(deck, {"well": well, "contact": tap & contact}, [("well", "contact")])
    contacts, wells = nets.areas("contact"), nets.areas("well")
    bare = CellMarkers()
    for net in nets.roots():
        if key(net) in wells and key(net) not in contacts:
            bare.add(net.circuit().name, nets.shapes(net, "well"))
    return [bare]


@check("latchup")
def latchup(deck: Deck, rule: Rule) -> list[Marker]:
    """Every source or drain has a tap of its own well within the distance, reached without leaving the well.

    Layers: diffusion, tap, n-well; ``inside`` tells whether the two lie in the n-well or in the substrate.
    The reach of a tap is an octagon around it, so off the axes it is at most 8 % longer than the value.
    The square inside it is tried first: it costs half and is enough for most arrays.
    """
    diffusion, taps, well = (deck.layer(name) for name in rule.layers)

    def reach(taps: kdb.Region, d: int, corners: int) -> kdb.Region:
        around = Node.new_sized(Node.new_primary(), d, d, corners)
        operation = Node.GeometricalOp.And if rule.extra["inside"] else Node.GeometricalOp.Not
        pieces = Node.new_geometrical_boolean(operation, around, Node.new_secondary(well))
        same_kind = Node.new_merged(pieces, False, 0)
        reached: kdb.Region = taps.complex_op(Node.new_interacting(same_kind, Node.new_primary()))
        if not rule.extra["inside"] and not (reached & well).is_empty():
            # Where taps of two cells overlap, the engine (klayout 0.30.12) also returns the octagon that it
            # gets without looking at any well; a true one never lies over a well.
            reached.merged_semantics = False
            reached = reached.not_overlapping(well)
        return reached

    d = deck.dbu(value(rule))
    left = diffusion - reach(taps, d * 7 // 10, 2)
    if left.is_empty():
        return []
    near = taps.interacting(left.sized(d))
    return [left - reach(near, d, 1)]


@check("antenna")
def antenna(deck: Deck, rule: Rule) -> list[Marker]:
    """Etched area of a layer per gate area of the net as far as it is made by then, diodes allowed for.

    ``thickness`` (um): the side walls count (perimeter times thickness), else the area. With a diode on the
    net the ratio falls by ``diode_factor`` per um2 of diode and by ``diode_bonus``. A net on a substrate
    tap is not asked. A sum that counts overlaps twice is taken again, exactly, before it is reported.
    """
    layer, dbu = rule.layers[0], deck.layout.dbu
    if deck.layer(layer).is_empty():
        return []
    nets = deck.antenna_nets(layer)
    thickness = rule.extra.get("thickness")

    def etched(region: kdb.Region) -> float:
        if thickness is None:
            return float(region.area() * dbu**2)
        return float(region.perimeter() * dbu) * float(thickness)

    def limit(diode_area: float) -> float:
        bonus: float = rule.extra.get("diode_bonus", 0.0) if diode_area else 0.0
        factor: float = rule.extra.get("diode_factor", 0.0)
        return value(rule) + diode_area * dbu**2 * factor + bonus

    exposed = nets.sums(layer, etched)
    gates, diodes, grounded = (nets.areas(name) for name in ("gate", "diode", "ground"))
    found = CellMarkers()
    for net in nets.roots():
        k = key(net)
        if k not in exposed or k not in gates or k in grounded:
            continue
        allowed = limit(diodes.get(k, 0.0)) * gates[k] * dbu**2
        if exposed[k] > allowed:
            shapes = nets.shapes(net, layer)
            if etched(shapes) > allowed * (1 + 1e-9):
                found.add(net.circuit().name, shapes)
    return [found]


@check("density")
def density(deck: Deck, rule: Rule) -> list[Marker]:
    """The fullest window of a layer is not fuller than the value (a share of 1)."""
    found, dbu = CellMarkers(), deck.layout.dbu
    measured = one_layer_density(deck.layout, deck.top.name, deck.pdk, rule.layers[0])
    if measured.worst > value(rule) + 1e-9:
        found.add(deck.top.name, kdb.Region(kdb.DBox(*measured.worst_box).to_itype(dbu)))
    return [found]
