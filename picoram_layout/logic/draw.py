"""Draws rows of logic and their wires on a canvas, and writes down their transistors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import poly_pad, via_pad
from picoram_layout.layout import Block, Canvas, Library
from picoram_layout.logic.devices import devices
from picoram_layout.logic.gates import GND, NONE, TAP, VDD
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import (
    RAILS,
    Columns,
    Piece,
    Problem,
    Strap,
    Trunk,
    Unroutable,
    Wiring,
    columns,
    solve,
    widest,
)
from picoram_layout.netlist.devices import SUBSTRATE
from picoram_layout.pdk import Pdk

WELL = "NW"
PASSES = 20  # at most, until blocks that share their rows' heights agree on them: two or three are usual


@dataclass(frozen=True)
class RowPen:
    """Draws one row in its own coordinates: at its place, every other one upside down."""

    canvas: Canvas
    problem: Problem
    number: int

    @property
    def pdk(self) -> Pdk:
        """The process."""
        return self.canvas.pdk

    def y(self, at: float) -> float:
        """A height in the row as one of the block."""
        return self.problem.y(self.number, at)

    def net(self, name: str) -> str:
        """A net of the row: supplies and wells of several rows are known by the number of their rail."""
        if name not in (GND, VDD, WELL) or len(self.problem.rows) == 1:
            return name
        return f"{name}[{self.number + ((name == GND) == self.number % 2)}]"

    def box(self, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a rectangle between two corners (um)."""
        self.canvas.box(layer, x1, self.y(y1), x2, self.y(y2))


def routed(
    rows: Sequence[Row], problem: Callable[[tuple[Row, ...]], Problem], more: int = 30
) -> tuple[Problem, Wiring]:
    """Wire the ``problem`` of these rows; rows grow by a track, up to ``more`` times, until it fits."""
    while True:
        made = problem(tuple(rows))
        try:
            return made, solve(made)
        except Unroutable as error:
            if not error.rows or not more:
                raise
            more -= 1
            rows = [higher(row) if k in error.rows else row for k, row in enumerate(rows)]


def higher(row: Row) -> Row:
    """The same row with one track more."""
    return row.solved(row.height + row.track + row.pdk.space("met1"))


def draw_block(lib: Library, name: str, problem: Problem, wiring: Wiring) -> Block:
    """A block of rows with its wires; its ports are the rails, the well, exported nets and pins."""
    c = Canvas(lib, name)
    width = problem.width or widest(problem)
    for number, (row, gates) in enumerate(zip(problem.rows, problem.gates, strict=True)):
        pen, cols = RowPen(c, problem, number), columns(gates)
        _bands(pen, row, cols, width)
        _rails(pen, row, width)
        for side, strip, widths in cols.both:
            for run in cols.runs(side):
                if strip[run[0]] == TAP:
                    _tap(pen, row, side, run[0])
                else:
                    _strip(pen, row, side, widths, run)
        _poly(pen, row, cols)
        for strap in wiring.straps[number]:
            _strap(pen, row, strap)
        _circuit(pen, row, cols)
    for piece in wiring.pieces:
        _piece(RowPen(c, problem, piece.row), problem.rows[piece.row], piece, wiring.trunk(piece))
    for number, column in wiring.bridges:
        _bridge(c, problem, number, column)
    for trunk in wiring.trunks.values():
        _trunk(c, problem, trunk)
        pads(c, trunk.x, trunk_vias(problem, wiring, trunk))
    _ports(c, problem, wiring, width)
    return c.done(width, problem.height, {"rows": len(problem.rows)})


def _span(row: Row, side: str, w: float) -> tuple[float, float]:
    """Lower and upper edge of a strip of this width: strips are aligned towards the middle."""
    return (row.yn2 - w, row.yn2) if side == "n" else (row.yp1, row.yp1 + w)


def _strip(pen: RowPen, row: Row, side: str, widths: tuple[float, ...], run: tuple[int, int]) -> None:
    """One piece of diffusion."""
    y1, y2 = _span(row, side, widths[run[0]])
    pen.box("diff", row.x(run[0]) - row.end, y1, row.x(run[1]) + row.end, y2)


def _poly(pen: RowPen, row: Row, cols: Columns) -> None:
    """Gates with their contacts' pads."""
    half, endcap = row.gate_l / 2, row.pdk.rule("extension", "poly", "diff")
    pad = poly_pad(row.pdk)[0] / 2
    for k in range(1, len(cols.n), 2):
        n, p = cols.n[k], cols.p[k]
        x = row.x(k)
        low, high = row.yn2 - cols.wn[k] - endcap, row.yp1 + cols.wp[k] + endcap
        if n != NONE and n == p:
            pen.box("poly", x - half, low, x + half, high)
            continue
        if n != NONE:
            pen.box("poly", x - half, low, x + half, row.low + pad)
        if p != NONE:
            pen.box("poly", x - half, row.high - pad, x + half, high)


def _bridge(c: Canvas, problem: Problem, number: int, column: int) -> None:
    """Poly of one gate from row to row, under the rail between."""
    row, above = problem.rows[number], problem.rows[number + 1]
    half = row.gate_l / 2
    y1, y2 = problem.y(number, row.low), problem.y(number + 1, above.low)
    c.box("poly", row.x(column) - half, y1, row.x(column) + half, y2)


def _bands(pen: RowPen, row: Row, cols: Columns, width: float) -> None:
    """Implants, interrupted by the taps' own, the well and the nitride cut along the row."""
    pdk = row.pdk
    n_top = row.yn2 + pdk.up(pdk.enclosure("nsdm", "ndiff"))
    p_low = row.yp1 - pdk.up(pdk.enclosure("psdm", "pdiff"))
    off = row.tap_reach
    over_tap = off - row.tap[0] / 2
    for side, strip, _ in cols.both:
        own, other = ("nsdm", "psdm") if side == "n" else ("psdm", "nsdm")
        y1, y2 = (0.0, n_top) if side == "n" else (p_low, row.height)
        if side == "n" and pen.number == 0 and not pen.problem.joined:
            y1 = -pen.problem.base  # no gap to a neighbour's implant
        x = 0.0
        for k in (k for k, net in enumerate(strip) if net == TAP):
            at = row.x(k)
            if at - off > x:
                pen.box(own, x, y1, at - off, y2)
            tap_high = row.yn1 + row.tap[1] + over_tap if side == "n" else row.yp2 - row.tap[1] - over_tap
            pen.box(other, at - off, tap_high, at + off, 0.0 if side == "n" else row.height)
            x = at + off
        if x < width:
            pen.box(own, x, y1, width, y2)
    beyond = pdk.up(pdk.enclosure("nwell", "pdiff"))
    # beyond the rail: a row alone has a well of legal width, too
    pen.box("nwell", 0, row.yp1 - beyond, width, row.height + beyond)
    over = pdk.up(pdk.size("licon") / 2 + pdk.enclosure("npc", "licon_poly"))
    gates = [k for k in range(1, len(cols.n), 2) if {cols.n[k], cols.p[k]} != {NONE}]
    if gates:
        pen.box("npc", row.x(gates[0]) - over, row.low - over, row.x(gates[-1]) + over, row.high + over)


def _rails(pen: RowPen, row: Row, width: float) -> None:
    """Both supply rails; half of each lies in the row beyond."""
    for y in (0.0, row.height):
        pen.box("met1", 0, y - row.rail, width, y + row.rail)


def _tap(pen: RowPen, row: Row, side: str, column: int) -> None:
    """One tap with its contact to the rail."""
    w, h = row.tap
    x = row.x(column)
    y = row.yn1 + h / 2 if side == "n" else row.yp2 - h / 2
    parts.rect(pen, "tap", x, y, w, h)
    parts.licon(pen, x, y)
    rail = 0.0 if side == "n" else row.height
    y1, y2 = (-row.li / 2, y + row.pad) if side == "n" else (y - row.pad, row.height + row.li / 2)
    pen.box("li1", x - row.li / 2, y1, x + row.li / 2, y2)
    parts.mcon(pen, x, rail)
    if side == "n":
        pen.canvas.circuit.tap("ptap", pen.net(GND), SUBSTRATE)
    else:
        pen.canvas.circuit.tap("ntap", pen.net(VDD), pen.net(WELL))


def _strap(pen: RowPen, row: Row, s: Strap) -> None:
    """li1 with its contacts, to the rail if it is a supply's."""
    x = row.x(s.column)
    pen.box("li1", x - row.li / 2, s.y1, x + row.li / 2, s.y2)
    for kind, y in s.contacts:
        parts.licon(pen, x, y)
        if kind == "poly":
            short, long = poly_pad(row.pdk)
            parts.rect(pen, "poly", x, y, long, short)
    if s.net in RAILS:
        parts.mcon(pen, x, 0.0 if s.net == GND else row.height)


def _piece(pen: RowPen, row: Row, piece: Piece, trunk: Trunk | None) -> None:
    """A track with its contacts to straps and its via to the trunk."""
    half = row.li / 2
    pen.box("met1", piece.x1, piece.track - row.track / 2, piece.x2, piece.track + row.track / 2)
    for s in piece.straps:
        x = row.x(s.column)
        y1, y2 = min(s.y1, piece.track - half), max(s.y2, piece.track + half)
        pen.box("li1", x - half, y1, x + half, y2)
        parts.mcon(pen, x, piece.track)
    if trunk:
        parts.via(pen, "via", trunk.x, piece.track)


def _trunk(c: Canvas, problem: Problem, t: Trunk) -> None:
    """The trunk, its pads under lines, its jogs to pins."""
    pdk = c.pdk
    w = pdk.width("met2")
    y1, y2 = t.y1, t.y2
    for span in problem.spans:
        if span.net == t.net and not t.pins:
            c.port(t.net, "met2", t.x - w / 2, span.y1, t.x + w / 2, span.y1 + w)
    for line in t.lines:
        parts.via(c, "via2", t.x, line.y)
    space = pdk.space("met2")
    turn = space + t.level * (w + space)
    for pin in t.pins:
        bottom = pin.edge == "bottom"
        x = t.x if pin.x is None else pin.x
        if abs(x - t.x) > 1e-6:
            c.box("met2", x - w / 2, 0.0, x + w / 2, turn + w)
            c.box("met2", min(x, t.x) - w / 2, turn, max(x, t.x) + w / 2, turn + w)
            y1 = max(y1, turn)
        y = 0.0 if bottom else problem.height - w
        c.port(t.net, "met2", x - w / 2, y, x + w / 2, y + w)
    least = pdk.up(max(y2 - y1, pdk.area("met2") / w))
    c.box("met2", t.x - w / 2, y1, t.x + w / 2, y1 + least if least > y2 - y1 + 1e-9 else y2)


def trunk_vias(problem: Problem, wiring: Wiring, t: Trunk) -> list[tuple[str, float]]:
    """A trunk's vias down to tracks and up to lines, with their heights (um)."""
    tracks = [problem.y(piece.row, piece.track) for piece in wiring.pieces if wiring.trunk(piece) is t]
    return [*(("via", y) for y in tracks), *(("via2", line.y) for line in t.lines)]


def pads(c: Canvas, x: float, vias: Sequence[tuple[str, float]]) -> None:
    """met2 pads of vias on a trunk; what is too narrow a gap between two of them is filled."""
    upper = -math.inf
    before = 0.0
    for cut, y in sorted(vias, key=lambda via: via[1]):
        w, h = via_pad(c.pdk, "met2", cut)
        parts.rect(c, "met2", x, y, w, h)
        if 0 < y - h / 2 - upper < c.pdk.space("met2"):
            parts.rect(c, "met2", x, (upper + y) / 2, min(w, before), y - upper)
        upper, before = y + h / 2, w


def _ports(c: Canvas, problem: Problem, wiring: Wiring, width: float) -> None:
    """Rails, wells and exported nets."""
    for number, row in enumerate(problem.rows):
        pen = RowPen(c, problem, number)
        for net, at in ((GND, 0.0), (VDD, row.height)):
            c.port(pen.net(net), "met1", 0, pen.y(at) - row.rail, width, pen.y(at) + row.rail)
        a, b = sorted((pen.y(row.yp1), pen.y(row.height)))
        c.port(pen.net(WELL), "nwell", 0, a, width, b)
    for line in problem.lines:
        c.box(line.layer, 0, line.y - line.w / 2, width, line.y + line.w / 2)
        c.port(line.net, line.layer, 0, line.y - line.w / 2, width, line.y + line.w / 2)
    for net in sorted(problem.exported | {feed.net for feed in problem.feeds}):
        piece = next((p for p in wiring.pieces if p.net == net), None)
        if piece is None:
            raise ValueError(f"{c.cell.name}: no wire for pin {net}")
        row = problem.rows[piece.row]
        y = problem.y(piece.row, piece.track)
        c.port(net, "met1", piece.x1, y - row.track / 2, piece.x2, y + row.track / 2)


def _circuit(pen: RowPen, row: Row, cols: Columns) -> None:
    """The transistors of a row."""
    circuit = pen.canvas.circuit
    mos = {"n": circuit.nmos(row.gate_l), "p": circuit.pmos(row.gate_l, pen.net(WELL))}
    for device in devices(row, cols):
        source, drain = (replace(end, net=pen.net(end.net)) for end in (device.source, device.drain))
        mos[device.side](pen.net(device.gate), source, drain, device.w)
