"""Counter of the ring's periods, shared by all slices, and what starts a conversion.

Everything is clocked by phase 2's rising edge, so that the count changes in state 2. START passes two
flip-flops: RAMPB falls in the same state of the ring every time, and the count leaves 0 one period later. At
the last count END rises in state 6 and the counter stops, until START falls. RAMPB rises at once with START's
fall; the ring has to run for three more periods to clear the counter.

Flip-flops are static: a stopped ring leaves no net floating.
"""

from __future__ import annotations

from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate, flip_flop, inverter, nand, nor, xor
from picoram_layout.logic.rows import Row
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.wiring import Pin, Problem, Wiring
from picoram_layout.pdk import Pdk

BITS = 6
_CLOCK = 8  # of what drives the clock


def buffer(slices: int) -> int:
    """Fingers of what drives a line across so many slices (about 6 fF each)."""
    return 2 + -(-slices // 4)


def gates(pdk: Pdk, slices: int) -> list[list[Gate]]:
    """The counter's gates in rows."""
    line = buffer(slices)
    n = pdk.rule("channel_width", "gate", "diff")
    p = 2 * n

    def inv(a: str, y: str, fingers: int = 1) -> Gate:
        return inverter(n, p, fingers).named(y, A=a, Y=y)

    def clocked(name: str, d: str, q: str, qb: str, falling: bool = False) -> Gate:
        edges = {"CK": "ckb", "CKB": "ck"} if falling else {"CK": "ck", "CKB": "ckb"}
        return flip_flop(n, p).named(name, D=d, Q=q, QB=qb, **edges)

    clock = [
        inv("PH[2]", "c1", 2),
        inv("c1", "c2", 4),
        inv("c2", "ckb", _CLOCK),
        inv("ckb", "ck", _CLOCK),
    ]
    start = [
        [clocked("s1", "START", "go1", "go1b"), clocked("s2", "go1", "go", "stop")],
        [
            nand(n, p).named("rp", A="go", B="START", Y="rampn"),
            inv("rampn", "ramp", 2),
            inv("ramp", "RAMPB", line),
        ],
    ]
    rows = [[*clock, *start[1]], start[0]]
    for k in range(BITS):
        carry, carry_b = (f"t{k}", f"tb{k}") if k else ("endb", "endq")
        rows.append(
            [
                clocked(f"f{k}", f"d{k}", f"q{k}", f"qb{k}"),
                xor(n, p).named(f"x{k}", A=f"q{k}", AB=f"qb{k}", B=carry_b, BB=carry, Y=f"x{k}"),
                nor(n, p).named(f"d{k}", A=f"x{k}", B="stop", Y=f"d{k}"),
                inv(f"qb{k}", f"COUNT[{k}]", line),
            ]
        )
        if k < BITS - 1:
            rows[-1].append(nand(n, p).named(f"tb{k + 1}", A=carry, B=f"q{k}", Y=f"tb{k + 1}"))
            rows[-1].append(inv(f"tb{k + 1}", f"t{k + 1}"))
    half = BITS // 2
    low, high = (" ".join("ABCD"[: len(part)]) for part in (range(half), range(half, BITS)))
    rows.append(
        [
            clocked("e", "full", "endq", "endb", falling=True),
            nand(n, p, low).named("l", **{pin: f"q{k}" for k, pin in enumerate(low.split())}, Y="fl"),
            nand(n, p, high).named(
                "h", **{pin: f"q{half + k}" for k, pin in enumerate(high.split())}, Y="fh"
            ),
            nor(n, p).named("full", A="fl", B="fh", Y="full"),
            inv("endb", "END", line),
        ]
    )
    return rows


@cache
def solve_counter(pdk: Pdk, slices: int) -> tuple[Problem, Wiring]:
    """Rows and wires: PH[2], START enter at the lower edge; COUNT, END and RAMPB leave at the upper one."""
    rows = rows_for(pdk, gates(pdk, slices))
    made = tapped(rows, gates(pdk, slices))
    names = [*(f"COUNT[{k}]" for k in range(BITS)), "END", "RAMPB"]
    pins = (Pin("PH[2]", "bottom"), Pin("START", "bottom"), *(Pin(name, "top") for name in names))

    def problem(rows: tuple[Row, ...]) -> Problem:
        return Problem(rows, made, pins=pins, base=rows[0].rail)

    return routed(rows, problem)


@block
def counter(lib: Library, slices: int) -> Block:
    """The counter for so many slices."""
    return draw_block(lib, "counter", *solve_counter(lib.pdk, slices))
