"""What pins carry, from the netlist: area of the gates and of the sources and drains on their nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from picoram_layout.layout import Block

if TYPE_CHECKING:
    import klayout.db as kdb

OXIDE_FF = 8.0  # gate capacitance of a um2 in sky130: 4.15 nm of oxide (model cards of the process)


class Load(NamedTuple):
    """Areas on a net, um2."""

    gate: float
    diffusion: float


def loads(top: Block, names: tuple[str, ...]) -> dict[str, Load]:
    """The loads of a block's pins with these names."""
    circuit, known = top.circuit.circuit, dict[tuple[str, int], Load]()
    pins = {pin.expanded_name(): pin for pin in circuit.each_pin()}
    return {name: _of(circuit, pins[name].id(), known) for name in names if name in pins}


def capacitances(areas: Mapping[str, Load]) -> dict[str, float]:
    """Capacitance of the gates (fF); wires are not in it."""
    return {name: round(OXIDE_FF * load.gate, 3) for name, load in areas.items() if load.gate}


def _of(circuit: kdb.Circuit, pin: int, known: dict[tuple[str, int], Load]) -> Load:
    key = circuit.name, pin
    if key not in known:
        gate = diffusion = 0.0
        net = circuit.net_for_pin(pin)
        for terminal in net.each_terminal() if net else ():
            name, device = terminal.terminal_def().name, terminal.device()
            if name == "G":
                gate += device.parameter("W") * device.parameter("L")
            elif name in ("S", "D"):
                diffusion += device.parameter(f"A{name}")
        for inner in net.each_subcircuit_pin() if net else ():
            child = _of(inner.subcircuit().circuit_ref(), inner.pin_id(), known)
            gate, diffusion = gate + child.gate, diffusion + child.diffusion
        known[key] = Load(round(gate, 6), round(diffusion, 6))
    return known[key]
