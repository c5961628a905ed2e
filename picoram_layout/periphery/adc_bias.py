"""Bias of all ADC slices: diodes of the ramps' and the comparators' current sources.

Currents are drawn from IREF_R and IREF_C to GND from outside. The ramps' diode carries four times a ramp's
current: what a slice that ends its ramp kicks into VBR comes back as a quarter of that charge in the others.
PD high: the diodes are cut off and both lines pulled to VDD, so that no slice draws current.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from picoram_layout.layout import Block, Library, block
from picoram_layout.logic.devices import rows_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import VDD, Gate, inverter, parallel, tap
from picoram_layout.logic.rows import Row
from picoram_layout.logic.wiring import Pin, Problem, Wiring, reached_above
from picoram_layout.pdk import Pdk
from picoram_layout.periphery.adc_analog import SHORT, SOURCE, WIDTHS, strips
from picoram_layout.periphery.narrow import Rows

OUTPUTS, INPUTS = ("VBR", "VBC"), ("IREF_R", "IREF_C", "PD")
RAMP_FINGERS = 8  # of the ramps' diode; a ramp has 2
COMPARATOR_FINGERS = 4  # of the comparators' diode; Cmp1's tail has as many


def bias_rows(pdk: Pdk) -> Rows:
    """Diodes, capacitors, switches."""
    short, u = pdk.width("poly"), pdk.channel_width

    def row(length: float, *gates: Gate) -> tuple[Gate, ...]:
        return tuple(replace(g, length=round(length * short, 6)) for g in gates)

    def both(ramp: str, comparator: str) -> Gate:
        """Fingers of both lines: what is a diode to the line, what is one to VDD a capacitor."""
        left = parallel(["VBR"] * RAMP_FINGERS, VDD, ramp)
        right = parallel(["VBC"] * COMPARATOR_FINGERS, VDD, comparator)
        return strips(pdk, "", " ".join(left + right[1:]), "small", "source")

    return (
        row(SOURCE, both("VBR", "VBC"), tap()),
        row(
            SHORT,
            tap(),
            strips(pdk, "IREF_R PDB VBR PDB IREF_R", "VDD PDB VBR", "source", "small"),
            strips(pdk, "IREF_C PDB VBC PDB IREF_C", "VDD PDB VBC", "source", "small"),
            inverter(u, u * WIDTHS["p"]).named("pdb", A="PD", Y="PDB"),
        ),
        row(SHORT, tap()),
        row(SOURCE, both(VDD, VDD), tap()),
    )


@cache
def solve_bias(pdk: Pdk) -> tuple[Problem, Wiring]:
    """The wired rows: the lines leave at the upper edge, the rest enters at the lower one."""
    gates = bias_rows(pdk)
    rows = rows_for(pdk, gates)
    pins = (
        *(Pin(net, "top") for net in OUTPUTS),
        *(Pin(net, "bottom") for net in INPUTS),
    )

    def problem(rows: tuple[Row, ...]) -> Problem:
        return reached_above(Problem(rows, gates, pins=pins, base=rows[0].rail), OUTPUTS)

    return routed(rows, problem)


@block
def adc_bias(lib: Library) -> Block:
    """The bias of all slices."""
    return draw_block(lib, "adc_bias", *solve_bias(lib.pdk))
