"""What an SRAM access passes on its way from the pins, as drawn: foot, row drivers, column lines' drivers.

Of each drawn block those gates are kept that make the nets which move, with their wires; other gates on those
nets load them. Lines past all rows are ladders with the gates and wires of all drivers on them; the first row
stands at the foot, the last one at the far end. Row drivers carry what a full row has besides the columns of
the simulated output, drivers of column lines what the other outputs have.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from picoram_layout.simulation import drivers
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor, flat, merged, renamed
from picoram_layout.simulation.deck import Deck
from picoram_layout.simulation.drivers import Load, load_of

if TYPE_CHECKING:
    from picoram_layout.layout import Block
    from picoram_layout.logic.wiring import Problem, Wiring
    from picoram_layout.plan import Plan

SECTIONS = 4  # of the ladder of a line past all rows
COLUMN_LINES = ("VLRST", "PREB", "WE", "RE")  # that move in an access
ROW_WIRES = ("PCHB", "ACC")  # and the wordlines of a cell
# Pins of the row side that follow a signal of the array, and whether they are its complement.
_PINS = {"PCH_IN": ("PCHB", True), "ACCGB_IN": ("ACC", True)}
_FIXED = {"ALLB": 1}  # pins that rest high
_HIGH = ("CSB", "PCH", "ACCGB")  # lines that do

Levels = Sequence[tuple[float, float]]  # (ns, V)


@dataclass(frozen=True)
class Line:
    """A line past all rows: its resistance, and what the drivers that are not simulated hang on it."""

    ohm: float
    load: Load


@dataclass(frozen=True)
class Side:
    """Gates between pins and array: foot, a row driver, drivers of the column lines.

    ``loads``: of the driver's outputs and of the column lines. ``chosen`` and ``address``: for the first and
    the last row the line that each of the driver's address nets joins, and the levels of the address pins.
    """

    foot: Cell
    driver: Cell
    columns: Cell
    loads: Mapping[str, Load]
    lines: Mapping[str, Line]
    chosen: tuple[Mapping[str, str], Mapping[str, str]]
    address: tuple[Mapping[str, int], Mapping[str, int]]
    index: int


def cone(cell: Cell, outputs: Iterable[str]) -> Cell:
    """The transistors that make these nets, with all that makes their gates' nets.

    Others with a gate on a net of the cone load it with their channels open. Capacitances of nets outside
    lead to GND.
    """
    known, todo = {GND, VDD}, list(outputs)
    inside: list[Transistor] = []
    taken: set[int] = set()
    while todo:
        net = todo.pop()
        if net in known:
            continue
        known.add(net)
        for k, t in enumerate(cell.transistors):
            if k not in taken and net in (t.d, t.s):
                taken.add(k)
                inside.append(t)
                todo += [t.d, t.g, t.s]
    loads = [
        replace(t, d=rail, s=rail)
        for k, t in enumerate(cell.transistors)
        if k not in taken and t.g in known - {GND, VDD}
        for rail in (GND if t.kind == "nfet" else VDD,)
    ]
    caps = merged(
        (a if a in known else GND, b if b in known else GND, v)
        for a, b, v in cell.capacitors
        if {a, b} & (known - {GND, VDD})
    )
    return Cell(cell.name, (), (*inside, *loads), caps)


def grouped(transistors: Iterable[Transistor]) -> list[tuple[Transistor, int]]:
    """Transistors in parallel as one of them, with the mean of their diffusions, and their number."""
    found: dict[tuple[object, ...], list[Transistor]] = {}
    for t in transistors:
        if t.d > t.s:
            t = replace(t, d=t.s, s=t.d, a_d=t.a_s, a_s=t.a_d, p_d=t.p_s, p_s=t.p_d)
        found.setdefault((t.kind, t.d, t.g, t.s, t.w, t.length), []).append(t)
    made = []
    for same in found.values():
        mean = {key: sum(getattr(t, key) for t in same) / len(same) for key in ("a_d", "a_s", "p_d", "p_s")}
        made.append((replace(same[0], **mean), len(same)))
    return made


def inputs(cell: Cell) -> list[str]:
    """Nets of a cone that it does not make."""
    made = {net for t in cell.transistors for net in (t.d, t.s)} | {GND, VDD}
    return sorted({t.g for t in cell.transistors} - made)


def put(
    deck: Deck,
    side: Side,
    edge: float,
    steps: Callable[[str], Levels],
    pins: Mapping[str, Levels],
) -> dict[str, float]:
    """All gates between the pins' sources and the nets ``<signal>r0``, ``<signal>r1`` and the column lines.

    ``steps``: of a signal of the array; ``pins``: of those that choose the row and its wordlines. Returns the
    levels at the start of nets that would open cells while the gates settle.
    """
    vdd = deck.condition.vdd
    _place(deck, side.foot, {}, "foot_")
    for pin in inputs(side.foot):
        signal, inverted = _PINS.get(pin, ("", False))
        levels = steps(signal) if signal else pins.get(pin, [(0.0, vdd * _FIXED.get(pin, 0))])
        deck.source(f"foot_{pin}", [(time, vdd - v if inverted else v) for time, v in levels], edge)
    starts: dict[str, float] = {}
    for net, line in side.lines.items():
        starts |= ladder(deck, f"foot_{net}", line, vdd if net.startswith(_HIGH) else 0.0)
    for row, chosen in enumerate(side.chosen):
        joined = {net: chosen.get(net, net) for net in _met(side.driver)}
        nets = {net: f"foot_{line}_{SECTIONS}" if row else f"foot_{line}" for net, line in joined.items()}
        outputs = {net: f"{net.rstrip('0123456789')}r{row}" for net in _outputs(side)}
        _place(deck, side.driver, nets | outputs, f"r{row}_")
        deck.source(f"r{row}_ACCI", steps("ACC"), edge)
        for net, name in outputs.items():
            _load(deck, name, side.loads[net])
        starts |= {f"r{row}_{net}": vdd for net in ("RSLB", "RSRB", "accb")}
    _place(deck, side.columns, {net: net for net in COLUMN_LINES}, "lines_")
    for net in COLUMN_LINES:
        deck.source(f"lines_{net}_IN", steps(net), edge)
        _load(deck, net, side.loads[net])
    return starts


def _met(driver: Cell) -> list[str]:
    """Nets of a row driver that lines past all rows drive: ACC comes from row to row."""
    return [net for net in inputs(driver) if net != "ACCI"]


def _outputs(side: Side) -> list[str]:
    return [*ROW_WIRES, *(f"{word}{side.index}" for word in ("WLL", "WLR"))]


def _place(deck: Deck, cell: Cell, nets: Mapping[str, str], prefix: str) -> None:
    made = renamed(cell, nets, prefix)
    for t, m in grouped(made.transistors):
        deck.mos(t, m)
    for a, b, value in made.capacitors:
        deck.capacitor(a, b, value)


def _load(deck: Deck, net: str, load: Load, part: float = 1.0) -> None:
    gates: dict[Transistor, float] = defaultdict(float)
    for t, m in load.gates:
        rail = GND if t.kind == "nfet" else VDD
        gates[replace(t, d=rail, g=net, s=rail)] += m
    for t, m in gates.items():
        deck.mos(t, m * part)
    deck.capacitor(net, GND, load.wires * part)


def ladder(deck: Deck, net: str, line: Line, level: float) -> dict[str, float]:
    """A line from its driver on; its nodes' levels at the start."""
    nodes = [net, *(f"{net}_{k}" for k in range(1, SECTIONS + 1))]
    for a, b in itertools.pairwise(nodes):
        deck.resistor(a, b, line.ohm / SECTIONS)
        _load(deck, b, line.load, 1 / SECTIONS)
    return dict.fromkeys(nodes, level)


def side(plan: Plan, cell: Callable[[str], Cell], bench: drivers.Bench, block: Cell, index: int) -> Side:
    """The gates that an access of cell ``index`` passes; ``cell`` gives the array's circuits, ``bench`` has
    the row driver, ``block`` is an output's column side."""
    from picoram_layout.layout import Library
    from picoram_layout.periphery.base_lines import column_drivers, solve_lines
    from picoram_layout.periphery.row_foot import foot_rows, solve_foot
    from picoram_layout.wires.blocks import block_wires

    lib, array = Library(plan.pdk), plan.spec.array
    words = {f"{word}{index}": f"{word}[{index}]" for word in ("WLL", "WLR")}
    driver = cone(bench.driver, [*ROW_WIRES, *words])
    row = drivers.row_cells(plan, cell, plan.columns - array.weight_bits)
    loads = {net: load_of(words.get(net, net), row) for net in (*ROW_WIRES, *words)}
    loads |= {net: load_of(net, [(block, array.outputs - 1)]) for net in COLUMN_LINES}
    lines, chosen = _lines(plan, bench, _met(driver))

    def drawn(block: Block, problem: Problem, wiring: Wiring, outputs: Iterable[str]) -> Cell:
        wires = block_wires(lib, block.name, problem, wiring)
        return cone(flat(lib.netlist, block.name, {block.name: wires}), outputs)

    solved = solve_foot(plan)
    foot = drawn(foot_rows(lib, plan), solved.problem, solved.wiring, lines)
    columns = drawn(column_drivers(lib, plan), *solve_lines(plan), COLUMN_LINES)
    first, last = (_address(plan, row, index) for row in (0, plan.rows - 1))
    return Side(foot, driver, columns, loads, lines, chosen, (first, last), index)


def _lines(
    plan: Plan, bench: drivers.Bench, nets: Sequence[str]
) -> tuple[dict[str, Line], tuple[Mapping[str, str], Mapping[str, str]]]:
    """The lines that these nets of a driver hang on, and which one in the first and in the last row."""
    from picoram_layout.periphery.row_driver import chosen, solve_driver

    solved, rows = solve_driver(plan, 0), range(plan.rows)
    square = {layer: float(metal["ohm"]) for layer, metal in plan.pdk.power["metals"].items()}
    long, track = plan.y[-1] - plan.y[0], solved.problem.rows[0].track
    ends = chosen(plan, rows[0]), chosen(plan, rows[-1])
    found: dict[str, Line] = {}
    for net in nets:
        if net not in ends[0]:  # on a track through all drivers
            load = load_of(net, [(bench.driver, plan.rows - len(ends))])
            found[net] = Line(square["met1"] * long / track, load)
            continue
        for name in dict.fromkeys(end[net] for end in ends):
            others = sum(chosen(plan, row)[net] == name for row in rows[1:-1])
            load = load_of(net, [(bench.driver, others)])
            wires = load.wires + bench.lines[name] * plan.rows
            found[name] = Line(square["met3"] * long / solved.lines[name].w, Load(load.gates, wires))
    return found, ends


def _address(plan: Plan, row: int, index: int) -> dict[str, int]:
    """Levels of the pins that choose a row and a cell."""
    from picoram_layout.periphery.foot_logic import address_bits, cell_bits

    bits = {"RA": (row, sum(address_bits(plan))), "CA": (index, cell_bits(plan))}
    return {f"{name}[{k}]": value >> k & 1 for name, (value, count) in bits.items() for k in range(count)}
