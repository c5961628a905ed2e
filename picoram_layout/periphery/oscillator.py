"""Ring oscillator: four differential stages, whose phases tell eight states of a period apart.

Each stage is a pair of inverters; a weaker pair across keeps its two outputs complementary. The ring is
closed with a twist, so that its eight nodes are one ring of eight equal steps. While EN is low all nodes are
set to complementary levels and the stages are cut off: it starts as a differential ring.

Rising edges of the eight nodes are an eighth of a period apart whatever nMOS and pMOS are. Falling ones are,
too, but not both together. So a phase is the state of a pair of NORs that rising edges of a stage's outputs
set and reset. Phase k follows phase k - 1 by one step: a Johnson code.
"""

from __future__ import annotations

from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate, gate, inverter, nmos, nor, pmos, tristate
from picoram_layout.logic.rows import Row
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.wiring import Pin, Problem, Wiring, reached_above
from picoram_layout.pdk import Pdk

STAGES = 4
OUTPUTS = tuple(f"PH[{k}]" for k in range(STAGES))
# Channel widths in the PDK's least one, lengths in its least one.
MAIN_W = 2.0  # a stage's inverters
KEEP_W = 1.25  # those across
LENGTH = 2.65  # of both: steps of about 1 ns (sky130, tt, 1.8 V, 27 C)
NOR_P = 3.0  # pMOS of the NORs, two in series
SLOW_P = 1.0  # pMOS behind a NOR: both edges of a phase are as late, though only one passes both NORs
# Rows from below. The stages stand in a square, each next to the one before and the one after; the order
# within a row makes the wires of all eight nodes about as long (found by search). Phases have rows of their
# own, as their transistors are shorter.
_ROWS = (
    "y0 z0 x0 x3 PH0 z3 y3 off on PH3",
    "up0 down0 down3 A0 B0 keepB0 keepA0 keepA3 A3 B3 keepB3 up3",
    "A1 B1 down1 up1 keepA1 keepB1 down2 keepB2 A2 B2 up2 keepA2",
    "x1 y1 PH1 x2 z1 z2 PH2 y2",
)


def stage(pdk: Pdk, k: int) -> dict[str, Gate]:
    """The gates of stage k: what drives its outputs A<k> and B<k>, what keeps them apart, what sets them."""
    unit, length = pdk.channel_width, LENGTH * pdk.width("poly")
    main, keep = pdk.up(MAIN_W * unit), pdk.up(KEEP_W * unit)
    sources = ("A", "B") if k else ("B", "A")  # the twist
    made = {}
    for out, source in zip("AB", sources, strict=True):
        driver = tristate(main, main, length)
        nets = {"A": f"{source}{(k - 1) % STAGES}", "E": "on", "EB": "off", "Y": f"{out}{k}"}
        made[f"{out}{k}"] = driver.named(f"{out}{k}", **nets)
    for out, other in ("AB", "BA"):
        across = gate("GND A n A Y", "VDD A p A Y", keep, keep, "A Y", length)
        made[f"keep{out}{k}"] = across.named(f"keep{out}{k}", A=f"{other}{k}", Y=f"{out}{k}")
    high, low = ("B", "A") if k % 2 else ("A", "B")
    made[f"up{k}"] = pmos(unit, length=length).named("up", S="VDD", G="on", D=f"{high}{k}")
    made[f"down{k}"] = nmos(unit, length=length).named("down", S="GND", G="off", D=f"{low}{k}")
    return made


def buffer(slices: int) -> int:
    """Fingers of what drives a phase line across so many slices (about 10 fF each); taps must stay near."""
    return 2 + -(-min(slices, 64) // 2)


def phase(pdk: Pdk, k: int, slices: int) -> dict[str, Gate]:
    """What makes phase k of stage k, and drives its line."""
    last = buffer(slices)
    unit = pdk.channel_width
    rise, fall = ("B", "A") if k % 2 else ("A", "B")
    return {
        f"x{k}": nor(unit, NOR_P * unit).named(f"x{k}", A=f"{rise}{k}", B=f"y{k}", Y=f"x{k}"),
        f"y{k}": nor(unit, NOR_P * unit).named(f"y{k}", A=f"{fall}{k}", B=f"x{k}", Y=f"y{k}"),
        f"z{k}": inverter(unit, SLOW_P * unit, -(-last // 3)).named(f"z{k}", A=f"y{k}", Y=f"z{k}"),
        f"PH{k}": inverter(unit, 2 * unit, last).named(f"PH[{k}]", A=f"z{k}", Y=f"PH[{k}]"),
    }


def enable(pdk: Pdk) -> dict[str, Gate]:
    """Both levels of EN."""
    unit = pdk.channel_width
    return {
        "off": inverter(unit, 2 * unit, 2).named("off", A="EN", Y="off"),
        "on": inverter(unit, 2 * unit, 2).named("on", A="off", Y="on"),
    }


def gates(pdk: Pdk, slices: int) -> list[list[Gate]]:
    """The oscillator's gates in rows."""
    made = enable(pdk)
    for k in range(STAGES):
        made |= {**stage(pdk, k), **phase(pdk, k, slices)}
    return [[made[name] for name in row.split()] for row in _ROWS]


@cache
def solve_oscillator(pdk: Pdk, slices: int) -> tuple[Problem, Wiring]:
    """Rows and wires of the oscillator: EN enters at the lower edge, PH[0..3] leave at the upper one."""
    rows = rows_for(pdk, gates(pdk, slices))
    made = tapped(rows, gates(pdk, slices))
    pins = (Pin("EN", "bottom"), *(Pin(net, "top") for net in OUTPUTS))

    def problem(rows: tuple[Row, ...]) -> Problem:
        return reached_above(Problem(rows, made, pins=pins, base=rows[0].rail), OUTPUTS)

    return routed(rows, problem)


@block
def ring_oscillator(lib: Library, slices: int) -> Block:
    """The oscillator for so many slices."""
    return draw_block(lib, "ring_oscillator", *solve_oscillator(lib.pdk, slices))
