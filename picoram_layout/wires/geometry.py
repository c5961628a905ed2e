"""Wires as boxes that know their net: which conductor sees which one, and the gaps between edges.

Coordinates are database units. KLayout cuts, merges and finds; nothing here but boxes, so wires must be
rectilinear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import klayout.db as kdb

from picoram_layout.wires.coefficients import SUBSTRATE

Shapes = Mapping[str, Mapping[str, kdb.Region]]
_NET = 0  # key of the property that holds a polygon's net
GATE = "gate"  # poly over diffusion: conducts like poly, but is silicon's concern downwards


class Gap(NamedTuple):
    """Free space of a layer between two facing edges (or one edge and nothing, net -1).

    ``axis`` 0: the edges stand on the left and right side of ``box``; 1: on its lower and upper side.
    """

    box: kdb.Box
    axis: int
    low: int
    high: int


class Pieces:
    """Disjoint boxes, each of one net (its number), that can be asked for by place."""

    def __init__(self, wires: kdb.Region):
        self._shapes = kdb.Shapes()
        for polygon in wires.each():
            for box in boxes(polygon):
                self._shapes.insert(kdb.BoxWithProperties(box, polygon.properties()))

    def over(self, box: kdb.Box) -> Iterator[tuple[int, kdb.Box]]:
        """Net and overlap of every piece that overlaps ``box``."""
        for shape in self._shapes.each_overlapping(box):
            yield shape.property(_NET), shape.box & box


class Stack:
    """All conductors of a window by layer, from the bottom up, on a substrate (net -1)."""

    def __init__(self, shapes: Shapes, layers: tuple[str, ...], window: kdb.Box):
        self.window, self.order, self.nets = kdb.Region(window), (SUBSTRATE, *layers), list(shapes)
        self._wires = {layer: kdb.Region() for layer in self.order}  # polygons know their net
        gates = kdb.Region()
        for number, by_layer in enumerate(shapes.values()):
            for layer, region in by_layer.items():
                inside = region & self.window
                if layer == GATE:
                    gates += inside
                _insert(self._wires["poly" if layer == GATE else layer], inside, number)
        _insert(self._wires[SUBSTRATE], self.window - gates, -1)
        self._wires = {layer: region.merged() for layer, region in self._wires.items()}
        self._all = {layer: _plain(region) for layer, region in self._wires.items()}
        self._seen: dict[tuple[str, str], Pieces] = {}

    @cached_property
    def drawn(self) -> list[str]:
        """The layers that have a wire, from the bottom up; the substrate is not one of them."""
        return [layer for layer in self.order[1:] if not self._all[layer].is_empty()]

    def seen(self, layer: str, other: str) -> Pieces:
        """What ``layer`` sees of ``other``: all that no conductor between the two hides; all of itself."""
        if (layer, other) not in self._seen:
            a, b = sorted((self.order.index(layer), self.order.index(other)))
            hidden = kdb.Region()
            for between in self.order[a + 1 : b]:
                hidden += self._all[between]
            rest = self._wires[other].not_(hidden, kdb.Region.NoPropertyConstraint)  # nets stay known
            self._seen[layer, other] = Pieces(rest)
        return self._seen[layer, other]

    def gaps(self, layer: str, near: kdb.Box) -> Iterator[Gap]:
        """Every gap of a layer that touches a box: all free space, cut along x and once more along y."""
        pieces, free = self.seen(layer, layer), self.window - self._all[layer]
        turn = kdb.Trans(kdb.Trans.M45)
        for axis, region in ((0, free), (1, free.transformed(turn))):
            for box in (box for polygon in region.each() for box in boxes(polygon)):
                gap = box if axis == 0 else box.transformed(turn)
                if gap.touches(near):
                    low, high = _sides(gap, axis)
                    yield Gap(gap, axis, _net_at(pieces, low), _net_at(pieces, high))


def boxes(polygon: kdb.Polygon) -> Iterator[kdb.Box]:
    """A polygon as disjoint boxes, each as wide as the polygon is at its height."""
    for part in polygon.decompose_trapezoids(kdb.Polygon.TD_simple):
        if not part.is_box():
            raise ValueError(f"wires must be rectilinear; at {part.bbox()} one is not")
        yield part.bbox()


def clipped(box: kdb.Box, axis: int, low: int, high: int) -> kdb.Box:
    """The part of a box between two coordinates along an axis."""
    if axis == 0:
        return box & kdb.Box(low, box.bottom, high, box.top)
    return box & kdb.Box(box.left, low, box.right, high)


def span(box: kdb.Box, axis: int) -> tuple[int, int]:
    """Lower and upper coordinate of a box along an axis."""
    return (box.left, box.right) if axis == 0 else (box.bottom, box.top)


def _insert(wires: kdb.Region, region: kdb.Region, net: int) -> None:
    for polygon in region.each():
        wires.insert(kdb.PolygonWithProperties(polygon, {_NET: net}))


def _plain(region: kdb.Region) -> kdb.Region:
    """A region that knows no nets."""
    plain = region.dup()
    plain.remove_properties()
    return plain.merged()


def _sides(box: kdb.Box, axis: int) -> tuple[kdb.Box, kdb.Box]:
    """Slices of one unit outside both edges of a gap."""
    if axis == 0:
        return (
            kdb.Box(box.left - 1, box.bottom, box.left, box.top),
            kdb.Box(box.right, box.bottom, box.right + 1, box.top),
        )
    return (
        kdb.Box(box.left, box.bottom - 1, box.right, box.bottom),
        kdb.Box(box.left, box.top, box.right, box.top + 1),
    )


def _net_at(pieces: Pieces, slice_: kdb.Box) -> int:
    return next((net for net, _ in pieces.over(slice_)), -1)
