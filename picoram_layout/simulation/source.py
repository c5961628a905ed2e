"""The circuits to simulate: the array is drawn, and its netlist extracted from the drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from picoram_layout.simulation.circuits import Wires
from picoram_layout.simulation.simulate import Circuits

if TYPE_CHECKING:
    from picoram_layout.plan import Plan
    from picoram_layout.spec import Spec

# Capacitance of a cluster's wires (fF), until it comes from the drawing.
_STANDIN: Wires = {("LBL", None): 2.7, ("VL", None): 2.5, ("XL", None): 4.0}
_KINDS = ("", "_segment", "_segment_cut")


def circuits(
    spec: Spec,
    wires: Mapping[str, Wires] | None = None,
    before: Callable[[Plan], object] = lambda plan: None,
) -> Circuits:
    """Draw an array and extract its circuits; ``before`` may refuse the plan before anything is drawn."""
    from picoram_layout.plan import make_plan

    plan = make_plan(spec)
    before(plan)

    from picoram_layout.array.array import array
    from picoram_layout.layout import Library
    from picoram_layout.lvs.extract import extract

    library = Library(plan.pdk)
    top = array(library, plan)
    extracted = extract(library.layout, top.name, plan.pdk)
    standin = {f"cluster_{s}{kind}": _STANDIN for s in ("vdd", "gnd") for kind in _KINDS}
    return Circuits(plan, extracted.netlist.dup(), standin if wires is None else wires)
