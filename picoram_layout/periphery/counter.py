"""Counter of the ring's periods, shared by all slices, and what starts a conversion.

Everything is clocked by phase 2's rising edge, so that the count changes in state 2. START passes two
flip-flops: RAMPB falls in the same state of the ring every time, and the count leaves 0 one period later. At
the last count END rises in state 6 and the counter stops, until START falls. RAMPB rises at once with START's
fall; the ring has to run for three more periods to clear the counter.

Flip-flops are static: a stopped ring leaves no net floating.

It is drawn as three parts side by side, each of three rows, so that it is low and wires within a row are
short; nets of several parts are lines of met3 across all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import PASSES, draw_block, routed
from picoram_layout.logic.gates import Gate, flip_flop, inverter, nand, nor, xor
from picoram_layout.logic.rows import Row, raised
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.wiring import (
    RAILS,
    Line,
    Pin,
    Problem,
    Unroutable,
    Wiring,
    columns,
    line_width,
    reached_above,
)
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.adc_digital import COUNTER_BITS

TOPS = ("PH[2]", *(f"COUNT[{k}]" for k in range(COUNTER_BITS)), "END", "RAMPB")  # nets at the upper edge
_CLOCK = 8  # of what drives the clock
# Rows of each part from below; the order within a row is one that needs few tracks (found by search).
_PARTS = (
    ("c1 c2 ckb ck rp ramp RAMPB", "s1 s2", "f0 x0 d0 COUNT0 tb1"),
    ("d1 f1 tb2 COUNT1 x1 fl t1", "d2 f2 COUNT2 t2 x2 tb3", "d3 f3 t3 tb4 COUNT3 x3"),
    ("f4 COUNT4 d4 t4 tb5 x4", "f5 t5 x5 d5 fh COUNT5", "END e full"),
)


def buffer(slices: int) -> int:
    """Fingers of what drives a line across so many slices (about 6 fF each); taps must stay near."""
    return 2 + -(-min(slices, 64) // 4)


def gates(pdk: Pdk, slices: int) -> dict[str, Gate]:
    """The counter's gates by name."""
    line = buffer(slices)
    n = pdk.channel_width
    p = 2 * n

    def inv(a: str, y: str, fingers: int = 1) -> Gate:
        return inverter(n, p, fingers).named(y, A=a, Y=y)

    def clocked(name: str, d: str, q: str, qb: str, falling: bool = False) -> Gate:
        edges = {"CK": "ckb", "CKB": "ck"} if falling else {"CK": "ck", "CKB": "ckb"}
        return flip_flop(n, p).named(name, D=d, Q=q, QB=qb, **edges)

    def both(name: str, first: int, y: str) -> Gate:
        """NAND of half of the bits, from this one on."""
        pins = "ABCD"[: COUNTER_BITS // 2]
        return nand(n, p, " ".join(pins)).named(name, **{a: f"q{first + k}" for k, a in enumerate(pins)}, Y=y)

    made = {
        "c1": inv("PH[2]", "c1", 2),
        "c2": inv("c1", "c2", 4),
        "ckb": inv("c2", "ckb", _CLOCK),
        "ck": inv("ckb", "ck", _CLOCK),
        "s1": clocked("s1", "START", "go1", "go1b"),
        "s2": clocked("s2", "go1", "go", "stop"),
        "rp": nand(n, p).named("rp", A="go", B="START", Y="rampn"),
        "ramp": inv("rampn", "ramp", 2),
        "RAMPB": inv("ramp", "RAMPB", line),
        "e": clocked("e", "full", "endq", "endb", falling=True),
        "fl": both("l", 0, "fl"),
        "fh": both("h", COUNTER_BITS // 2, "fh"),
        "full": nor(n, p).named("full", A="fl", B="fh", Y="full"),
        "END": inv("endb", "END", line),
    }
    for k in range(COUNTER_BITS):
        carry, carry_b = (f"t{k}", f"tb{k}") if k else ("endb", "endq")
        made |= {
            f"f{k}": clocked(f"f{k}", f"d{k}", f"q{k}", f"qb{k}"),
            f"x{k}": xor(n, p).named(f"x{k}", A=f"q{k}", AB=f"qb{k}", B=carry_b, BB=carry, Y=f"x{k}"),
            f"d{k}": nor(n, p).named(f"d{k}", A=f"x{k}", B="stop", Y=f"d{k}"),
            f"COUNT{k}": inv(f"qb{k}", f"COUNT[{k}]", line),
        }
        if k < COUNTER_BITS - 1:
            made[f"tb{k + 1}"] = nand(n, p).named(f"tb{k + 1}", A=carry, B=f"q{k}", Y=f"tb{k + 1}")
            made[f"t{k + 1}"] = inv(f"tb{k + 1}", f"t{k + 1}")
    return made


def parts(pdk: Pdk, slices: int) -> list[list[list[Gate]]]:
    """The gates of each part in rows."""
    made = gates(pdk, slices)
    return [[[made[name] for name in row.split()] for row in part] for part in _PARTS]


def _nets(part: Sequence[Sequence[Gate]]) -> set[str]:
    return {net for row in part for g in row for net in g.pins} - set(RAILS)


def shared(of: Sequence[Sequence[Sequence[Gate]]]) -> list[str]:
    """Nets of several parts."""
    nets = [_nets(part) for part in of]
    return [
        net
        for net in dict.fromkeys(n for own in nets for n in sorted(own))
        if sum(net in o for o in nets) > 1
    ]


@cache
def solve_counter(pdk: Pdk, slices: int) -> tuple[tuple[Problem, Wiring], ...]:
    """Rows and wires of the parts, from the left, in rows of the same heights.

    START enters at the lower edge, PH[2] at the upper one, where COUNT, END and RAMPB leave.
    """
    made = parts(pdk, slices)
    joined = shared(made)
    rows = [rows_for(pdk, part) for part in made]
    w = line_width(pdk)
    pitch = w + pdk.space("met3")

    def problem(k: int, rows: tuple[Row, ...]) -> Problem:
        nets, placed = _nets(made[k]), tapped(rows, made[k])
        lines = tuple(Line(net, "met3", pdk.up((n + 1) * pitch), w) for n, net in enumerate(joined))
        pins = [Pin(net, "top") for net in sorted(nets & {*TOPS})] + [Pin("START", "bottom")] * (
            "START" in nets
        )
        width = max(row.width(len(columns(g).n)) for row, g in zip(rows, placed, strict=True))
        plain = Problem(rows, placed, lines, tuple(pins), base=rows[0].rail, width=width)
        return reached_above(plain, sorted(nets & {*TOPS}))

    heights = [0.0] * len(rows[0])
    for _ in range(PASSES):
        found = []
        for k, part in enumerate(rows):
            of = raised(part, heights)
            found.append(routed(of, partial(problem, k)))
            heights = [max(h, row.height) for h, row in zip(heights, found[-1][0].rows, strict=True)]
        if all([row.height for row in p.rows] == heights for p, _ in found):
            return tuple(found)
    raise Unroutable(f"rows of the counter's {len(made)} parts find no common heights")


@block
def counter(lib: Library, slices: int) -> Block:
    """The counter for so many slices."""
    c, x, height = Canvas(lib, "counter"), 0.0, 0.0
    for k, solved in enumerate(solve_counter(lib.pdk, slices)):
        part = draw_block(lib, f"counter_{k}", *solved)
        c.place(part, x)
        x, height = round(x + part.width, 6), part.height
    c.export(hide=shared(parts(lib.pdk, slices)))
    return c.done(x, height)
