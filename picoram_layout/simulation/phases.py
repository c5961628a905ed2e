"""The compute cycle as data: what each phase signal does when. Times in ns from the start of the cycle.

These are the timings that the simulations are run with, and what a controller has to give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Time at which a signal starts to change, and the logic level (0, 1) that it goes to.
Steps = tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Phases:
    """Signals of a cycle, the time of one edge, and named moments at which nodes are read."""

    signals: Mapping[str, Steps]
    edge: float
    moments: Mapping[str, float]
    end: float
    edges: Mapping[str, float] = field(default_factory=dict)  # of signals whose edges differ
    ripple: Mapping[str, float] = field(default_factory=dict)  # delay of rising edges in the last row

    def edge_of(self, signal: str) -> float:
        """Time of one edge of a signal."""
        return self.edges.get(signal, self.edge)

    def levels(self, signal: str, high: float) -> list[tuple[float, float]]:
        """(time, voltage) steps of a signal (in the first row, if it ripples)."""
        return self.levels_at(signal, high, 0.0)

    def levels_at(self, signal: str, high: float, place: float) -> list[tuple[float, float]]:
        """(time, voltage) steps of a signal that ripples, at a part ``place`` (0 to 1) of the rows."""
        late = place * self.ripple.get(signal, 0.0)
        return [(time + late * level * (time > 0), level * high) for time, level in self.signals[signal]]


EDGE = 0.3  # ns, unless told otherwise

# Sample the bits onto the groups of XL and every T, then share along the row. SMPZ samples the GND of the
# terminating group; it is a line of its own, as it empties XL later.
SAMPLE = Phases(
    signals={
        "SMP": ((0.0, 1), (10.0, 0)),
        "SMPZ": ((0.0, 1), (10.0, 0)),
        "SHR": ((0.0, 0), (12.0, 1)),
    },
    edge=EDGE,
    moments={"sampled": 9.5, "held": 11.5, "shared": 32.0},
    end=33.0,
)

# XL is emptied from its one end, through the last strip and the sharing switches: ns that this takes at
# fs and ss, 105 C, 1.62 V, where it is slowest (0.1 % left after 6.7 ns; tt 3.6 ns), with SMPZ's edge.
EMPTYING = 8.0
# Local bitlines that fall together lift VL and fall the slower the more there are, and with them changes the
# charge that their multipliers leave on T: ACC goes up the rows. ns from the first row to the last.
RIPPLE = 16.0
# All local bitlines of a column empty through its VL, whose upper parts have its lower ones before them: ns
# from the last row's ACC until less than 10 mV are left at fs, 105 C, 1.62 V.
DRAINING = 27.0
WORD_EDGE = 1.0  # of wordlines: read disturb


def compute(ripple: float = RIPPLE, edges: Mapping[str, float] | None = None) -> Phases:
    """Multiply, accumulate, shift and add; starts with all T and XL at their inputs' levels, LBL precharged.

    ACC ends when its ripple has reached the last row and VL is empty; what comes later follows it. ``edges``
    are those of row signals (ns). Times are as short as slow corners allow: in fast, hot ones the capacitors
    leak through off switches.
    """
    edges = {"WLL": WORD_EDGE} if edges is None else dict(edges)
    word = edges["WLL"]
    emptying = 2.5 + word  # local bitlines have fallen
    opened = emptying + EMPTYING
    closed = round(opened + ripple, 2) + DRAINING
    return Phases(
        signals={
            "PCHB": ((0.0, 0), (0.5, 1)),
            "WLL": ((0.0, 0), (1.5, 1), (5.5 + word, 0)),
            "SMP": ((0.0, 0),),
            "SMPZ": ((0.0, 0), (emptying, 1)),
            "SHR": ((0.0, 1),),
            "ACC": ((0.0, 0), (opened, 1), (closed, 0)),
            "VLRST": ((0.0, 1), (closed + 1.5, 0)),
            "ALRST": ((0.0, 1), (closed + 1.5, 0)),
            "SOUT": ((0.0, 0), (closed + 2.5, 1)),
            "SEG": ((0.0, 1), (closed + 16.0, 0)),
            "COL": ((0.0, 0), (closed + 17.0, 1)),
        },
        edge=EDGE,
        edges=edges,
        ripple={"ACC": ripple},
        moments={
            "emptied": opened,
            "multiplied": closed + 2.0,
            "accumulated": closed + 15.5,
            "added": closed + 32.0,
        },
        end=closed + 33.0,
    )


COMPUTE = compute()

# Level of a 1 on the data lines, as a part of VDD: a divider of the supply. Higher levels leave the switches
# of slow, cold corners too little gate voltage to settle within these phases.
VREF = 1 / 3
