"""Comparison of an extracted netlist with its reference.

Circuits of the same name are compared with each other, others are dissolved into what places them. Nets of
the same name (SPICE does not tell capitals) belong together: a name on the wrong wire is a difference. Where
the hierarchies disagree although the circuits may not (a cell was changed in one place, or flattened), both
are compared flat.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import klayout.db as kdb

from picoram_layout.lvs.extract import Extraction
from picoram_layout.netlist.devices import DeviceTable
from picoram_layout.publish import save

# Flat comparison of more devices than this takes longer than anybody waits.
_FLAT_LIMIT = 10_000
# Arrays are full of equals that only names tell apart. With more names wrong than this share of the pins,
# trial would never end: the names are the result.
_NAMES_WRONG = 0.1
# Devices that match but for their sizes come with a warning, and so do nets told from equals by guess.
_MATCH, _WARNING = kdb.NetlistCrossReference.Match, kdb.NetlistCrossReference.MatchWithWarning


@dataclass(frozen=True)
class Difference:
    """One difference: ``kind`` (net, device, pin, name, circuit, silicon), the cell, and both sides in words
    ("none" where a side has no counterpart)."""

    kind: str
    cell: str
    layout: str
    reference: str


@dataclass
class LvsResult:
    """Result of a comparison. ``flat`` says that the circuits are equal though their hierarchies are not;
    ``counts`` has the flat numbers of devices in the layout by class."""

    top: str
    differences: list[Difference]
    flat: bool
    counts: dict[str, int]
    seconds: float
    extraction: Extraction  # owns what is written
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``match`` or ``mismatch``."""
        return "mismatch" if self.differences else "match"

    def write_lvsdb(self, path: Path) -> None:
        """Write KLayout's LVS database; `InputError` if the file cannot be written."""
        save(path, lambda part: self.extraction.lvs.write(part, True))


def compare(extraction: Extraction, reference: kdb.Netlist, top: str, table: DeviceTable) -> LvsResult:
    """Compare an extraction with the circuit ``top`` of ``reference`` (which is not changed)."""
    start = time.perf_counter()
    lvs, wanted = extraction.lvs, reference.dup()
    drawn = lvs.netlist()
    drawn.make_top_level_pins()
    counts = device_counts(drawn, extraction.deck.top.name)
    for netlist in (drawn, wanted):
        table.tolerate(netlist)
    lvs.reference = wanted
    _keep_below(wanted, top)
    tops = extraction.deck.top.name, top
    names = _top_names(drawn, wanted, *tops)
    found = _silicon(extraction) + names + _loads(drawn, wanted, *tops)
    _align(drawn, wanted, tops)
    flat, notes = False, []
    if len(names) > 3 and len(names) > _NAMES_WRONG * wanted.circuit_by_name(top).pin_count():
        notes.append("not compared further: the labels of the top cell are not the pins of the netlist")
    elif not lvs.compare(_comparer(drawn, wanted, tops)):
        differences = list(_differences(lvs.xref()))
        if sum(counts.values()) > _FLAT_LIMIT:
            notes.append(f"not compared flat: more than {_FLAT_LIMIT} devices")
        else:
            flat = _equal_flat(drawn, wanted, tops, table)
        if not flat:
            found += differences or [Difference("circuit", tops[0], "differs in a way that is not told", top)]
    else:
        found += list(_renamed(lvs.xref()))
    seconds = time.perf_counter() - start + extraction.seconds
    return LvsResult(tops[0], found, flat, counts, seconds, extraction, notes)


def device_counts(netlist: kdb.Netlist, top: str) -> dict[str, int]:
    """Devices by class in everything below the circuit ``top``."""
    below: dict[str, dict[str, int]] = {}
    for circuit in netlist.each_circuit_bottom_up():
        total: dict[str, int] = {}
        for device in circuit.each_device():
            name = device.device_class().name
            total[name] = total.get(name, 0) + 1
        for placed in circuit.each_subcircuit():
            for name, count in below[placed.circuit_ref().name].items():
                total[name] = total.get(name, 0) + count
        below[circuit.name] = total
    return dict(sorted(below.get(top, {}).items()))


def _keep_below(netlist: kdb.Netlist, top: str) -> None:
    """Drop the circuits that ``top`` does not use."""
    while spare := [
        c for c in netlist.each_circuit_top_down() if c.name.upper() != top.upper() and not any(c.each_ref())
    ]:
        for circuit in spare:
            netlist.remove(circuit)


def _align(drawn: kdb.Netlist, wanted: kdb.Netlist, tops: tuple[str, str]) -> None:
    """Dissolve circuits without a counterpart of their name."""
    names = [{c.name.upper() for c in netlist.each_circuit()} for netlist in (drawn, wanted)]
    for netlist, other, top in ((drawn, names[1], tops[0]), (wanted, names[0], tops[1])):
        for circuit in list(netlist.each_circuit_top_down()):
            if circuit.name.upper() not in other and circuit.name.upper() != top.upper():
                netlist.flatten_circuit(circuit)


def _comparer(drawn: kdb.Netlist, wanted: kdb.Netlist, tops: tuple[str, str]) -> kdb.NetlistComparer:
    """A comparer that knows which circuits and nets belong together by their names.

    Nets that no label names are told by named pins: without that the search over the thousands of wires
    between two large blocks takes most of the memory and of the time.
    """
    comparer = kdb.NetlistComparer()
    if tops[0].upper() != tops[1].upper():
        comparer.same_circuits(drawn.circuit_by_name(tops[0]), wanted.circuit_by_name(tops[1]))
    for a in drawn.each_circuit():
        b = wanted.circuit_by_name(tops[1] if a.name == tops[0] else a.name)
        if b is None:
            continue
        ours, theirs = _unique(a), _unique(b)
        common = ours.keys() & theirs.keys()
        for name in common:
            comparer.same_nets(a, b, ours[name], theirs[name])
        for net, other in _at_pins(a, b, common):
            comparer.same_nets(a, b, net, other)
    return comparer


def _unique(circuit: kdb.Circuit) -> dict[str, kdb.Net]:
    """Nets by those names that only one of them has."""
    count = Counter(net.name.upper() for net in circuit.each_net())
    return {net.name.upper(): net for net in circuit.each_net() if net.name and count[net.name.upper()] == 1}


def _at_pins(a: kdb.Circuit, b: kdb.Circuit, known: Set[str]) -> Iterator[tuple[kdb.Net, kdb.Net]]:
    """Nets without a name in ``a`` and not ``known`` in ``b``, at the same pin of what both place once."""
    places, known, seen = _placed_once(b), set(known), set[int]()
    for name, placed in _placed_once(a).items():
        if name not in places:
            continue
        ids = {pin.name().upper(): pin.id() for pin in places[name].circuit_ref().each_pin()}
        for pin in placed.circuit_ref().each_pin():
            net = placed.net_for_pin(pin.id())
            if net is None or net.name or not pin.name() or pin.name().upper() not in ids:
                continue
            other = places[name].net_for_pin(ids[pin.name().upper()])
            if other is None or other.name.upper() in known or net.cluster_id in seen:
                continue
            seen.add(net.cluster_id)
            known.add(other.name.upper())
            yield net, other


def _placed_once(circuit: kdb.Circuit) -> dict[str, kdb.SubCircuit]:
    """Subcircuits by the names of their circuits, as far as these are placed once."""
    found: dict[str, list[kdb.SubCircuit]] = {}
    for placed in circuit.each_subcircuit():
        found.setdefault(placed.circuit_ref().name.upper(), []).append(placed)
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def _equal_flat(drawn: kdb.Netlist, wanted: kdb.Netlist, tops: tuple[str, str], table: DeviceTable) -> bool:
    """Whether both circuits are the same once their hierarchy is dissolved; names of the top cell hold."""
    sides = drawn.dup(), wanted.dup()
    for netlist in sides:
        netlist.flatten()
        table.tolerate(netlist)
    names = {net.name.upper() for net in drawn.circuit_by_name(tops[0]).each_net() if net.name}
    for circuit in (sides[0].circuit_by_name(tops[0]), sides[1].circuit_by_name(tops[1])):
        for net in circuit.each_net():
            if net.name.upper() not in names:
                net.name = ""
    return _comparer(*sides, tops).compare(*sides)


def _silicon(extraction: Extraction) -> list[Difference]:
    """Diffusion and taps that are part of no device."""
    top = extraction.deck.top.name
    return [
        Difference("silicon", top, f"diffusion or tap of no known device at {box}", "none")
        for box in extraction.silicon
    ]


def _top_names(drawn: kdb.Netlist, wanted: kdb.Netlist, drawn_top: str, top: str) -> list[Difference]:
    """Pins of the top circuit that no label names, labels that name no net of it, labels that occur twice."""
    found, seen = [], set()
    reference = wanted.circuit_by_name(top)
    pins = {pin.name().upper() for pin in reference.each_pin()}
    nets = {net.name.upper() for net in reference.each_net()}
    for net in drawn.circuit_by_name(drawn_top).each_net():
        if not net.name:
            continue
        name = net.name.upper()
        if name in seen:
            found.append(Difference("name", drawn_top, f"{net.name} names several nets", net.name))
        elif name not in nets:
            found.append(Difference("name", drawn_top, net.name, "none"))
        seen.add(name)
    return found + [Difference("name", drawn_top, "none", name) for name in sorted(pins - seen)]


def _loads(drawn: kdb.Netlist, wanted: kdb.Netlist, drawn_top: str, top: str) -> list[Difference]:
    """Names of the top cell that lead to other devices than in the reference.

    KLayout compares nets by what they connect and leaves out those that connect nothing: a label on the stub
    of a wire that is cut would not be missed.
    """
    here, there = terminals(drawn, drawn_top), terminals(wanted, top)
    return [
        Difference(
            "net", drawn_top, f"{name} leads to {_listed(here[name])}", f"{name} leads to {_listed(load)}"
        )
        for name, load in there.items()
        if name in here and here[name] != load
    ]


def _listed(load: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(load.items())) or "nothing"


def terminals(netlist: kdb.Netlist, top: str) -> dict[str, Counter[str]]:
    """For each named net of the circuit ``top`` the terminals of devices on it, in all that it holds."""
    loads: dict[str, dict[int, Counter[str]]] = {}  # by circuit and pin
    found: dict[str, Counter[str]] = {}
    for circuit in netlist.each_circuit_bottom_up():
        pins = loads[circuit.name.upper()] = {}
        for net in circuit.each_net():
            load: Counter[str] = Counter()
            for end in net.each_terminal():
                load[_terminal(end)] += 1
            for placed in net.each_subcircuit_pin():
                below = loads[placed.subcircuit().circuit_ref().name.upper()]
                for terminal, count in below.get(placed.pin_id(), Counter()).items():
                    load[terminal] += count
            for pin in net.each_pin():
                pins[pin.pin_id()] = load
            if circuit.name.upper() == top.upper() and net.name:
                found[net.name.upper()] = load
    return found


def _terminal(terminal: kdb.NetTerminalRef) -> str:
    """Class and terminal, where the terminal cannot be exchanged with another one."""
    kind, name = terminal.device_class(), terminal.terminal_def().name
    return f"{kind.name} {name}" if name in "GB" and kind.name != "mom" else kind.name


def _renamed(xref: kdb.NetlistCrossReference) -> Iterator[Difference]:
    """Pairs of equal nets that have different names in the layout and in the reference."""
    for circuits in xref.each_circuit_pair():
        for pair in xref.each_net_pair(circuits):
            a, b = pair.first(), pair.second()
            if a and b and a.name and b.name and a.name.upper() != b.name.upper():
                yield Difference("name", circuits.first().name, a.name, b.name)


def _differences(xref: kdb.NetlistCrossReference) -> Iterator[Difference]:
    """Everything that did not match, with its cell and both sides."""
    for circuits in xref.each_circuit_pair():
        a, b = circuits.first(), circuits.second()
        cell = (a or b).name
        if circuits.status() == _MATCH:
            continue
        if a is None or b is None:
            yield Difference("circuit", cell, a.name if a else "none", b.name if b else "none")
            continue
        rows: list[tuple[str, Any, Any]] = [
            ("net", xref.each_net_pair(circuits), _net),
            ("device", xref.each_device_pair(circuits), _device),
            ("circuit", xref.each_subcircuit_pair(circuits), _placed),
            ("pin", xref.each_pin_pair(circuits), lambda pin: pin.expanded_name()),
        ]
        for kind, pairs, text in rows:
            for pair in pairs:
                if pair.status() != _MATCH and (kind == "device" or pair.status() != _WARNING):
                    first, second = pair.first(), pair.second()
                    yield Difference(
                        kind, cell, text(first) if first else "none", text(second) if second else "none"
                    )


def _net(net: kdb.Net) -> str:
    """A net with what it connects."""
    parts = [f"{t.device().device_class().name} {t.terminal_def().name}" for t in net.each_terminal()]
    parts += [
        f"{p.subcircuit().circuit_ref().name}.{p.pin().expanded_name()}" for p in net.each_subcircuit_pin()
    ]
    return f"{net.expanded_name()} ({_first(parts, 4, ', ') or 'nothing'})"


def _device(device: kdb.Device) -> str:
    """A device with its nets, compared parameters and, in a layout, its place in the cell (um)."""
    kind = device.device_class()
    nets = _joined((t.name, device.net_for_terminal(t.id())) for t in kind.terminal_definitions())
    primary = [p for p in kind.parameter_definitions() if p.is_primary]
    sizes = [f"{p.name}={device.parameter(p.id()):.6g}" for p in primary]
    place = device.trans.disp
    where = f" at {place.x:g},{place.y:g}" if device.device_abstract else ""
    return f"{kind.name} {' '.join(nets + sizes)}{where}"


def _placed(placed: kdb.SubCircuit) -> str:
    """A placed circuit with its nets."""
    circuit = placed.circuit_ref()
    nets = _joined((pin.expanded_name(), placed.net_for_pin(pin.id())) for pin in circuit.each_pin())
    return f"{circuit.name} {_first(nets, 6, ' ')}"


def _joined(nets: Iterable[tuple[str, kdb.Net | None]]) -> list[str]:
    """Terminals or pins, each with the net that it joins."""
    return [f"{name}={net.expanded_name() if net else 'none'}" for name, net in nets]


def _first(parts: list[str], count: int, separator: str) -> str:
    """The first few of many."""
    more = f" and {len(parts) - count} more" if len(parts) > count else ""
    return separator.join(parts[:count]) + more
