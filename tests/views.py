"""A block with all pins of a macro, but nothing in it: what the tests of the views are made with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from picoram_layout.layout import Block, Canvas, Library
from picoram_layout.netlist.spice import write_cdl, write_spice
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import load_spec
from picoram_layout.stream import write_layout
from picoram_layout.views.pins import pins
from picoram_layout.views.write import write_views

SPECS = Path(__file__).parent.parent / "specs"
HEIGHT = 40.0


def plan_of(spec: str) -> Plan:
    """Plan of a shipped spec."""
    return make_plan(load_spec(SPECS / f"{spec}.yaml"))


def pins_block(lib: Library, plan: Plan) -> Block:
    """Signal pins at the lower edge, met4 straps and a met5 bar of each supply, some met1."""
    c = Canvas(lib, plan.spec.name)
    pitch = plan.pdk.up2(2 * plan.pdk.width("met4") + 2 * plan.pdk.space("met4"))
    w, x = plan.pdk.up2(plan.pdk.width("met4")), pitch
    for pin in pins(plan):
        for name in pin.bits if pin.kind in ("signal", "analog") else ():
            c.pin(name, "met4", x, 0, x + w, 1)
            x = round(x + pitch, 6)
    width = round(x + 20, 6)
    for k in range(4):
        c.pin(("VDD", "GND")[k % 2], "met4", x + 4 * k, 2, x + 4 * k + 2, HEIGHT - 2)
    c.pin("VDD", "met5", 0, 10, width, 12)
    c.pin("GND", "met5", 0, 20, width, 22)
    c.box("met5", 0, 30, 4, 32)
    c.box("met1", 0, 0, width, 2)
    return c.done(width, HEIGHT)


def written(folder: Path, plan: Plan) -> Block:
    """Write all views of such a block."""
    lib = Library(plan.pdk)
    top = pins_block(lib, plan)
    write_layout(lib.layout, top.name, folder / f"{top.name}.gds")
    write_spice(lib.netlist, folder / f"{top.name}.spice", lib.devices, plan.pdk, top.name)
    write_cdl(lib.netlist, folder / f"{top.name}.cdl", lib.devices, top.name)
    write_views(folder, top, plan)
    return top


def run(folder: Path, *command: str) -> str:
    """Output of a program of `tools/system-packages`; it has to succeed."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: tools/system-packages"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
