"""The drawing board: the only module that talks to gdsfactory.

A `Library` is one layout with one PDK and the netlist of its cells; a `Canvas` is one cell while it is drawn
and its circuit written down; a `Block` is the finished cell with its parameters, ports, circuit and derived
numbers. Coordinates are micrometres; a vertex off the grid is an error of the generator, raised where it is
drawn.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

from picoram_layout.netlist.circuit import Circuit
from picoram_layout.netlist.devices import load_devices
from picoram_layout.pdk import Pdk

if TYPE_CHECKING:  # imported where used: plans and catalogues of cells must not wait for gdsfactory
    import gdsfactory as gf
    import klayout.db as kdb

P = ParamSpec("P")
# Nets of a placed block's pins that do not go by the pins' own names, for each place of an array.
Nets = Mapping[str, str] | Callable[[int, int], Mapping[str, str]]
_serial = itertools.count()


@dataclass(frozen=True)
class Port:
    """A place where a net can be reached: its net, layer and box (x1, y1, x2, y2 in um)."""

    net: str
    layer: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Block:
    """A finished cell: geometry, size (its abutment box, um), circuit, ports and derived numbers."""

    name: str
    component: gf.Component
    circuit: Circuit
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
        import klayout.db as kdb

        self.pdk = pdk
        self.devices = load_devices(pdk)
        self.netlist = kdb.Netlist()
        self.devices.declare(self.netlist)
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
        self.circuit = Circuit(lib.netlist, lib.devices, name)
        self.ports: dict[str, list[Port]] = {}
        self._labelled: set[str] = set()
        self._within: dict[str, Port] = {}  # where nets can be reached in placed blocks

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

    def place(
        self,
        block: Block,
        x: float = 0.0,
        y: float = 0.0,
        *,
        mirror_x: bool = False,
        mirror_y: bool = False,
        turned: bool = False,
        nx: int = 1,
        ny: int = 1,
        dx: float | None = None,
        dy: float | None = None,
        nets: Nets | None = None,
    ) -> None:
        """Place a block (or an ``nx`` x ``ny`` array of it) with its abutment box's lower left at (x, y).

        ``mirror_x`` turns left and right round, ``mirror_y`` top and bottom; ``turned`` is a quarter turn,
        the lower edge to the right (for a single, not mirrored block). ``dx`` and ``dy`` default to the
        block's size. Pins join nets of their own names but for those in ``nets`` (in an array: a
        function of column and row).
        """
        kdb = self.kdb
        dx, dy = block.width if dx is None else dx, block.height if dy is None else dy
        for i, j in itertools.product(range(nx), range(ny)):
            joined = (nets(i, j) if callable(nets) else nets) or {}
            self.circuit.instance(block.circuit, joined)
            self._reach(block, x + i * dx, y + j * dy, mirror_x, mirror_y, turned, joined)
        if turned:
            at = kdb.Trans(1, False, self.dbu(x + block.height), self.dbu(y))
            self.cell.insert(kdb.CellInstArray(block.cell.cell_index(), at))
            return
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
        step_x, step_y = kdb.Vector(self.dbu(dx), 0), kdb.Vector(0, self.dbu(dy))
        self.cell.insert(kdb.CellInstArray(index, trans, step_x, step_y, nx, ny))

    def _reach(
        self,
        block: Block,
        x: float,
        y: float,
        mirror_x: bool,
        mirror_y: bool,
        turned: bool,
        nets: Mapping[str, str],
    ) -> None:
        """Note where the nets of a placed block can be reached."""
        for pin, (port, *_) in block.ports.items():
            net = nets.get(pin, pin)
            if net in self._within:
                continue
            x1, y1, x2, y2 = port.box
            if mirror_x:
                x1, x2 = block.width - x2, block.width - x1
            if mirror_y:
                y1, y2 = block.height - y2, block.height - y1
            if turned:
                x1, y1, x2, y2 = block.height - y2, x1, block.height - y1, x2
            self._within[net] = Port(net, port.layer, (x + x1, y + y1, x + x2, y + y2))

    def export(self, hide: Collection[str] = ()) -> None:
        """Make a port of every net of placed blocks, where it is reached first, but for those in ``hide``."""
        for net, port in self._within.items():
            if net not in self.ports and net not in hide:
                self.ports[net] = [port]

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
        self._labelled.add(net)
        self.cell.shapes(self.lib.layer(f"{layer}.label")).insert(
            self.kdb.Text(net, self.kdb.Trans(round(x / dbu), round(y / dbu)))
        )

    def done(self, width: float, height: float, params: dict[str, Any] | None = None, **info: Any) -> Block:
        """Close the cell: name its ports, draw its abutment box on the boundary layer, hand out the block."""
        for net, (port, *_) in self.ports.items():
            if net not in self._labelled:
                x1, y1, x2, y2 = port.box
                self.label(net, port.layer, (x1 + x2) / 2, (y1 + y2) / 2)
        self.circuit.close(self.ports)
        self.box("boundary", 0, 0, width, height)
        return Block(
            self.cell.name, self.component, self.circuit, width, height, self.ports, params or {}, info
        )


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
