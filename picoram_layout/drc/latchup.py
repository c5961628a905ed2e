"""The latch-up distance: from every source and drain a tap of its own well is near enough."""

from __future__ import annotations

import klayout.db as kdb

from picoram_layout.drc.checks import check, value
from picoram_layout.drc.deck import Deck, Marker
from picoram_layout.pdk import Rule

Node = kdb.CompoundRegionOperationNode
_SMALL = 200_000  # flat shapes: cells up to this size are settled on their own


@check("latchup")
def latchup(deck: Deck, rule: Rule) -> list[Marker]:
    """Every source or drain has a tap of its own well within the distance, reached without leaving the well.

    Layers: diffusion, tap, n-well; ``inside`` tells whether the two lie in the n-well or in the substrate.
    The reach of a tap is an octagon around it, so off the axes it is at most 8 % longer than the value.

    The reach of every tap in every surrounding is slow to find, and most cells settle the matter among
    themselves: what small cells prove is taken first, the rest goes to the general search.
    """
    if deck.flat:
        return [_unreached(deck, rule, deck.layer(rule.layers[0]))]
    layout = deck.layout.dup()  # the proofs are drawn into the cells
    aid = layout.insert_layer(kdb.LayerInfo())
    local = Deck(layout, layout.cell(deck.top.cell_index()), deck.pdk)
    _prove_in_small_cells(local, rule, aid)
    proven = kdb.Region(kdb.RecursiveShapeIterator(layout, local.top, aid), local.store)
    diffusion = local.layer(rule.layers[0])
    if not rule.extra["inside"]:
        proven = _clear_of(proven, local.layer(rule.layers[2]))  # wells of other cells may cut through
    left = diffusion - proven
    if left.is_empty():
        return []
    deck.keep(local)
    return [_unreached(local, rule, left)]


def _prove_in_small_cells(deck: Deck, rule: Rule, aid: int) -> None:
    """Draw into each cell what its own taps reach, from the bottom up, as long as some diffusion is open."""
    diffusion, tap, _ = rule.layers
    layout, drawn = deck.layout, _drawn_layers(deck, rule)
    shapes: dict[int, int] = {}
    settled: set[int] = set()
    below = deck.top.called_cells()
    for index in layout.each_cell_bottom_up():
        cell = layout.cell(index)
        if index not in below:
            continue
        own = sum(cell.shapes(layer).size() for layer in drawn)
        placed = [(inst.cell_index, max(1, inst.na) * max(1, inst.nb)) for inst in cell.each_inst()]
        shapes[index] = own + sum(shapes[child] * count for child, count in placed)
        if not own and all(child in settled for child, _ in placed):
            settled.add(index)
            continue
        if shapes[index] > _SMALL:
            continue
        flat = Deck(layout, cell, deck.pdk, flat=True)
        left = flat.layer(diffusion) - kdb.Region(kdb.RecursiveShapeIterator(layout, cell, aid))
        if not left.is_empty() and not flat.layer(tap).is_empty():
            reached = _reach_at_home(flat, rule, left)
            cell.shapes(aid).insert(reached)
            left = left - reached
        if left.is_empty():
            settled.add(index)


def _drawn_layers(deck: Deck, rule: Rule) -> list[int]:
    """Layer indexes of what the rule's layers are made of, as far as the layout has it."""
    names = set().union(*(deck.sources(name) for name in rule.layers))
    found = (deck.layout.find_layer(*deck.pdk.drawn[name]) for name in sorted(names))
    return [index for index in found if index is not None]


def _unreached(deck: Deck, rule: Rule, left: kdb.Region) -> kdb.Region:
    """What no tap reaches. The square inside the octagon comes first: it costs half and mostly suffices."""
    taps = deck.layer(rule.layers[1])
    left = left - _reach(deck, rule, taps, 0.7)
    if left.is_empty():
        return left
    near = taps.interacting(left.sized(deck.dbu(value(rule))))
    return left - _reach(deck, rule, near, 1.0)


def _reach(deck: Deck, rule: Rule, taps: kdb.Region, share: float) -> kdb.Region:
    """Where each tap reaches within its own well or substrate: the octagon, or a square in it."""
    well, d = deck.layer(rule.layers[2]), int(deck.dbu(value(rule)) * share)
    operation = Node.GeometricalOp.And if rule.extra["inside"] else Node.GeometricalOp.Not
    around = Node.new_sized(Node.new_primary(), d, d, 1 if share == 1.0 else 2)
    pieces = Node.new_geometrical_boolean(operation, around, Node.new_secondary(well))
    own = Node.new_interacting(Node.new_merged(pieces, False, 0), Node.new_primary())
    reached: kdb.Region = taps.complex_op(own)
    # Where taps of two cells overlap, the hierarchical engine (klayout 0.30.12) also returns the octagon that
    # it gets without looking at any well; a true one never lies over a well.
    return reached if rule.extra["inside"] else _clear_of(reached, well)


def _reach_at_home(flat: Deck, rule: Rule, left: kdb.Region) -> kdb.Region:
    """What a cell's taps reach of the diffusion that is ``left``, each on ways within the cell itself.

    In the substrate these stay in the box around the cell's own diffusion, off its wells and a margin around
    them: there the wells of a neighbour go on in an array.
    """
    diffusion, tap, well = (flat.layer(name) for name in rule.layers)
    distance = flat.dbu(value(rule))
    if rule.extra["inside"]:
        home = well.merged()
    else:
        margin = flat.dbu(flat.pdk.find("space", *rule.layers[1:]))
        home = kdb.Region((diffusion + tap).bbox()) - well.sized(margin)
    found = kdb.Region()
    for one in tap.interacting(left.sized(distance)).each_merged():
        octagon = kdb.Region(one).sized(distance, 1) & home
        found += octagon.merged().interacting(kdb.Region(one)).interacting(left)
    return found


def _clear_of(reached: kdb.Region, well: kdb.Region) -> kdb.Region:
    """The reaches (one polygon a tap) that lie over no well."""
    if (reached & well).is_empty():
        return reached
    reached.merged_semantics = False
    return reached.not_overlapping(well)
