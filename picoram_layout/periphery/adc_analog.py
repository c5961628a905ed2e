"""Analog part of an ADC slice: ramp, the two comparators, the latches that gate them.

The ramp is a current mirror that charges the output's line AL through its enabling switch, which is a
cascode, too. Cmp2 (a small pair whose mirror holds what balances it, set anew while AZ is high) trips at
VTHL: a latch then gives EN1, which takes Cmp2's current away and gives Cmp1 its own. Cmp1 decides at VTH: a
second latch gives HIT, which ends Cmp1's current and the ramp.

Both comparators have pMOS pairs, as AL stays below a threshold voltage. ``docs/adc.md`` has the schematic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import NONE, Gate, inverter, nand, nor, tap
from picoram_layout.logic.rows import Row, raised
from picoram_layout.logic.wiring import Line, Pin, Problem, Wiring, fan_height, line_width
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.narrow import Rows, all_fit, packed
from picoram_layout.periphery.straps import line_clear, rail_heights
from picoram_layout.plan import Plan

# Gate lengths, in minimum gate lengths: current sources; pairs and their mirrors; switches and logic.
SOURCE, PAIR, SHORT = 7, 2.8, 1

# Channel widths, in minimum channel widths.
WIDTHS = {
    "source": 4,  # of each finger of the ramp's mirror and of Cmp1's current sources
    "cmp2 source": 1,
    "cmp2 mirror": 1,
    "hold": 4,  # each finger of the capacitor that holds Cmp2's balance
    "pair": 4,  # each finger of both pairs
    "mirror": 2,  # each finger of Cmp1's mirror and second stage
    "switch": 4,  # ramp's and Cmp1's
    "small": 1,
    "p": 2,  # pMOS of logic
}


def strips(pdk: Pdk, n: str, p: str, wn: str, wp: str) -> Gate:
    """Two strips of devices of named widths; the shorter one ends early."""
    strip = [text.split() for text in (n, p)]
    count = max(map(len, strip))
    padded = [tuple(nets + [NONE] * (count - len(nets))) for nets in strip]
    return Gate(padded[0], padded[1], pdk.channel_width * WIDTHS[wn], pdk.channel_width * WIDTHS[wp], ())


def analog_rows(pdk: Pdk) -> Rows:
    """The rows from the array's side on."""
    u, short = pdk.channel_width, pdk.width("poly")
    small, logic = u * WIDTHS["small"], (u, u * WIDTHS["p"])

    def row(length: float, *gates: Gate) -> tuple[Gate, ...]:
        return tuple(replace(g, length=round(length * short, 6)) for g in gates)

    def s(n: str, p: str, wn: str = "small", wp: str = "small") -> Gate:
        return strips(pdk, n, p, wn, wp)

    def inv(name: str, a: str, y: str) -> Gate:
        return inverter(*logic).named(name, A=a, Y=y)

    delay = inverter(small, small)
    sources = row(
        SOURCE,
        s(
            "GND G2 GND G2 GND G2 GND G2 GND G2 GND",
            "VDD VBR RD VBR VDD VBC T1D VBC VDD VBC T1D VBC VDD VBC Z1D VBC VDD",
            "hold",
            "source",
        ),
    )
    switches = row(
        SHORT,
        tap(),
        s("VTHL AZ B2 AZB AL", "T1D P1B T1 P1B T1D . Z1D P1B Z1 . RD RONB AL", wp="switch"),
        s("Y2 AZ G2 AZB G2 . Y1 CL GND", "T2D EN1 T2 . Z2D EN1 Z2 . VDD P1 Z1"),
    )
    pairs = row(
        PAIR,
        tap(),
        s(
            "X1 X1 GND X1 Y1 X1 GND X1 X1 . Z1 Y1 GND Y1 Z1",
            "X1 AL T1 VTH Y1 VTH T1 AL X1 AL T1 VTH Y1 VTH T1 AL X1",
            "mirror",
            "pair",
        ),
        s("", "Y2 VTHL T2 B2 GND B2 T2 VTHL Y2", "mirror", "pair"),
    )
    cmp2 = row(
        SOURCE,
        s("Y2 G2 GND Y2 Z2", "VDD VBC T2D VBC VDD VBC Z2D", "cmp2 mirror", "cmp2 source"),
        delay.named("late1", A="P1", Y="L1"),
        delay.named("late2", A="L1", Y="L2"),
        delay.named("late3", A="L2", Y="CL"),
    )
    latches = row(
        SHORT,
        tap(),
        inv("azb", "AZ", "AZB"),
        inv("trip", "Z2", "TRIP"),
        nor(*logic).named("en1b", A="TRIP", B="EN1", Y="EN1B"),
        nor(*logic).named("en1", A="RAMPB", B="EN1B", Y="EN1"),
        nand(*logic).named("p1b", A="EN1", B="HITB", Y="P1B"),
        inv("p1", "P1B", "P1"),
    )
    hit = row(
        SHORT,
        tap(),
        inv("over", "Z1", "OVER"),
        nor(*logic, "A B C").named("hitb", A="OVER", B="HIT", C="FORCE", Y="HITB"),
        nor(*logic).named("hit", A="RAMPB", B="HITB", Y="HIT"),
        nor(*logic).named("ron", A="RAMPB", B="HIT", Y="RON"),
        inv("ronb", "RON", "RONB"),
    )
    return sources, switches, pairs, cmp2, latches, hit


# Lines of all slices across the rows, from the array's side on.
LINES = ("VBR", "VBC", "VTH", "VTHL", "AZ", "RAMPB", "FORCE")
OUTPUTS = ("HIT", "EN1")


def slice_width(plan: Plan) -> float:
    """Columns of an output, side by side (um)."""
    return round(plan.spec.array.weight_bits * plan.t.width, 6)


def spread(pdk: Pdk, names: Sequence[str], rails: Sequence[float]) -> tuple[Line, ...]:
    """met3 lines at about equal distances between the outermost rails, clear of all."""
    w, clear = line_width(pdk), line_clear(pdk)
    pitch = (rails[-1] - rails[0]) / len(names)
    made = []
    for k, name in enumerate(names):
        y = pdk.down(rails[0] + (k + 0.5) * pitch)
        rail = min(rails, key=lambda rail: abs(y - rail))
        if abs(y - rail) < clear:
            y = round(rail + math.copysign(clear, y - rail), 6)
        made.append(Line(name, "met3", y, w))
    return tuple(made)


def fitted(pdk: Pdk, width: float) -> Rows:
    """The rows, those that are longer than ``width`` (um) in pieces: a row has one channel length."""
    rows = analog_rows(pdk)
    if all_fit(pdk, rows, width):
        return rows
    parts = [(row,) if all_fit(pdk, [row], width) else packed(pdk, row, width) for row in rows]
    return tuple(row for part in parts for row in part)


@cache
def solve_analog(
    pdk: Pdk, width: float, al: float, least: tuple[float, ...] = (), room: float = 0.0
) -> tuple[Problem, Wiring]:
    """The wired rows; AL arrives at the lower edge at ``al`` (um).

    ``least``: heights (um) below the rows and of the rows, where slices beside are so high; ``room``: how
    long rows may be, where slices beside are narrower.
    """
    gates = fitted(pdk, room or width)
    rows = raised(rows_for(pdk, gates), least[1:])

    def problem(rows: tuple[Row, ...], base: float) -> Problem:
        at = spread(pdk, LINES, rail_heights(rows, base))
        pins = Pin("AL", "bottom", al), *(Pin(net, "top") for net in OUTPUTS)
        return Problem(rows, gates, at, pins, width=width, base=base, joined=True)

    base = max(rows[0].rail, fan_height(problem(rows, rows[0].rail)), *least[:1])
    return routed(rows, lambda rows: problem(rows, base))


@dataclass(frozen=True)
class Place:
    """Where a slice stands: its width, where AL arrives (um), what its cells' names end in.

    ``analog``, ``digital``: heights (um) below both parts' rows and of the rows, at least. ``room``: how long
    rows may be (um), if not as the slice is wide.
    """

    width: float
    al: float
    suffix: str = ""
    analog: tuple[float, ...] = ()
    digital: tuple[float, ...] = ()
    room: float = 0.0


def usual_place(plan: Plan) -> Place:
    """Columns side by side, AL in their middle."""
    width = slice_width(plan)
    return Place(width, plan.pdk.down(width / 2))


@block
def adc_analog(lib: Library, place: Place) -> Block:
    """The analog part of one slice; the array lies beyond the lower edge."""
    return draw_block(
        lib,
        f"adc_analog{place.suffix}",
        *solve_analog(lib.pdk, place.width, place.al, place.analog, place.room),
    )


def outputs(
    pdk: Pdk, width: float, al: float, least: tuple[float, ...] = (), room: float = 0.0
) -> dict[str, float]:
    """Where HIT and EN1 leave at the upper edge (um)."""
    wiring = solve_analog(pdk, width, al, least, room)[1]
    return {net: wiring.trunks[net].x for net in OUTPUTS}
