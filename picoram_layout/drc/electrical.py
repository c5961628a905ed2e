"""Checks that need to know what is connected to what, or how full a window is."""

from __future__ import annotations

import klayout.db as kdb

from picoram_layout.density import one_layer_density
from picoram_layout.drc.checks import check, value
from picoram_layout.drc.deck import CellMarkers, Deck, Marker
from picoram_layout.drc.nets import Nets, key
from picoram_layout.pdk import Rule


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
