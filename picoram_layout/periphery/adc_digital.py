"""Digital part of an output's ADC slice: samples the ring's state and the counter when HIT rises.

- The ring's four phases (PH0..PH3, a Johnson code of eight states) pass a NAND each while EN1 is high, END is
  low and the counter was not yet taken; gated off they read as state 7. Latches keep them from HIT's rise on.
- The counter changes in state 2. Its latches close with ``take``: some gate delays after HIT, in states 4..7
  at once, in states 0..3 when state 4 comes. So they never close near a change, and as the kept phase itself
  decides (once it is resolved), phases and counter always belong together. ``take`` gates the phases off,
  which keeps it high.
- Johnson code to binary, the whole code inverted: CODE = 511 - count, as AL rises when HIT comes earlier. END
  gates the phases off before it forces HIT: code 0.
- Latches that are open while LOAD is high keep the code during the next conversion.

Sizes in units of the PDK's least channel width.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate, inverter, latch, nand, nor, or_nand, tap, xor
from picoram_layout.logic.rows import Row, raised
from picoram_layout.logic.wiring import Line, Pin, Problem, Wiring, fan_height, line_width, reached_above
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.narrow import Rows, all_fit, packed
from picoram_layout.periphery.straps import line_clear, met3_width, rail_heights

PHASES = 4
COUNTER_BITS = 6
CODE_BITS = COUNTER_BITS + 3
_DELAY = 6  # inverters from HIT to when the counter may be taken
_WN, _WP = 1, 2  # channel widths of nMOS and pMOS
_PHASE_W = 2  # gates that pass the phases, times these: all phases the same, whatever their wires are


def gates(pdk: Pdk) -> list[list[Gate]]:
    """The slice's gates in rows, from the array's side."""
    unit = pdk.channel_width
    n, p = _WN * unit, _WP * unit

    def inv(a: str, y: str, fingers: int = 1) -> Gate:
        return inverter(n, p, fingers).named(y, A=a, Y=y)

    def held(name: str, d: str, enable: tuple[str, str], q: str, qb: str) -> Gate:
        return latch(n, p).named(name, D=d, E=enable[0], EB=enable[1], Q=q, QB=qb)

    gating = [
        inv("EN1", "en1b"),
        nor(n, p, "A B C").named("on", A="en1b", B="END", C="take", Y="on"),
        *(
            nand(_PHASE_W * n, _PHASE_W * p).named(f"ph{k}", A=f"PH[{k}]", B="on", Y=f"pb{k}")
            for k in range(PHASES)
        ),
    ]
    hit = [inv("HIT", "open", 2), inv("open", "shut", 2)]
    phase = [held(f"p{k}", f"pb{k}", ("open", "shut"), f"nq{k}", f"m{k}") for k in range(PHASES)]
    # what a latch keeps in balance is not loaded, so that all phases are taken at the same time
    level = [inv(f"nq{k}", f"q{k}") for k in range(PHASES)]
    names = ["shut", *(f"w{k}" for k in range(_DELAY - 1)), "late"]
    wait = [inv(a, b) for a, b in itertools.pairwise(names)]
    taking = [
        or_nand(n, p).named("tk", A="late", B="nq0", C="pb0", Y="leave"),
        inv("leave", "take", 3),
        inv("take", "free", 3),
    ]
    count = [held(f"c{k}", f"COUNT[{k}]", ("free", "take"), f"cq{k}", f"cn{k}") for k in range(COUNTER_BITS)]
    binary = [
        xor(n, p).named("b1", A="q0", AB="nq0", B="q2", BB="nq2", Y="x1"),
        xor(n, p).named("b3", A="q1", AB="nq1", B="q3", BB="nq3", Y="x3"),
        inv("x1", "x1b"),
        inv("x3", "x3b"),
        xor(n, p).named("b0", A="x1", AB="x1b", B="x3", BB="x3b", Y="x0"),
    ]
    load = [inv("LOAD", "close"), inv("close", "follow")]
    bits = ["x0", "x1", "q0", *(f"cn{k}" for k in range(COUNTER_BITS))]
    out = [held(f"o{k}", bit, ("follow", "close"), f"CODE[{k}]", f"on{k}") for k, bit in enumerate(bits)]
    return [
        gating,
        phase[:3],
        [phase[3], *level[2:], *wait],
        [*hit, *taking, *level[:2]],
        count[:3],
        count[3:],
        [*binary, *load],
        out[:3],
        out[3:6],
        out[6:],
    ]


def fitted(pdk: Pdk, width: float) -> Rows:
    """The rows with their taps, or the same gates in rows of this ``width`` (um) if they are longer."""
    rows = tuple((tap(), *row) for row in gates(pdk))  # on the same column in all rows
    return rows if all_fit(pdk, rows, width) else packed(pdk, [g for row in gates(pdk) for g in row], width)


# Lines over the rows, in the order in which rows want them, and how many of each.
_LINES = (("END", 1), ("PH", PHASES), ("COUNT", COUNTER_BITS), ("LOAD", 1))


def lines(pdk: Pdk, made: Rows, rows: Sequence[Row], base: float) -> tuple[Line, ...]:
    """The lines across all slices, from the row upwards that has the first gates on them, clear of rails."""
    w, clear, rails = line_width(pdk), line_clear(pdk), rail_heights(rows, base)
    found, top = [], 0.0
    for name, count in _LINES:
        nets = [f"{name}[{k}]" for k in range(count)] if count > 1 else [name]
        row = next(k for k, mine in enumerate(made) if any({*nets} & {*g.n, *g.p} for g in mine))
        y = max(top, base + sum(r.height for r in rows[:row]))
        for net in nets:
            at = pdk.up(y + w / 2 + pdk.space("met3"))
            at = next((pdk.up(rail + clear) for rail in rails if abs(at - rail) < clear), at)
            found.append(Line(net, "met3", at, w))
            y = at + w / 2
        top = y
    return tuple(found)


@cache
def solve_slice(
    pdk: Pdk, width: float, hit: float, en1: float, least: tuple[float, ...] = (), room: float = 0.0
) -> tuple[Problem, Wiring]:
    """Rows and wires of a slice of this width; HIT and EN1 come in at these places of the lower edge (um).

    ``least``: heights (um) below the rows and of the rows, where slices beside are so high; ``room``: how
    long rows may be, where slices beside are narrower.
    """
    made = fitted(pdk, room or width)
    rows = raised(rows_for(pdk, made), least[1:])
    if len(made) > len(gates(pdk)):  # in a narrow slice more wires turn side by side over its last row
        turns = (CODE_BITS + 1) * (met3_width(pdk) + pdk.space("met3"))
        rows = raised(rows, [*(0.0 for _ in rows[1:]), turns])
    pins = (
        Pin("HIT", "bottom", hit),
        Pin("EN1", "bottom", en1),
        *(Pin(f"CODE[{k}]", "top") for k in range(CODE_BITS)),
    )

    def problem(rows: tuple[Row, ...], base: float = rows[0].rail) -> Problem:
        at = lines(pdk, made, rows, base)
        plain = Problem(rows, made, at, pins, width=width, base=base, joined=True)
        return reached_above(plain, [f"CODE[{k}]" for k in range(CODE_BITS)])

    base = max(rows[0].rail, fan_height(problem(rows)), *least[:1])
    return routed(rows, lambda rows: problem(rows, base))


@block
def adc_digital(
    lib: Library,
    width: float,
    hit: float,
    en1: float,
    suffix: str = "",
    least: tuple[float, ...] = (),
    room: float = 0.0,
) -> Block:
    """The digital part of a slice."""
    return draw_block(lib, f"adc_digital{suffix}", *solve_slice(lib.pdk, width, hit, en1, least, room))
