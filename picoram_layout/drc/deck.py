"""The layers of one DRC run: drawn ones read from the layout, derived ones made once from the PDK's table."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import klayout.db as kdb

from picoram_layout.drc.nets import Nets
from picoram_layout.pdk import Pdk


class CellMarkers(dict[str, kdb.Region]):
    """Markers by the name of the cell that they lie in, in that cell's coordinates."""

    def add(self, cell: str, shapes: kdb.Region) -> None:
        """Add shapes to a cell's markers."""
        self[cell] = self.get(cell, kdb.Region()) + shapes


Marker = kdb.Region | kdb.Edges | kdb.EdgePairs | CellMarkers


class Deck:
    """Geometry that the checks of one run work on, hierarchical unless ``flat``."""

    def __init__(self, layout: kdb.Layout, top: kdb.Cell, pdk: Pdk, flat: bool = False):
        self.layout = layout
        self.top = top
        self.pdk = pdk
        self.flat = flat
        self.store = kdb.DeepShapeStore()
        self.store.threads = 0  # worker threads cost more than they save on nested arrays
        self._layers: dict[str, kdb.Region] = {}
        self._edges: dict[tuple[str, ...], kdb.Edges] = {}
        self._antenna: dict[int, Nets] = {}
        self._kept: list[Deck] = []

    def keep(self, other: Deck) -> None:
        """Let another deck, whose markers are handed on, live as long as this one."""
        self._kept.append(other)

    def raw(self, name: str) -> kdb.Region:
        """A drawn layer as it is drawn, not merged, and apart from this deck's other layers.

        For operations that look at single shapes, or that make the engine rearrange cells.
        """
        self.keep(apart := Deck(self.layout, self.top, self.pdk, self.flat))
        region = apart.region(self.pdk.drawn[name])
        region.merged_semantics = False
        return region

    def dbu(self, value: float) -> int:
        """Database units of a length in um; rounded up where the layout's unit is coarser than the value."""
        return math.ceil(value / self.layout.dbu - 1e-6)

    def dbu2(self, value: float) -> int:
        """Square database units of an area in um2, rounded up."""
        return math.ceil(value / self.layout.dbu**2 - 1e-3)

    def region(self, numbers: tuple[int, int]) -> kdb.Region:
        """Shapes of a GDS layer below the top cell (empty if the layout lacks the layer)."""
        index = self.layout.find_layer(*numbers)
        shapes = kdb.RecursiveShapeIterator(self.layout, self.top, [] if index is None else [index])
        return kdb.Region(shapes) if self.flat else kdb.Region(shapes, self.store)

    def texts(self, numbers: tuple[int, int]) -> kdb.Texts:
        """Texts of a GDS layer below the top cell."""
        shapes = kdb.RecursiveShapeIterator(self.layout, self.top, self.layout.layer(*numbers))
        return kdb.Texts(shapes) if self.flat else kdb.Texts(shapes, self.store)

    def layer(self, name: str) -> kdb.Region:
        """A drawn layer, a pin layer (``met1.pin``) or a derived layer, by its name in the PDK."""
        if name not in self._layers:
            self._layers[name] = self._make(name)
        return self._layers[name]

    def _make(self, name: str) -> kdb.Region:
        pdk = self.pdk
        if name in pdk.drawn:
            return self.region(pdk.drawn[name])
        if name.endswith(".pin") and name[:-4] in pdk.pins:
            return self.region(pdk.pins[name[:-4]])
        operation, *names = pdk.derived[name]
        return functools.reduce(_OPERATIONS[operation], (self.layer(n) for n in names))

    def sources(self, name: str) -> set[str]:
        """The drawn layers that a layer is made of."""
        if name in self.pdk.drawn:
            return {name}
        return set().union(*(self.sources(operand) for operand in self.pdk.derived[name][1:]))

    def edges(self, name: str) -> kdb.Edges:
        """Outline of a layer, made once."""
        key = (name,)
        if key not in self._edges:
            self._edges[key] = self.layer(name).edges()
        return self._edges[key]

    def shared_edges(self, name: str, other: str) -> kdb.Edges:
        """Parts of the outline of ``name`` that lie on the outline of ``other``, made once."""
        key = (name, other)
        if key not in self._edges:
            self._edges[key] = self.edges(name) & self.edges(other)
        return self._edges[key]

    def antenna_nets(self, layer: str) -> Nets:
        """Nets as they are when ``layer`` (a conductor or a cut) is etched, made once for both."""
        stack = ["poly", "licon", *self.pdk.stack]
        level = stack.index(layer) // 2 * 2
        if level not in self._antenna:
            names = stack[: level + 2]
            layers = {name: self.layer(name) for name in names}
            layers["gate"] = self.layer("gate").merged()  # overlaps would make the gates look larger
            touching = [*itertools.pairwise(names), ("poly", "gate")]
            if level:
                for name, derived in (("diode", "diode"), ("ground", "antenna_short")):
                    layers[name] = self.layer(derived).merged()
                    touching.append((name, "licon"))
            self._antenna[level] = Nets(self, layers, touching)
        return self._antenna[level]


_OPERATIONS: dict[str, Callable[[kdb.Region, kdb.Region], kdb.Region]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a + b,
    "not": lambda a, b: a - b,
    "interacting": lambda a, b: a.interacting(b),
    "not_interacting": lambda a, b: a.not_interacting(b),
}
