"""Wire capacitance of blocks of logic rows, by the nets of their netlists."""

from __future__ import annotations

from picoram_layout.layout import Library
from picoram_layout.logic.wiring import Problem, Wiring
from picoram_layout.wires.cells import GROUND, Wires, grounded
from picoram_layout.wires.extract import wire_capacitance
from picoram_layout.wires.nets import Place, nets_of


def block_wires(lib: Library, name: str, problem: Problem, wiring: Wiring) -> Wires:
    """Wire capacitance (fF) between two nets of a drawn block, or to ground (None), which all supplies are.

    The block stands alone. Nets that are a single diffusion or contact have none.
    """
    places = [Place(p.net, "met1", (p.x1 + p.x2) / 2, problem.y(p.row, p.track)) for p in wiring.pieces]
    heights = {problem.y(k, at) for k, row in enumerate(problem.rows) for at in (0.0, row.height)}
    places += [Place(GROUND, "met1", problem.rows[0].pitch, y) for y in heights]
    nets = nets_of(lib.layout, name, lib.pdk, places)
    found = wire_capacitance(nets, lib.pdk, lib.layout.dbu)
    return grounded(found, sorted({place.net for place in places} - {GROUND}))
