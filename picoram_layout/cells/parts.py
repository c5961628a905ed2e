"""Contacts, pads and via stacks: the small shapes that every cell is wired with, sized by rule."""

from __future__ import annotations

from typing import Literal, Protocol

from picoram_layout.cells.thin_cell import poly_pad
from picoram_layout.layout import Canvas
from picoram_layout.pdk import Pdk

Axis = Literal["x", "y"]


class Pen(Protocol):
    """What can draw a box: a canvas, or a canvas turned round."""

    @property
    def pdk(self) -> Pdk:
        """The process."""

    def box(self, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a rectangle between two corners (um)."""


class Turned:
    """Draws on a canvas rotated by 180 degrees about the centre of a cell."""

    def __init__(self, canvas: Canvas, width: float, height: float):
        self.canvas, self.width, self.height = canvas, width, height
        self.pdk = canvas.pdk

    def box(self, layer: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a rectangle given in turned coordinates (um)."""
        w, h = self.width, self.height
        self.canvas.box(layer, w - x2, h - y2, w - x1, h - y1)


def rect(pen: Pen, layer: str, x: float, y: float, w: float, h: float) -> None:
    """Rectangle of size w x h around a point."""
    pen.box(layer, x - w / 2, y - h / 2, x + w / 2, y + h / 2)


def li_pad(pen: Pen, x: float, y: float, along: Axis) -> None:
    """li1 over one contact: enclosed on the two sides along ``along``, at least the minimum area."""
    pdk = pen.pdk
    cut = pdk.size("licon")
    length = max(cut + 2 * pdk.enclosure_adjacent("li1", "licon"), pdk.area("li1") / cut)
    length = pdk.up2(length)
    rect(pen, "li1", x, y, *((length, cut) if along == "x" else (cut, length)))


def licon(pen: Pen, x: float, y: float) -> None:
    """One contact from diffusion, tap or poly to li1."""
    via(pen, "licon", x, y)


def mcon(pen: Pen, x: float, y: float) -> None:
    """One contact from li1 to met1."""
    via(pen, "mcon", x, y)


def poly_contact(pen: Pen, x: float, y: float) -> None:
    """Contact on field poly with its pad (long side along x) and nitride cut; li1 is the wire's."""
    pdk = pen.pdk
    short, long = poly_pad(pdk)
    rect(pen, "poly", x, y, long, short)
    licon(pen, x, y)
    npc = pdk.up2(pdk.size("licon") + 2 * pdk.enclosure("npc", "licon_poly"))
    rect(pen, "npc", x, y, npc, npc)


def via(pen: Pen, cut: str, x: float, y: float) -> None:
    """One via of the exact size."""
    size = pen.pdk.size(cut)
    rect(pen, cut, x, y, size, size)


def mcon_reach(pdk: Pdk, width: float) -> float:
    """From an mcon's centre to the end of a met1 wire of this width that runs over it."""
    return via_reach(pdk, "met1", "mcon", width)


def via_reach(pdk: Pdk, metal: str, cut: str, width: float) -> float:
    """From a via's centre to the end of a wire of this width that runs over it."""
    size = pdk.size(cut)
    beside = (width - size) / 2
    plain, adjacent = pdk.enclosure(metal, cut), pdk.enclosure_adjacent(metal, cut)
    return size / 2 + (plain if beside >= adjacent - 1e-9 else adjacent)


def mcon_in(pdk: Pdk, x: float, x1: float, x2: float) -> float:
    """Where an mcon of a met1 wire from x1 to x2 stands best: at x, or as near as its enclosure allows."""
    size = pdk.size("mcon")
    for enclosure in (pdk.enclosure_adjacent("met1", "mcon"), pdk.enclosure("met1", "mcon")):
        low, high = pdk.up(x1 + enclosure + size / 2), pdk.down(x2 - enclosure - size / 2)
        if low <= high:
            break
    return min(max(x, low), high)


def island(
    pen: Pen, x1: float, x2: float, y_mcon: float, y_via: float, x_li: float | None = None
) -> tuple[float, float]:
    """met1 from x1 to x2 that joins an mcon and a via above it; returns its lower and upper end.

    ``x_li`` is the contact that li1 comes from; li1 is drawn from there to the mcon.
    """
    pdk = pen.pdk
    x, width = (x1 + x2) / 2, x2 - x1
    at = x if x_li is None else mcon_in(pdk, x_li, x1, x2)
    m = mcon_reach(pdk, 2 * min(at - x1, x2 - at))
    v = via_reach(pdk, "met1", "via", width)
    y1 = pdk.down(min(y_mcon - m, y_via - v))
    y2 = max(pdk.up(max(y_mcon + m, y_via + v)), pdk.up(y1 + pdk.area("met1") / width))
    pen.box("met1", x1, y1, x2, y2)
    mcon(pen, at, y_mcon)
    via(pen, "via", x, y_via)
    if x_li is not None:
        half = pdk.size("mcon") / 2
        pen.box("li1", min(x_li, at) - half, y_mcon - half, max(x_li, at) + half, y_mcon + half)
    return y1, y2
