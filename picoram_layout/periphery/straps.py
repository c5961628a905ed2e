"""Straps of met4 that join the rails of a block of rows, drawn where it has no gates. Lengths in um."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Canvas
from picoram_layout.logic.gates import GND, VDD
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import RAILS, Problem, line_width
from picoram_layout.pdk import Pdk


def rail_heights(rows: Sequence[Row], base: float) -> list[float]:
    """Heights of the rails of rows that begin at ``base``."""
    return [round(y, 6) for y in itertools.accumulate((row.height for row in rows), initial=base)]


def rails_of(problem: Problem) -> list[tuple[str, float]]:
    """Supplies and heights of a block's rails."""
    return [(RAILS[k % 2], y) for k, y in enumerate(rail_heights(problem.rows, problem.base))]


def by_supply(pins: Iterable[str]) -> dict[str, str]:
    """Rails among a block's pins (``GND[2]``) and their supplies' names."""
    return {pin: name for pin in pins if (name := pin.partition("[")[0]) in RAILS}


def met4_width(pdk: Pdk) -> float:
    """Width of a met4 wire with vias to met3 anywhere."""
    return pdk.up2(max(pdk.width("met4"), *via_pad(pdk, "met4", "via3")))


def met3_width(pdk: Pdk) -> float:
    """Width of a short met3 wire with vias to met2 and met4."""
    return pdk.up2(max(pdk.width("met3"), *via_pad(pdk, "met3", "via2", "via3")))


def line_clear(pdk: Pdk) -> float:
    """Least distance of a line of met3 from a rail: straps' stacks on rails have met3."""
    return pdk.up((line_width(pdk) + met3_width(pdk)) / 2 + pdk.space("met3"))


def strap_reach(pdk: Pdk) -> float:
    """From a rail's centre to the end of its strap: the last rail may be the next block's first one."""
    return pdk.up(parts.via_reach(pdk, "met4", "via3", met4_width(pdk)))


def strap_places(pdk: Pdk, width: float) -> dict[str, float]:
    """Centres of both straps in a place of this width."""
    off = pdk.up((met4_width(pdk) + pdk.space("met4")) / 2)
    return {GND: round(pdk.down(width / 2) - off, 6), VDD: round(pdk.down(width / 2) + off, 6)}


def stack_pads(pdk: Pdk) -> dict[str, tuple[float, float]]:
    """Width and height of the pads in a stack of vias from met1 to met4, each of its layer's least area."""
    short, long = via_pad(pdk, "met2", "via", "via2")
    w = met3_width(pdk)
    return {
        "met2": (short, max(long, pdk.up2(pdk.area("met2") / short))),
        "met3": (w, max(w, pdk.up2(pdk.area("met3") / w))),
    }


def stack(c: Canvas, x: float, y: float) -> None:
    """Vias from met1 to met4, and the pads between."""
    for cut in ("via", "via2", "via3"):
        parts.via(c, cut, x, y)
    for layer, size in stack_pads(c.pdk).items():
        parts.rect(c, layer, x, y, *size)


def rail_straps(
    c: Canvas,
    rails: Sequence[tuple[str, float]],
    wires: Sequence[float],
    width: float,
    ends: tuple[float, float],
) -> None:
    """A strap of each supply between both ``ends``; stacks that are clear of the ``wires`` join its rails."""
    pdk = c.pdk
    w, high = met4_width(pdk), met3_width(pdk)
    gap = max(itertools.pairwise(sorted([0.0, width, *wires])), key=lambda pair: pair[1] - pair[0])
    x, strap = pdk.down(sum(gap) / 2), strap_places(pdk, width)
    for net, y in rails:
        parts.via(c, "via", x, y)
        parts.rect(c, "met2", x, y, *stack_pads(pdk)["met2"])
        parts.via(c, "via2", x, y)
        x1, x2 = min(x, strap[net]) - high / 2, max(x, strap[net]) + high / 2
        more = pdk.up(max(0.0, pdk.area("met3") / high - (x2 - x1)) / 2)
        c.box("met3", x1 - more, y - high / 2, x2 + more, y + high / 2)
        parts.via(c, "via3", strap[net], y)
    for net, at in strap.items():
        c.box("met4", at - w / 2, ends[0], at + w / 2, ends[1])
        c.port(net, "met4", at - w / 2, max(0.0, ends[0]), at + w / 2, ends[1])
