"""The ADC slice of one output: its analog part, next to the array, and its digital part beyond.

Both share a GND rail. FORCE and END are lines of one signal, which are joined outside.
"""

from __future__ import annotations

from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.periphery.adc_analog import Place, adc_analog, outputs
from picoram_layout.periphery.adc_digital import adc_digital, solve_slice


@block
def adc_slice(lib: Library, place: Place) -> Block:
    """Both parts of a slice; the array lies beyond the lower edge."""
    c, pdk, width = Canvas(lib, f"adc_slice{place.suffix}"), lib.pdk, place.width
    at = outputs(pdk, width, place.al, place.analog, place.room)
    analog = adc_analog(lib, place)
    digital = adc_digital(lib, width, at["HIT"], at["EN1"], place.suffix, place.digital, place.room)
    base = solve_slice(pdk, width, at["HIT"], at["EN1"], place.digital, place.room)[0].base
    c.place(analog, nets=_rails(analog, 0))
    below = sum(pin.startswith(("GND[", "VDD[")) for pin in analog.circuit.pins) - 1
    c.place(digital, 0.0, analog.height - base, nets=_rails(digital, below))
    c.export()
    return c.done(width, round(analog.height - base + digital.height, 6))


def _rails(part: Block, below: int) -> dict[str, str]:
    """Supplies and wells of a part, numbered through the slice."""
    return {
        pin: f"{pin.split('[')[0]}[{int(pin.split('[')[1].rstrip(']')) + below}]"
        for pin in part.circuit.pins
        if pin.split("[")[0] in ("GND", "VDD", "NW")
    }
