"""Sums over nets that keep the hierarchy: each cell is measured once, however often it is placed.

KLayout's own antenna check collects all shapes of a net flat; on a nested array of a megabit that takes
seconds a layer. Here a cell's nets are measured where they are drawn and added up along the netlist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from picoram_layout.drc.deck import Deck

Name = tuple[int, int]  # cell index and the net's number there
Sums = dict[Name, float]
Link = tuple[kdb.Net, Name, list[Name]]


class Nets:
    """Nets of some layers of a deck: what is connected once these layers are there and no others."""

    def __init__(self, deck: Deck, layers: dict[str, kdb.Region], touching: Iterable[tuple[str, str]]):
        self.deck = deck
        self.layers = layers
        top = deck.top.name
        base = kdb.LayoutToNetlist(top, deck.layout.dbu) if deck.flat else kdb.LayoutToNetlist(deck.store)
        self.base = base
        for name, region in layers.items():
            base.register(region, name)
            base.connect(region)
        for a, b in touching:
            base.connect(layers[a], layers[b])
        base.extract_netlist()
        self.links = self._link()
        self._areas: dict[str, Sums] = {}

    def areas(self, layer: str) -> Sums:
        """Area (square database units) of a layer for each net, made once; none if the layer is missing."""
        if layer not in self.layers:
            return Sums()
        if layer not in self._areas:
            self._areas[layer] = self.sums(layer, lambda region: float(region.area()))
        return self._areas[layer]

    def _link(self) -> list[tuple[int, list[Link]]]:
        """For each cell, bottom up: its nets, each with those nets of placed cells that go on in it."""
        linked = []
        for circuit in self.base.netlist().each_circuit_bottom_up():
            nets: list[Link] = []
            for net in circuit.each_net():
                inner = []
                for pin in net.each_subcircuit_pin():
                    child = pin.subcircuit().circuit_ref()
                    continued = child.net_for_pin(pin.pin_id())
                    if continued is not None:
                        inner.append((child.cell_index, continued.cluster_id))
                nets.append((net, (circuit.cell_index, net.cluster_id), inner))
            linked.append((circuit.cell_index, nets))
        return linked

    def sums(self, layer: str, measure: Callable[[kdb.Region], float]) -> Sums:
        """Measure of a layer for each net, by (cell index, net number); zeros are left out.

        Shapes of one net that overlap across cells count twice in a sum, never less than once.
        """
        region, result = self.layers[layer], Sums()
        index, layout = self.base.layer_index(region), self.base.internal_layout()
        for cell, nets in self.links:
            drawn_here = not layout.cell(cell).shapes(index).is_empty()
            for net, name, inner in nets:
                total = measure(self.base.shapes_of_net(net, region, False)) if drawn_here else 0.0
                total += sum(result[child] for child in inner if child in result)
                if total:
                    result[name] = total
        return result

    def roots(self) -> Iterator[kdb.Net]:
        """Nets that no cell above continues."""
        for _, nets in self.links:
            yield from (net for net, _, _ in nets if net.pin_count() == 0)

    def shapes(self, net: kdb.Net, layer: str) -> kdb.Region:
        """All shapes of a net on a layer, flat, in the coordinates of the net's own cell."""
        return self.base.shapes_of_net(net, self.layers[layer], True)


def key(net: kdb.Net) -> Name:
    """What a net goes by in `Sums`."""
    return net.circuit().cell_index, net.cluster_id
