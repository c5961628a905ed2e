"""Right of outputs that are narrower than the base: antenna diodes of the lines that go on to their drivers.

There the met3 of a line reaches far beyond the few gates on it, and what drives it hangs on higher metal:
etching met3 would charge the gates. Each line has a diode below it, in the rows of the outputs, which end
here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import WELL, draw_block
from picoram_layout.logic.gates import NONE, Gate, tap
from picoram_layout.logic.wiring import RAILS, Problem, solve, widest
from picoram_layout.periphery.adc_side import heights, stacked
from picoram_layout.plan import Plan


def _with_diodes(of: Problem) -> Problem:
    """Rows beside ``of``: in each a tap, and a diode to the substrate for every line above it."""
    w, rows = of.rows[0].pdk.channel_width, []
    for number, row in enumerate(of.rows):
        low = sum(r.height for r in of.rows[:number]) + of.base
        nets = dict.fromkeys(line.net for line in of.lines if low <= line.y < low + row.height)
        rows.append((tap(), *(Gate((net,), (NONE,), w, 0.0, (net,)) for net in nets)))
    return Problem(of.rows, tuple(rows), of.lines, base=of.base, joined=of.joined)


@cache
def solve_end(plan: Plan) -> dict[str, Problem]:
    """Rows of the column side and of the slices' two parts, all as long as the longest."""
    made = {name: _with_diodes(of) for name, (of, _) in stacked(plan).items()}
    width = max(widest(problem) for problem in made.values())
    return {name: replace(problem, width=width) for name, problem in made.items()}


def end_width(plan: Plan) -> float:
    """Width (um)."""
    return solve_end(plan)["columns"].width


@block
def line_end(lib: Library, plan: Plan) -> Block:
    """All rows as they stand beside the output side, from its lower edge; rails are numbered from the top."""
    c, solved, above = Canvas(lib, "line_end"), solve_end(plan), 0
    for name, (_, top) in stacked(plan).items():
        made = draw_block(lib, f"line_end_{name}", solved[name], solve(solved[name]))
        # the slices' wells have numbers of their own
        wells, lower = ("COLUMNS", 0) if name == "columns" else ("ADC", len(solved["columns"].rows))
        nets = {}
        for pin in made.circuit.pins:
            net, _, number = pin.rstrip("]").partition("[")
            if net in RAILS:
                nets[pin] = f"{net}[{int(number) + above}]"
            elif net == WELL:
                nets[pin] = f"{net}_{wells}[{int(number) + above - lower}]"
        c.place(made, 0.0, round(top - made.height, 6), mirror_y=True, nets=nets)
        above += len(solved[name].rows)
    c.export()
    return c.done(end_width(plan), heights(plan).column)
