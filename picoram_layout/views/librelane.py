"""What a LibreLane configuration needs to place the macro, as JSON that is merged into a design's own."""

from __future__ import annotations

import json
from pathlib import Path

from picoram_layout.views.pins import GROUND, POWER

INSTANCE = "macro"


def write_librelane(path: Path, name: str) -> None:
    """Write the entry of a macro of this name; the views lie beside the file."""

    def views(*suffixes: str) -> list[str]:
        return [f"dir::{name}{suffix}" for suffix in suffixes]

    entry = {
        "gds": views(".gds"),
        "lef": views(".lef"),
        "vh": views("_stub.v"),
        "lib": {"*": views(".lib")},
        "spice": views(".spice"),
        "instances": {INSTANCE: {"location": [50, 50], "orientation": "N"}},
    }
    made = {
        "MACROS": {name: entry},
        "PDN_MACRO_CONNECTIONS": [f"{INSTANCE} VPWR VGND {POWER} {GROUND}"],
        "VERILOG_POWER_DEFINE": "USE_POWER_PINS",
    }
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
