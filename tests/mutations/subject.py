"""The clean arrays that are mutated, with their reference netlists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import klayout.db as kdb

from picoram_layout.array.array import array
from picoram_layout.layout import Library
from picoram_layout.netlist.circuit import set_capacitors
from picoram_layout.pdk import Pdk
from picoram_layout.plan import capacitance, make_plan
from picoram_layout.spec import Spec

# One bit each; the cuts of the shift-and-add and several DAC groups; the other capacitor, five cells.
SIZES: dict[str, dict[str, Any]] = {
    "bit": {"inputs": 2, "outputs": 2, "weight_bits": 1, "input_bits": 1, "cells_per_cluster": 3},
    "segments": {"inputs": 4, "outputs": 2, "weight_bits": 2, "input_bits": 2, "cells_per_cluster": 3},
    "comb": {"inputs": 2, "outputs": 4, "weight_bits": 1, "input_bits": 2, "cells_per_cluster": 5},
}


@dataclass(frozen=True)
class Subject:
    """A clean array: its layout (nobody changes it), the same flat, the reference netlist. ``capacitor_fF``
    is the reference value of each capacitor."""

    name: str
    pdk: Pdk
    library: Library
    flat: kdb.Layout
    capacitor_fF: float

    @property
    def layout(self) -> kdb.Layout:
        """The hierarchical layout."""
        return self.library.layout

    def top(self, layout: kdb.Layout) -> kdb.Cell:
        """The array's cell in the layout or a copy of it."""
        return layout.cell(self.name)


def subject(name: str, pdk: str = "sky130") -> Subject:
    """Draw one of the `SIZES`."""
    style = "comb" if name == "comb" else "shielded"
    data = {"name": name, "pdk": pdk, "array": SIZES[name], "capacitor": {"style": style}}
    plan = make_plan(Spec.model_validate(data))
    library = Library(plan.pdk)
    top = array(library, plan).name
    value = capacitance(plan).value_fF
    set_capacitors(library.netlist, library.devices, value)
    return Subject(top, plan.pdk, library, flattened(library.layout, top), value)


def flattened(layout: kdb.Layout, top: str) -> kdb.Layout:
    """A copy without hierarchy; of the texts only those of the top cell are left, for they are its pins."""
    flat = kdb.Layout()
    flat.assign(layout)
    cell = flat.cell(top)
    texts = {
        index: [shape.text for shape in cell.shapes(index).each(kdb.Shapes.STexts)]
        for index in flat.layer_indexes()
    }
    cell.flatten(True)
    for index, kept in texts.items():
        shapes = cell.shapes(index)
        for shape in list(shapes.each(kdb.Shapes.STexts)):
            shapes.erase(shape)
        for text in kept:
            shapes.insert(text)
    return flat
