"""The local MOM capacitor over one cluster: live plate T inside a frame of GND that neighbours share.

``shielded``: a met4 comb over met3 GND bars that hide T from the row wires. ``comb``: the same comb in
met3 and met4. GND fingers stand on the cell's edges, GND rails on its lower and upper boundary.
"""

from __future__ import annotations

import math

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import ThinCell, via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.pdk import Pdk

Box = tuple[float, float, float, float]


def finger_w(pdk: Pdk) -> float:
    """Width of a finger."""
    return pdk.up2(max(pdk.width("met3"), pdk.width("met4")))


def rail_w(pdk: Pdk) -> float:
    """Width of a rail: it holds via3, enclosed more widely along the rail."""
    pads = [pdk.size("via3") + 2 * pdk.enclosure(m, "via3") for m in ("met3", "met4")]
    return pdk.up2(max(finger_w(pdk), *pads))


def rail_end(pdk: Pdk) -> float:
    """How far a rail reaches past the centre of its last via3."""
    return _via3_long(pdk) / 2


def fingers(t: ThinCell) -> list[float]:
    """Centres of all fingers from edge to edge: even ones GND, odd ones T."""
    pdk = t.pdk
    pitch = finger_w(pdk) / 2 + _space(pdk) + max(_pad_w(pdk) / 2, _island_w(pdk) / 2, rail_end(pdk))
    count = 2 * math.floor(t.width / pitch / 2 + 1e-9)
    while pdk.down(t.width / count) < pitch - 1e-9:  # on grid, some fingers are closer than the mean
        count -= 2
    left = [pdk.down(k * t.width / count) for k in range(count // 2 + 1)]
    return left + [round(t.width - x, 6) for x in reversed(left[: count - count // 2])]


def stack_x(t: ThinCell) -> float:
    """The T finger that T's via stack meets: the one nearest to T's island."""
    return min(fingers(t)[1::2], key=lambda x: abs(x - t.lanes["XL_T"].x))


def _pad_w(pdk: Pdk) -> float:
    """Width of a finger where it holds via3."""
    return max(finger_w(pdk), pdk.up2(pdk.size("via3") + 2 * pdk.enclosure("met4", "via3")))


def _island_w(pdk: Pdk) -> float:
    """Width of the met3 island between via2 and via3."""
    return pdk.up2(
        max(
            pdk.size("via2") + 2 * pdk.enclosure_adjacent("met3", "via2"),
            pdk.size("via3") + 2 * pdk.enclosure("met3", "via3"),
        )
    )


@block
def capacitor(lib: Library, t: ThinCell, style: str, height: float, t_y: float, total: float) -> Block:
    """Capacitor of a cluster of this height with T's via stack at ``t_y``; ``total`` as in `shapes`.

    Its value in the netlist is 0 until it is known: `netlist.circuit.set_capacitors`.
    """
    c = Canvas(lib, "capacitor" if total == height else "capacitor_segment")
    for net, layer, box in shapes(t, style, height, t_y, total):
        c.box(layer, *box)
        if layer == "met4":
            c.port(net, layer, *box)
    parts.via(c, "via2", stack_x(t), t_y)
    short, long = via_pad(t.pdk, "met2", "via2")
    parts.rect(c, "met2", stack_x(t), t_y, long, short)
    grid = t.pdk.grid  # marks of neighbours do not touch: each is a device of its own
    c.box(lib.devices.capacitor.mark, grid, grid, t.width - grid, height - grid)
    c.circuit.capacitor("T", "GND", 0.0)
    return c.done(t.width, total, {"style": style})


def shapes(t: ThinCell, style: str, height: float, t_y: float, total: float) -> list[tuple[str, str, Box]]:
    """Every shape from met3 up as (net, layer, box in um).

    ``total`` is the height of the cluster it stands on; a taller one (segment row) only gets longer GND
    fingers, so that every capacitor is equal.
    """
    pdk, x_t, rail = t.pdk, stack_x(t), rail_w(t.pdk) / 2
    rails = sorted({0.0, height, total})
    drawn: list[tuple[str, str, Box]] = []
    for layer in ("met4",) if style == "shielded" else ("met3", "met4"):
        drawn += [(net, layer, b) for net, boxes in comb(t, height, total).items() for b in boxes]
    width, long = _island_w(pdk), _via3_long(pdk)
    top = t_y + long / 2
    if style == "shielded":
        long = pdk.up2(max(long, pdk.area("met3") / width))
        half = bar_w(t, height) / 2
        for x in fingers(t)[1::2]:
            opening = [(0.0, top - long - pdk.space("met3")), (top + pdk.space("met3"), total)]
            for y1, y2 in opening if x == x_t else [(0.0, total)]:
                drawn.append(("GND", "met3", (x - half, y1, x + half, y2)))
        drawn += [
            ("GND", "met3", (-rail_end(pdk), y - rail, t.width + rail_end(pdk), y + rail)) for y in rails
        ]
        drawn.append(("T", "met3", (x_t - width / 2, top - long, x_t + width / 2, top)))
        contacts = fingers(t)[1::2]
    else:
        drawn.append(("T", "met3", _pad(t, x_t, t_y, width, height)))
        live = _live_rail(t, height)
        drawn += [("T", "via3", _cut(pdk, x, sum(live) / 2)) for x in fingers(t)[1::2] if x != x_t]
        contacts = fingers(t)[0::2]
    if 0 < total - height - 2 * rail < 2 * _space(pdk):  # too narrow a window: one solid rail
        drawn += [("GND", layer, (0.0, height, t.width, total)) for layer in ("met3", "met4")]
    drawn += [("GND", "via3", _cut(pdk, x, y)) for y in rails for x in contacts]
    drawn.append(("T", "via3", _cut(pdk, x_t, t_y)))
    drawn.append(("T", "met4", _pad(t, x_t, t_y, _pad_w(pdk), height)))
    return drawn


def stack_room(pdk: Pdk) -> float:
    """Least distance (um) from T's via stack to the upper boundary of its cluster."""
    return _via3_long(pdk) / 2 + _space(pdk) + rail_w(pdk) / 2


def most_lift(pdk: Pdk) -> float:
    """How far (um) a capacitor may stand above its cluster's lower boundary: the rest of the rail below the
    boundary keeps the live rail off whatever closes the array above it."""
    return pdk.down(rail_w(pdk) / 2)


def live_length(t: ThinCell, height: float) -> float:
    """Length of all T fingers on one layer (um)."""
    boxes = comb(t, height, height)["T"]
    return sum(y2 - y1 for _, y1, _, y2 in boxes[:-1])


def _cut(pdk: Pdk, x: float, y: float) -> Box:
    """A via3."""
    half = pdk.size("via3") / 2
    return x - half, y - half, x + half, y + half


def _pad(t: ThinCell, x: float, y: float, width: float, height: float) -> Box:
    """Pad of T's via stack on a finger; it runs on into T's rail where a gap would be too narrow."""
    half, rail = _via3_long(t.pdk) / 2, _live_rail(t, height)[0]
    top = max(y + half, rail) if rail - (y + half) < _space(t.pdk) else y + half
    return x - width / 2, y - half, x + width / 2, top


def _via3_long(pdk: Pdk) -> float:
    """Length of a met3 pad under via3."""
    return pdk.up2(pdk.size("via3") + 2 * pdk.enclosure_adjacent("met3", "via3"))


def _live_rail(t: ThinCell, height: float) -> tuple[float, float]:
    """Lower and upper edge of T's rail."""
    rail = rail_w(t.pdk)
    top = height - rail / 2 - _space(t.pdk)
    return top - rail, top


def _space(pdk: Pdk) -> float:
    return max(pdk.space("met3"), pdk.space("met4"))


def comb(t: ThinCell, height: float, total: float) -> dict[str, list[Box]]:
    """Boxes (um) of the comb on one layer, by net."""
    pdk = t.pdk
    w, rail, end, s = finger_w(pdk) / 2, rail_w(pdk) / 2, rail_end(pdk), _space(pdk)
    xs = fingers(t)
    low, top = _live_rail(t, height)
    ground = [(x - w, -rail, x + w, total + rail) for x in (xs[0], xs[-1])]
    ground += [(x - w, 0.0, x + w, low - s) for x in xs[2:-1:2]]
    ground += [(-end, y - rail, t.width + end, y + rail) for y in (0.0, height, total)]
    live = [(x - w, rail + s, x + w, top) for x in xs[1::2]]
    live.append((xs[1] - end, low, xs[-2] + end, top))
    return {"GND": ground, "T": live}


def bar_w(t: ThinCell, height: float) -> float:
    """Width of a shield bar: as wide as the metal density limit and the space between bars allow."""
    pdk = t.pdk
    xs = fingers(t)
    pitch = t.width / (len(xs) // 2)
    limit = pdk.rule("density", "met3")
    rail = rail_w(pdk)
    share = (limit * height - rail) / (height - rail)
    return pdk.down(min(share * pitch, pitch - pdk.space("met3")) / 2) * 2
