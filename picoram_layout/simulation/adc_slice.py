"""Benches of the ADC slice: drawn netlists with wires, the array's load on AL, ideal lines.

A conversion starts with AL at its level (V). Times in ns, from the bench's start: AZ falls at `AZ_END`, RAMPB
at `START`. The ramp's time is that from RAMPB's fall to HIT's rise, both at half the supply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from picoram_layout.layout import Library
from picoram_layout.periphery.adc_analog import LINES
from picoram_layout.periphery.adc_digital import COUNTER_BITS, PHASES
from picoram_layout.plan import Plan
from picoram_layout.simulation import adc_load, mac
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, flat, merged, renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.results import Job

AZ_END, START = 40.0, 55.0
END = 520.0  # from START: every level has hit
EDGE = 0.2
STEP = 1.0  # ns of a state of the ring (`oscillator`, tt 27 C 1.8 V, with its wires)

# Levels at 1.8 V; all scale with the supply, as the array's do.
VTH, VTHL = 0.46, 0.40
IREF_R, IREF_C = 13.0e-6, 8.0e-6  # A out of the bias pins: a quarter of the first is a ramp
VTH_OHM = 1000.0  # of what drives VTH
LINE_FF = 300.0  # of each bias line outside the slice: eight slices' wires and gates

# chgtol as in `mac`; the ramp's time moves by less than 0.01 ns with ten times tighter options
OPTIONS = "method=gear reltol=3e-4 abstol=1e-14 chgtol=1e-18 gmin=1e-15"


@dataclass(frozen=True)
class Slice:
    """The circuits of a slice, and the output that it converts."""

    analog: Cell
    digital: Cell
    bias: Cell
    bench: mac.Bench

    @cached_property
    def loads(self) -> dict[str, float]:
        """Gate area (um2) that the digital part puts on HIT and EN1."""
        return {net: sum(t.w * t.length for t in self.digital.gated_by(net)) for net in ("HIT", "EN1")}


@dataclass(frozen=True)
class Levels:
    """What a bench is run with beside its condition."""

    vth: float = VTH
    vthl: float = VTHL
    iref_r: float = IREF_R
    iref_c: float = IREF_C


NOMINAL = Levels()
Noise = tuple[float, float, int]  # of VTH: sigma (V), ns from sample to sample, number of the sample


def circuits(plan: Plan) -> tuple[Cell, Cell, Cell]:
    """Analog and digital part of a slice and the bias: the drawn netlists with the capacitance of wires."""
    from picoram_layout.periphery.adc_analog import adc_analog, outputs, solve_analog, usual_place
    from picoram_layout.periphery.adc_bias import adc_bias, solve_bias
    from picoram_layout.periphery.adc_digital import adc_digital, solve_slice
    from picoram_layout.wires.blocks import block_wires

    lib, pdk, place = Library(plan.pdk), plan.pdk, usual_place(plan)
    width, middle = place.width, place.al
    at = outputs(pdk, width, middle)
    solved = {
        adc_analog(lib, place).name: solve_analog(pdk, width, middle),
        adc_digital(lib, width, at["HIT"], at["EN1"]).name: solve_slice(pdk, width, at["HIT"], at["EN1"]),
        adc_bias(lib).name: solve_bias(pdk),
    }
    wires = {name: block_wires(lib, name, *both) for name, both in solved.items()}
    analog, digital, bias = (_merged(flat(lib.netlist, name, wires)) for name in solved)
    return analog, digital, bias


def _merged(cell: Cell) -> Cell:
    return replace(cell, capacitors=merged(cell.capacitors))


def deck(
    s: Slice,
    condition: Condition,
    al: float,
    levels: Levels = NOMINAL,
    digital: bool = False,
    state: float = STEP,
    base: Deck | None = None,
    noise: Noise = (0.0, 0.0, 0),
) -> Deck:
    """A slice that converts ``al`` (V); with ``digital`` its digital part on a ring of this state's time."""
    vdd = condition.vdd
    d = base or Deck("ADC slice", condition)
    starts = _shared(d, s, levels, noise) | _slice(d, s, al, levels, "")
    supplies = {"vddb": vdd}
    if digital:
        _digital(d, s, state)
        supplies["vddd"] = vdd
    else:
        _gates(d, s, "")
    d.start(starts | supplies)
    return d


def together(s: Slice, condition: Condition, levels_of: Sequence[float], name: str) -> Job:
    """Slices side by side on the same lines, each with its own AL (V); measured is the first."""
    d = Deck("ADC slices", condition)
    starts = _shared(d, s, NOMINAL, (0.0, 0.0, 0)) | {"vddb": condition.vdd}
    for k, al in enumerate(levels_of):
        starts |= _slice(d, s, al, NOMINAL, f"s{k}_")
        _gates(d, s, f"s{k}_")
    d.start(starts)
    analysis = [
        ".save v(s0_hit) v(rampb) v(vth) v(vbr)",
        f".tran 0.2n {START + END:g}n 0 0.2n uic",
        _since_ramp("hit", "s0_hit", condition),
    ]
    return Job(name, d.text(OPTIONS, analysis), ("hit",), seconds=1800)


def _gates(d: Deck, s: Slice, prefix: str) -> None:
    """What the digital part loads a slice's outputs with: about 8 fF per um2 of gate."""
    for net, area in s.loads.items():
        d.capacitor(f"{prefix}{net}", GND, 8.0 * area)


def _shared(d: Deck, s: Slice, levels: Levels, noise: Noise) -> dict[str, float]:
    """Lines of all slices with their sources; their levels at the start."""
    vdd, scale = d.condition.vdd, d.condition.vdd / 1.8
    bias(d, s, levels)
    d.source("AZ", [(0.0, vdd), (AZ_END, 0.0)], EDGE)
    d.source("RAMPB", [(0.0, vdd), (START, 0.0)], EDGE)
    d.source("FORCE", [(0.0, 0.0)], EDGE)
    vth, vthl = levels.vth * scale, levels.vthl * scale
    sigma, step, number = noise
    shaken = f" TRNOISE({sigma:.6g} {step:g}n 0 0)" if sigma else ""
    d.add(f"Vvth vth_in 0 DC {vth:.6g}", f"Vvthl VTHL 0 {vthl:.6g}")
    if shaken:
        d.add(f"Vnoise vth_noisy vth_in DC 0{shaken}", f".options seed={number}")
    d.resistor("vth_noisy" if shaken else "vth_in", "VTH", VTH_OHM)
    found = {"VTH": vth, "vth_in": vth, "VTHL": vthl, "b_PDB": vdd} | ({"vth_noisy": vth} if shaken else {})
    return found | dict.fromkeys((*_LINES, "b_IREF_R", "b_IREF_C"), vdd - 1.2)


def _slice(d: Deck, s: Slice, al: float, levels: Levels, prefix: str) -> dict[str, float]:
    """A slice with its load; its nodes' levels near what auto-zero settles to, as after a conversion."""
    vdd, scale = d.condition.vdd, d.condition.vdd / 1.8
    starts = adc_load.attach(d, s.bench, al, prefix)
    shared = {net: net for net in LINES}
    d.cell(renamed(s.analog, shared | {"AL": f"{prefix}al"}, prefix))
    high = ("CL", "P1B", "RONB", "HITB", "EN1B", "Z1", "Z2", "RD", "T1D", "Z1D", "L1")
    low = ("HIT", "EN1", "P1", "RON", "AZB", "OVER", "TRIP", "X1", "Y1", "L2")
    own = dict.fromkeys(high, vdd) | dict.fromkeys(low, 0.0)
    own |= {"G2": 0.66, "Y2": 0.66, "T1": 0.9, "T2": 1.3 * scale, "T2D": 1.4 * scale, "Z2D": vdd}
    own["B2"] = levels.vthl * scale
    return starts | {f"{prefix}{net}": level for net, level in own.items()}


def _moved(t: Transistor, nets: Mapping[str, str]) -> Transistor:
    """A transistor with nets called otherwise, supplies too."""
    d, g, s, b = (nets.get(net, net) for net in (t.d, t.g, t.s, t.b))
    return replace(t, d=d, g=g, s=s, b=b)


def bias(d: Deck, s: Slice, levels: Levels) -> None:
    """The shared bias on a supply of its own, its currents drawn at its pins."""

    lines = {f"b_{net}": net for net in _LINES}
    for t in renamed(s.bias, {}, "b_").transistors:
        d.mos(_moved(t, {VDD: "vddb"} | lines))
    d.add(f"Vvddb vddb 0 {d.condition.vdd:g}", "Vpd b_PD 0 0")
    for net, current in (("IREF_R", levels.iref_r), ("IREF_C", levels.iref_c)):
        d.add(f"I{net} b_{net} 0 {current:.6g}")
    for net in _LINES:
        d.capacitor(net, "vddb", LINE_FF)


_LINES = ("VBR", "VBC")


def _digital(d: Deck, s: Slice, state: float) -> None:
    """The digital part on its own supply, phases and count as ideal sources. RAMPB falls in state 2."""
    vdd, period = d.condition.vdd, 8 * state
    own = renamed(s.digital, {net: net for net in s.digital.ports}, "d_")
    for t in own.transistors:
        d.mos(_moved(t, {VDD: "vddd"}))
    for a, b, value in own.capacitors:
        d.capacitor(a, b, value)
    d.add(f"Vvddd vddd 0 {vdd:g}", "Vload LOAD 0 0", "Vend END 0 0")
    first = START - 2 * state  # of state 0
    cycles = -int(first // period) - 1
    for k in range(PHASES):
        at = first + k * state + cycles * period
        d.add(
            f"Vph{k} PH[{k}] 0 PULSE({vdd if at > period / 2 else 0:g} {0 if at > period / 2 else vdd:g} "
            f"{at if at < period / 2 else at - period / 2:g}n 0.1n 0.1n {period / 2 - 0.1:g}n {period:g}n)"
        )
    for bit in range(COUNTER_BITS):
        half = period * 2**bit
        d.add(
            f"Vcount{bit} COUNT[{bit}] 0 PULSE(0 {vdd:g} {START + half:g}n 0.1n 0.1n "
            f"{half - 0.1:g}n {2 * half:g}n)"
        )


def _since_ramp(name: str, net: str, condition: Condition) -> str:
    """Measures the time from RAMPB's fall to a net's rise, both at half the supply."""
    half = condition.vdd / 2
    return f".meas tran {name} trig v(rampb) val={half:g} fall=1 targ v({net}) val={half:g} rise=1"


def job(
    s: Slice,
    condition: Condition,
    al: float,
    name: str,
    levels: Levels = NOMINAL,
    end: float = END,
    noise: Noise = (0.0, 0.0, 0),
    base: Deck | None = None,
) -> Job:
    """Time of the ramp, of Cmp2's trip, charge from the slice's supply (C) without its digital part."""
    analysis = [
        ".save v(hit) v(en1) v(rampb) i(vvdd) i(vvddb)",
        f".tran 0.2n {START + end:g}n 0 0.2n uic",
        _since_ramp("hit", "hit", condition),
        _since_ramp("en1", "en1", condition),
        f".meas tran charge integ i(vvdd) from={START:g}n to={START + end:g}n",
        f".meas tran bias avg i(vvddb) from={START:g}n to={START + end:g}n",
    ]
    made = deck(s, condition, al, levels, base=base, noise=noise)
    return Job(name, made.text(OPTIONS, analysis), ("hit", "en1", "charge", "bias"), seconds=300)


def conversion(
    s: Slice,
    condition: Condition,
    al: float,
    name: str,
    levels: Levels = NOMINAL,
    end: float = END,
) -> Job:
    """A conversion with the digital part: its code's bits (V) at the end, charge from both supplies (C).

    ``end``: ns from `START`, some after HIT.
    """
    end += START
    analysis = [
        ".save v(hit) v(en1) v(rampb) i(vvdd) i(vvddd) " + " ".join(f"v({net})" for net in _bits()),
        f".tran 0.2n {end:g}n 0 0.2n uic",
        _since_ramp("hit", "hit", condition),
        f".meas tran charge integ i(vvdd) from={START:g}n to={end:g}n",
        f".meas tran digital integ i(vvddd) from={START:g}n to={end:g}n",
        *(f".meas tran bit{k} find v({net}) at={end - 1:g}n" for k, net in enumerate(_bits())),
    ]
    wanted = ("hit", "charge", "digital", *(f"bit{k}" for k in range(len(_bits()))))
    return Job(
        name, deck(s, condition, al, levels, digital=True).text(OPTIONS, analysis), wanted, seconds=900
    )


def _bits() -> tuple[str, ...]:
    """Nets of the code before the output latches, lowest bit first."""
    return tuple(f"d_{net}" for net in ("x0", "x1", "q0", *(f"cn{k}" for k in range(COUNTER_BITS))))
