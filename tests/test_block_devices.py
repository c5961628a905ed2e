"""What simulations of periphery blocks take from a generator's netlist is what the layout has.

Wires' capacitances go by net names, which inner nets have in the generator's netlist only; LVS finds both the
same circuit. Here diffusions, which LVS does not compare, are held against the extracted ones.
"""

from __future__ import annotations

from collections import Counter

import pytest

from picoram_layout.cells import CATALOGUE
from picoram_layout.layout import Library
from picoram_layout.lvs.extract import extract
from picoram_layout.pdk import load_pdk
from picoram_layout.simulation.circuits import Cell, flat

BLOCKS = (
    "adc_slice",
    "adc_bias",
    "column_output",
    "row_driver",
    "row_driver_segment",
    "ring_oscillator",
    "counter",
)


def devices(cell: Cell) -> Counter[tuple[str | float, ...]]:
    """Kinds and sizes of transistors; areas (um2) and perimeters (um) of both diffusions together."""
    return Counter(
        (t.kind, *(round(size, 3) for size in (t.w, t.length, t.a_d + t.a_s, t.p_d + t.p_s)))
        for t in cell.transistors
    )


@pytest.mark.parametrize("name", BLOCKS)
def test_devices_are_those_of_the_layout(name: str) -> None:
    library = Library(load_pdk("sky130"))
    block = CATALOGUE[name].draw(library)
    extracted = extract(library.layout, block.name, library.pdk)
    netlist = extracted.netlist.dup()  # the original dies with the extraction
    assert devices(flat(netlist, block.name)) == devices(flat(library.netlist, block.name))
