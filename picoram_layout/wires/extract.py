"""Capacitance of wires given by net: plates, fringes and facing edges, from coefficients.

Two conductors count as plates where they overlap and nothing lies between. An edge's fringe reaches over the
free space beside it, as far as the next wire of its own layer or the halo, to all that it sees below
and above. Facing edges of one layer couple over the free space between them. The coefficients come from the
process; see ``wires.yaml``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import klayout.db as kdb

from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk
from picoram_layout.wires.coefficients import SUBSTRATE, Coefficients, load_coefficients
from picoram_layout.wires.geometry import GATE, Gap, Shapes, Stack, clipped, span

Pair = Callable[[str, str], bool]


@dataclass(frozen=True)
class Capacitances:
    """Capacitance of wires in fF.

    ``to_substrate``: net -> fF. ``to_nets``: net -> other net -> fF, of the first net's wires in the window
    to the other net's wires anywhere; without a window it is symmetric.
    """

    to_substrate: dict[str, float]
    to_nets: dict[str, dict[str, float]]

    def total(self, net: str) -> float:
        """All of a net's capacitance (fF)."""
        return self.to_substrate.get(net, 0.0) + sum(self.to_nets.get(net, {}).values())

    def between(self, one: str, other: str) -> float:
        """Coupling of two nets (fF): the mean of what each of them has to the other."""
        ahead = self.to_nets.get(one, {}).get(other, 0.0)
        return (ahead + self.to_nets.get(other, {}).get(one, 0.0)) / 2


def wire_capacitance(
    shapes: Shapes,
    pdk: Pdk,
    dbu: float,
    pitch: tuple[float, float] | None = None,
    *,
    within: kdb.DBox | None = None,
    counts: Pair = lambda layer, other: True,
) -> Capacitances:
    """Capacitance of all nets of ``shapes`` (net -> layer -> region in units of ``dbu`` um).

    Layers: the process's conductors, with ``poly`` for field poly, ``gate`` for poly over diffusion and
    ``diff`` for source, drain and taps. With a ``pitch`` (x, y in um) the unit from (0, 0) to it repeats
    without end, and every copy of a net is that net. ``within`` (um) counts the wires in this window alone,
    against all that is around them. ``counts`` says which pairs of layers are counted at all; what is not
    counted still hides what is behind it. `InputError` for unknown layers.
    """
    table = load_coefficients(pdk)
    known = {*table.layers, GATE}
    if strange := sorted({layer for layers in shapes.values() for layer in layers} - known):
        raise InputError(f"wires: layer '{strange[0]}' is unknown; known: {', '.join(sorted(known))}")
    halo = round(table.halo / dbu)
    if pitch:
        within = kdb.DBox(0, 0, *pitch)
        shapes = _repeated(shapes, within.to_itype(dbu), halo)
    whole = within.to_itype(dbu) if within else _bbox(shapes)
    stack = Stack(shapes, table.layers, whole.enlarged(halo, halo))
    return _Extraction(stack, table, dbu, whole, counts).run()


def _bbox(shapes: Shapes) -> kdb.Box:
    box = kdb.Box()
    for layers in shapes.values():
        for region in layers.values():
            box += region.bbox()
    return box


def _repeated(shapes: Shapes, unit: kdb.Box, halo: int) -> Shapes:
    """Copies of a unit as far as the halo around it reaches."""
    nx, ny = (-(-halo // size) for size in (unit.width(), unit.height()))
    steps = [(i * unit.width(), j * unit.height()) for i in range(-nx, nx + 1) for j in range(-ny, ny + 1)]
    copies: dict[str, dict[str, kdb.Region]] = {}
    for net, layers in shapes.items():
        copies[net] = {}
        for layer, region in layers.items():
            copies[net][layer] = kdb.Region()
            for step in steps:
                copies[net][layer] += region.moved(*step)
    return copies


class _Edge(NamedTuple):
    """One side of a gap: the net on it, its coordinate, and the direction in which the gap lies."""

    net: int
    at: int
    ahead: int


class _View(NamedTuple):
    """A piece of a plane (a layer and net) that an edge sees, and its share of the view on that side."""

    plane: str
    net: int
    box: kdb.Box
    cover: float


class _Extraction:
    """Adds up the capacitance (aF) of every net in the window to every other one; net -1 is the substrate."""

    def __init__(self, stack: Stack, table: Coefficients, dbu: float, whole: kdb.Box, counts: Pair):
        self.stack, self.table, self.dbu, self.whole, self.counts = stack, table, dbu, whole, counts
        self.halo = round(table.halo / dbu)
        self.found: dict[tuple[int, int], float] = defaultdict(float)

    def run(self) -> Capacitances:
        """All contributions, by net."""
        for layer in self.stack.drawn:
            self._plates(layer)
            for gap in self.stack.gaps(layer, self.whole):
                self._gap(layer, gap)
        names = self.stack.nets
        ground = {name: self.found[k, -1] / 1000 for k, name in enumerate(names)}
        nets: dict[str, dict[str, float]] = {name: {} for name in names}
        for (a, b), value in self.found.items():
            if a >= 0 and b >= 0:
                nets[names[a]][names[b]] = value / 1000
        return Capacitances(ground, nets)

    def _sides(self, layer: str) -> tuple[list[str], list[str]]:
        """The layers below and above ``layer``."""
        others = [SUBSTRATE, *self.stack.drawn]
        place = others.index(layer)
        return others[:place], others[place + 1 :]

    def _plates(self, layer: str) -> None:
        """Overlaps of a layer with all that it sees below."""
        for other in self._sides(layer)[0]:
            per_area = self.table.area(layer, other) * self.dbu**2 if self.counts(layer, other) else 0.0
            seen = self.stack.seen(layer, other)
            for net, box in self.stack.seen(layer, layer).over(self.whole) if per_area else ():
                for below, overlap in seen.over(box):
                    if net != below:
                        value = overlap.area() * per_area
                        self.found[net, below] += value
                        self.found[below, net] += value

    def _gap(self, layer: str, gap: Gap) -> None:
        """Fringes of both edges of a gap, and their coupling."""
        low, high = span(gap.box, gap.axis)
        edges = (_Edge(gap.low, low, 1), _Edge(gap.high, high, -1))
        for edge in edges:
            if edge.net >= 0:
                self._fringe(layer, gap, edge)
        if gap.low == gap.high or min(gap.low, gap.high) < 0 or high - low > self.halo:
            return
        if self.counts(layer, layer):
            per_um = self.table.between_edges(layer, (high - low) * self.dbu)
            for edge, other in (edges, edges[::-1]):
                self.found[edge.net, other.net] += per_um * self._length(gap.box, gap.axis, edge)

    def _fringe(self, layer: str, gap: Gap, edge: _Edge) -> None:
        """An edge's fringe to all that it sees across the gap, below and above.

        The coefficients are those of a plate with a plane on one side. Between two planes an edge shares its
        field: what covers the gap on one side takes half of the other side's fringe.
        """
        reach = sorted((edge.at, edge.at + edge.ahead * self.halo))
        area = clipped(gap.box, gap.axis, *reach)
        below, above = (self._views(layer, edge, area, gap.axis, others) for others in self._sides(layer))
        wires = [view for view in below if view.plane != SUBSTRATE]
        for views, opposite in ((below, above), (above, wires)):
            share = 1 - min(1.0, sum(view.cover for view in opposite)) / 2
            for view in views:
                if view.net != edge.net and self.counts(layer, view.plane):
                    self._fringe_to(layer, edge, view, gap.axis, share)

    def _views(self, layer: str, edge: _Edge, area: kdb.Box, axis: int, others: list[str]) -> list[_View]:
        """What an edge sees on these layers over an area beside it."""
        views = []
        for other in others:
            whole = self._landing(layer, other, edge, area, axis)
            for net, box in self.stack.seen(layer, other).over(area):
                part = self._landing(layer, other, edge, box, axis)
                views.append(_View(other, net, box, part / whole if whole else 0.0))
        return views

    def _fringe_to(self, layer: str, edge: _Edge, view: _View, axis: int, share: float) -> None:
        """Count both ends of a fringe, each as far as it lies in the window."""
        per_um = self.table.fringe.get((layer, view.plane), 0.0) * share
        part = self._within(layer, view.plane, edge, span(view.box, axis))
        self.found[edge.net, view.net] += per_um * part * self._length(view.box, axis, edge)
        inside = view.box & self.whole
        if view.net >= 0 and inside.area():
            self.found[view.net, edge.net] += per_um * self._landing(layer, view.plane, edge, inside, axis)

    def _landing(self, layer: str, plane: str, edge: _Edge, box: kdb.Box, axis: int) -> float:
        """Length (um) of an edge beside a box, times the part of its fringe that lands in the box."""
        low, high = span(box, 1 - axis)
        return self._within(layer, plane, edge, span(box, axis)) * (high - low) * self.dbu

    def _within(self, layer: str, plane: str, edge: _Edge, reach: tuple[int, int]) -> float:
        near, far = sorted(abs(v - edge.at) * self.dbu for v in reach)
        return self.table.within(layer, plane, near, far)

    def _length(self, box: kdb.Box, axis: int, edge: _Edge) -> float:
        """Length (um) of the edge beside ``box`` that belongs to wires in the window."""
        low, high = span(self.whole, axis)
        metal = edge.at if edge.ahead > 0 else edge.at + 1  # upper end of the edge's first unit of metal
        if not low < metal <= high:
            return 0.0
        return max(0, _common(span(box, 1 - axis), span(self.whole, 1 - axis))) * self.dbu


def _common(one: tuple[int, int], other: tuple[int, int]) -> int:
    return min(one[1], other[1]) - max(one[0], other[0])
