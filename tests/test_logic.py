"""The logic generator: strips, tracks, fans, and what drawn gates do."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import pytest

from picoram_layout.cells import CATALOGUE
from picoram_layout.drc import run_drc
from picoram_layout.errors import InputError
from picoram_layout.layout import Library
from picoram_layout.logic import gates
from picoram_layout.logic.cell import logic_cell
from picoram_layout.logic.devices import row_for, rows_for, schematic, transistors
from picoram_layout.logic.draw import draw_block, routed
from picoram_layout.logic.gates import (
    NONE,
    TAP,
    Gate,
    gate,
    inverter,
    join,
    nand,
    nmos,
    nor,
    pmos,
    strips,
    tap,
)
from picoram_layout.logic.rows import solve_row
from picoram_layout.logic.taps import tapped
from picoram_layout.logic.tracks import find
from picoram_layout.logic.wiring import Pin, Problem, Unroutable, columns, fan, solve, trunk_pitch
from picoram_layout.lvs.compare import compare
from picoram_layout.lvs.extract import extract
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.periphery import narrow
from picoram_layout.simulation.circuits import Transistor, flat
from tests.switch_level import Switches

W = 0.42
SKY = load_pdk("sky130")


# -- gates as strips ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "p"), [("GND A", "VDD A"), ("GND A Y", "VDD A Y B VDD")])
def test_strips_have_the_same_odd_number_of_columns(n: str, p: str) -> None:
    with pytest.raises(ValueError, match="same, odd number"):
        gate(n, p, W, W, "A Y")


def test_inner_nets_are_named_after_the_gate() -> None:
    made = nand(W, W, "A B C").named("g", A="x", Y="y")
    assert made.n == ("GND", "x", "g_s0", "B", "g_s1", "C", "y")
    assert made.pins == ("x", "B", "C", "y")
    with pytest.raises(ValueError, match="g: no pin Q"):
        nand(W, W).named("g", Q="x")


@pytest.mark.parametrize(("count", "strip"), [(1, "S G D"), (2, "S G D G S"), (3, "S G D G S G D")])
def test_transistors_in_parallel(count: int, strip: str) -> None:
    assert " ".join(nmos(W, count).n) == strip == " ".join(pmos(W, count).p)
    assert set(nmos(W, count).p) == set(pmos(W, count).n) == {NONE}


def test_neighbours_share_a_diffusion_where_both_strips_allow_it() -> None:
    a, b = inverter(W, W).named("a", A="a", Y="b"), inverter(W, W).named("b", A="b", Y="c")
    assert columns([a, b]).n == ("b", "a", "GND", "b", "c")  # the first one is turned
    wider = inverter(2 * W, W).named("b", A="b", Y="c")
    assert NONE in columns([a, wider]).n
    longer = gates.of_length(b, 0.3)
    assert [at for _, at in strips([a, longer])] == [0, 4]
    one, two = (pmos(W, 1).named(k, S="VDD", G=k, D=f"d{k}") for k in "xy")
    assert columns([one, two]).p == ("dx", "x", "VDD", "y", "dy")
    assert NONE in columns([one, nmos(W).named("n", S="GND", G="x", D="dx")]).p


def test_joined_gates_have_one_size() -> None:
    with pytest.raises(ValueError, match="same channel widths and length"):
        join([inverter(W, W), inverter(W, 2 * W)], "A Y")


# -- rows --------------------------------------------------------------------------------------------------


def test_columns_move_apart_for_long_channels() -> None:
    rows = [solve_row(SKY, W, W, length=length) for length in (0.0, 0.15, 0.6, 1.2)]
    assert rows[0] == rows[1]
    for row in rows:  # a contact stands between two gates with its distance to both
        assert row.pitch >= row.gate_l / 2 + SKY.space("licon_diff", "gate") + SKY.size("licon") / 2 - 1e-9
        assert 2 * row.pitch >= row.gate_l + SKY.space("poly") - 1e-9


def test_a_row_refuses_gates_of_another_length_and_wider_ones() -> None:
    row = solve_row(SKY, W, W)
    with pytest.raises(ValueError, match=r"row 0: gate A Y: channels of 0\.3 um in a row of 0\.15 um"):
        solve(Problem((row,), ((inverter(W, W, length=0.3),),)))
    with pytest.raises(ValueError, match="wider"):
        solve(Problem((row,), ((inverter(2 * W, W),),)))


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("many", [1.0, 1.4, 2.0, 2.7, 4.0])
def test_rows_of_any_width_are_clean_back_to_back(pdk: str, many: float) -> None:
    process = load_pdk(pdk)
    unit = process.channel_width
    wn, wp = process.up2(many * unit), process.up2(1.3 * many * unit)
    made = [
        [
            inverter(wn, wp).named(f"a{k}", A=f"i{k}", Y=f"o{k}"),
            nand(wn, wp).named(f"b{k}", A=f"o{k}", B=f"i{k}", Y=f"z{k}"),
            nmos(wn, 3).named(f"c{k}", S=f"z{k}", G=f"i{k}", D=f"w{k}"),
        ]
        for k in range(3)
    ]
    rows = rows_for(process, made)
    gates_ = tapped(rows, made)
    pins = frozenset(f"{net}{k}" for net in "iozw" for k in range(3))
    library = Library(process)
    solved = routed(rows, lambda rows: Problem(rows, gates_, exported=pins, base=rows[0].rail))
    block = draw_block(library, "rows", *solved)
    rules = [rule.id for rule in process.rules if rule.kind != "density"]
    assert run_drc(library.layout, block.name, process, only=rules).by_rule == {}
    extracted = extract(library.layout, block.name, process)
    assert compare(extracted, library.netlist, block.name, library.devices).differences == []


def test_rows_that_share_a_rail_have_their_contacts_on_one_grid() -> None:
    made = [[inverter(W, W)], [inverter(W, W, length=0.6)], [inverter(W, W, length=0.16)]]
    apart = [row_for(SKY, row) for row in made]
    with pytest.raises(ValueError, match=r"rows 0 and 1: columns of 0\.36 and 0\.44 um"):
        solve(Problem(tuple(apart), tuple(map(tuple, made)), base=0.3))
    pitches = [row.pitch for row in rows_for(SKY, made)]
    least = min(pitches)
    assert all(p / least == pytest.approx(round(p / least)) for p in pitches)
    solve(Problem(tuple(rows_for(SKY, made)), tuple(map(tuple, made)), base=0.3))


def test_long_rows_get_more_taps_and_neighbours_keep_away() -> None:
    made = [
        [inverter(W, 2 * W, 5).named(f"{k}", A=f"a{k}", Y=f"y{k}") for k in range(count)]
        for count in (2, 12, 11)
    ]
    rows = rows_for(SKY, made)
    found = tapped(rows, made)
    places = [
        [row.x(k) for k, net in enumerate(columns(g).n) if net == TAP]
        for row, g in zip(rows, found, strict=True)
    ]
    assert len(places[0]) == 1 < len(places[1])
    far = 2 * rows[0].tap_reach
    for one, other in itertools.pairwise(places):
        assert all(abs(x - y) < 1e-6 or abs(x - y) >= far for x in one for y in other)
    for row, g, taps in zip(rows, found, places, strict=True):
        reach = SKY.rule("latchup", "ndiff_sd", "ptap", "nwell")
        assert all(min(abs(row.x(k) - x) for x in taps) < reach for k in range(len(columns(g).n)))


# -- tracks and trunks -------------------------------------------------------------------------------------


def test_search_keeps_pieces_apart_and_equal_ones_together() -> None:
    assert find([[1, 0], [1, 0]], {(0, 1): 1}, {}) in ([1, 0], [0, 1])
    assert find([[0, 1], [0, 1]], {(0, 1): 2}, {}) is None
    assert find([[0, 1, 2], [0], [2]], {(0, 1): 1, (0, 2): 1}, {}) == [1, 0, 2]
    assert find([[0, 1, 2], [2, 0]], {}, {0: 1, 1: 0}) == [2, 2] or find(
        [[0, 1, 2], [2, 0]], {}, {0: 1, 1: 0}
    ) == [0, 0]


def test_search_is_as_good_as_trying_all() -> None:
    options = [[0, 1, 2], [1, 2], [0, 2], [0, 1]]
    pairs = {(0, 1): 1, (1, 2): 1, (2, 3): 2, (0, 3): 1}
    ways = [
        way
        for way in itertools.product(*options)
        if all(abs(way[i] - way[j]) >= d for (i, j), d in pairs.items())
    ]
    assert tuple(find(options, pairs, {}) or ()) in ways
    assert ways


def test_a_row_grows_until_its_wires_have_room() -> None:
    made = [
        nand(W, 2 * W, "A B C D").named(
            f"g{k}", **dict(zip("ABCD", "dcba"[k:] + "dcba"[:k], strict=True)), Y=f"y{k}"
        )
        for k in range(4)
    ]
    row = solve_row(SKY, W, 2 * W)
    pins = frozenset("abcd") | {f"y{k}" for k in range(4)}
    with pytest.raises(Unroutable, match=r"row 0: .* wires find no place on"):
        routed([row], lambda rows: Problem(rows, (tuple(made),), exported=pins), more=0)
    grown, wiring = routed([row], lambda rows: Problem(rows, (tuple(made),), exported=pins))
    assert grown.rows[0].height > row.height
    # no two wires of a row are on top of each other
    for a, b in itertools.combinations(wiring.pieces, 2):
        assert a.track != b.track or a.x2 < b.x1 or b.x2 < a.x1


def test_pins_fan_out_in_order_and_apart() -> None:
    row = solve_row(SKY, W, W)
    pins = tuple(Pin(f"n{k}", "bottom", 1.0 + 0.2 * k) for k in range(5))
    problem = Problem((row,), ((inverter(W, W),),), pins=pins, width=6.0)
    _, apart, _ = trunk_pitch(row)
    made = fan(problem, [True] * 4, 0)
    assert made.nets == tuple(f"n{k}" for k in range(5))
    assert all(b - a >= apart - 1e-6 for a, b in itertools.pairwise(made.xs))
    with pytest.raises(Unroutable, match="do not fit"):
        fan(Problem((row,), ((inverter(W, W),),), pins=pins, width=1.5), [True] * 4, 0)


def test_taps_that_reach_no_gate_are_told() -> None:
    wide = inverter(W, 2 * W, 200)
    with pytest.raises(Unroutable, match=r"taps find no place within 15 um of all gates, the longest of 401"):
        tapped([solve_row(SKY, W, 2 * W)], [[wide]])


def test_a_finger_that_no_row_holds_is_told() -> None:
    assert len(narrow.packed(SKY, [inverter(W, 2 * W, 2)], 3.0)) == 2
    with pytest.raises(Unroutable, match="a tap and a gate of A, Y are wider than rows of 1 um"):
        narrow.packed(SKY, [inverter(W, 2 * W, 4)], 1.0)


# -- what gates do -----------------------------------------------------------------------------------------


def drawn(pdk: str, name: str) -> list[Transistor]:
    """Transistors of a catalogue cell as they are extracted from its layout."""
    library = Library(load_pdk(pdk))
    block = CATALOGUE[name].draw(library)
    extracted = extract(library.layout, block.name, library.pdk)
    return list(flat(extracted.netlist, block.name).transistors)


BOOLEAN: dict[str, tuple[str, Callable[..., int | None]]] = {
    "inverter": ("A", lambda a: 1 - a),
    "nand2": ("A B", lambda *x: 1 - min(x)),
    "nand3": ("A B C", lambda *x: 1 - min(x)),
    "nand4": ("A B C D", lambda *x: 1 - min(x)),
    "nor2": ("A B", lambda *x: 1 - max(x)),
    "nor3": ("A B C", lambda *x: 1 - max(x)),
    "or_nand": ("A B C", lambda a, b, c: 1 - min(a, max(b, c))),
}


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("name", BOOLEAN)
def test_truth_tables_of_drawn_gates(pdk: str, name: str) -> None:
    pins, function = BOOLEAN[name]
    switches = Switches(drawn(pdk, name))
    for values in itertools.product((0, 1), repeat=len(pins.split())):
        nets = switches.drive(dict(zip(pins.split(), values, strict=True)))
        assert nets["Y"] == function(*values), values


@pytest.mark.parametrize("pdk", pdk_names())
def test_exclusive_or_of_a_drawn_gate(pdk: str) -> None:
    switches = Switches(drawn(pdk, "xor"))
    for a, b in itertools.product((0, 1), repeat=2):
        assert switches.drive(A=a, AB=1 - a, B=b, BB=1 - b)["Y"] == a ^ b


@pytest.mark.parametrize("pdk", pdk_names())
def test_gates_that_let_go_keep_what_was_there(pdk: str) -> None:
    tristate = Switches([*drawn(pdk, "tristate"), *probe("Y")])
    gate_ = Switches([*drawn(pdk, "transmission_gate"), *probe("Y")])
    for value in (0, 1):
        assert tristate.drive(A=value, E=1, EB=0)["Y"] == 1 - value
        tristate.drive(E=0, EB=1)
        assert tristate.drive(A=1 - value)["Y"] == 1 - value
        assert gate_.drive(A=value, E=1, EB=0)["Y"] == value
        gate_.drive(E=0, EB=1)
        assert gate_.drive(A=1 - value)["Y"] == value


def probe(net: str) -> list[Transistor]:
    """A gate on a net, whose charge it keeps."""
    return [Transistor("nfet", "0", net, "0", "0", W, 0.15, 0.0, 0.0, 0.0, 0.0)]


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize(("name", "strong"), [("latch", ()), ("pass_latch", ("D",))])
def test_a_latch_is_open_while_enabled(pdk: str, name: str, strong: tuple[str, ...]) -> None:
    latch = Switches(drawn(pdk, name), strong)
    for value in (0, 1, 0):
        nets = latch.drive(D=value, E=1, EB=0)
        assert (nets["Q"], nets["QB"]) == (value, 1 - value)
        latch.drive(E=0, EB=1)
        assert latch.drive(D=1 - value)["Q"] == value


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("name", ["flip_flop", "tspc_flip_flop"])
def test_a_flip_flop_takes_what_is_there_at_the_rising_edge(pdk: str, name: str) -> None:
    flip_flop = Switches(drawn(pdk, name))
    both = name == "flip_flop"

    def clock(level: int) -> int | None:
        return flip_flop.drive({"CK": level} | ({"CKB": 1 - level} if both else {}))["Q"]

    clock(0)
    flip_flop.drive(D=0)
    kept: int | None = None
    for value, early, late in itertools.product((0, 1), (0, 1), (0, 1)):
        assert clock(0) == kept
        flip_flop.drive(D=early)
        flip_flop.drive(D=value)
        assert clock(1) == value
        assert flip_flop.drive(D=late)["Q"] == value, "D must not pass while CK is high"
        kept = value


@pytest.mark.parametrize("pdk", pdk_names())
def test_transistors_for_simulation_are_those_of_the_drawing(pdk: str) -> None:
    process = load_pdk(pdk)
    unit = process.channel_width
    made = (
        nand(unit, 2 * unit, "A B C").named("a", Y="x"),
        inverter(unit, 2 * unit, 3).named("b", A="x", Y="y"),
        nor(unit, 2 * unit).named("c", A="x", B="y", Y="z"),
    )
    library = Library(process)
    logic_cell(library, "some", made)
    extracted = extract(library.layout, "some", process)
    found = flat(extracted.netlist, "some")
    wanted = schematic(process, "some", [(tap(), *made)], ())

    def sizes(ts: tuple[Transistor, ...]) -> Counter[tuple[object, ...]]:
        nets = {n for t in wanted.transistors for n in (t.d, t.s, t.g)}
        nets -= {"a_s0", "a_s1", "c_s0"}  # inner nets have no names in the layout
        ends = (
            tuple(
                sorted(((net if net in nets else "", round(a, 3), round(p, 3)) for net, a, p in ends_of(t)))
            )
            for t in ts
        )
        return Counter(
            zip((t.kind for t in ts), (t.g for t in ts), (round(t.w, 3) for t in ts), ends, strict=True)
        )

    def ends_of(t: Transistor) -> list[tuple[str, float, float]]:
        return [(t.d, t.a_d, t.p_d), (t.s, t.a_s, t.p_s)]

    assert sizes(found.transistors) == sizes(wanted.transistors)
    assert transistors(process, made)


def test_row_for_takes_the_widest_and_the_length() -> None:
    made: list[Gate] = [inverter(W, 3 * W, length=0.3), pmos(4 * W, 2, 0.3)]
    row = row_for(SKY, made)
    assert (row.wn, row.wp, row.gate_l, row.split) == (W, 4 * W, 0.3, False)


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("nand2", {"n_w": 0.1}, r"n_w: 0\.1: um, 0\.42 to 8\.4 in sky130"),
        ("inverter", {"fingers": 0}, r"fingers: 0: transistors in parallel \(1 to 20\)"),
        ("nor2", {"length": 9.0}, r"length: 9: um, 0\.15 to 3 in sky130"),
    ],
)
def test_sizes_that_cannot_be_drawn_are_told(name: str, values: dict[str, float], text: str) -> None:
    with pytest.raises(InputError, match=text):
        CATALOGUE[name].draw(Library(SKY), **values)
