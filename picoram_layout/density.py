"""Layer density: exact areas on a grid of tiles, summed up along the hierarchy.

Overlaps count once. To merge a layer as a whole would lift every shape that is connected over cell borders
out of its cell, so it is merged within the outlines of the cells that pave the layout and apart from that
outside of them. Then each cell is measured once: a placement that lies within one tile adds its cell's total,
one that crosses a tile border is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import klayout.db as kdb
import numpy as np
from numpy.typing import NDArray

from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerDensity:
    """Density of a layer (shares of 1) in all of the layout and in its fullest window.

    ``window_um``: width and height of the windows; smaller than the rule's where the layout is smaller.
    ``limit_max`` and ``limit_min`` are the rule's, None where it has none.
    """

    overall: float
    worst: float
    worst_box: tuple[float, float, float, float]
    window_um: tuple[float, float]
    limit_max: float | None
    limit_min: float | None


def layer_density(layout: kdb.Layout, top: str, pdk: Pdk) -> dict[str, LayerDensity]:
    """Density of the layers that the PDK wants measured (``density`` in its ``pdk.yaml``)."""
    return {layer: one_layer_density(layout, top, pdk, layer) for layer in pdk.density["layers"]}


def one_layer_density(layout: kdb.Layout, top: str, pdk: Pdk, layer: str) -> LayerDensity:
    """Density of one layer, drawn or derived. `InputError` if the cell is unknown."""
    box = extent(layout, top, pdk)
    window, step = (max(1, round(pdk.density[k] / layout.dbu)) for k in ("window", "step"))
    rule = pdk.get("density", layer)
    maximum, minimum = (rule.value, rule.extra.get("min")) if rule else (None, None)
    if box.empty():
        return LayerDensity(0.0, 0.0, (0.0, 0.0, 0.0, 0.0), (0.0, 0.0), maximum, minimum)
    wide, high = min(window, box.width()), min(window, box.height())
    x, y = _starts(box.left, box.right, wide, step), _starts(box.bottom, box.top, high, step)
    xs, ys = np.union1d(x, x + wide), np.union1d(y, y + high)
    tiles = tile_areas(layout, top, pdk, layer, xs, ys)
    total = np.zeros((len(xs), len(ys)))
    total[1:, 1:] = tiles.cumsum(axis=0).cumsum(axis=1)
    i1, i2 = np.searchsorted(xs, x), np.searchsorted(xs, x + wide)
    j1, j2 = np.searchsorted(ys, y), np.searchsorted(ys, y + high)
    sums = total[np.ix_(i2, j2)] - total[np.ix_(i1, j2)] - total[np.ix_(i2, j1)] + total[np.ix_(i1, j1)]
    i, j = np.unravel_index(int(np.argmax(sums)), sums.shape)
    dbu = layout.dbu
    corners = tuple(round(float(v) * dbu, 6) for v in (x[i], y[j], x[i] + wide, y[j] + high))
    return LayerDensity(
        float(tiles.sum()) / (box.width() * box.height()),
        float(sums[i, j]) / (wide * high),
        (corners[0], corners[1], corners[2], corners[3]),
        (round(wide * dbu, 6), round(high * dbu, 6)),
        maximum,
        minimum,
    )


def density_map(layout: kdb.Layout, top: str, pdk: Pdk, layer: str, tiles: tuple[int, int]) -> Array:
    """Density of a layer on equal tiles; element [i, j] is column i from the left, row j from the bottom.

    ``tiles``: number of columns and rows.
    """
    box = extent(layout, top, pdk)
    if box.empty():
        return np.zeros(tiles)
    xs = np.linspace(box.left, box.right, tiles[0] + 1).round()
    ys = np.linspace(box.bottom, box.top, tiles[1] + 1).round()
    return tile_areas(layout, top, pdk, layer, xs, ys) / np.outer(np.diff(xs), np.diff(ys))


def extent(layout: kdb.Layout, top: str, pdk: Pdk) -> kdb.Box:
    """Box around all drawn layers and the boundary mark (database units): what densities refer to."""
    cell = layout.cell(top)
    if cell is None:
        raise InputError(f"top: the layout has no cell '{top}'")
    box = kdb.Box()
    numbers = [*pdk.drawn.values(), *(v for k, v in pdk.marks.items() if k == "boundary")]
    for index in (layout.find_layer(*number) for number in numbers):
        if index is not None:
            box += cell.bbox(index)
    return box


def tile_areas(layout: kdb.Layout, top: str, pdk: Pdk, layer: str, xs: Any, ys: Any) -> Array:
    """Area of a layer (drawn, or ``active`` and other derived ones) in each tile, in square database units.

    ``xs`` and ``ys`` are the ascending borders of the tiles in database units; they must cover the layout.
    """
    areas = np.zeros((len(xs) - 1, len(ys) - 1))
    for part in _without_overlaps(layout, top, pdk, layer):
        target = kdb.Layout()
        target.dbu = layout.dbu
        cell, index = target.create_cell(top), target.layer(1, 0)
        part.insert_into(target, cell.cell_index(), index)
        areas += _Tiles(target, index, np.asarray(xs, float), np.asarray(ys, float)).fill(cell)
    return areas


def _without_overlaps(layout: kdb.Layout, top: str, pdk: Pdk, layer: str) -> Iterator[kdb.Region]:
    """Regions that together are a layer, none of whose shapes overlap."""
    from picoram_layout.drc.deck import Deck

    layout = layout.dup()
    mark = _paved(layout, layout.cell(top), pdk)
    # a shape that two placements of foreign cells draw in one place counts twice unless it is merged flat
    deck = Deck(layout, layout.cell(top), pdk, flat=mark is None)
    if mark is None:
        yield deck.layer(layer).merged()
        return
    stones = kdb.Region(kdb.RecursiveShapeIterator(layout, deck.top, mark), deck.store)
    stones.merged_semantics = False
    shapes = deck.layer(layer)
    yield stones & shapes
    yield (shapes - stones).merged()


def _paved(layout: kdb.Layout, top: kdb.Cell, pdk: Pdk) -> int | None:
    """A layer with the outlines of `_paving`, but of cells that another overlaps; None if none is left."""
    mark = layout.insert_layer(kdb.LayerInfo())
    for number, outline in _paving(layout, top, pdk).items():
        layout.cell(number).shapes(mark).insert(outline)
    twice = kdb.Region(top.begin_shapes_rec(mark)).merged(False, 2)
    if not twice.is_empty():
        for number in {
            it.cell_index() for it in kdb.RecursiveShapeIterator(layout, top, mark, twice, True).each()
        }:
            layout.cell(number).shapes(mark).clear()
    return None if top.bbox(mark).empty() else mark


def _paving(layout: kdb.Layout, top: kdb.Cell, pdk: Pdk) -> dict[int, kdb.Box]:
    """Outlines (boundary marks) of the largest cells below the top that are no larger than a density step."""
    index = layout.find_layer(*pdk.marks["boundary"])
    if index is None:
        return {}
    most, called = round(pdk.density["step"] / layout.dbu), set(top.called_cells())
    small: dict[int, kdb.Box] = {}
    for number in called:
        marks = [shape for shape in layout.cell(number).shapes(index).each() if shape.is_box()]
        if len(marks) == 1 and max(marks[0].box.width(), marks[0].box.height()) <= most:
            small[number] = marks[0].box
    inner = {child for number in small for child in layout.cell(number).called_cells()}
    return {number: box for number, box in small.items() if number not in inner}


class _Tiles:
    """Adds up the shapes of one layer, which nowhere overlap, on a grid of tiles.

    Works from the top cell down with all placements of a cell that need opening at once, as arrays.
    """

    def __init__(self, layout: kdb.Layout, index: int, xs: Array, ys: Array):
        self.layout, self.index, self.xs, self.ys = layout, index, xs, ys
        self.totals: dict[int, float] = {}
        self.result = np.zeros((len(xs) - 1, len(ys) - 1))

    def fill(self, top: kdb.Cell) -> Array:
        """Area of the cell and all below it in each tile."""
        if any(inst.is_complex() for cell in self.layout.each_cell() for inst in cell.each_inst()):
            top.flatten(True)  # placed at odd angles or magnified: rare, and then without hierarchy
        for number in self.layout.each_cell_bottom_up():
            self.totals[number] = self._total(self.layout.cell(number))
        # For each cell the placements to open: displacements (n x 2) by orientation (0..7).
        opened: dict[int, dict[int, list[Array]]] = {top.cell_index(): {0: [np.zeros((1, 2))]}}
        for number in self.layout.each_cell_top_down():
            for orientation, moves in opened.pop(number, {}).items():
                self._open(self.layout.cell(number), orientation, np.concatenate(moves), opened)
        return self.result

    def _total(self, cell: kdb.Cell) -> float:
        own = sum(shape.area() for shape in cell.shapes(self.index).each())
        return float(
            own + sum(self.totals[i.cell_index] * max(1, i.na) * max(1, i.nb) for i in cell.each_inst())
        )

    def _open(
        self, cell: kdb.Cell, orientation: int, moves: Array, opened: dict[int, dict[int, list[Array]]]
    ) -> None:
        turn = _orientation(orientation)
        boxes = []
        for shape in cell.shapes(self.index).each():
            for piece in shape.polygon.decompose_trapezoids():
                placed = kdb.Polygon(piece).transformed(turn)
                if placed.is_box():
                    b = placed.bbox()
                    boxes.append((b.left, b.bottom, b.right, b.top))
                else:
                    for x, y in moves:
                        self._clip(placed.moved(int(x), int(y)))
        if boxes:
            self._add_boxes(np.array(boxes, float), moves)
        for inst in cell.each_inst():
            area, child = self.totals[inst.cell_index], inst.cell
            if not area:
                continue
            placed_as = turn * inst.trans
            steps = [
                placed_as.disp + turn.trans(inst.a * i + inst.b * j)
                for i in range(max(1, inst.na))
                for j in range(max(1, inst.nb))
            ]
            at = (moves[:, None] + np.array([(v.x, v.y) for v in steps], float)[None]).reshape(-1, 2)
            box = child.bbox(self.index).transformed(_orientation(placed_as.rot))
            i, one_column = _tile(self.xs, at[:, 0] + box.left, at[:, 0] + box.right)
            j, one_row = _tile(self.ys, at[:, 1] + box.bottom, at[:, 1] + box.top)
            whole = one_column & one_row
            self._add(i[whole], j[whole], np.full(np.count_nonzero(whole), area))
            if not whole.all():
                waiting = opened.setdefault(inst.cell_index, {})
                waiting.setdefault(placed_as.rot, []).append(at[~whole])

    def _add_boxes(self, boxes: Array, moves: Array) -> None:
        for part in np.array_split(boxes, len(boxes) * len(moves) // 100_000 + 1):
            at = (part[:, None] + np.hstack([moves, moves])[None]).reshape(-1, 4)
            k, i = _pieces(self.xs, at[:, 0], at[:, 2])  # columns of tiles that each box touches
            at = at[k]
            k, j = _pieces(self.ys, at[:, 1], at[:, 3])
            i, at = i[k], at[k]
            wide = np.minimum(at[:, 2], self.xs[i + 1]) - np.maximum(at[:, 0], self.xs[i])
            high = np.minimum(at[:, 3], self.ys[j + 1]) - np.maximum(at[:, 1], self.ys[j])
            self._add(i, j, wide * high)

    def _add(self, i: NDArray[np.int64], j: NDArray[np.int64], areas: Array) -> None:
        """Areas to the tiles with these indices."""
        count = self.result.size
        tiles = i * self.result.shape[1] + j
        self.result += np.bincount(tiles, areas, count).reshape(self.result.shape)

    def _clip(self, polygon: kdb.Polygon) -> None:
        region, box = kdb.Region(polygon), polygon.bbox()
        for i in _touched(self.xs, box.left, box.right):
            for j in _touched(self.ys, box.bottom, box.top):
                x1, x2, y1, y2 = (round(float(v)) for v in (*self.xs[i : i + 2], *self.ys[j : j + 2]))
                self.result[i, j] += (region & kdb.Region(kdb.Box(x1, y1, x2, y2))).area()


def _touched(borders: Array, low: int, high: int) -> range:
    """Tiles that an interval overlaps."""
    first, last = np.searchsorted(borders, low, "right") - 1, np.searchsorted(borders, high, "left")
    return range(max(int(first), 0), min(int(last), len(borders) - 1))


def _orientation(code: int) -> kdb.Trans:
    """The transformation without displacement that has this rotation and mirror code (0..7)."""
    return kdb.Trans(code % 4, code >= 4, 0, 0)


def _tile(borders: Array, low: Array, high: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The tile where each interval begins, and whether it also ends there."""
    i = np.clip(np.searchsorted(borders, low, "right") - 1, 0, len(borders) - 2)
    return i, high <= borders[i + 1]


def _pieces(borders: Array, low: Array, high: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Intervals divided at the borders: of each piece the interval's number and its tile's."""
    first = np.clip(np.searchsorted(borders, low, "right") - 1, 0, len(borders) - 2)
    last = np.clip(np.searchsorted(borders, high, "left") - 1, first, len(borders) - 2)
    count = last - first + 1
    number = np.repeat(np.arange(len(low)), count)
    before = np.repeat(np.cumsum(count) - count, count)
    return number, first[number] + np.arange(len(number)) - before


def _starts(low: int, high: int, window: int, step: int) -> NDArray[np.int64]:
    """Where windows begin: every step, and once flush with the end."""
    return np.union1d(np.arange(low, high - window + 1, step), [high - window])
