"""All views that are made from the pin table, written beside a macro's layout and netlists."""

from __future__ import annotations

from pathlib import Path

from picoram_layout.layout import Block
from picoram_layout.plan import Plan
from picoram_layout.views.bench import script
from picoram_layout.views.lef import write_lef
from picoram_layout.views.liberty import write_liberty
from picoram_layout.views.librelane import write_librelane
from picoram_layout.views.loads import capacitances, loads
from picoram_layout.views.pins import bit_names, pins
from picoram_layout.views.verilog import VERILOG, write_verilog

# What `write_views` writes: each a macro's name with this ending.
ENDINGS = (".lef", ".lib", *VERILOG.values(), "_tb.txt")
LIBRELANE = "librelane.json"


def write_views(folder: Path, top: Block, plan: Plan) -> None:
    """Write LEF, Liberty, Verilog with its test bench, and the LibreLane snippet of a drawn macro."""
    name, table = top.name, pins(plan)
    signals = bit_names(pin for pin in table if pin.kind == "signal")
    inputs = bit_names(pin for pin in table if pin.direction == "input")
    areas = loads(top, signals)
    write_lef(folder / f"{name}.lef", top, table, plan, areas)
    carried = capacitances({bit: load for bit, load in areas.items() if bit in inputs})
    write_liberty(folder / f"{name}.lib", top, table, plan, carried)
    write_verilog(folder, name, plan)
    (folder / f"{name}_tb.txt").write_text(script(plan), encoding="utf-8")
    write_librelane(folder / LIBRELANE, name, plan.pdk)
