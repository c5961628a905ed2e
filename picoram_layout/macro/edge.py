"""The lower edge: every signal leaves on met2, on a track of a router that starts at the macro's origin.

Upright wires of met4 stand further apart than tracks: below the blocks each turns on met3 to a track near
it. Inputs of the base arrive on met2 and turn on it. All lengths in um.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Canvas
from picoram_layout.logic.wiring import turn_levels
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.risers import Stub, Turn, assigned, draw_turn, extent, too_narrow
from picoram_layout.periphery.straps import met3_width, met4_width
from picoram_layout.plan import Plan

LAYER = "met2"


@dataclass(frozen=True)
class Edge:
    """Wires between the pins and the blocks, which begin at ``height`` or above.

    Turns of met3, and of each input of the base its track, the height where it turns and its place above.
    """

    turns: tuple[Turn, ...]
    inputs: dict[str, tuple[float, float, float]]
    height: float


def pin_height(pdk: Pdk) -> float:
    """Height of a pin: a wire of the least width and area."""
    return pdk.up(pdk.area(LAYER) / pdk.width(LAYER))


def tracks(pdk: Pdk, width: float) -> list[float]:
    """A router's tracks over a macro of this width."""
    pitch, offset = pdk.tracks[LAYER]
    return [round(offset + k * pitch, 6) for k in range(math.floor((width - 2 * offset) / pitch + 1e-6) + 1)]


def solve_edge(plan: Plan, upright: Mapping[str, float], inputs: Mapping[str, float], width: float) -> Edge:
    """Tracks, and the wires to them; `SpecError` if there are too few tracks.

    ``upright``: places of the wires of met4, ``inputs``: of the base's inputs, ``width``: of the macro.
    """
    pdk, free = plan.pdk, tracks(plan.pdk, width)
    w, space = pdk.width(LAYER), pdk.space(LAYER)
    own = _placed(plan, inputs, free)
    reach = (w + via_pad(pdk, LAYER, "via2")[0]) / 2 + space  # from an input's wire to a via's track
    for net, track in own.items():
        low, high = sorted((track, inputs[net]))
        free = [x for x in free if x <= low - reach + 1e-6 or x >= high + reach - 1e-6]
    places = _placed(plan, upright, free)
    turns = [Turn(net, [Stub(x, 0.0, 0.0)], [upright[net]]) for net, x in places.items()]
    wide, apart = met3_width(pdk), pdk.space("met3")
    first = pdk.up(max(wide, via_pad(pdk, LAYER, "via2")[1], via_pad(pdk, "met4", "via3")[1]) / 2)
    for turn, level in zip(turns, side_by_side([extent(pdk, turn) for turn in turns], apart), strict=True):
        turn.y = round(first + level * (wide + apart), 6)
    levels = turn_levels(list(own.values()), [inputs[net] for net in own], w + space)
    heights = [round(pdk.up(pin_height(pdk) + w / 2) + level * (w + space), 6) for level in levels]
    pad = wide / 2  # of straps on the base's first rail
    above = max(max(turn.y for turn in turns) + wide / 2 + apart + pad, max(heights) + w / 2 + space)
    bent = {net: (own[net], y, inputs[net]) for net, y in zip(own, heights, strict=True)}
    return Edge(tuple(turns), bent, pdk.up(above))


def side_by_side(spans: Sequence[tuple[float, float]], space: float) -> list[int]:
    """A level for each span, so that those of a level keep their distance; as few levels as can be."""
    ends: list[float] = []
    levels = [0] * len(spans)
    for k in sorted(range(len(spans)), key=lambda k: spans[k]):
        start, end = spans[k]
        level = next((n for n, last in enumerate(ends) if last + space <= start + 1e-6), len(ends))
        ends[level : level + 1] = [end]
        levels[k] = level
    return levels


def _placed(plan: Plan, wanted: Mapping[str, float], free: list[float]) -> dict[str, float]:
    """A track for each wire, in their order from the left."""
    if len(wanted) > len(free):
        raise too_narrow(plan, f"{len(wanted)} pins at the lower edge have {len(free)} tracks", len(free))
    ordered = sorted(wanted, key=lambda net: wanted[net])
    found = assigned([wanted[net] for net in ordered], free)
    return {net: free[k] for net, k in zip(ordered, found, strict=True)}


def draw_edge(c: Canvas, edge: Edge, low: float, ends: Mapping[str, float]) -> None:
    """Draw pins and wires up to the ``ends``, where their blocks begin, or to ``low``."""
    pdk, w, w4 = c.pdk, c.pdk.width(LAYER), met4_width(c.pdk)
    reach = pdk.up(parts.via_reach(pdk, "met4", "via3", w4))
    for turn in edge.turns:
        _pin(c, turn.net, turn.stubs[0].x)
        draw_turn(c, turn)
        for x in turn.xs:
            c.box("met4", x - w4 / 2, turn.y - reach, x + w4 / 2, ends.get(turn.net, low))
    for net, (track, y, x) in edge.inputs.items():
        _pin(c, net, track)
        c.box(LAYER, track - w / 2, 0.0, track + w / 2, y + w / 2)
        c.box(LAYER, min(track, x) - w / 2, y - w / 2, max(track, x) + w / 2, y + w / 2)
        c.box(LAYER, x - w / 2, y - w / 2, x + w / 2, ends[net])


def _pin(c: Canvas, net: str, x: float) -> None:
    half = c.pdk.width(LAYER) / 2
    c.pin(net, LAYER, x - half, 0.0, x + half, pin_height(c.pdk))
