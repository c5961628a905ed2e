"""What the column side of one output is made of: its gates in rows, from the array outwards.

For each column k (most significant weight bit first):

- read: a pMOS precharges GBLB to VDD while PREB is low (its rest); the cell's WLR alone then pulls GBLB low
  or leaves it; a latch, transparent while RE is high, gives DO.
- write: with PREB high, WE lets DI drive VL, and pull GBLB low for a 1; for a 0 GBLB keeps VDD.
- compute: WE low, so that only the switches hold VL: to GND (VLRST), to the output's line AL (COL).

What hangs on VL is in proportion to its segment's capacitance, halved from bit to bit: else the bits would
not add as 8:4:2:1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from picoram_layout.logic.devices import row_for
from picoram_layout.logic.gates import GND, NONE, VDD, Gate, inverter, latch, nand, nmos, nor, parallel, tap
from picoram_layout.logic.taps import reached, tapped, taps_at
from picoram_layout.pdk import Pdk
from picoram_layout.plan import Plan
from picoram_layout.simulation.mac import AL_RESET_W, COLUMN_W, RESET_W

# Lines across all outputs, from the array outwards.
LINES = ("VLRST", "PREB", "COL", "ALRST", "WE", "RE")
LEAST_BITS = 3  # of a weight: the columns of fewer are too narrow for their gates
_FULL = 144  # rows that the widths (um, sky130) of one column or output hold for
_LEAST_W = 0.42  # channel width that they are given for
_PRECHARGE_W = 6.72  # GBLB to VDD
_PRECHARGE_FINGERS = 4
_AL_FINGERS = 2  # least ones of AL's reset: a line is long for the gate of a single one to be etched
_TALLEST = 288  # rows from which on the switches get no wider: taps would be too far


@dataclass(frozen=True)
class Fingers:
    """A transistor of ``count`` fingers, each ``w`` wide (um)."""

    w: float
    count: int


def halved(pdk: Pdk, rows: int, bits: int, full: float, most: int = 8) -> tuple[Fingers, ...]:
    """Switches of an output's columns, ``full`` um wide for the most significant bit at full height
    (of ``most`` fingers at most).

    Their fingers are equal as far as the halves are; the least bit's is at least a channel wide.
    """
    least = pdk.channel_width
    total = max(full * least / _LEAST_W * min(rows, _TALLEST) / _FULL, least * 2 ** (bits - 1))
    finger = pdk.up2(total / min(most, 2 ** (bits - 1)))
    made = []
    for k in range(bits):
        count = max(1, round(total / 2**k / finger))
        made.append(Fingers(pdk.up2(max(least, total / 2**k / count)), count))
    return tuple(made)


def scaled(pdk: Pdk, rows: int, full: float) -> float:
    """A width (um) in proportion to the rows."""
    least = pdk.channel_width
    return pdk.up2(max(least, full * least / _LEAST_W * min(rows, _TALLEST) / _FULL))


def arrange(plan: Plan) -> tuple[tuple[Gate, ...], ...]:
    """Rows of gates of one output: two of switches, then drivers, then latches."""
    pdk, bits = plan.pdk, plan.spec.array.weight_bits
    w = pdk.channel_width
    columns = range(bits)
    drivers = _dealt([_driver(k, w) for k in columns])
    latches = _dealt([_read(k, w) for k in columns])
    for row, name in zip((latches[0], latches[-1]), ("WE", "RE"), strict=True):
        row.append(inverter(w, 2 * w).named(name, A=name, Y=f"{name}B"))
    rows = [_resets(plan), _columns(plan), *([tap(), *row] for row in (*drivers, *latches))]
    return _reached(pdk, [tuple(row) for row in rows])


def _reached(pdk: Pdk, rows: Sequence[tuple[Gate, ...]]) -> tuple[tuple[Gate, ...], ...]:
    """The rows; where a tap at the beginning is too far from the other end, taps stand in between.

    The first row has the array's taps beside it.
    """
    (first, *others), (top, *sized) = rows, [row_for(pdk, row) for row in rows]
    if all(reached(row, gates) for row, gates in zip(sized, others, strict=True)):
        return tuple(rows)
    bare = [[g for g in gates if g != tap()] for gates in others]
    return (first, *tapped(sized, bare, taps_at(top, first)))


def _dealt(columns: Sequence[list[Gate]]) -> list[list[Gate]]:
    """Two columns in each row, face to face, or one where an output is too narrow for that."""
    if len(columns) <= LEAST_BITS:
        return [list(part) for part in columns]
    return [
        [*columns[k], *(g for part in columns[k + 1 : k + 2] for g in reversed(part))]
        for k in range(0, len(columns), 2)
    ]


def _resets(plan: Plan) -> list[Gate]:
    """VL to GND and AL to GND, under the precharge of GBLB."""
    pdk, rows, bits = plan.pdk, plan.rows, plan.spec.array.weight_bits
    resets = halved(pdk, rows, bits, RESET_W)
    w = resets[0].w
    count = max(_AL_FINGERS, round(scaled(pdk, rows, AL_RESET_W) / w))
    parts = [parallel(["ALRST"] * count, GND, "AL")[:: -1 if count % 2 else 1]]
    parts += [parallel(["VLRST"] * f.count, GND, f"VL{k}") for k, f in enumerate(resets) if f.w == w]
    pre = [parallel(["PREB"] * _PRECHARGE_FINGERS, VDD, f"GBLB{k}") for k in range(bits)]
    wide = _over(parts, pre, w, scaled(pdk, rows, _PRECHARGE_W / _PRECHARGE_FINGERS))
    narrow = [
        nmos(f.w, f.count).named(f"reset{k}", S=GND, G="VLRST", D=f"VL{k}")
        for k, f in enumerate(resets)
        if f.w != w
    ]
    return [wide, *narrow, tap()]


def _columns(plan: Plan) -> list[Gate]:
    """VL to AL, and VL up: by nMOS, which do not leak while VL is above their gates at GND."""
    pdk, rows, bits = plan.pdk, plan.rows, plan.spec.array.weight_bits
    switches = halved(pdk, rows, bits, COLUMN_W, 4)
    w = switches[0].w
    wide = [k for k, f in enumerate(switches) if f.w == w]
    ups = [(f"VL{k}", f"one{k}", VDD) for k in reversed(wide)]
    strip = _chained(
        [
            *(parallel(["COL"] * switches[k].count, "AL", f"VL{k}") for k in wide),
            *(up[:: -1 if n % 2 else 1] for n, up in enumerate(ups)),
        ]
    )
    narrow = [
        _alone((*parallel(["COL"] * f.count, "AL", f"VL{k}"), f"one{k}", VDD), f.w)
        for k, f in enumerate(switches)
        if f.w != w
    ]
    return [tap(), _alone(strip, w), *narrow]


def _driver(k: int, w: float) -> list[Gate]:
    """What opens a column's drivers while WE is high: VL up and GBLB down for a 1, VL down for a 0.

    Over their ground is a diode of DI, whose wire from the lower edge is long for its few gates to be etched.
    """
    data, one, zero = f"DI{k}", f"one{k}", f"zero{k}"
    drivers = _alone((f"VL{k}", zero, GND, one, f"GBLB{k}"), 2 * w)
    return [
        replace(
            drivers,
            p=tuple(data if net == GND else NONE for net in drivers.n),
            wp=2 * w,
            pins=(*drivers.pins, data),
        ),
        nand(w, 2 * w).named(one, A="WE", B=data, Y=f"{one}b"),
        inverter(w, 2 * w).named(one, A=f"{one}b", Y=one),
        nor(w, 2 * w).named(zero, A="WEB", B=data, Y=zero),
    ]


def _read(k: int, w: float) -> list[Gate]:
    """Latch of a column; GBLB has the complement of what was written."""
    return [
        latch(w, 2 * w).named(f"latch{k}", D=f"GBLB{k}", E="RE", EB="REB", Q=f"q{k}", QB=f"qb{k}"),
        inverter(w, 2 * w).named(f"out{k}", A=f"q{k}", Y=f"DO{k}"),
    ]


def _over(n: Sequence[tuple[str, ...]], p: Sequence[tuple[str, ...]], wn: float, wp: float) -> Gate:
    """Strips of both polarities one over the other, without a gate in common."""
    strips = [_chained(n), _chained(p)]
    longest = max(map(len, strips))
    filled = [strip + (NONE,) * (longest - len(strip)) for strip in strips]
    nets = {net for strip in filled for net in strip} - {NONE, GND, VDD}
    return Gate(filled[0], filled[1], wn, wp, tuple(sorted(nets)))


def _alone(strip: tuple[str, ...], w: float) -> Gate:
    """A strip of nMOS under nothing."""
    nets = set(strip) - {NONE, GND, VDD}
    return Gate(strip, (NONE,) * len(strip), w, 0.0, tuple(sorted(nets)))


def _chained(parts: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Strips as one, on a common diffusion where their ends are the same net."""
    made = parts[0]
    for part in parts[1:]:
        made += part[1:] if made[-1] == part[0] else (NONE, *part)
    return made
