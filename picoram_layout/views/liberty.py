"""Liberty: the macro's pins, supplies, area and the load of its inputs; no timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from picoram_layout.layout import Block
from picoram_layout.plan import Plan
from picoram_layout.views.pins import GROUND, POWER, Pin
from picoram_layout.views.templates import environment

TEMPERATURE = 25.0  # C, nominal


def write_liberty(
    path: Path, top: Block, pins: Sequence[Pin], plan: Plan, capacitance: Mapping[str, float] | None = None
) -> None:
    """Write the Liberty file of a block; ``capacitance`` (fF) of inputs by bit, a bus has its largest.

    Pins that it does not name have none.
    """
    given = capacitance or {}
    made = environment(load=given.get)
    text = made.get_template("liberty.lib.j2").render(
        name=top.name,
        pins=pins,
        widths=sorted({pin.width for pin in pins if pin.width is not None}),
        area=round(top.width * top.height, 3),
        supply=plan.pdk.info["supply_V"],
        temperature=TEMPERATURE,
        power=POWER,
        ground=GROUND,
        capacitance=bool(given),
    )
    path.write_text(text, encoding="utf-8")
