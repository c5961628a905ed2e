"""Geometric checks: one small function per kind of rule, found by the kind's name.

A check takes the deck and a rule and returns markers: the places where the rule is broken. Distances
are Euclidean unless the rule says that it counts for parallel edges only (``parallel: true``).
"""

from __future__ import annotations

from collections.abc import Callable

import klayout.db as kdb

from picoram_layout.drc.deck import Deck, Marker
from picoram_layout.pdk import Rule

Check = Callable[[Deck, Rule], list[Marker]]
CHECKS: dict[str, Check] = {}

_TOUCH = kdb.ZeroDistanceMode.IncludeZeroDistanceWhenTouching
_COINCIDE = kdb.ZeroDistanceMode.IncludeZeroDistanceWhenOverlapping
_APART = kdb.ZeroDistanceMode.NeverIncludeZeroDistance

_FILTER = kdb.Region.RectFilter
_ONE_OR_TWO_OPPOSITE = _FILTER(_FILTER.OneSideAllowed.to_i() | _FILTER.TwoOppositeSidesAllowed.to_i())


def check(kind: str) -> Callable[[Check], Check]:
    """Register the check of a kind of rule."""

    def register(function: Check) -> Check:
        CHECKS[kind] = function
        return function

    return register


def value(rule: Rule) -> float:
    """The rule's value; rules of these kinds must have one."""
    if rule.value is None:
        raise ValueError(f"rule {rule.id}: kind {rule.kind} needs a value")
    return rule.value


def _metrics(rule: Rule) -> kdb.Metrics:
    return kdb.Metrics.Projection if rule.extra.get("parallel") else kdb.Metrics.Euclidian


@check("width")
def width(deck: Deck, rule: Rule) -> list[Marker]:
    """Narrowest place of a layer."""
    return [deck.layer(rule.layers[0]).width_check(deck.dbu(value(rule)), metrics=kdb.Metrics.Euclidian)]


@check("space")
def space(deck: Deck, rule: Rule) -> list[Marker]:
    """Space and notch of one layer, or space between two layers that may not overlap.

    ``abut``: the two layers may share an edge where it also is an edge of this layer. ``notch: false``:
    a polygon keeps no distance to itself.
    """
    distance, metrics = deck.dbu(value(rule)), _metrics(rule)
    if len(rule.layers) == 1:
        layer = deck.layer(rule.layers[0])
        test = layer.space_check if rule.extra.get("notch", True) else layer.isolated_check
        return [test(distance, metrics=metrics)]
    a, b = (deck.layer(name) for name in rule.layers)
    abut = rule.extra.get("abut")
    # Shielding differs between flat and hierarchical runs where the shield is the shape that abuts. Without,
    # a distance through that shape is found too, but only where the layer itself has too small a space.
    mode = _APART if abut else _TOUCH
    apart = a.separation_check(b, distance, metrics=metrics, shielded=not abut, zero_distance_mode=mode)
    found: list[Marker] = [apart, a & b]
    if abut:
        touching = a.separation_check(b, 1, metrics=kdb.Metrics.Projection, zero_distance_mode=_COINCIDE)
        found.append(touching.second_edges() - deck.edges(abut))
    return found


@check("wide_space")
def wide_space(deck: Deck, rule: Rule) -> list[Marker]:
    """Space beside metal wider and longer than ``wide``, and beside what sticks out of it that near."""
    metal, distance = deck.layer(rule.layers[0]), deck.dbu(value(rule))
    half = deck.dbu(rule.extra["wide"] / 2)
    wide = metal.sized(-half).sized(half)
    if wide.is_empty():
        return []
    reach = wide.sized(distance)
    close = metal.space_check(distance, metrics=kdb.Metrics.Euclidian).polygons(1).interacting(reach)
    if close.is_empty():
        return []  # the exact test below is slow on large plates
    return [close.interacting((reach & metal).interacting(wide))]


@check("enclosure")
def enclosure(deck: Deck, rule: Rule) -> list[Marker]:
    """The second layer lies wholly in the first one, with a margin on every side.

    ``butted``: edges shared with this layer need no margin.
    """
    outer, inner = rule.layers
    distance = deck.dbu(value(rule))
    outside = deck.layer(inner) - deck.layer(outer)
    if distance == 0:
        return [outside]
    near = deck.layer(outer).enclosing_check(deck.layer(inner), distance, metrics=kdb.Metrics.Euclidian)
    butted = rule.extra.get("butted")
    return [outside, near.second_edges() - deck.edges(butted) if butted else near]


@check("enclosure_adjacent")
def enclosure_adjacent(deck: Deck, rule: Rule) -> list[Marker]:
    """Of any two adjacent sides one has the margin: left and right both do, or top and bottom both do.

    ``apart_from``: only shapes of the outer layer that do not touch this layer are asked for it.
    """
    outer, inner = (deck.layer(name) for name in rule.layers)
    apart = rule.extra.get("apart_from")
    if apart:
        inner = inner & outer.not_interacting(deck.layer(apart))
    d, projection = deck.dbu(value(rule)), kdb.Metrics.Projection
    # The engine lets pass most of the contacts that are short on one side or on two opposite ones; where a
    # side is short in part only it leaves the question open. (One that sticks out breaks another rule.)
    open_sides = inner.enclosed_check(outer, d, metrics=projection, rect_filter=_ONE_OR_TWO_OPPOSITE)
    inner = inner.interacting(open_sides.first_edges())
    # For each edge the zone beyond it that has to be covered; a little shorter, to touch no other edge.
    edges = inner.edges()
    zones = edges.extended(-1, -1, d, 0, False)
    zones.merged_semantics = False
    short = edges.interacting(zones.overlapping(zones - outer))
    # Strips along two adjacent short edges overlap in their corner.
    corners = short.extended(0, 0, 0, 1, False)
    corners.merged_semantics = False
    return [inner.interacting(corners.merged(False, 2))]


@check("covered")
def covered(deck: Deck, rule: Rule) -> list[Marker]:
    """The first layer lies wholly in the union of the others."""
    inner, *outer = rule.layers
    remaining = deck.layer(inner)
    for name in outer:
        remaining = remaining - deck.layer(name)
    return [remaining]


@check("disjoint")
def disjoint(deck: Deck, rule: Rule) -> list[Marker]:
    """No point lies in all the layers."""
    common = deck.layer(rule.layers[0])
    for name in rule.layers[1:]:
        common = common & deck.layer(name)
    return [common]


@check("not_both")
def not_both(deck: Deck, rule: Rule) -> list[Marker]:
    """No shape of the first layer overlaps both of the others."""
    shapes, first, second = (deck.layer(name) for name in rule.layers)
    return [shapes.overlapping(first).overlapping(second)]


@check("extension")
def extension(deck: Deck, rule: Rule) -> list[Marker]:
    """The first layer goes on beyond the second one wherever it crosses its edge.

    [poly, diff] is the endcap, [diff, poly] the source or drain beside the gate.
    """
    outer, crossed = rule.layers
    both = deck.layer(outer) & deck.layer(crossed)
    # Not the outline of the crossed layer: long diffusion makes edge operations slow.
    ends = both.edges() & (deck.layer(outer) - deck.layer(crossed)).edges()
    zone = ends.extended_out(deck.dbu(value(rule)))
    # A crossing has two ends; one that stops half way leaves no edge to extend.
    return [zone - deck.layer(outer), both.not_interacting(ends, 2)]


@check("size")
def size(deck: Deck, rule: Rule) -> list[Marker]:
    """Every shape is a square of exactly this edge length."""
    cuts, edge = deck.layer(rule.layers[0]), deck.dbu(value(rule))
    squares = cuts.squares()
    return [cuts.non_squares(), squares.with_area(edge**2, True)]


@check("channel_width")
def channel_width(deck: Deck, rule: Rule) -> list[Marker]:
    """Gate width: distance between the diffusion edges under a gate."""
    gate, diff = rule.layers
    sides = (deck.layer(diff) - deck.layer(gate)).edges()
    return [(deck.edges(gate) - sides).width_check(deck.dbu(value(rule)))]


@check("straight")
def straight(deck: Deck, rule: Rule) -> list[Marker]:
    """Every shape is a rectangle: no bend of poly over diffusion, no inner corner of diffusion below poly."""
    return [deck.layer(rule.layers[0]).non_rectangles()]


@check("area")
def area(deck: Deck, rule: Rule) -> list[Marker]:
    """Smallest area of a merged shape."""
    return [deck.layer(rule.layers[0]).with_area(0, deck.dbu2(value(rule)), False)]


@check("hole")
def hole(deck: Deck, rule: Rule) -> list[Marker]:
    """Smallest area of a hole."""
    return [deck.layer(rule.layers[0]).holes().with_area(0, deck.dbu2(value(rule)), False)]


@check("grid")
def grid(deck: Deck, rule: Rule) -> list[Marker]:
    """Every vertex lies on the manufacturing grid."""
    steps = value(rule) / deck.layout.dbu
    if steps <= 1:
        return []  # the layout's unit is the grid or coarser
    step = round(steps)
    return [deck.raw(name).grid_check(step, step) for name in rule.layers]


@check("angle")
def angle(deck: Deck, rule: Rule) -> list[Marker]:
    """Edges run in multiples of ``value`` degrees (90 or 45)."""
    kind = kdb.Edges.EdgeType.OrthoEdges if value(rule) == 90 else kdb.Edges.EdgeType.OrthoDiagonalEdges
    found: list[Marker] = []
    for name in rule.layers:
        edges = deck.raw(name).edges()
        edges.merged_semantics = False  # joining edges in a line across cells is slow and finds no more
        found.append(edges.with_angle(kind, True))
    return found


@check("inner_corner")
def inner_corner(deck: Deck, rule: Rule) -> list[Marker]:
    """The first layer does not cover an inner corner of the second one."""
    cover, layer = (deck.layer(name) for name in rule.layers)
    return [layer.corners(-90.0, -90.0, 1).inside(cover)]


@check("contacted")
def contacted(deck: Deck, rule: Rule) -> list[Marker]:
    """Every shape of the first layer holds a shape of the second one."""
    layer, contact = (deck.layer(name) for name in rule.layers)
    return [layer.not_interacting(contact.inside(layer))]


@check("butt_depth")
def butt_depth(deck: Deck, rule: Rule) -> list[Marker]:
    """How deep the first layer is behind the edge that it shares with the second one."""
    layer, other = rule.layers
    behind = deck.shared_edges(layer, other).extended_in(deck.dbu(value(rule)))
    return [behind - deck.layer(layer) - deck.layer(other)]


@check("butt_between")
def butt_between(deck: Deck, rule: Rule) -> list[Marker]:
    """How wide the first layer is between two shapes of the second one that both touch it."""
    layer, other = rule.layers
    return [deck.shared_edges(layer, other).extended_in(deck.dbu(value(rule))) & deck.layer(other)]


@check("butt_ends")
def butt_ends(deck: Deck, rule: Rule) -> list[Marker]:
    """Neither layer goes on sideways beyond the edge that they share."""
    return [_beside(deck, rule, 1)]


@check("butt_side")
def butt_side(deck: Deck, rule: Rule) -> list[Marker]:
    """No other diffusion edge is nearer than this to a shared edge: neither layer widens that soon."""
    return [_beside(deck, rule, deck.dbu(value(rule)))]


def _beside(deck: Deck, rule: Rule, d: int) -> kdb.Region:
    """Where the two layers lie left or right of the strip that runs through their shared edge, within d."""
    layer, other = rule.layers
    shared = deck.shared_edges(layer, other)
    around = shared.extended(d, d, d, d, False) - shared.extended(0, 0, d, d, False)
    return around & (deck.layer(layer) + deck.layer(other))
