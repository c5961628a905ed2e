"""The drawing board: the only module that talks to gdsfactory.

A `Library` is one layout with one PDK; a `Canvas` is one cell while it is drawn; a `Block` is the
finished cell with its parameters, ports and derived numbers. Coordinates are micrometres; a vertex off the
grid is an error of the generator, raised where it is drawn.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

from picoram_layout.pdk import Pdk

if TYPE_CHECKING:  # imported where used: plans and catalogues of cells must not wait for gdsfactory
    import gdsfactory as gf
    import klayout.db as kdb

P = ParamSpec("P")
_serial = itertools.count()


@dataclass(frozen=True)
class Port:
    """A place where a net can be reached: its net, layer and box (x1, y1, x2, y2 in um)."""

    net: str
    layer: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Block:
    """A finished cell: geometry, size (its abutment box, um), ports and derived numbers."""

    name: str
    component: gf.Component
    width: float
    height: float
    ports: dict[str, list[Port]] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> kdb.Cell:
        """The KLayout cell."""
        return self.component.kdb_cell

    def port(self, net: str) -> Port:
        """The first port of a net."""
        return self.ports[net][0]


class Library:
    """All cells of one layout, drawn with one PDK."""

    def __init__(self, pdk: Pdk):
        import kfactory as kf

        self.pdk = pdk
        self.kcl = kf.KCLayout(f"picoram_{next(_serial)}")
        self.kcl.dbu = pdk.dbu
        self.layout: kdb.Layout = self.kcl.layout
        self.blocks: dict[Any, Block] = {}
        self._layers = {
            **{n: self.layout.layer(*ld) for n, ld in {**pdk.drawn, **pdk.marks}.items()},
            **{f"{n}.label": self.layout.layer(*ld) for n, ld in pdk.labels.items()},
            **{f"{n}.pin": self.layout.layer(*ld) for n, ld in pdk.pins.items()},
        }

    def layer(self, name: str) -> int:
        """Layer index of a drawn layer, a mark, or ``<layer>.label`` / ``<layer>.pin``."""
        return self._layers[name]


class Canvas:
    """A cell while it is drawn."""

    def __init__(self, lib: Library, name: str):
        import gdsfactory as gf
        import klayout.db as kdb

        self.kdb = kdb
        self.lib = lib
        self.pdk = lib.pdk
        self.component = gf.Component(name=name, kcl=lib.kcl)
        self.cell: kdb.Cell = self.component.kdb_cell
        self.ports: dict[str, list[Port]] = {}

    def dbu(self, value: float) -> int:
        """Database units of a length; `ValueError` if it is off the manufacturing grid."""
        steps = value / self.pdk.grid
        if abs(steps - round(steps)) > 1e-3:
            raise ValueError(f"{self.cell.name}: {value:.6f} um is off the {self.pdk.grid} um grid")
        return round(round(steps) * self.pdk.grid / self.pdk.dbu)

    def box(self, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a rectangle between two corners."""
        d = self.dbu
        self.cell.shapes(self.lib.layer(layer)).insert(self.kdb.Box(d(x1), d(y1), d(x2), d(y2)))

    def rect(self, layer: str, cx: float, cy: float, w: float, h: float) -> None:
        """Draw a rectangle of size ``w`` x ``h`` around a centre."""
        self.box(layer, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)

    def place(
        self,
        block: Block,
        x: float = 0.0,
        y: float = 0.0,
        *,
        mirror_x: bool = False,
        mirror_y: bool = False,
        nx: int = 1,
        ny: int = 1,
        dx: float | None = None,
        dy: float | None = None,
    ) -> None:
        """Place a block (or an ``nx`` x ``ny`` array of it) with its abutment box's lower left at (x, y).

        ``mirror_x`` turns left and right round, ``mirror_y`` top and bottom. ``dx`` and ``dy`` default
        to the block's size.
        """
        kdb = self.kdb
        rotation, mirror = (2 if mirror_x else 0), mirror_x != mirror_y
        trans = kdb.Trans(
            rotation,
            mirror,
            self.dbu(x + (block.width if mirror_x else 0.0)),
            self.dbu(y + (block.height if mirror_y else 0.0)),
        )
        index = block.cell.cell_index()
        if nx == 1 and ny == 1:
            self.cell.insert(kdb.CellInstArray(index, trans))
            return
        step_x = kdb.Vector(self.dbu(block.width if dx is None else dx), 0)
        step_y = kdb.Vector(0, self.dbu(block.height if dy is None else dy))
        self.cell.insert(kdb.CellInstArray(index, trans, step_x, step_y, nx, ny))

    def port(self, net: str, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Name a place where a net can be reached from outside (no shape is drawn)."""
        self.ports.setdefault(net, []).append(Port(net, layer, (x1, y1, x2, y2)))

    def pin(self, net: str, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a pin: wire, pin shape and label, and name it as a port."""
        self.box(layer, x1, y1, x2, y2)
        self.box(f"{layer}.pin", x1, y1, x2, y2)
        self.label(net, layer, (x1 + x2) / 2, (y1 + y2) / 2)
        self.port(net, layer, x1, y1, x2, y2)

    def label(self, net: str, layer: str, x: float, y: float) -> None:
        """Put a net's name on a wire."""
        dbu = self.pdk.dbu
        self.cell.shapes(self.lib.layer(f"{layer}.label")).insert(
            self.kdb.Text(net, self.kdb.Trans(round(x / dbu), round(y / dbu)))
        )

    def done(self, width: float, height: float, params: dict[str, Any] | None = None, **info: Any) -> Block:
        """Close the cell: draw its abutment box on the boundary layer and hand out the block."""
        self.box("boundary", 0, 0, width, height)
        return Block(self.cell.name, self.component, width, height, self.ports, params or {}, info)


def block(
    draw: Callable[Concatenate[Library, P], Block],
) -> Callable[Concatenate[Library, P], Block]:
    """Make a generator draw each parameter set once per library."""

    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def cached(lib: Library, *args: P.args, **kwargs: P.kwargs) -> Block:
        bound = signature.bind(lib, *args, **kwargs)
        bound.apply_defaults()
        key = (draw.__module__, draw.__qualname__, *list(bound.arguments.values())[1:])
        if key not in lib.blocks:
            lib.blocks[key] = draw(lib, *args, **kwargs)
        return lib.blocks[key]

    return cast(Callable[Concatenate[Library, P], Block], cached)
