"""The circuits to simulate: the array is drawn, its netlist extracted, the capacitance of its wires added."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from picoram_layout.simulation.circuits import Wires
from picoram_layout.simulation.simulate import CLUSTER, Circuits

if TYPE_CHECKING:
    import klayout.db as kdb

    from picoram_layout.plan import Plan
    from picoram_layout.spec import Spec

# Shows a step while it runs.
Step = Callable[[str], AbstractContextManager[None]]


def circuits(
    spec: Spec,
    before: Callable[[Plan], object] = lambda plan: None,
    step: Step = lambda name: nullcontext(),
) -> Circuits:
    """Circuits of a spec's array; ``before`` may refuse the plan before anything is drawn."""
    from picoram_layout.plan import make_plan

    plan = make_plan(spec)
    before(plan)

    from picoram_layout.array.array import array
    from picoram_layout.layout import Library
    from picoram_layout.lvs.extract import extract

    with step("drawing"):
        library = Library(plan.pdk)
        top = array(library, plan)
    with step("extracting the netlist"):
        extracted = extract(library.layout, top.name, plan.pdk)
        netlist = extracted.netlist.dup()  # the original dies with the extraction
    with step("capacitance of wires"):
        wires = wires_of(plan, netlist)
    return Circuits(plan, netlist, wires)


def wires_of(plan: Plan, netlist: kdb.Netlist) -> dict[str, Wires]:
    """Capacitance of wires (fF) of the clusters and strips that the netlist has."""
    from picoram_layout.plan import capacitance
    from picoram_layout.wires.cells import cell_wires, strip_wires

    found: dict[str, Wires] = {}
    # the field solution of the MOM capacitor has its plate's capacitance to row wires, too
    counted = capacitance(plan).to_other_fF.get("row wires", 0.0)
    for circuit in netlist.each_circuit():
        kind = CLUSTER.fullmatch(circuit.name)
        if kind:
            made = cell_wires(plan, kind[1].upper(), bool(kind[2]), bool(kind[3]))
            found[circuit.name] = {**made, ("T", None): made.get(("T", None), 0.0) - counted}
    for k in range(len(plan.strips)):
        found[f"dac_strip_{k}_vdd"] = strip_wires(plan, k)
    return found
