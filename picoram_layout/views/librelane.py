"""What a LibreLane configuration needs to place the macro, as JSON that is merged into a design's own."""

from __future__ import annotations

import json
import math
from pathlib import Path

from picoram_layout.macro.edge import LAYER
from picoram_layout.pdk import Pdk
from picoram_layout.views.pins import GROUND, POWER

INSTANCE = "macro"
_ROOM = 50  # um left of the macro, about, and below it


def write_librelane(path: Path, name: str, pdk: Pdk) -> None:
    """Write the entry of a macro of this name, its pins on tracks; the views lie beside the file."""
    pitch, _ = pdk.tracks[LAYER]
    place = round(math.ceil(_ROOM / pitch) * pitch, 6)

    def views(*suffixes: str) -> list[str]:
        return [f"dir::{name}{suffix}" for suffix in suffixes]

    entry = {
        "gds": views(".gds"),
        "lef": views(".lef"),
        "vh": views("_stub.v"),
        "lib": {"*": views(".lib")},
        "spice": views(".spice"),
        "instances": {INSTANCE: {"location": [place, _ROOM], "orientation": "N"}},
    }
    made = {
        "MACROS": {name: entry},
        "PDN_MACRO_CONNECTIONS": [f"{INSTANCE} VPWR VGND {POWER} {GROUND}"],
        "VERILOG_POWER_DEFINE": "USE_POWER_PINS",
    }
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
