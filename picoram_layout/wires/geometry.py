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

    def __init__(self, regions: list[tuple[int, kdb.Region]]):
        self._shapes = kdb.Shapes()
        for net, region in regions:
            for box in boxes(region):
                self._shapes.insert(box, net + 1)  # property 0 is none

    def over(self, box: kdb.Box) -> Iterator[tuple[int, kdb.Box]]:
        """Net and overlap of every piece that overlaps ``box``."""
        for shape in self._shapes.each_overlapping(box):
            yield shape.prop_id - 1, shape.box & box

    def __iter__(self) -> Iterator[tuple[int, kdb.Box]]:
        for shape in self._shapes.each():
            yield shape.prop_id - 1, shape.box


class Stack:
    """All conductors of a window by layer, from the bottom up, on a substrate (net -1)."""

    def __init__(self, shapes: Shapes, layers: tuple[str, ...], window: kdb.Box):
        self.window, self.order = kdb.Region(window), (SUBSTRATE, *layers)
        self.nets = list(shapes)
        self._regions: dict[str, list[tuple[int, kdb.Region]]] = {layer: [] for layer in layers}
        gates = kdb.Region()
        for number, net in enumerate(self.nets):
            by_layer = {layer: region & self.window for layer, region in shapes[net].items()}
            gate = by_layer.pop(GATE, kdb.Region())
            gates += gate
            if not gate.is_empty():
                by_layer["poly"] = by_layer.get("poly", kdb.Region()) + gate
            for layer, region in by_layer.items():
                self._regions[layer].append((number, region.merged()))
        self._regions[SUBSTRATE] = [(-1, self.window - gates)]
        self._all = {layer: _union(parts) for layer, parts in self._regions.items()}
        self._seen: dict[tuple[str, str], Pieces] = {}

    @cached_property
    def drawn(self) -> list[str]:
        """The layers that have a wire, from the bottom up; the substrate is not one of them."""
        return [layer for layer in self.order[1:] if not self._all[layer].is_empty()]

    def pieces(self, layer: str) -> Pieces:
        """All wires of a layer."""
        return self.seen(layer, layer)

    def seen(self, layer: str, other: str) -> Pieces:
        """What ``layer`` sees of ``other``: all that no conductor between the two hides."""
        if (layer, other) not in self._seen:
            a, b = sorted((self.order.index(layer), self.order.index(other)))
            hidden = _union([(-1, self._all[between]) for between in self.order[a + 1 : b]])
            parts = [(net, region - hidden) for net, region in self._regions[other]]
            self._seen[layer, other] = Pieces(parts)
        return self._seen[layer, other]

    def gaps(self, layer: str) -> Iterator[Gap]:
        """Every gap of a layer: all free space, cut along x and once more along y."""
        pieces, free = self.pieces(layer), self.window - self._all[layer]
        turn = kdb.Trans(kdb.Trans.M45)
        for axis, region in ((0, free), (1, free.transformed(turn))):
            for box in boxes(region):
                gap = box if axis == 0 else box.transformed(turn)
                low, high = _sides(gap, axis)
                yield Gap(gap, axis, _net_at(pieces, low), _net_at(pieces, high))


def boxes(region: kdb.Region) -> Iterator[kdb.Box]:
    """A region as disjoint boxes, each as wide as the region is at its height."""
    parts = region.merged().decompose_trapezoids_to_region(kdb.Polygon.TD_simple)
    for polygon in parts.each():
        if not polygon.is_box():
            raise ValueError(f"wires must be rectilinear; at {polygon.bbox()} one is not")
        yield polygon.bbox()


def clipped(box: kdb.Box, axis: int, low: int, high: int) -> kdb.Box:
    """The part of a box between two coordinates along an axis."""
    if axis == 0:
        return box & kdb.Box(low, box.bottom, high, box.top)
    return box & kdb.Box(box.left, low, box.right, high)


def span(box: kdb.Box, axis: int) -> tuple[int, int]:
    """Lower and upper coordinate of a box along an axis."""
    return (box.left, box.right) if axis == 0 else (box.bottom, box.top)


def _union(parts: list[tuple[int, kdb.Region]]) -> kdb.Region:
    whole = kdb.Region()
    for _, region in parts:
        whole += region
    return whole.merged()


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
