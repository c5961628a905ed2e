"""The power grid: met4 straps upright over the row drivers, met5 rungs across the macro.

Each strap lies on a met3 line of the row drivers, which every row taps: supplies, and the levels of the data
lines. Rungs of VDD and GND take turns; they are the macro's power pins, as are the ends of the straps. All
lengths in um.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from picoram_layout.cells import parts
from picoram_layout.layout import Canvas
from picoram_layout.logic.wiring import RAILS
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.row_driver import solve_driver, standing_lines
from picoram_layout.periphery.straps import strap_reach
from picoram_layout.plan import Plan

RUNG_PITCH = 160.0  # um between rungs of one supply, about
STRAP_WIDTHS = 8  # a strap is at most so many least met4 widths wide


@dataclass(frozen=True)
class Strap:
    """A wire of the grid: its net, layer, centre across, width, and where it starts and ends along."""

    net: str
    layer: str
    at: float
    w: float
    start: float
    end: float

    @property
    def upright(self) -> bool:
        """Whether it runs upwards."""
        return self.layer == "met4"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Lower left and upper right corner."""
        low, high = self.at - self.w / 2, self.at + self.w / 2
        return (low, self.start, high, self.end) if self.upright else (self.start, low, self.end, high)


def straps(plan: Plan, left: float, low: float, foot: float, top: float) -> list[Strap]:
    """Straps over the row drivers, whose lower left corner is (``left``, ``low``), to the upper edge ``top``.

    Those of the supplies begin at the lower edge of the ``foot``. They are as wide as their lines' places
    allow.
    """
    pdk, space = plan.pdk, plan.pdk.space("met4")
    places = [
        (net, round(left + x, 6)) for net, x, _ in standing_lines(plan) if net in (*RAILS, *levels(plan))
    ]
    start = round(foot - strap_reach(pdk), 6)
    most = pdk.up2(STRAP_WIDTHS * pdk.width("met4"))
    right = left + solve_driver(plan, 0).problem.height
    spots = [("", 0.0), *places, ("", right + space)]  # neighbours keep half of the space
    gaps = [_gap(pdk, a, b) for a, b in itertools.pairwise(spots)]
    rooms = [min(both) for both in itertools.pairwise(gaps)]
    return [
        Strap(net, "met4", x, min(2 * pdk.down(room / 2), most), start if net in RAILS else low, top)
        for (net, x), room in zip(places, rooms, strict=True)
    ]


def _gap(pdk: Pdk, one: tuple[str, float], other: tuple[str, float]) -> float:
    """Room between two straps, less where the pad of a rung's via is wider: levels have no rungs."""
    room = other[1] - one[1] - pdk.space("met4")
    rung = one[0] in RAILS or other[0] in RAILS
    return 2 * room - pad(pdk) if rung and room < pad(pdk) else room


def pad(pdk: Pdk) -> float:
    """Met4 around a via to a rung."""
    return pdk.up2(pdk.size("via4") + 2 * pdk.enclosure_adjacent("met4", "via4"))


def levels(plan: Plan) -> list[str]:
    """Nets of the data lines' levels."""
    return [f"VREF[{k}]" for k in range(plan.spec.array.input_bits)]


def rungs(plan: Plan, y_array: float, width: float) -> list[Strap]:
    """Rungs over the array: its own straps at both ends, and pairs of VDD and GND spread between."""
    pdk, end = plan.pdk, plan.end
    low, high = plan.y[0], plan.y[-1]
    pairs = max(0, round((high - low) / RUNG_PITCH) - 1)
    apart = pdk.up(end.strap + pdk.space("met5"))
    made: list[tuple[str, float]] = []
    for net, (y1, y2) in end.straps.items():
        made += [(net, (y1 + y2) / 2), (net, plan.height - (y1 + y2) / 2)]
    for k in range(1, pairs + 1):
        y = pdk.down(low + (high - low) * k / (pairs + 1))
        made += [("VDD", y), ("GND", round(y + apart, 6))]
    return [Strap(net, "met5", round(y_array + y, 6), end.strap, 0.0, width) for net, y in made]


def via_steps(pdk: Pdk, start: float, end: float, pitch: float) -> list[float]:
    """Places of via3 between two heights, about ``pitch`` apart and clear of both ends."""
    off = pdk.up(pdk.size("via3") / 2 + max(pdk.enclosure_adjacent(m, "via3") for m in ("met3", "met4")))
    count = max(1, int((end - start - 2 * off) / pitch))
    step = pdk.down((end - start - 2 * off) / count)
    return [round(start + off + k * step, 6) for k in range(count + 1)]


def draw_grid(
    c: Canvas, plan: Plan, upright: list[Strap], across: list[Strap], low: float, high: float
) -> None:
    """Draw straps and rungs, each as a pin, with vias where they cross.

    Between ``low`` and ``high`` straps lie on their met3 lines, with a via for each row.
    """
    pdk = plan.pdk
    for strap in (*upright, *across):
        c.pin(strap.net, strap.layer, *strap.box)
    for strap in upright:
        for y in via_steps(pdk, low, high, plan.plain.height):
            parts.via(c, "via3", strap.at, y)
        for rung in across:
            if rung.net == strap.net and strap.start < rung.at < strap.end:
                parts.via(c, "via4", strap.at, rung.at)
                parts.rect(c, "met4", strap.at, rung.at, max(strap.w, pad(pdk)), pad(pdk))
