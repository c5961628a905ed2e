"""The catalogue of cells that can be drawn one by one: ``picoram cells`` and ``picoram cell NAME``.

Listing it loads neither gdsfactory nor KLayout; the generators are imported when a cell is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from picoram_layout.errors import InputError

if TYPE_CHECKING:
    from picoram_layout.layout import Block, Library
    from picoram_layout.pdk import Pdk
    from picoram_layout.plan import Plan


@dataclass(frozen=True)
class Parameter:
    """A parameter of a cell: its default (None: the PDK decides), unit, meaning and legal values."""

    default: Any
    unit: str
    help: str
    choices: tuple[Any, ...] = ()


_WIDTH = "um"
_SPEC: dict[str, Parameter] = {
    "pass_gate_w": Parameter(0.0, _WIDTH, "pass gate width; 0 is the PDK's minimum"),
    "pull_down_w": Parameter(0.0, _WIDTH, "pull-down width; 0 is the PDK's minimum"),
    "pull_up_w": Parameter(0.0, _WIDTH, "pull-up width; 0 is the PDK's minimum"),
}
_CLUSTER = {
    **_SPEC,
    "cells_per_cluster": Parameter(9, "", "bitcells of a cluster (odd)"),
    "input_bits": Parameter(4, "", "bits of an input: their data lines cross the row"),
}
_STYLE = {"style": Parameter("shielded", "", "drawing of the capacitor", ("shielded", "comb"))}
_SUPPLY = {"supply": Parameter("VDD", "", "supply on the free met2 track", ("VDD", "GND"))}


@dataclass(frozen=True)
class CellEntry:
    """A cell of the catalogue."""

    name: str
    summary: str
    parameters: dict[str, Parameter]
    generator: Callable[[Library, Plan, dict[str, Any]], Block]
    needs_array: bool = field(default=False)  # its taps or neighbours are in other cells

    def draw(self, library: Library, **params: Any) -> Block:
        """Draw the cell; `InputError` names the parameter that cannot be used.

        Capacitors in its netlist have no value yet: `complete` solves for it.
        """
        values = self._values(params)
        return self.generator(library, _plan(library.pdk, values), values)

    def complete(self, library: Library, **params: Any) -> None:
        """Give the capacitors of a drawn cell's netlist their value, a field solution (seconds; cached)."""
        from picoram_layout.netlist.circuit import set_capacitors
        from picoram_layout.plan import capacitance

        if any("capacitor" in circuit.name for circuit in library.netlist.each_circuit()):
            value = capacitance(_plan(library.pdk, self._values(params))).value_fF
            set_capacitors(library.netlist, library.devices, value)

    def _values(self, params: dict[str, Any]) -> dict[str, Any]:
        return {key: p.default for key, p in self.parameters.items()} | params


def _plan(pdk: Pdk, values: dict[str, Any]) -> Plan:
    """The plan of a small array with these parameters: every cell is drawn from one."""
    from picoram_layout.plan import make_plan
    from picoram_layout.spec.load import check

    bits = values.get("input_bits", 4)
    columns = values.get("columns", 2 ** min(max(int(bits), 1), 8))
    data: dict[str, Any] = {
        "name": "cell",
        "pdk": pdk.name,
        "array": {
            "inputs": 16,
            "outputs": max(1, columns // 4),
            "weight_bits": 4,
            "input_bits": bits,
            "cells_per_cluster": values.get("cells_per_cluster", 9),
        },
        "bitcell": {k: values[k] or None for k in _SPEC if k in values},
        "capacitor": {"style": values.get("style", "shielded")},
    }
    if bits == 1:
        data["array"] |= {"outputs": 1}
    spec, problems = check(data)
    if spec is None:
        raise InputError("\n".join(problem.text() for problem in problems))
    return make_plan(spec)


def _bitcell(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.bitcell import bitcell

    return bitcell(lib, plan.t)


def _mac(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.mac import mac

    return mac(lib, plan.plain.mac)


def _mac_segment(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.mac import mac

    return mac(lib, plan.segment.mac, values["cut"])


def _capacitor(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.capacitor import capacitor

    row = plan.plain
    return capacitor(lib, plan.t, row.style, row.height, row.t_y, row.height)


def _cluster(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.cluster import cluster

    return cluster(lib, plan.plain, values["supply"])


def _dac_strip(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.dac_strip import dac_strip, solve_strip

    group = values["group"]
    if not 1 <= group <= 4096:
        raise InputError(f"group: {group}: columns of a DAC group (1 to 4096)")
    unit = lib.pdk.rule("channel_width", "gate", "diff")
    strip = solve_strip(plan.plain, 1, False, unit * group, unit)
    return dac_strip(lib, plan.plain, strip, values["supply"], True)


def _dummy_column(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.ends import dummy_column

    return dummy_column(lib, plan.end)


CATALOGUE: dict[str, CellEntry] = {
    entry.name: entry
    for entry in (
        CellEntry("bitcell", "6T thin cell with split wordline", _SPEC, _bitcell, needs_array=True),
        CellEntry("mac", "MAC unit with all taps of its cluster", _CLUSTER, _mac),
        CellEntry(
            "mac_segment",
            "MAC unit with the segment device for the shift-and-add",
            {**_CLUSTER, "cut": Parameter(False, "", "open VL at the segment device")},
            _mac_segment,
        ),
        CellEntry("capacitor", "MOM capacitor over one cluster", {**_CLUSTER, **_STYLE}, _capacitor),
        CellEntry(
            "cluster",
            "bitcells, MAC unit and capacitor of one cluster",
            {**_CLUSTER, **_STYLE, **_SUPPLY},
            _cluster,
        ),
        CellEntry(
            "dac_strip",
            "sampling and sharing switch between two column groups of a row",
            {**_CLUSTER, **_SUPPLY, "group": Parameter(8, "columns", "columns of the sampled group")},
            _dac_strip,
            needs_array=True,
        ),
        CellEntry("dummy_column", "end of a column: dummy bitcell and taps", _SPEC, _dummy_column),
    )
}
