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
    """A parameter of a cell: its default, unit, meaning and legal values."""

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
_LOGIC = {
    "n_w": Parameter(0.0, _WIDTH, "channel width of nMOS transistors; 0 is the PDK's minimum"),
    "p_w": Parameter(0.0, _WIDTH, "channel width of pMOS transistors; 0 is twice the nMOS's"),
    "length": Parameter(0.0, _WIDTH, "channel length; 0 is the PDK's minimum"),
}
_SLICES = {"slices": Parameter(8, "", "ADC slices that the lines cross")}
_COLUMNS = {
    "input_bits": Parameter(4, "", "bits of an input: DAC strips stand between columns"),
    "inputs": Parameter(16, "", "rows of the array: widths of switches go by them"),
}
_FINGERS = {"fingers": Parameter(1, "", "transistors in parallel")}
_LOGIC_CELLS = {
    "inverter": "Y = not A",
    **{f"nand{n}": f"NAND of {n} inputs" for n in (2, 3, 4)},
    **{f"nor{n}": f"NOR of {n} inputs" for n in (2, 3)},
    "transmission_gate": "A joined with Y while E is high and EB low",
    "tristate": "inverter that lets go of Y while E is low and EB high",
    "latch": "transparent while E is high and EB low",
    "pass_latch": "transparent while E is high and EB low: a transmission gate that wins over what holds",
    "or_nand": "Y = not (A and (B or C))",
    "xor": "exclusive OR of A and B, of which both levels are there",
    "flip_flop": "static D flip-flop: two latches",
    "tspc_flip_flop": "true single-phase clocked D flip-flop, eleven transistors",
}


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
    columns = 2 ** min(max(int(bits), 1), 8)
    data: dict[str, Any] = {
        "name": "cell",
        "pdk": pdk.name,
        "array": {
            "inputs": values.get("inputs", 16),
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
    from picoram_layout.cells.dac_strip import dac_strip, widest_strip

    group = values["group"]
    if not 1 <= group <= 4096:
        raise InputError(f"group: {group}: columns of a DAC group (1 to 4096)")
    strip = widest_strip(plan.plain, 1, False, group, plan.columns)
    return dac_strip(lib, plan.plain, strip, values["supply"], True)


def _dummy_column(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.cells.ends import dummy_column

    return dummy_column(lib, plan.end)


def _row_driver(segment: bool) -> Callable[[Library, Plan, dict[str, Any]], Block]:
    def draw(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
        from picoram_layout.periphery.row_driver import programmed

        return programmed(lib, plan, min(plan.cuts) if segment else 0)

    return draw


def _row_drivers(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.row_driver import row_drivers

    return row_drivers(lib, plan)


def _row_foot(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.row_foot import row_foot

    return row_foot(lib, plan)


def _adc_analog(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.adc_analog import adc_analog, usual_place

    return adc_analog(lib, usual_place(plan))


def _adc_slice(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.adc_analog import usual_place
    from picoram_layout.periphery.adc_slice import adc_slice

    return adc_slice(lib, usual_place(plan))


def _output_side(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.adc_side import output_side

    return output_side(lib, plan)


def _line_end(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.line_end import line_end

    return line_end(lib, plan)


def _outputs_on_base(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.risers import outputs_on_base

    return outputs_on_base(lib, plan)


def _base(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.base import base

    return base(lib, plan)


def _column_drivers(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.base_lines import column_drivers

    return column_drivers(lib, plan)


def _column_output(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.column_side import column_output, outputs

    return column_output(lib, plan, outputs(plan)[0].wires)


def _column_side(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.column_side import column_side

    return column_side(lib, plan)


def _adc_digital(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.adc_digital import adc_digital

    width = lib.pdk.up(plan.spec.array.weight_bits * plan.t.width)
    return adc_digital(lib, width, lib.pdk.up(0.4 * width), lib.pdk.up(0.6 * width))


def _adc_bias(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.adc_bias import adc_bias

    return adc_bias(lib)


def _oscillator(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.oscillator import ring_oscillator

    return ring_oscillator(lib, _slices(values))


def _counter(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
    from picoram_layout.periphery.counter import counter

    return counter(lib, _slices(values))


def _slices(values: dict[str, Any]) -> int:
    slices = int(values["slices"])
    if not 1 <= slices <= 256:
        raise InputError(f"slices: {slices}: ADC slices that the lines cross (1 to 256)")
    return slices


def _logic(name: str, summary: str) -> CellEntry:
    def draw(lib: Library, plan: Plan, values: dict[str, Any]) -> Block:
        from picoram_layout.logic.cell import catalogue_cell

        return catalogue_cell(lib, name, values)

    return CellEntry(name, summary, _LOGIC | (_FINGERS if name == "inverter" else {}), draw)


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
        CellEntry(
            "row_driver", "driver of a row, lying down, its lines chosen", _CLUSTER, _row_driver(False)
        ),
        CellEntry("row_driver_segment", "driver of a segment row", _CLUSTER, _row_driver(True)),
        CellEntry(
            "row_drivers", "drivers of 16 rows, as they stand beside the array", _CLUSTER, _row_drivers
        ),
        CellEntry("row_foot", "decoders and line drivers below 16 row drivers", _CLUSTER, _row_foot),
        CellEntry("output_side", "column blocks and ADC slices of four outputs", {}, _output_side),
        CellEntry(
            "line_end", "antenna diodes of lines that go on to a base wider than the outputs", {}, _line_end
        ),
        CellEntry("base", "bias, ring, counter and line drivers below four outputs", {}, _base),
        CellEntry("column_drivers", "drivers of the lines across four outputs", {}, _column_drivers),
        CellEntry("outputs_on_base", "four outputs, base and all wires between", {}, _outputs_on_base),
        CellEntry(
            "column_output",
            "switches, write drivers and latches of an output's columns, below the array",
            _COLUMNS,
            _column_output,
        ),
        CellEntry("column_side", "all outputs' column blocks side by side", _COLUMNS, _column_side),
        CellEntry(
            "adc_digital", "digital part of an ADC slice, on the pitch of four columns", {}, _adc_digital
        ),
        CellEntry("adc_analog", "ramp and comparators of an ADC slice", {}, _adc_analog),
        CellEntry("adc_slice", "ADC slice of one output", {}, _adc_slice),
        CellEntry("adc_bias", "bias of all ADC slices", {}, _adc_bias),
        CellEntry("ring_oscillator", "ring of eight states, shared by all ADC slices", _SLICES, _oscillator),
        CellEntry("counter", "counter of the ring's periods, starts conversions", _SLICES, _counter),
        *(_logic(name, summary) for name, summary in _LOGIC_CELLS.items()),
    )
}
