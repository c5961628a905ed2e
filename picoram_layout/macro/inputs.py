"""What the row side has for the outside: the foot's inputs and ACC_DONE, led down on met4.

The foot's inputs turn (met3) below it to slots of upright wires, which pass over the base. ACC_DONE comes
from the upper end of the column of drivers and runs down over it, beside the straps. All lengths in um.
"""

from __future__ import annotations

from collections.abc import Sequence

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Canvas
from picoram_layout.logic.wiring import isotonic
from picoram_layout.macro.grid import Strap
from picoram_layout.periphery.risers import Riser, Stub, Turn, assigned, draw_turn, slots, turned
from picoram_layout.periphery.row_driver import solve_driver, too_many
from picoram_layout.periphery.row_foot import solve_foot
from picoram_layout.periphery.straps import met3_width, met4_width
from picoram_layout.plan import Plan

DONE = "ACC_DONE"


def solve_inputs(
    plan: Plan,
    foot: tuple[float, float],
    drivers: tuple[float, float],
    floor: float,
    right: float,
    straps: Sequence[float],
    over: Sequence[Strap],
) -> list[Riser] | None:
    """All wires, or None if the turns find no room between ``floor`` and the foot; `SpecError` if the wires
    find none side by side.

    ``foot`` is the foot's lower left corner, ``drivers`` the upper left one of the drivers; ``right``: where
    the outputs begin; ``straps``: centres of the base's straps; ``over``: straps over the drivers.
    """
    pdk = plan.pdk
    room = met3_width(pdk) / 2 + pdk.space("met3")
    made = [_done(plan, drivers)]
    for net, x in _apart(plan, foot[0]).items():
        turn = Turn(net, [Stub(x, floor, pdk.down(foot[1] - room))])
        made.append(Riser(net, x, turn))
    free = slots(pdk, foot[0], right, straps)
    clear = [
        x
        for x in free
        if all(abs(x - s.at) >= s.w / 2 + met4_width(pdk) / 2 + pdk.space("met4") for s in over)
    ]
    if len(free) < len(made) or not clear:
        found = min(len(free), len(made) - 1)
        raise too_many(plan, f"of {len(made)} wires of the row side {found} find room beside the outputs")
    made[0].x = min(clear, key=lambda x: abs(x - made[0].ideal))
    free.remove(made[0].x)
    others = sorted(made[1:], key=lambda riser: riser.ideal)
    for riser, k in zip(others, assigned([r.ideal for r in others], free), strict=True):
        riser.x = free[k]
    for riser in made:
        assert riser.upper is not None
        riser.upper.xs.append(riser.x)
    return None if turned(pdk, [r.upper for r in made if r.upper], []) else made


def foot_pins(plan: Plan) -> dict[str, float]:
    """Inputs at the foot's lower edge, from the left, and their places from its left edge."""
    solved = solve_foot(plan)
    trunks = {p.net: solved.wiring.trunks[p.net].x for p in solved.problem.pins if p.edge == "top"}
    return dict(sorted(trunks.items(), key=lambda item: item[1]))


def _apart(plan: Plan, left: float) -> dict[str, float]:
    """The same in the macro, moved where vias to met3 would be too close to a wire beside."""
    pdk, places = plan.pdk, foot_pins(plan)
    least = pdk.up((pdk.width("met2") + via_pad(pdk, "met2", "via2")[0]) / 2 + pdk.space("met2"))
    ideal = isotonic([x - k * least for k, x in enumerate(places.values())])
    return {net: pdk.up(left + z + k * least) for k, (net, z) in enumerate(zip(places, ideal, strict=True))}


def _done(plan: Plan, drivers: tuple[float, float]) -> Riser:
    """From the last row's ripple at the upper end of the drivers."""
    pdk, d = plan.pdk, solve_driver(plan, plan.rows - 1)
    piece = next(p for p in d.wiring.pieces if p.net == "ACCO")
    x = round(drivers[0] + d.problem.height - d.problem.y(piece.row, piece.track), 6)
    via = pdk.up(drivers[1] + pdk.space("met1") + via_pad(pdk, "met1", "via")[1] / 2)
    low = max(via, pdk.up(drivers[1] + pdk.space("met3") + met3_width(pdk) / 2))  # clear of the lines' ends
    return Riser(DONE, x, Turn(DONE, [Stub(x, low, round(low + 4 * met3_width(pdk), 6), (via,))]))


def draw_inputs(
    c: Canvas, plan: Plan, made: Sequence[Riser], low: float, foot: tuple[float, float], drivers: float
) -> None:
    """Draw the wires down to ``low``; ``foot``: its lower left corner, ``drivers``: their upper edge."""
    pdk, w2, w4 = plan.pdk, plan.pdk.width("met2"), met4_width(plan.pdk)
    track = solve_driver(plan, plan.rows - 1).problem.rows[0].track
    for riser in made:
        turn = riser.upper
        assert turn is not None
        draw_turn(c, turn)
        reach = pdk.up(parts.via_reach(pdk, "met4", "via3", w4))
        c.box("met4", riser.x - w4 / 2, low, riser.x + w4 / 2, turn.y + reach)
        stub = turn.stubs[0]
        if riser.net != DONE:
            x = round(foot[0] + foot_pins(plan)[riser.net], 6)
            c.box("met2", stub.x - w2 / 2, turn.y, stub.x + w2 / 2, foot[1])
            c.box("met2", min(x, stub.x) - w2 / 2, foot[1] - w2, max(x, stub.x) + w2 / 2, foot[1])
            continue
        y = stub.vias[0]
        c.box("met1", stub.x - track / 2, drivers, stub.x + track / 2, y)
        parts.via(c, "via", stub.x, y)
        parts.rect(c, "met1", stub.x, y, *via_pad(pdk, "met1", "via"))
        parts.rect(c, "met2", stub.x, y, *via_pad(pdk, "met2", "via"))
        c.box("met2", stub.x - w2 / 2, y, stub.x + w2 / 2, turn.y)
