"""What a controller has to do, as steps: the levels of all control pins, and for how long at least.

Times of the compute cycle come from `simulation.phases`, those of SRAM accesses from `simulation.sram`, the
converter's from `simulation.adc_slice`: what the circuit was simulated with. Times that no simulation gives
stand here. Signals of the array become pins: PCHB, SOUT and SEG are inverted by the row drivers, wordlines
are a pulse WL with an enable for each side, ACC goes up the rows by itself and is ended by a pin of its own.

All times in ns. A step may be longer than its time but never shorter, so that a clock of any period can be
used; the order of the edges stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from picoram_layout.plan import Plan
from picoram_layout.simulation import adc_slice, sram
from picoram_layout.simulation.phases import COMPUTE, SAMPLE, Steps
from picoram_layout.views.pins import ACC_GATE, ACC_OPEN

# Levels of all control pins between the operations.
REST: Mapping[str, int] = {
    "WL": 0, "ENL": 0, "ENR": 0, "ALLB": 1, "PCH": 1, "SOUTB": 1, "SEGB": 0, "ACC": 0, ACC_GATE: 1 - ACC_OPEN,
    "VLRST": 1, "PREB": 0, "COL": 0, "ALRST": 1, "WE": 0, "RE": 0, "SMP": 0, "SMPZ": 0, "SHR": 0,
    "EN": 0, "AZ": 1, "START": 0, "CODE_LD": 0,
}  # fmt: skip

# Signals of the array that are a pin's complement.
_INVERTED = {"PCHB": "PCH", "SOUT": "SOUTB", "SEG": "SEGB"}
_FULL = 144  # rows that the ripple's time holds for

LOAD_SETUP, LOAD_PULSE, LOAD_HOLD = 4.0, 8.0, 4.0  # of the input latches
ACC_MOST = 80.0  # that ACC takes to the last of 144 rows: 36 at the slowest condition
AZ_TO_START = 10.0  # RAMPB falls more than a period of the ring after START: 15 after AZ at the fastest
AZ_LEAST = 40.0  # that Cmp2 balances itself
PERIODS = 67  # of the ring that a conversion takes at most: two flip-flops and the counter
SLOWEST_STATE = 1.83  # an eighth of the ring's period (ss, -40 C, 1.62 V)
CLEARED = 50.0  # that the ring runs on after START's fall: three periods clear the counter
CODE_LEAD, CODE_PULSE, CODE_HOLD = 4.0, 6.0, 4.0  # of the output latches, after DONE

Event = tuple[float, str, int]


@dataclass(frozen=True)
class Step:
    """Levels of the control pins that differ from rest, held for ``time``.

    With ``wait`` it ends when that output of the macro is high, after ``time`` at the latest.
    """

    name: str
    levels: Mapping[str, int]
    time: float
    wait: str = ""
    changes: str = ""


@dataclass(frozen=True)
class Part:
    """Edges of pins up to ``end``; then ``wait`` (an output) has to come, in at most ``most``."""

    events: tuple[Event, ...]
    end: float
    wait: str = ""
    most: float = 0.0


@dataclass(frozen=True)
class Sequence:
    """The operations of a plan's macro, each a list of parts that starts and ends at rest."""

    rows: int
    operations: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all operations, one after the other."""
        return tuple(step for name, parts in self.operations.items() for step in _steps(name, parts))

    @property
    def least(self) -> dict[str, float]:
        """Time of each operation without what it waits for."""
        return {
            name: round(sum(step.time for step in _steps(name, parts) if not step.wait), 3)
            for name, parts in self.operations.items()
        }


def sequence(plan: Plan) -> Sequence:
    """The operations of a plan's macro."""
    most = ACC_MOST * max(1.0, plan.rows / _FULL)
    return Sequence(plan.rows, {"WRITE": _write(most), "READ": _read(), "COMPUTE": _compute(most)})


def ripple(plan: Plan) -> float:
    """Typical time of ACC from the first row to the last."""
    return round(COMPUTE.ripple["ACC"] * plan.rows / _FULL, 3)


@dataclass(frozen=True)
class Times:
    """Least times between edges, which the model checks (ns)."""

    sample: float  # SMP high
    apart: float  # from SMP's fall to SHR
    share: float  # SHR before PCH falls
    word: float  # WLL's pulse
    fall: float  # from WLL's rise to SMPZ: local bitlines have fallen
    empty: float  # SMPZ before ACC
    last_row: float  # from ACC_DONE to ACC's end
    accumulate: float  # SOUT before SEG is off
    add: float  # COL before AZ falls
    settle: float  # from ACC_DONE to a write's WE
    write: float  # wordlines high
    access: float  # WLR before RE falls
    precharge: float  # PREB low before an access
    address: float = sram.ADDRESS  # before a wordline's pulse
    load_setup: float = LOAD_SETUP
    load: float = LOAD_PULSE
    load_hold: float = LOAD_HOLD
    code: float = CODE_PULSE
    balance: float = AZ_LEAST
    ramp: float = adc_slice.START - adc_slice.AZ_END  # from AZ's fall to the ramp's start


def times() -> Times:
    """The least times that the simulations were run with."""
    rise = {name: _edge(COMPUTE.signals[name], 1) for name in ("WLL", "ACC", "SOUT", "COL")}
    smpz = _edge(COMPUTE.signals["SMPZ"], 1)
    return Times(
        sample=_edge(SAMPLE.signals["SMP"], 0),
        apart=_edge(SAMPLE.signals["SHR"], 1) - _edge(SAMPLE.signals["SMP"], 0),
        share=SAMPLE.end - _edge(SAMPLE.signals["SHR"], 1) + _edge(COMPUTE.signals["PCHB"], 1),
        word=_edge(COMPUTE.signals["WLL"], 0) - rise["WLL"],
        fall=smpz - rise["WLL"],
        empty=rise["ACC"] - smpz,
        last_row=_edge(COMPUTE.signals["ACC"], 0) - rise["ACC"] - COMPUTE.ripple["ACC"],
        accumulate=_edge(COMPUTE.signals["SEG"], 0) - rise["SOUT"],
        add=COMPUTE.moments["added"] - rise["COL"],
        settle=sram.SETTLE,
        write=_edge(sram.WRITE["WLL"], 0) - _edge(sram.WRITE["WLL"], 1),
        access=_edge(sram.READ["RE"], 0) - _edge(sram.READ["WLR"], 1),
        precharge=sram.READ_PERIOD - _edge(sram.READ["PREB"], 0),
    )


def _edge(steps: Steps, level: int) -> float:
    """When a signal goes to a level, after the start."""
    return next(time for time, to in steps if to == level and (time or len(steps) == 1 or steps[0][1] != to))


def _pins(signal: str, level: int) -> dict[str, int]:
    """The pins that give an array's signal."""
    if signal in _INVERTED:
        return {_INVERTED[signal]: 1 - level}
    if signal == "ACC":
        return {"ACC": level, ACC_GATE: level if ACC_OPEN else 1 - level}
    return {"WL": level} if signal in ("WLL", "WLR") else {signal: level}


def _events(signals: Mapping[str, Steps], later: float = 0.0) -> tuple[Event, ...]:
    """Edges of pins from those of the array's signals."""
    return tuple(
        (round(time + later, 3), pin, to)
        for signal, steps in signals.items()
        for time, level in steps
        for pin, to in _pins(signal, level).items()
    )


def _write(most: float) -> tuple[Part, ...]:
    """ACC joins the local bitlines of all rows to VL, held at GND; then one row's wordlines are raised."""
    events = [e for e in _events(sram.WRITE) if e[1] != "WL"]
    rise, fall = (_edge(sram.WRITE["WLL"], level) for level in (1, 0))
    rest = _edge(sram.WRITE["PREB"], 0)
    events += [(rise, "WL", 1), (fall, "WL", 0), (0.0, "ENL", 1), (0.0, "ENR", 1)]
    events += [(rest, "ENL", 0), (rest, "ENR", 0)]
    return (
        Part(tuple(e for e in events if not e[0]), sram.ADDRESS, "ACC_DONE", most),
        Part(tuple(e for e in events if e[0]), sram.WRITE_PERIOD),
    )


def _read() -> tuple[Part, ...]:
    rest = _edge(sram.READ["PREB"], 0) + sram.ADDRESS
    events = ((0.0, "ENR", 1), *_events(sram.READ, sram.ADDRESS), (rest, "ENR", 0))
    return (Part(events, sram.READ_PERIOD + sram.ADDRESS),)


def _compute(most: float) -> tuple[Part, ...]:
    """Sample, share, multiply; accumulate and add once ACC has gone up; convert; back to rest."""
    opened = _edge(COMPUTE.signals["ACC"], 1)
    arrived = opened + COMPUTE.ripple["ACC"]
    start = SAMPLE.end
    cycle = _events(COMPUTE.signals, start)
    early = tuple(e for e in cycle if start < e[0] <= start + opened)
    late = tuple((round(t - start - arrived, 3), p, to) for t, p, to in cycle if t > start + opened)
    chosen = ((0.0, "ALLB", 0), (0.0, "ENL", 1))
    over = start + opened
    done = ((over, "ALLB", 1), (over, "ENL", 0), (over, "EN", 1))
    added = round(COMPUTE.end - arrived, 3)
    ramp = ((added, "AZ", 0), (added + AZ_TO_START, "START", 1))
    code = ((CODE_LEAD, "CODE_LD", 1), (CODE_LEAD + CODE_PULSE, "CODE_LD", 0))
    back = CODE_LEAD + CODE_PULSE + CODE_HOLD
    rest = tuple((back, pin, level) for pin, level in REST.items() if pin not in ("EN", "CODE_LD"))
    return (
        Part((*chosen, *_events(SAMPLE.signals), *early, *done), over, "ACC_DONE", most),
        Part((*late, *ramp), added + AZ_TO_START, "DONE", PERIODS * 8 * SLOWEST_STATE),
        Part((*code, *rest, (back + CLEARED, "EN", 0)), back + CLEARED),
    )


def _steps(name: str, parts: Iterable[Part]) -> Iterator[Step]:
    """Steps of an operation: one from each time at which something changes, and one for each wait."""
    now, number = dict(REST), 0
    for part in parts:
        at = sorted({time for time, _, _ in part.events} | {0.0})
        for time, following in zip(at, [*at[1:], part.end], strict=True):
            before = dict(now)
            now |= {pin: level for t, pin, level in part.events if t == time}
            changed = ", ".join(f"{pin} {level}" for pin, level in now.items() if before[pin] != level)
            if following > time:
                yield Step(f"{name}_{number}", _off_rest(now), round(following - time, 3), changes=changed)
                number += 1
                changed = ""
        if part.wait:
            yield Step(f"{name}_{number}", _off_rest(now), part.most, part.wait, changed)
            number += 1


def _off_rest(levels: Mapping[str, int]) -> dict[str, int]:
    return {pin: level for pin, level in levels.items() if level != REST[pin]}
