"""Single logic cells: gates in one row with taps, and their pins on met1, as the catalogue shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from picoram_layout.errors import InputError
from picoram_layout.layout import Block, Library, block
from picoram_layout.logic import gates
from picoram_layout.logic.devices import row_for
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import Gate, tap
from picoram_layout.logic.wiring import RAILS, Problem, Unroutable
from picoram_layout.pdk import Pdk

_WIDEST = 20  # channel widths and lengths, in the PDK's least
_MAKE: dict[str, Callable[..., Gate]] = {
    "nand": gates.nand,
    "nor": gates.nor,
    "transmission_gate": gates.transmission_gate,
    "tristate": gates.tristate,
    "latch": gates.latch,
    "pass_latch": gates.pass_latch,
    "or_nand": gates.or_nand,
    "xor": gates.xor,
    "flip_flop": gates.flip_flop,
    "tspc_flip_flop": gates.tspc_flip_flop,
}


@block
def logic_cell(lib: Library, name: str, made: tuple[Gate, ...]) -> Block:
    """A tap and gates between their rails; every pin has a track of met1."""
    row = (tap(), *made)
    pins = frozenset(pin for g in made for pin in g.pins if pin not in RAILS)
    try:
        problem, wiring = routed([row_for(lib.pdk, made)], lambda rows: Problem(rows, (row,), exported=pins))
    except Unroutable as error:
        raise ValueError(str(error)) from None
    return draw_block(lib, name, problem, wiring)


def catalogue_cell(lib: Library, name: str, values: dict[str, Any]) -> Block:
    """A cell of the catalogue: ``nand3``, ``inverter``, ... with its sizes."""
    return logic_cell(lib, name, (catalogue_gate(lib.pdk, name, values),))


def catalogue_gate(pdk: Pdk, name: str, values: dict[str, Any]) -> Gate:
    """The gate of a catalogue cell; `InputError` names what cannot be used."""
    unit = pdk.channel_width
    wn = _size("n_w", values["n_w"] or unit, unit, pdk)
    wp = _size("p_w", values["p_w"] or 2 * wn, unit, pdk)
    shortest = pdk.width("poly")
    length = _size("length", values["length"] or shortest, shortest, pdk)
    if name == "inverter":
        count = values["fingers"]
        if not 1 <= count <= _WIDEST:
            raise InputError(f"fingers: {count}: transistors in parallel (1 to {_WIDEST})")
        return gates.inverter(wn, wp, count, length)
    stem = name.rstrip("234")
    more = [" ".join("ABCD"[: int(name[-1])])] if name != stem else []
    return gates.of_length(_MAKE[stem](wn, wp, *more), length)


def _size(key: str, value: float, least: float, pdk: Pdk) -> float:
    if not least - pdk.grid / 2 <= value <= _WIDEST * least:
        raise InputError(f"{key}: {value:g}: um, {least:g} to {_WIDEST * least:g} in {pdk.name}")
    return pdk.up2(value)
