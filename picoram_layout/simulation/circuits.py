"""Circuits of an extracted netlist as plain data, ready to be written into decks.

Supplies are ideal in a simulation: every VDD and n-well is one node, every GND and the substrate another.
Taps (which join supplies to silicon) are left out for that reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from picoram_layout.errors import InputError

if TYPE_CHECKING:
    import klayout.db as kdb

GND, VDD, PLATE = "0", "vdd", "T"
_SUPPLIES = {"GND": GND, "SUB": GND, "PLATE": GND, "VDD": VDD, "NW": VDD}
_WORD = re.compile(r"WLL\[(\d+)\]")  # the net of a bitcell's wordline has the cell's number
_KINDS = {"nfet_01v8": "nfet", "pfet_01v8": "pfet", "nfet": "nfet", "pfet": "pfet"}

# Capacitance of wires (fF) between two nets, or (None) from a net to GND; for each circuit by its name.
Wires = Mapping[tuple[str, str | None], float]


@dataclass(frozen=True)
class Transistor:
    """A transistor: ``kind`` is nfet or pfet, nets of its terminals, sizes in um and um2."""

    kind: str
    d: str
    g: str
    s: str
    b: str
    w: float
    length: float
    a_d: float
    a_s: float
    p_d: float
    p_s: float


@dataclass(frozen=True)
class Cell:
    """A flat circuit; nets of placed circuits are called ``<instance>.<net>``, bitcells ``cell<k>``.

    Capacitances in fF.
    """

    name: str
    ports: tuple[str, ...]
    transistors: tuple[Transistor, ...]
    capacitors: tuple[tuple[str, str, float], ...]

    def gated_by(self, net: str) -> list[Transistor]:
        """Transistors with their gate on a net."""
        return [t for t in self.transistors if t.g == net]

    def only(self, gate: str, *ends: str) -> Transistor:
        """The one transistor with this gate and, if given, these nets at source and drain."""
        found = [t for t in self.gated_by(gate) if not ends or {t.d, t.s} >= set(ends)]
        if len(found) != 1:
            where = f" to {', '.join(ends)}" if ends else ""
            raise InputError(
                f"{self.name}: {len(found)} transistors with gate {gate}{where} where one is wanted"
            )
        return found[0]

    def total(self, net: str) -> float:
        """Wire and MOM capacitance of a net (fF), as if every other net stood still."""
        return sum(value for a, b, value in self.capacitors if net in (a, b))


def supply_of(net: str) -> str | None:
    """GND or VDD for a supply, a well or the substrate (``GND_L``, ``VDD[3]``, joined names); else None."""
    for part in net.split(".")[-1].split(","):
        stem = part.split("[")[0].split("_")[0]
        if stem in _SUPPLIES:
            return _SUPPLIES[stem]
    return None


def flat(netlist: kdb.Netlist, name: str, wires: Mapping[str, Wires] | None = None) -> Cell:
    """A circuit with everything placed in it; the live net of its one MOM capacitor is called ``T``.

    ``wires`` has the capacitance of wires by circuit. What it holds for a circuit covers that circuit's own
    nets; placed circuits bring theirs.
    """
    circuit = netlist.circuit_by_name(name)
    if circuit is None:
        raise InputError(f"the netlist has no circuit {name}")
    ports = tuple(net.expanded_name() for pin in circuit.each_pin() if (net := circuit.net_for_pin(pin.id())))
    found = _Found([], [], [])
    _collect(circuit, "", {}, wires or {}, found)
    plates = {net for pair in found.plates for net in pair} - {GND}
    cell = Cell(name, ports, tuple(found.transistors), tuple(found.capacitors))
    return renamed(cell, {plates.pop(): PLATE}) if len(plates) == 1 else cell


class _Found(NamedTuple):
    transistors: list[Transistor]
    capacitors: list[tuple[str, str, float]]
    plates: list[tuple[str, str]]


def _collect(
    circuit: kdb.Circuit,
    path: str,
    outside: Mapping[str, str],
    wires: Mapping[str, Wires],
    found: _Found,
) -> None:
    def node(net: str) -> str:
        return supply_of(net) or outside.get(net) or path + net

    for device in circuit.each_device():
        kind = device.device_class().name
        terminals = {
            terminal.name: node(net.expanded_name())
            for terminal in device.device_class().terminal_definitions()
            if (net := device.net_for_terminal(terminal.id())) is not None
        }
        if kind in _KINDS:
            p, t = device.parameter, terminals
            sizes = p("W"), p("L"), p("AD"), p("AS"), p("PD"), p("PS")
            found.transistors.append(Transistor(_KINDS[kind], t["D"], t["G"], t["S"], t["B"], *sizes))
        elif kind == "mom":
            found.plates.append((terminals["A"], terminals["B"]))
            found.capacitors.append((*found.plates[-1], device.parameter("C") * 1e15))
    for (a, b), value in wires.get(circuit.name, {}).items():
        found.capacitors.append((node(a), node(b) if b is not None else GND, value))
    for placed in circuit.each_subcircuit():
        child = placed.circuit_ref()
        nets = {}
        for pin in child.each_pin():
            inner, outer = child.net_for_pin(pin.id()), placed.net_for_pin(pin.id())
            if inner is not None and outer is not None:
                nets[inner.expanded_name()] = node(outer.expanded_name())
        word = _WORD.fullmatch(nets.get("WLL", ""))
        label = f"cell{word[1]}" if word else f"x{placed.id()}"
        _collect(child, f"{path}{label}.", nets, wires, found)


def merged(capacitors: Iterable[tuple[str, str, float]]) -> tuple[tuple[str, str, float], ...]:
    """One capacitor for each pair of nets."""
    sums: dict[tuple[str, str], float] = {}
    for a, b, value in capacitors:
        if a != b:
            pair = (a, b) if a > b else (b, a)
            sums[pair] = sums.get(pair, 0.0) + value
    return tuple((a, b, value) for (a, b), value in sorted(sums.items()))


def renamed(cell: Cell, nets: Mapping[str, str], prefix: str = "") -> Cell:
    """A cell with nets called otherwise; those not in ``nets`` get the prefix, supplies keep their names."""

    def name(net: str) -> str:
        return net if net in (GND, VDD) else nets.get(net, prefix + net)

    return Cell(
        cell.name,
        tuple(map(name, cell.ports)),
        tuple(replace(t, d=name(t.d), g=name(t.g), s=name(t.s), b=name(t.b)) for t in cell.transistors),
        tuple((name(a), name(b), value) for a, b, value in cell.capacitors),
    )


def part_of(t: Transistor, count: int) -> Transistor:
    """One of ``count`` equal devices that a transistor consists of."""
    return replace(
        t, w=t.w / count, a_d=t.a_d / count, a_s=t.a_s / count, p_d=t.p_d / count, p_s=t.p_s / count
    )


def selected(cluster: Cell, index: int | None) -> Iterator[tuple[Transistor, int]]:
    """Transistors of a cluster that matter while cell ``index`` (None: no cell) is selected, and how many.

    The idle cells load the local bitline with their off pass gates alone: one device of their number, its far
    end at GND, as if they held a 0.
    """
    inside: list[set[str]] = []
    while gates := cluster.gated_by(f"WLL[{len(inside)}]"):
        q = gates[0].s if gates[0].d == "LBL" else gates[0].d
        inside.append({q, *(t.g for t in cluster.transistors if q in (t.d, t.s) and t.g != gates[0].g)})
    if index is not None and not 0 <= index < len(inside):
        raise InputError(f"{cluster.name}: cell {index} of {len(inside)}")
    idle = set().union(*(nodes for k, nodes in enumerate(inside) if k != index))
    for t in cluster.transistors:
        if not {t.d, t.s} & idle:
            yield t, 1
    numbers = [k for k in range(len(inside)) if k != index]
    if numbers:
        t = cluster.gated_by(f"WLL[{numbers[0]}]")[0]
        area, perimeter = (t.a_d, t.p_d) if t.d == "LBL" else (t.a_s, t.p_s)
        off = replace(t, d="LBL", g=GND, s=GND, a_d=area, p_d=perimeter, a_s=area, p_s=perimeter)
        yield off, len(numbers)
