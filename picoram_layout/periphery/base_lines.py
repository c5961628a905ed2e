"""Drivers of the lines that cross all outputs, and of the DAC strips' control wires up the array.

Each line follows its input (``_IN``) through two inverters, sized by what hangs on the line: the wire and the
width of all gates, counted from the blocks' own generators. SMPZ samples the last group, which is always GND;
the other strips share SMP, all of them SHR.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate, inverter
from picoram_layout.logic.rows import Row
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.wiring import Pin, Problem, Wiring, reached_above
from picoram_layout.periphery import adc_digital, column_logic
from picoram_layout.periphery.adc_analog import analog_rows
from picoram_layout.plan import Plan

SAMPLE, SAMPLE_LAST, SHARE = "SMP", "SMPZ", "SHR"
SLICE_LINES = ("AZ", "LOAD")  # of the ADC slices, the others come from ring, counter and bias
LINES = (*column_logic.LINES, *SLICE_LINES, SAMPLE, SAMPLE_LAST, SHARE)

_GATE_FF = 1.7  # of a gate, for each um of its width (sky130, shortest channel)
_LINE_FF = 0.25  # of a line of met3 over the outputs, for each um
_STRIP_FF = 0.26  # of a strip's control wire, for each um of it (extracted strips: 2.3 to 2.8 fF in 10.55 um)
_FINGER_FF = 150.0  # that a finger of a last inverter drives in less than 1 ns
# Lines that may take longer by these: no charge hangs on the end of their edges.
_SLOW = {SHARE: 2.0, SAMPLE_LAST: 1.5}
_TAPER = 3.5  # fingers of the last inverter for one of the first
_WIDTHS = (2, 5)  # of a finger (nMOS, pMOS), in the PDK's least
_TALLEST = 288  # rows from which on drivers get no wider: the wire's own resistance rules
_MOST = 12  # fingers side by side, so that taps stand near
_ROWS = 3


def gate_width(rows: Iterable[Sequence[Gate]], net: str) -> float:
    """Width (um) of all gates on a net."""
    return sum(
        w
        for row in rows
        for g in row
        for strip, w in ((g.n, g.wn), (g.p, g.wp))
        for gate in strip[1::2]
        if gate == net
    )


def strips_of(plan: Plan, line: str) -> list[tuple[str, float]]:
    """The DAC strips' wires that a line drives, and what each strip has on it in a row (um of gate)."""
    found = []
    for strip in plan.strips:
        sampled = SAMPLE_LAST if strip.last else SAMPLE
        if line == sampled:
            found.append((f"SMP[{strip.index}]", strip.sample_w))
        if line == SHARE and strip.has("SHR"):
            found.append((f"SHR[{strip.index}]", strip.share_w))
    return found


def load(plan: Plan, line: str) -> float:
    """What hangs on a line (fF)."""
    rows, pitch = min(plan.rows, _TALLEST), plan.plain.height
    strips = strips_of(plan, line)
    across = _LINE_FF * plan.width
    if strips:
        return across + sum(rows * (w * _GATE_FF + pitch * _STRIP_FF) for _, w in strips)
    if line in SLICE_LINES:
        gates = [*analog_rows(plan.pdk), *adc_digital.gates(plan.pdk)]
    else:
        gates = list(column_logic.arrange(plan))
    return across + plan.spec.array.outputs * gate_width(gates, line) * _GATE_FF


def fingers(plan: Plan, line: str) -> tuple[int, int]:
    """Fingers of a line's two inverters."""
    last = max(1, math.ceil(load(plan, line) / _FINGER_FF / _SLOW.get(line, 1.0)))
    return math.ceil(last / _TAPER), last


def gates(plan: Plan) -> list[Gate]:
    """Both inverters of all lines, in pieces of some fingers each."""
    unit = plan.pdk.channel_width
    n, p = (k * unit for k in _WIDTHS)
    made = []
    for line in LINES:
        nets = (f"{line}_IN", f"{line}_B", line)
        for a, y, count in zip(nets, nets[1:], fingers(plan, line), strict=False):
            pieces = math.ceil(count / _MOST)
            for k in range(pieces):
                mine = count * (k + 1) // pieces - count * k // pieces
                made.append(inverter(n, p, mine).named(y, A=a, Y=y))
    return made


@cache
def solve_lines(plan: Plan) -> tuple[Problem, Wiring]:
    """Rows and wires: inputs enter at the lower edge, lines leave at the upper one."""
    dealt = _dealt(gates(plan), _ROWS)
    rows = rows_for(plan.pdk, dealt)
    made = tapped(rows, dealt)
    pins = [Pin(f"{line}_IN", "bottom") for line in LINES] + [Pin(line, "top") for line in LINES]

    def problem(rows: tuple[Row, ...]) -> Problem:
        return reached_above(Problem(rows, made, pins=tuple(pins), base=rows[0].rail), LINES)

    return routed(rows, problem)


def _dealt(gates: Sequence[Gate], rows: int) -> list[list[Gate]]:
    """As many columns in each row, in the gates' order."""
    total = sum(len(g.n) for g in gates)
    dealt: list[list[Gate]] = [[] for _ in range(rows)]
    done = 0.0
    for g in gates:
        middle = done + len(g.n) / 2
        dealt[min(rows - 1, int(rows * middle / total))].append(g)
        done += len(g.n)
    return dealt


@block
def column_drivers(lib: Library, plan: Plan) -> Block:
    """The drivers of all lines."""
    return draw_block(lib, "column_drivers", *solve_lines(plan))
