"""Output side on its base, and the upright wires of met4 that join them: every signal is at the lower edge.

Each upright wire has an x of its own, one of the slots between the supplies' straps. Where it begins or ends
at met2 (data and control wires of the column side, codes of the slices, what the base gives) a turn of met3
leads from the met2 to its slot. Lines of met3 across all outputs are met anywhere. All lengths in um.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from picoram_layout.cells import parts
from picoram_layout.cells.thin_cell import via_pad
from picoram_layout.layout import Block, Canvas, Library, block
from picoram_layout.logic.draw import trunk_vias
from picoram_layout.logic.gates import GND, VDD
from picoram_layout.logic.wiring import RAILS, line_width
from picoram_layout.pdk import Pdk
from picoram_layout.periphery import base as below
from picoram_layout.periphery.adc_digital import CODE_BITS
from picoram_layout.periphery.adc_side import heights, lines, output_side, rails, solved_slice
from picoram_layout.periphery.base_lines import SAMPLE, SAMPLE_LAST, SHARE, strips_of
from picoram_layout.periphery.column_side import REACHED, filler_wiring, fillers, solve_side
from picoram_layout.periphery.column_side import below as leaving
from picoram_layout.periphery.line_end import end_width, line_end
from picoram_layout.periphery.straps import by_supply, met3_width, met4_width, rails_of, strap_places
from picoram_layout.plan import Plan
from picoram_layout.spec.problem import Problem, SpecError

LEVELS = ("VTH", "VTHL")  # lines that come from outside
_LEFT = 58  # least channel widths that the base may reach below row drivers: no more than their width
OVER = "END"  # every conversion is over: the outside wants to know, too
_FORCED = {"FORCE": OVER}  # lines of one signal
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Stub:
    """Met2 that a turn is joined to: x, from ``low`` to ``high``, and heights of other vias on it."""

    x: float
    low: float
    high: float
    vias: tuple[float, ...] = ()


@dataclass
class Turn:
    """A wire of met3: its net, the met2 that it joins, the slots of its upright wires, its height.

    ``between``: heights that it has to lie between where it joins no met2.
    """

    net: str
    stubs: list[Stub]
    xs: list[float] = field(default_factory=list)
    y: float = 0.0
    between: tuple[float, float] | None = None


@dataclass
class Riser:
    """An upright wire: its net, the place that it would like, its turns, lines that it meets, its slot."""

    net: str
    ideal: float
    upper: Turn | None = None  # else it meets lines
    lower: Turn | None = None  # else it goes on to the lower edge
    lines: tuple[float, ...] = ()
    x: float = 0.0

    @property
    def leaves(self) -> bool:
        """Whether it goes on to the lower edge."""
        return self.lower is None or self.net == OVER

    @property
    def ends(self) -> tuple[float, float]:
        """Heights of its outermost vias; 0 is the lower edge."""
        low = self.lower.y if self.lower and not self.leaves else 0.0
        return low, self.upper.y if self.upper else max(self.lines)


@dataclass(frozen=True)
class Solved:
    """Places of base and output side, and the wires that join them."""

    base_x: float
    side: tuple[float, float]
    width: float
    risers: tuple[Riser, ...]
    supplies: tuple[Turn, ...] = ()

    @property
    def turns(self) -> list[Turn]:
        """All turns."""
        made = {id(t): t for r in self.risers for t in (r.upper, r.lower) if t}
        return [*self.supplies, *made.values()]


def assigned(wanted: Sequence[float], slots: Sequence[float]) -> list[int]:
    """A slot for each wanted place (both ascending), in order, with the least sum of distances."""
    best, taken = [0.0] * (len(slots) + 1), []
    for x in wanted:
        row, took = [math.inf], [False]
        for j, slot in enumerate(slots):
            here = best[j] + abs(x - slot)
            row.append(min(here, row[j]))
            took.append(here < row[j])
        best = row
        taken.append(took)
    found, j = [], len(slots)
    for took in reversed(taken):
        while not took[j]:
            j -= 1
        j -= 1
        found.append(j)
    return found[::-1]


def slots(pdk: Pdk, low: float, high: float, straps: Iterable[float]) -> list[float]:
    """Centres of upright wires between two edges, clear of straps."""
    pitch = round(met4_width(pdk) + pdk.space("met4"), 6)
    off = pdk.up(pitch / 2)  # half a space beyond the edges
    ends = [round(low - off, 6), *sorted(x for x in straps if low < x < high), round(high + off, 6)]
    found = []
    for a, b in itertools.pairwise(ends):
        count = max(0, math.floor((b - a) / pitch + 1e-6) - 1)
        found += [round(pdk.up(a) + pitch * (k + 1), 6) for k in range(count)]
    return found


def _column_stubs(plan: Plan, x0: float, y0: float) -> list[tuple[str, Stub]]:
    """Wires that leave the column side below."""
    side, y = solve_side(plan), round(y0 + heights(plan).columns, 6)
    top = round(y0 + heights(plan).column, 6)
    rows = side.problem.rows[-REACHED:]
    high = round(y + sum(row.height for row in rows), 6)
    bits, found = plan.spec.array.weight_bits, []
    for output in side.outputs:
        problem, wiring = side.solved(output)
        for net in leaving(plan, output):
            trunk = wiring.trunks[net]
            vias = tuple(round(top - at, 6) for _, at in trunk_vias(problem, wiring, trunk))
            if net[:2] in ("DI", "DO"):
                net = f"{net[:2]}[{output.number * bits + int(net[2:])}]"
            found.append((net, Stub(round(x0 + output.x + trunk.x, 6), y, high, vias)))
    for filler in fillers(plan):
        trunks = filler_wiring(plan, filler).trunks
        found += [(net, Stub(round(x0 + filler.x + trunks[net].x, 6), y, high)) for net, _ in filler.wires]
    return [(net, stub) for net, stub in found if net != "AL"]


def _code_stubs(plan: Plan, x0: float, y0: float) -> list[tuple[str, Stub]]:
    """Codes at the slices' lower edge."""
    top, found = round(y0 + heights(plan).digital, 6), []
    for output in solve_side(plan).outputs:
        _, (problem, wiring) = solved_slice(plan, output)
        for k in range(CODE_BITS):
            trunk = wiring.trunks[f"CODE[{k}]"]
            vias = tuple(round(top - at, 6) for _, at in trunk_vias(problem, wiring, trunk))
            high = round(y0 + problem.rows[-1].height, 6)
            stub = Stub(round(x0 + output.x + trunk.x, 6), y0, high, vias)
            found.append((f"CODE[{output.number * CODE_BITS + k}]", stub))
    return found


def _base_turns(plan: Plan, base_x: float, height: float) -> dict[str, Turn]:
    """What the base gives; its met2 may be led on up to ``height``."""
    found: dict[str, Turn] = {}
    for pin in below.leaving(plan):
        stub = Stub(round(base_x + pin.x, 6), pin.low, height, pin.vias)
        found.setdefault(pin.net, Turn(pin.net, [])).stubs.append(stub)
    return found


def control(plan: Plan) -> dict[str, str]:
    """The line that drives each control wire of the DAC strips."""
    return {wire: line for line in (SHARE, SAMPLE_LAST, SAMPLE) for wire, _ in strips_of(plan, line)}


@cache
def solve_risers(plan: Plan) -> Solved:
    """Places and heights of all wires; `SpecError` where the outputs are too narrow for them."""
    pdk, space = plan.pdk, plan.pdk.space("met3")
    width, wide = round(below.size(plan)[0], 6), _wide(plan)
    left = _left(plan)
    x0, base_x = min(left, max(0.0, round(width - wide, 6))), max(0.0, round(wide - width, 6))
    total = max(width, wide)
    height = below.size(plan)[1]
    while True:
        y0 = round(height + landing(plan), 6)
        risers = _risers(plan, x0, y0, base_x, height)
        free = slots(pdk, x0, total, [strap.x for strap in _uprights(plan, base_x, x0)])
        if len(risers) > len(free):
            text = (
                f"of {len(risers)} wires from edge to edge {len(free)} find room between the outputs' edges"
            )
            raise too_narrow(plan, text, len(free))
        risers.sort(key=lambda riser: riser.ideal)
        for riser, k in zip(risers, assigned([r.ideal for r in risers], free), strict=True):
            riser.x = free[k]
            for turn in (riser.upper, riser.lower):
                if turn:
                    turn.xs.append(riser.x)
        solved = Solved(base_x, (x0, y0), total, tuple(risers), _supplies(plan, base_x, x0, height))
        stuck = turned(pdk, solved.turns, _obstacles(plan, solved))
        if stuck is None:
            return solved
        if stuck.stubs and all(stuck is not riser.lower for riser in risers):
            raise too_narrow(plan, f"no room for the wire from {stuck.net}", len(free))
        height = pdk.up(height + met3_width(pdk) + space)  # one more turn above the base's blocks


def _left(plan: Plan) -> float:
    """How far the base may reach below the row drivers."""
    return plan.pdk.up(_LEFT * plan.pdk.channel_width)


def _ended(plan: Plan) -> bool:
    """Whether the base is so much wider than the outputs that their lines go on to it."""
    return below.size(plan)[0] > solve_side(plan).width + _left(plan)


def _wide(plan: Plan) -> float:
    """Width of the output side with the end of its lines."""
    return round(solve_side(plan).width + (end_width(plan) if _ended(plan) else 0.0), 6)


def too_narrow(plan: Plan, why: str, places: int) -> SpecError:
    """The refusal of outputs that have too few ``places`` for upright wires below them: more outputs bring
    more of them, but each has wires of its own."""
    outputs, bits = plan.spec.array.outputs, plan.spec.array.weight_bits
    way = "more" if places > outputs * (CODE_BITS + 2 * bits) or outputs == 1 else "less"
    more = f"must be {way} than {outputs} with {bits} weight bits, or have more weight_bits"
    return SpecError("", [Problem("array.outputs", outputs, f"{why}; {more}")])


def _supplies(plan: Plan, base_x: float, x0: float, height: float) -> tuple[Turn, ...]:
    """Above the base's blocks a wire of each supply joins their straps and those between the outputs."""
    pdk = plan.pdk
    band = pdk.up(below.size(plan)[1] + pdk.space("met3")), round(height - met3_width(pdk) / 2, 6)
    made = {net: Turn(net, [], [], 0.0, band) for net in (GND, VDD)}
    for strap in _uprights(plan, base_x, x0):
        if strap.clear:
            made[strap.net].xs.append(strap.x)
    return tuple(made.values())


class Upright(NamedTuple):
    """A supply's strap of met4: its net, block of the base (none: output side), place, whether it is
    ``clear`` to go on below the output side."""

    net: str
    part: str
    x: float
    clear: bool


def _uprights(plan: Plan, base_x: float, x0: float) -> list[Upright]:
    """Straps of the base, and of the output side, where one of the base may be in the way."""
    pdk = plan.pdk
    own = [
        Upright(net, part.name, round(base_x + x, 6), True)
        for part in below.parts(plan)
        for net, x in zip((GND, VDD), part.straps, strict=True)
    ]
    apart = met4_width(pdk) + pdk.space("met4")
    places = [
        (net, round(x0 + f.x + at, 6))
        for f in fillers(plan)
        for net, at in strap_places(pdk, f.width).items()
    ]
    return own + [Upright(net, "", x, all(abs(x - o.x) >= apart - 1e-6 for o in own)) for net, x in places]


def landing(plan: Plan) -> float:
    """Between the rails of base and slices: met1, wells and implants keep their distance."""
    pdk, rail = plan.pdk, below.parts(plan)[0].solved[0][0].rows[0].rail
    implants = pdk.enclosure("nwell", "pdiff") + max(pdk.space("nsdm"), pdk.space("psdm"))
    return pdk.up(max(2 * rail + pdk.space("met1"), implants))


def _risers(plan: Plan, x0: float, y0: float, base_x: float, height: float) -> list[Riser]:
    """All upright wires."""
    given = _base_turns(plan, base_x, height)
    to, risers = control(plan), []
    for net, stub in _column_stubs(plan, x0, y0):
        line = to.get(net, net)
        risers.append(Riser(line, stub.x, Turn(line, [stub]), given.get(line)))
    for net, stub in _code_stubs(plan, x0, y0):
        risers.append(Riser(net, stub.x, Turn(net, [stub])))
    met: dict[str, list[float]] = {}
    for net, y in lines(plan):
        met.setdefault(_FORCED.get(net, net), []).append(round(y0 + y, 6))
    wide = _wide(plan)
    for net, ys in met.items():
        turn = given.get(net)
        # not far beyond the outputs: etching a line charges the gates on it
        ideal = min(turn.stubs[0].x, x0 + 1.5 * wide) if turn else x0 + wide / 2
        risers.append(Riser(net, ideal, None, turn, tuple(ys)))
    return risers


def _obstacles(plan: Plan, solved: Solved) -> list[Box]:
    """Met3 that turns keep clear of: lines, straps' pads on rails."""
    pdk, (x0, y0) = plan.pdk, solved.side
    half, pad = line_width(pdk) / 2, met3_width(pdk) / 2
    found = [(-math.inf, y0 + y - half, math.inf, y0 + y + half) for _, y in lines(plan)]
    for filler in fillers(plan):
        x = x0 + filler.x
        found += [(x, y0 + y - pad, x + filler.width, y0 + y + pad) for y in rails(plan)]
    for part in below.parts(plan):
        x = solved.base_x + part.x
        for problem, _ in part.solved[:1]:
            found += [(x, line.y - half, x + part.block, line.y + half) for line in problem.lines]
            for _, y in rails_of(problem):
                found.append((x + part.block, y - pad, x + part.width, y + pad))
    return found


def extent(pdk: Pdk, turn: Turn) -> tuple[float, float]:
    """From where to where a turn's met3 goes."""
    xs = [stub.x for stub in turn.stubs] + turn.xs
    end = via_pad(pdk, "met3", "via2", "via3")[1] / 2
    least = pdk.area("met3") / met3_width(pdk)
    more = max(0.0, least - (max(xs) - min(xs) + 2 * end)) / 2
    return pdk.down(min(xs) - end - more), pdk.up(max(xs) + end + more)


def turned(pdk: Pdk, turns: Iterable[Turn], obstacles: Sequence[Box]) -> Turn | None:
    """Give each turn a height where it is clear of others, the longest first; returns one that finds none."""
    taken, space, half = list(obstacles), pdk.space("met3"), met3_width(pdk) / 2
    pad = via_pad(pdk, "met2", "via2")[1] / 2
    pads = [via_pad(pdk, "met2", cut)[1] / 2 for cut in ("via", "via2")]
    touching, clear = pad + min(pads), pad + max(pads) + pdk.space("met2")
    ordered = sorted(turns, key=lambda t: (extent(pdk, t)[0] - extent(pdk, t)[1], extent(pdk, t)[0]))
    for turn in ordered:
        x1, x2 = extent(pdk, turn)
        near = [b for b in taken if b[0] < x2 + space - 1e-6 and x1 - space + 1e-6 < b[2]]
        low, high = turn.between or (
            pdk.up(max(stub.low for stub in turn.stubs) + pad),
            min(stub.high for stub in turn.stubs) - pad,
        )
        steps = range(max(0, math.floor((high - low) / (2 * pdk.grid) + 1e-6) + 1))
        places = (round(low + 2 * pdk.grid * k, 6) for k in steps)
        found = next(
            (
                y
                for y in places
                if all(b[3] + space <= y - half + 1e-6 or y + half <= b[1] - space + 1e-6 for b in near)
                and not any(
                    touching + 1e-6 < abs(y - via) < clear - 1e-6 for stub in turn.stubs for via in stub.vias
                )
            ),
            None,
        )
        if found is None:
            return turn
        turn.y = found
        taken.append((x1, turn.y - half, x2, turn.y + half))
    return None


def straps(plan: Plan) -> list[tuple[str, float, float]]:
    """Supplies of the met4 straps, where they are and how far down they reach.

    Those of the output side go on to the lower edge where no strap of the base is in the way.
    """
    solved = solve_risers(plan)
    return [
        (f"{s.net}_{s.part}" if s.part else s.net, s.x, 0.0 if s.clear else solved.side[1])
        for s in _uprights(plan, solved.base_x, solved.side[0])
    ]


def pins(plan: Plan) -> dict[str, tuple[str, float]]:
    """Signals at the lower edge: layer and place of each."""
    solved = solve_risers(plan)
    found = {net: ("met2", round(solved.base_x + x, 6)) for net, x in below.entering(plan).items()}
    return found | {riser.net: ("met4", riser.x) for riser in solved.risers if riser.leaves}


@block
def outputs_on_base(lib: Library, plan: Plan) -> Block:
    """Column side, slices and base with all wires between; the upper edge meets the array's lower one."""
    solved, c, pdk = solve_risers(plan), Canvas(lib, "outputs_on_base"), lib.pdk
    base, side = below.base(lib, plan), output_side(lib, plan)
    x0, y0 = solved.side
    w, reach = met4_width(pdk), pdk.up(parts.via_reach(pdk, "met4", "via3", met4_width(pdk)))
    end, right = pdk.up(via_pad(pdk, "met3", "via3")[1] / 2), round(x0 + _wide(plan), 6)
    for riser in solved.risers:
        low, high = riser.ends
        for y in riser.lines:
            parts.via(c, "via3", riser.x, y)
            if riser.x + reach > right:  # a base that is wider than the array goes on to the right
                half = line_width(pdk) / 2
                c.box("met3", right, y - half, riser.x + end, y + half)
        y1 = 0.0 if riser.leaves else round(low - reach, 6)
        c.box("met4", riser.x - w / 2, y1, riser.x + w / 2, high + reach)
        if riser.leaves:
            c.port(riser.net, "met4", riser.x - w / 2, 0.0, riser.x + w / 2, w)
    for turn in solved.turns:
        draw_turn(c, turn)
    above = [s for s in _uprights(plan, solved.base_x, x0) if s.clear and not s.part]
    for strap in above:
        c.box("met4", strap.x - w / 2, 0.0, strap.x + w / 2, y0 + reach)
        c.port(strap.net, "met4", strap.x - w / 2, 0.0, strap.x + w / 2, w)
    from_above = {strap.x for strap in above}
    for turn in solved.supplies:
        for x in turn.xs:  # the base's straps up to it, those of the output side down to it
            low, high = sorted((turn.y, y0 if x in from_above else 0.0))
            c.box("met4", x - w / 2, low - reach, x + w / 2, high + reach)
    inner = {net for net, _ in lines(plan)} - {*LEVELS, OVER}
    joined = control(plan) | _FORCED
    rails = {pin: pin.partition("_")[0] for pin in base.circuit.pins if pin.partition("_")[0] in RAILS}
    c.place(base, solved.base_x, 0.0, nets=rails | {f"{below.CLOCK}_COUNTER": below.CLOCK})
    c.place(side, x0, y0, nets={pin: joined[pin] for pin in side.circuit.pins if pin in joined})
    if _ended(plan):
        beside = line_end(lib, plan)
        pins = beside.circuit.pins
        c.place(
            beside, x0 + side.width, y0, nets=by_supply(pins) | {p: joined[p] for p in pins if p in joined}
        )
    c.export(hide={net for net in side.circuit.pins if net.startswith(("AL[", "HIT[", "EN1["))} | inner)
    return c.done(solved.width, round(y0 + side.height, 6))


def draw_turn(c: Canvas, turn: Turn) -> None:
    """Met3 with its vias."""
    pdk, half = c.pdk, met3_width(c.pdk) / 2
    x1, x2 = extent(pdk, turn)
    c.box("met3", x1, turn.y - half, x2, turn.y + half)
    w, (short, long) = pdk.width("met2"), via_pad(pdk, "met2", "via2")
    for stub in turn.stubs:
        parts.via(c, "via2", stub.x, turn.y)
        parts.rect(c, "met2", stub.x, turn.y, short, long)
        c.box("met2", stub.x - w / 2, stub.low, stub.x + w / 2, turn.y)
    for x in turn.xs:
        parts.via(c, "via3", x, turn.y)
