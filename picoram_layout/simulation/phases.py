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


# Sample the bits onto the groups of XL and every T, then share along the row.
SAMPLE = Phases(
    signals={"SMP": ((0.0, 1), (10.0, 0)), "SHR": ((0.0, 0), (12.0, 1))},
    edge=0.3,
    moments={"sampled": 9.5, "held": 11.5, "shared": 32.0},
    end=33.0,
)

# Multiply, accumulate, shift and add; starts with every T and XL at the level of its input, LBL precharged.
# Times are as short as slow, cold corners allow: in fast, hot ones the capacitors leak through off switches.
COMPUTE = Phases(
    signals={
        "PCHB": ((0.0, 0), (0.5, 1)),
        "WLL": ((0.0, 0), (1.5, 1), (6.5, 0)),
        "SMP": ((0.0, 0), (3.5, 1)),
        "ACC": ((0.0, 0), (8.0, 1), (31.0, 0)),
        "VLRST": ((0.0, 1), (32.5, 0)),
        "ALRST": ((0.0, 1), (32.5, 0)),
        "SOUT": ((0.0, 0), (33.5, 1)),
        "SEG": ((0.0, 1), (47.0, 0)),
        "COL": ((0.0, 0), (48.0, 1)),
    },
    edge=0.3,
    edges={"WLL": 1.0},  # read disturb
    # Local bitlines that fall together lift VL and fall the slower the more there are, and with them changes
    # the charge that their multipliers leave on T: ACC goes up the rows.
    ripple={"ACC": 16.0},
    moments={"multiplied": 33.0, "accumulated": 46.5, "added": 63.0},
    end=64.0,
)

# Level of a 1 on the data lines, as a part of VDD: a divider of the supply. Higher levels leave the switches
# of slow, cold corners too little gate voltage to settle within these phases.
VREF = 1 / 3
