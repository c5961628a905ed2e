"""Row drivers: a drawn driver with its wires at the load of a full row, edge by edge.

The driver of a segment row has every gate that a plain one has, and SEG's. Row wires are lumped (a wordline
of 32 columns has some 110 ohm and 70 fF: 4 ps). Gates of the row load with their channels open, which is
the most that they can. ACC runs from row to row: a chain of its gates gives the time per row. A level on its
way from the foot of the array to a row's capacitors passes the line of all rows: a ladder whose sections are
a part of the rows each, all of which take the level at once. It is there before sampling starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, flat, merged, renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.models import Condition
from picoram_layout.simulation.phases import COMPUTE, SAMPLE, VREF
from picoram_layout.simulation.results import Job, Result

if TYPE_CHECKING:
    from picoram_layout.layout import Block, Library
    from picoram_layout.periphery.row_driver import Driver
    from picoram_layout.plan import Plan

EDGE = 0.2  # ns, of the lines through the drivers
STRAP = 1.0  # um of met4 above each level's line
SECTIONS = 12  # of the ladder
CHAIN = 5  # rows of the chain
SETTLED = 1e-3  # V that a level may be off when sampling ends
KEPT = 0.01  # part of VDD that a loaded bit may be off
RIPPLE = COMPUTE.ripple["ACC"]  # ns from the first to the last row
_OPTIONS = "method=gear reltol=1e-3 abstol=1e-14 chgtol=1e-17 gmin=1e-15"

# Signal -> (line that drives it, its level at rest, time of its rise and fall in ns). The line of an inverted
# one falls when the signal rises.
_CELL = 4
_TIMES: dict[str, tuple[str, bool, float, float]] = {
    "WLL": (f"CSB{_CELL}", True, 4.0, 12.0),
    "WLR": (f"CSB{_CELL}", True, 20.0, 28.0),
    "PCHB": ("PCH", True, 34.0, 42.0),
    "SOUT": ("SOUTB", True, 50.0, 58.0),
    "SEG": ("SEGB", True, 66.0, 74.0),
    "ACC": ("ACCGB", True, 82.0, 90.0),
}
_END = 98.0
_EDGES = tuple(
    f"{signal.lower()}_{way}{what}"
    for signal in _TIMES
    for way in ("rise", "fall")
    for what in ("", "_delay")
)
_LOADS = (1.0, 4.0), (9.0, 12.0), (25.0, 28.0)  # ns, LOAD high: for a 0, a 1, a 0
_BUS = (6.0, 1), (16.0, 0), (19.0, 1), (22.0, 0), (32.0, 1), (35.0, 0), (38.0, 1)  # ns, level
_WHERE = ("corner", "temp_C", "vdd_V")


@dataclass(frozen=True)
class Load:
    """What a row wire has to move: gates (with their number), and wires (fF)."""

    gates: tuple[tuple[Transistor, float], ...]
    wires: float


@dataclass(frozen=True)
class Bench:
    """A driver with its row: netlist, loads of its outputs, the most loaded data line, size of the array.

    ``siemens``: of a level's line past one row; ``strap_siemens``: of 1 um of met4 above it. ``lines``:
    capacitance (fF) of each line there, without gates.
    """

    driver: Cell
    loads: Mapping[str, Load]
    rows: int
    bits: int
    sampled: Cell  # devices between the first group's data line (net ``D``) and its capacitors
    siemens: float
    strap_siemens: float
    lines: Mapping[str, float]


def job(bench: Bench, condition: Condition, measures: Sequence[str] = ()) -> Job:
    """Every row signal once up and down, alone; 10 to 90 percent edges and delays from 50 to 50 percent.

    ``measures`` are further lines of the analysis.
    """
    deck, vdd = Deck("row driver", condition), condition.vdd
    deck.cell(replace(bench.driver, capacitors=merged(bench.driver.capacitors)))
    for net, load in bench.loads.items():
        for t, m in load.gates:
            rail = GND if t.kind == "nfet" else VDD
            deck.mos(replace(t, d=rail, g=net, s=rail), m)
        deck.capacitor(net, GND, load.wires)
    for net, steps in _stimulus(bench).items():
        deck.source(net, [(time, level * vdd) for time, level in steps], EDGE)
    analysis = [f".tran 0.02n {_END:g}n"]
    for signal, (line, inverted, up, down) in _TIMES.items():
        net = _net(signal)
        for way, start in (("rise", up), ("fall", down)):
            other = ("fall" if way == "rise" else "rise") if inverted else way
            half, low, high = vdd / 2, 0.1 * vdd, 0.9 * vdd
            first, last = (low, high) if way == "rise" else (high, low)
            analysis += [
                f".meas tran {signal}_{way}_delay trig v({line}) val={half:g} {other}=1 td={start - 1:g}n "
                f"targ v({net}) val={half:g} {way}=1 td={start - 1:g}n",
                f".meas tran {signal}_{way} trig v({net}) val={first:g} {way}=1 td={start - 1:g}n "
                f"targ v({net}) val={last:g} {way}=1 td={start - 1:g}n",
            ]
    analysis += measures
    return Job(f"row driver {condition}", deck.text(_OPTIONS, analysis), _EDGES, seconds=300)


def windows() -> dict[str, tuple[float, float]]:
    """From when to when (ns) each row signal alone goes up and down in `job`."""
    starts = [up for _, _, up, _ in _TIMES.values()]
    ends = [*(up - 1.0 for up in starts[1:]), _END]
    return {name: (up - 1.0, end) for name, up, end in zip(_TIMES, starts, ends, strict=True)}


def _net(signal: str) -> str:
    return f"{signal}{_CELL}" if signal[:2] == "WL" else signal


def _stimulus(bench: Bench) -> dict[str, list[tuple[float, float]]]:
    """Levels of all lines: the row is addressed, everything else rests but for what is measured."""
    steps: dict[str, list[tuple[float, float]]] = {}
    for line, inverted, up, down in _TIMES.values():
        rest = int(inverted)
        steps.setdefault(line, [(0.0, rest)])
        steps[line] += [(up, 1 - rest), (down, rest)]
    gates = {t.g for t in bench.driver.transistors}
    outputs = {net for t in bench.driver.transistors for net in (t.d, t.s)}
    for net in sorted(gates - outputs - {GND, VDD}):
        if net not in steps:
            steps[net] = [(0.0, int(net in ("PA", "PB", "PC", "ACCI") or net.startswith("CSB")))]
    # one wordline at a time
    steps["ENL"], steps["ENR"] = [(0.0, 1), (16.0, 0)], [(0.0, 0), (17.0, 1)]
    for k in range(bench.bits):
        steps |= {f"VREF[{k}]": [(0.0, 0)], f"BUS[{k}]": [(0.0, 0)]}
    return steps


def chain_job(bench: Bench, condition: Condition) -> Job:
    """ACC in rows one after the other: time from row to row."""
    deck, vdd = Deck("ACC from row to row", condition), condition.vdd
    load = bench.loads["ACC"]
    for k in range(CHAIN):
        nets = {"ACCI": f"r{k}", "ACCO": f"r{k + 1}", "ACCGB": GND, "ACC": f"acc{k}"}
        deck.cell(renamed(_part(bench.driver, ("ACCI", "accb", "ACCO", "ACCGB", "ACC")), nets, f"x{k}_"))
        for t, m in load.gates:
            deck.mos(replace(t, d=GND, g=f"acc{k}", s=GND), m)
        deck.capacitor(f"acc{k}", GND, load.wires)
    deck.source("r0", [(0.0, 0.0), (1.0, vdd)], EDGE)
    first, last = 1, CHAIN - 1  # the first row has the source's edge, the last one no load beyond
    half = f"{vdd / 2:g}"
    analysis = [
        ".tran 0.01n 20n",
        f".meas tran ripple trig v(r{first}) val={half} rise=1 targ v(r{last}) val={half} rise=1",
        f".meas tran rows trig v(acc{first}) val={half} rise=1 targ v(acc{last}) val={half} rise=1",
    ]
    return Job(f"ACC chain {condition}", deck.text(_OPTIONS, analysis), ("ripple", "rows"), seconds=300)


def _part(cell: Cell, nets: Sequence[str]) -> Cell:
    """The gates between these nets: transistors whose gate and ends are among them, series ones included."""
    known = {*nets, GND, VDD}
    inner = {
        net
        for t in cell.transistors
        if t.g in nets
        for net in (t.d, t.s)
        if net not in known
        and all(o.g in nets for o in cell.transistors if net in (o.d, o.s))
        and not cell.gated_by(net)
    }
    kept = known | inner
    parts = tuple(t for t in cell.transistors if t.g in nets and {t.d, t.s} <= kept)
    caps = [
        (a if a in kept else GND, b if b in kept else GND, v)
        for a, b, v in cell.capacitors
        if {a, b} & set(nets)
    ]
    return Cell(cell.name, (), parts, merged(caps))


def level_job(bench: Bench, condition: Condition) -> Job:
    """A level onto the first group's capacitors of all rows; seen in the last row, farthest from the foot."""
    deck, vdd = Deck("levels", condition), condition.vdd
    k, count = bench.bits - 1, bench.rows / SECTIONS
    level = VREF * vdd
    bit = _part(bench.driver, (f"q{k}", f"qb{k}", f"D{k}", f"VREF[{k}]"))
    deck.source("smp", [(0.0, 0.0), (0.01, vdd)], SAMPLE.edge)
    deck.source("vr0", [(0.0, level)], 0.0)
    starts: dict[str, float] = {}
    for s in range(SECTIONS):
        deck.resistor(f"vr{s}", f"vr{s + 1}", count / (bench.siemens + STRAP * bench.strap_siemens))
        deck.capacitor(f"vr{s + 1}", GND, bench.lines[f"VREF[{k}]"] * count)
        nets = {f"q{k}": VDD, f"qb{k}": GND, f"D{k}": f"d{s}", f"VREF[{k}]": f"vr{s + 1}"}
        data = renamed(bit, nets, f"b{s}_")
        group = renamed(bench.sampled, {"D": f"d{s}", "XL": f"xl{s}", "T": f"t{s}", "SMP": "smp"}, f"g{s}_")
        for cell in (data, group):
            for t in cell.transistors:
                deck.mos(t, count)
            for a, b, value in cell.capacitors:
                deck.capacitor(a, b, value * count)
        starts |= {f"xl{s}": 0.0, f"t{s}": 0.0, f"d{s}": level, f"vr{s + 1}": level}
    deck.start(starts)
    row = SECTIONS - 1
    sampled = next(time for time, level in SAMPLE.signals["SMP"] if not level)
    analysis = [
        ".tran 0.02n 40n uic",
        f".meas tran high find v(t{row}) at={sampled:g}n",
        f".meas tran first find v(t0) at={sampled:g}n",
    ]
    return Job(
        f"levels {condition}, straps of {STRAP:g} um",
        deck.text(_OPTIONS, analysis),
        ("high", "first"),
        seconds=300,
    )


def load_job(bench: Bench, condition: Condition) -> Job:
    """All bits of the row loaded with 1 and with 0, while others stay, and the bus moved in between.

    ``one`` and ``zero``: from half of LOAD's edge until the slowest bit and its complement are at 90 and 10 %
    of VDD; ``kept_one`` and ``kept_zero``: what a bit that was loaded is worth (parts of VDD) after the bus
    moved.
    """
    deck, vdd = Deck("input latches", condition), condition.vdd
    deck.cell(replace(bench.driver, capacitors=merged(bench.driver.capacitors)))
    steps = _stimulus(bench)
    for line, inverted, _, _ in _TIMES.values():
        steps[line] = [(0.0, int(inverted))]
    steps["LOAD"] = [
        (0.0, 0),
        *((time, level) for up, down in _LOADS for time, level in ((up, 1), (down, 0))),
    ]
    for k in range(bench.bits):
        steps[f"BUS[{k}]"] = [(0.0, 0), *((time + 0.1 * k, level) for time, level in _BUS)]
        steps[f"VREF[{k}]"] = [(0.0, VREF)]
    for net, values in steps.items():
        deck.source(net, [(time, level * vdd) for time, level in values], EDGE)
    last = bench.bits - 1
    (_, (one, _), (zero, _)) = _LOADS
    analysis = [f".tran 0.02n {_BUS[-1][0] + 6:g}n"]
    for name, up, net, edge, part in (
        ("one", one, f"q{last}", "rise=1", 0.9),
        ("one_b", one, f"qb{last}", "fall=1", 0.1),
        ("zero", zero, f"q{last}", "fall=1", 0.1),
        ("zero_b", zero, f"qb{last}", "rise=1", 0.9),
    ):
        analysis.append(
            f".meas tran {name} trig v(LOAD) val={vdd / 2:g} rise=1 td={up - 1:g}n "
            f"targ v({net}) val={part * vdd:g} {edge} td={up - 1:g}n"
        )
    for name, time in (("kept_one", zero - 0.5), ("kept_zero", _BUS[-1][0] + 5)):
        analysis += [f".meas tran {name}{k} find v(q{k}) at={time:g}n" for k in range(bench.bits)]
    wanted = ("one", "one_b", "zero", "zero_b")
    kept = tuple(f"kept_{value}{k}" for value in ("one", "zero") for k in range(bench.bits))
    return Job(f"input latches {condition}", deck.text(_OPTIONS, analysis), (*wanted, *kept), seconds=300)


def load_of(net: str, cells: Sequence[tuple[Cell, int]]) -> Load:
    """All gates and wires that cells (each so many times) have on a row wire."""
    gates = tuple((t, float(count)) for cell, count in cells for t in cell.gated_by(net))
    return Load(gates, sum(count * cell.total(net) for cell, count in cells))


def bench(plan: Plan, cell: Callable[[str], Cell]) -> Bench:
    """The bench of an array; ``cell`` gives its flat circuits by name."""
    from picoram_layout.layout import Library
    from picoram_layout.periphery.row_driver import row_driver, solve_drivers
    from picoram_layout.wires.blocks import block_wires

    library, solved = Library(plan.pdk), solve_drivers(plan)[1]
    made = row_driver(library, plan, True)
    wires = block_wires(library, made.name, solved.problem, solved.wiring)
    driver = flat(library.netlist, made.name, {made.name: wires})
    row = row_cells(plan, cell, plan.columns)
    loads = {_net(s): load_of(f"{s}[{_CELL}]" if s[:2] == "WL" else s, row) for s in _TIMES}
    width = solved.lines["VREF[0]"].w
    ohm = {layer: metal["ohm"] for layer, metal in plan.pdk.power["metals"].items()}  # per square
    return Bench(
        driver,
        loads,
        plan.rows,
        plan.spec.array.input_bits,
        _group(plan, cell),
        width / (ohm["met3"] * plan.plain.height),
        1.0 / (ohm["met4"] * plan.plain.height),
        _lines(library, made, solved),
    )


def row_cells(plan: Plan, cell: Callable[[str], Cell], columns: int) -> list[tuple[Cell, int]]:
    """What hangs on a segment row's wires: so many clusters, and all DAC strips."""
    strips = [(cell(f"dac_strip_{k}_vdd"), 1) for k in range(len(plan.groups))]
    return [(cell(f"cluster_{plan.supply(min(plan.cuts)).lower()}_segment"), columns), *strips]


def _lines(library: Library, made: Block, solved: Driver) -> dict[str, float]:
    """Capacitance of each line over a driver (fF)."""
    from picoram_layout.wires.extract import wire_capacitance
    from picoram_layout.wires.nets import Place, nets_of

    places = [Place(net, "met3", made.width / 2, line.y) for net, line in solved.lines.items()]
    found = wire_capacitance(
        nets_of(library.layout, made.name, library.pdk, places), library.pdk, library.layout.dbu
    )
    return {net: found.total(net) for net in solved.lines}


def _group(plan: Plan, cell: Callable[[str], Cell]) -> Cell:
    """The first group of columns as one: sampling switch, wires of XL, multipliers, plates."""
    strip, cluster, count = cell("dac_strip_0_vdd"), cell("cluster_vdd"), plan.groups[0]
    switches = [
        replace(t, d="D" if t.d != "XL_R" else "XL", s="D" if t.s != "XL_R" else "XL")
        for t in strip.gated_by("SMP")
    ]
    n_w = next(t for t in cluster.transistors if {t.d, t.s} == {"XL", "T"})
    many = replace(
        n_w,
        g=VDD,
        w=n_w.w * count,
        a_d=n_w.a_d * count,
        a_s=n_w.a_s * count,
        p_d=n_w.p_d * count,
        p_s=n_w.p_s * count,
    )
    xl = strip.total("XL_R") + count * (cluster.total("XL"))
    caps = (("XL", GND, xl), ("T", GND, count * cluster.total("T")))
    return Cell("group", (), (*switches, many), caps)


def jobs(bench: Bench, conditions: Sequence[Condition]) -> list[Job]:
    """Four runs at each condition: all row signals, ACC from row to row, a level, the input latches."""
    return [made(bench, c) for c in conditions for made in (job, chain_job, level_job, load_job)]


def summary(bench: Bench, conditions: Sequence[Condition], results: Sequence[Result]) -> dict[str, Any]:
    """Edges and delays (ns) at each condition.

    Met if levels settle while they are sampled, latches take and keep what they are loaded with, and at the
    most usual condition ACC reaches the last row as early as the phases assume. Elsewhere a controller waits
    for it.
    """
    rows: list[dict[str, Any]] = []
    for k, condition in enumerate(conditions):
        edges, chain, level, loads = results[4 * k : 4 * k + 4]
        kept = [abs(loads.values[f"kept_one{n}"] / condition.vdd - 1) for n in range(bench.bits)]
        kept += [abs(loads.values[f"kept_zero{n}"] / condition.vdd) for n in range(bench.bits)]
        rows.append(
            {
                "corner": condition.corner,
                "temp_C": condition.temp,
                "vdd_V": condition.vdd,
                **{name: edges.values[name] * 1e9 for name in _EDGES},
                "ripple": chain.values["ripple"] / (CHAIN - 2) * (bench.rows - 1) * 1e9,
                "level_off_V": abs(VREF * condition.vdd - level.values["high"]),
                "load_one": max(loads.values[name] for name in ("one", "one_b")) * 1e9,
                "load_zero": max(loads.values[name] for name in ("zero", "zero_b")) * 1e9,
                "kept_off": max(kept),
            }
        )
    worst = {name: max(row[name] for row in rows) for name in rows[0] if name not in _WHERE}
    typical = Condition()
    usual = min(
        rows,
        key=lambda r: (
            r["corner"] != typical.corner,
            abs(r["temp_C"] - typical.temp),
            abs(r["vdd_V"] - typical.vdd),
        ),
    )
    return {
        "rows": bench.rows,
        "conditions": rows,
        "worst": worst,
        "ripple": usual["ripple"],
        "ripple_limit": RIPPLE,
        "level_limit_V": SETTLED,
        "kept_limit": KEPT,
        "met": worst["level_off_V"] <= SETTLED and usual["ripple"] <= RIPPLE and worst["kept_off"] <= KEPT,
    }
