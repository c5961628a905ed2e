"""The drawn array is the circuit it should be: every transistor, its size and its nets.

The circuit is written down here from the description of the array, not taken from any drawing. KLayout
extracts the transistors from the layout and compares. The last part spoils drawings and asks for an outcry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import klayout.db as kdb
import pytest

from picoram_layout.array.array import array
from picoram_layout.cells.bitcell import bitcell
from picoram_layout.cells.cluster import cluster
from picoram_layout.layout import Canvas, Library
from picoram_layout.pdk import load_pdk
from picoram_layout.plan import Plan, make_plan
from picoram_layout.spec import Spec, load_spec
from picoram_layout.spec.shipped import find_spec
from tests.extraction import NMOS, PMOS, Circuit, Drawn, Extracted

PDKS = ("sky130", "scaled65")
# Widths that tell pass gate, pull-down and pull-up apart, as multiples of the PDK's minimum width.
DISTINCT = {"pass_gate_w": 4 / 3, "pull_down_w": 5 / 3, "pull_up_w": 1.0}


@dataclass(frozen=True)
class Sizes:
    """Transistor sizes of a spec (um)."""

    pass_gate: float
    pull_down: float
    pull_up: float
    unit: float  # minimum channel width
    length: float

    @classmethod
    def of(cls, spec: Spec) -> Sizes:
        pdk, b = load_pdk(spec.pdk), spec.bitcell
        unit = pdk.channel_width
        return cls(b.pass_gate_w, b.pull_down_w, b.pull_up_w, unit, pdk.up2(pdk.width("poly")))


def add_bitcell(
    c: Circuit, z: Sizes, name: str, lbl: str, gblb: str, wordlines: tuple[str, str], gnd: tuple[str, str]
) -> None:
    """6T cell: left pass gate to LBL on WLL, right pass gate to GBLB on WLR."""
    q, qb = f"{name}.q", f"{name}.qb"
    for out, other, ground in ((q, qb, gnd[0]), (qb, q, gnd[1])):
        c.mos(NMOS, other, ground, out, z.pull_down, z.length)
        c.mos(PMOS, other, "VDD", out, z.pull_up, z.length)
    c.mos(NMOS, wordlines[0], lbl, q, z.pass_gate, z.length)
    c.mos(NMOS, wordlines[1], gblb, qb, z.pass_gate, z.length)


def add_mac(c: Circuit, z: Sizes, name: str, lbl: str, xl: str, vl: str, row: Callable[[str], str]) -> None:
    """MAC unit but for access and segment device: N as wide as the pass gate, the dummy all on VDD."""
    t = f"{name}.t"
    c.mos(NMOS, lbl, xl, t, z.pass_gate, z.length)
    c.mos(NMOS, row("SOUT"), t, vl, z.pass_gate, z.length)
    c.mos(PMOS, row("PCHB"), "VDD", lbl, z.pull_up, z.length)
    c.mos(PMOS, "VDD", "VDD", "VDD", z.pull_up, z.length)


# -- one cluster -------------------------------------------------------------------------------------------


def spec_of(pdk: str, *, distinct: bool = False, style: str = "shielded", **changes: Any) -> Spec:
    """A small array, its bitcells' widths minimum or distinct."""
    unit = load_pdk(pdk).channel_width
    grid = load_pdk(pdk).grid * 2
    widths = {k: round(round(v * unit / grid) * grid, 6) for k, v in DISTINCT.items()} if distinct else {}
    sizes = {"inputs": 2, "outputs": 2, "weight_bits": 1, "input_bits": 1, "cells_per_cluster": 3}
    data = {"name": "small", "pdk": pdk, "array": sizes | changes, "bitcell": widths}
    return Spec.model_validate(data | {"capacitor": {"style": style}})


def draw_cluster(plan: Plan, supply: str, segment: bool, cut: bool) -> Drawn:
    """A cluster below the first bitcell of the next one, with names on its row and column wires.

    That bitcell's contacts on the common boundary close the cluster's supplies.
    """
    library, row, t = Library(plan.pdk), plan.segment if segment else plan.plain, plan.t
    c = Canvas(library, "closed_cluster")
    c.place(cluster(library, row, supply, cut), 0, 0)
    c.place(bitcell(library, t), 0, row.height)
    drawn = Drawn.of(library.layout, c.cell.name, plan.pdk)
    left, low = t.m2.w / 4, t.line / 4
    for net, (y, _) in row.wires().items():
        drawn.name(supply if net == "SUPPLY" else net, "met2", left, y)
    drawn.name("XL", "met2", t.lanes["XL_T"].x, row.y_xl_pad)
    for k, y in enumerate(row.data):
        drawn.name(f"DATA{k}", "met2", left, y)
    drawn.name("WLL", "met2", left, row.height + t.y_wll_line)
    drawn.name("WLR", "met2", left, row.height + t.y_wlr_left)
    gnd = gnd_names(supply)
    columns = {"GND_L": gnd[0], "GND_R": gnd[1], "VDD_L": "VDD", "VDD_R": "VDD", "VL": "VL"}
    for lane, net in columns.items():
        drawn.name(net, "met1", t.lanes[lane].x, low)
    drawn.name("GBLB", "met1", t.width - t.xn, low)
    drawn.name("PLATE", "met4", 0, 0)
    if segment:
        drawn.name("VL'" if cut else "VL", "met1", t.lanes["VL"].x, row.height + low)
    return drawn


def gnd_names(supply: str) -> tuple[str, str]:
    """Left and right GND of one cluster: on a VDD track nothing but other rows and silicon joins them."""
    return ("GND", "GND") if supply == "GND" else ("GND_L", "GND_R")


def cluster_circuit(spec: Spec, supply: str, segment: bool, cut: bool) -> tuple[Circuit, Counter[str]]:
    """The circuit of one cluster below another one's bitcell, and the names of its wires."""
    z, c, gnd = Sizes.of(spec), Circuit(), gnd_names(supply)
    cells = spec.array.cells_per_cluster
    for k in range(cells):
        add_bitcell(c, z, f"cell{k}", "LBL", "GBLB", (f"WLL[{k}]", f"WLR[{k}]"), gnd)
    upper = "VL'" if cut else "VL"
    add_mac(c, z, "mac", "LBL", "XL", upper, str)
    c.mos(NMOS, "ACC", "LBL", "VL", z.pass_gate, z.length)
    add_bitcell(c, z, "next", "next.lbl", "GBLB", ("WLL", "WLR"), gnd)
    names = {f"{wl}{k}" for wl in ("WLL", "WLR") for k in ("", *(f"[{k}]" for k in range(cells)))}
    names |= {"ACC", "PCHB", "SOUT", "XL", "VL", upper, "GBLB", "VDD", "PLATE", *gnd}
    names |= {f"DATA{k}" for k in range(max(1, spec.array.input_bits - 1))}
    if segment:
        c.mos(NMOS, "SEG", "VL", upper, z.pass_gate, z.length)
        names.add("SEG")
    return c, Counter(names)


@pytest.mark.parametrize("distinct", [False, True], ids=["minimum", "distinct"])
@pytest.mark.parametrize("kind", ["plain", "joined", "cut"])
@pytest.mark.parametrize("supply", ["VDD", "GND"])
@pytest.mark.parametrize("pdk", PDKS)
def test_cluster(pdk: str, supply: str, kind: str, distinct: bool) -> None:
    spec = spec_of(pdk, distinct=distinct, cells_per_cluster=5, input_bits=1)
    segment, cut = kind != "plain", kind == "cut"
    extracted = Extracted(draw_cluster(make_plan(spec), supply, segment, cut))
    wanted, names = cluster_circuit(spec, supply, segment, cut)
    assert extracted.differences(wanted, names) == []


# -- the array ---------------------------------------------------------------------------------------------


def array_circuit(spec: Spec) -> tuple[Circuit, Counter[str]]:
    """The circuit of a whole array and the names at its edge."""
    a, z, c = spec.array, Sizes.of(spec), Circuit()
    columns, names = a.outputs * a.weight_bits, {"VDD", "GND"}
    groups = [columns >> k for k in range(1, a.input_bits + 1)] + [columns >> a.input_bits]
    group_of = [g for g, size in enumerate(groups) for _ in range(size)]
    cuts = {a.inputs >> k: k for k in range(1, a.weight_bits)}
    # how wide there is room for is the plan's choice, which `test_cells` bounds
    strips = make_plan(spec).strips
    for r in range(a.inputs):

        def row(net: str, r: int = r) -> str:
            return f"{net}[{r}]"

        for n in range(columns):
            place, lbl, xl = f"{r}.{n}", f"{r}.{n}.lbl", f"XL{group_of[n]}[{r}]"
            for k in range(a.cells_per_cluster):
                word = r * a.cells_per_cluster + k
                lines = (f"WLL[{word}]", f"WLR[{word}]")
                add_bitcell(c, z, f"{place}.cell{k}", lbl, f"GBLB[{n}]", lines, ("GND", "GND"))
            # weight bit weight_bits - 1 - k keeps inputs >> k rows on the lower VL; it is the pin
            k = n % a.weight_bits
            kept = a.inputs >> k if k else a.inputs
            upper = f"VL[{n}]" if r < kept else f"VL'[{n}]"
            lower = f"VL[{n}]" if r <= kept else f"VL'[{n}]"
            add_mac(c, z, place, lbl, xl, upper, row)
            c.mos(NMOS, row("ACC"), lbl, lower, z.pass_gate, z.length)
            if r in cuts:
                c.mos(NMOS, row("SEG"), lower, upper, z.pass_gate, z.length)
        for g, size in enumerate(groups):
            data = row(f"D{a.input_bits - 1 - g}") if g < a.input_bits else "GND"
            last = g == len(groups) - 1
            width = strips[g].sample_w if last else z.unit * size
            c.mos(NMOS, f"SMP[{g}]", data, f"XL{g}[{r}]", width, z.length)
            if g:
                c.mos(NMOS, f"SHR[{g}]", f"XL{g - 1}[{r}]", f"XL{g}[{r}]", strips[g].share_w, z.length)
        names |= {row(net) for net in ("ACC", "PCHB", "SOUT", *(f"D{b}" for b in range(a.input_bits)))}
        names |= {row("SEG")} if r in cuts else set()
    for n in range(columns):
        for end in ("low", "high"):  # the dummies' local bitlines are no cluster's
            place = f"dummy.{end}.{n}"
            add_bitcell(c, z, place, f"{place}.lbl", f"GBLB[{n}]", ("GND", "GND"), ("GND", "GND"))
    words = range(a.inputs * a.cells_per_cluster)
    names |= {f"{wl}[{k}]" for wl in ("WLL", "WLR") for k in words}
    names |= {f"{net}[{n}]" for net in ("VL", "GBLB") for n in range(columns)}
    names |= {f"SMP[{g}]" for g in range(len(groups))} | {f"SHR[{g}]" for g in range(1, len(groups))}
    return c, Counter(names)


@cache
def drawn_array(spec: Spec) -> Drawn:
    """A drawn array; spoil copies only."""
    plan = make_plan(spec)
    library = Library(plan.pdk)
    return Drawn.of(library.layout, array(library, plan).name, plan.pdk)


ARRAYS: dict[str, dict[str, Any]] = {
    "one bit": {},
    "segments": {"inputs": 4, "outputs": 2, "weight_bits": 2, "input_bits": 2},
    "small": {"inputs": 16, "outputs": 1, "weight_bits": 4, "input_bits": 2},
    "many groups": {"inputs": 2, "outputs": 32, "input_bits": 5, "cells_per_cluster": 5},
    "nine cells": {"inputs": 2, "outputs": 16, "input_bits": 4, "cells_per_cluster": 9},
    "comb": {"inputs": 4, "outputs": 2, "weight_bits": 2, "input_bits": 2, "style": "comb"},
}


@pytest.mark.parametrize("which", ARRAYS)
@pytest.mark.parametrize("pdk", PDKS)
def test_array(pdk: str, which: str) -> None:
    check_array(spec_of(pdk, **ARRAYS[which]))


@pytest.mark.parametrize("pdk", PDKS)
def test_array_with_distinct_widths(pdk: str) -> None:
    check_array(spec_of(pdk, distinct=True, **ARRAYS["segments"]))


def test_tiny_array() -> None:
    check_array(load_spec(find_spec(Path("specs/picoram_tiny.yaml"))))


def check_array(spec: Spec) -> None:
    """The whole array against its circuit, and what transistors cannot tell."""
    extracted = Extracted(drawn_array(spec))
    assert problems(spec, extracted) == []


def problems(spec: Spec, extracted: Extracted) -> list[str]:
    """Differences from the circuit, plates of the capacitors and taps."""
    found = extracted.differences(*array_circuit(spec))
    a, layers = spec.array, extracted.layers
    clusters = a.inputs * a.outputs * a.weight_bits
    on_met4 = extracted.nets_on("met4")
    if on_met4 != Counter({"": clusters, "VDD": 1, "GND": 1}):
        found.append(f"plates: {dict(on_met4)}")
    for metal, nets in (("met5", {"VDD", "GND"}), ("met3", {"", "VDD", "GND"})):
        if set(extracted.nets_on(metal)) != nets:
            found.append(f"{metal}: {dict(extracted.nets_on(metal))}")
    for tap, supply in (("ptap", "GND"), ("ntap", "VDD")):
        loose = layers[tap] - extracted.shapes(supply, tap)
        if layers[tap].is_empty() or not loose.is_empty():
            found.append(f"{tap} not on {supply}: {loose}")
    bare = extracted.drawn.shapes["nwell"].not_interacting(layers["ntap"])
    if not bare.is_empty():
        found.append(f"wells without a tap: {bare}")
    return found


# -- spoilt drawings ---------------------------------------------------------------------------------------

Spoil = Callable[[Drawn, Plan], None]
SPOILT: dict[str, Any] = {"inputs": 4, "outputs": 2, "weight_bits": 2, "input_bits": 2}


def column(plan: Plan, number: int) -> tuple[float, Callable[[float], float]]:
    """Left edge of a column of the first group, and from a place in the column's cell to one in the array."""
    x, w = plan.x[0][1] + number * plan.t.width, plan.t.width
    return x, lambda inner: x + (w - inner if number % 2 else inner)


def track(plan: Plan, drawn: Drawn, name: str, number: int, y1: float, y2: float) -> kdb.Region:
    """A piece of a column's met1 track."""
    _, at = column(plan, number)
    lane = plan.t.lanes[name]
    x1, x2 = sorted((at(lane.x1), at(lane.x2)))
    return drawn.box(x1, y1, x2, y2)


def bridge_vl_to_vdd(drawn: Drawn, plan: Plan) -> None:
    _, at = column(plan, 0)
    t, y = plan.t, plan.y[1] + plan.t.height / 2
    drawn.shapes["met1"] += drawn.box(at(t.lanes["VDD_L"].x), y, at(t.lanes["VL"].x), y + t.m1.w)


def bridge_wordlines(drawn: Drawn, plan: Plan) -> None:
    x, _ = column(plan, 0)
    t, y = plan.t, plan.y[1]
    middle = x + t.width / 2
    drawn.shapes["met2"] += drawn.box(middle, y + t.y_wlr_mid, middle + t.m2.w, y + t.y_wll_line)


def bridge_plates(drawn: Drawn, plan: Plan) -> None:
    x, _ = column(plan, 0)
    y = plan.y[1] + plan.plain.height / 2
    drawn.shapes["met4"] += drawn.box(x, y, x + plan.t.width / 2, y + plan.t.m2.w)


def open_vl(drawn: Drawn, plan: Plan) -> None:
    y = plan.y[1] + plan.t.height / 2
    drawn.shapes["met1"] -= track(plan, drawn, "VL", 0, y, y + plan.t.m1.s)


def close_cut(drawn: Drawn, plan: Plan) -> None:
    """VL straight through in the column that is cut at the segment row."""
    row = next(iter(plan.cuts))
    drawn.shapes["met1"] += track(plan, drawn, "VL", plan.cuts[row], plan.y[row], plan.y[row + 1])


def cut_other_column(drawn: Drawn, plan: Plan) -> None:
    """VL open in the column that keeps all its rows: its devices are still joined by the straps."""
    row = next(iter(plan.cuts))
    y, mac = plan.y[row] + plan.segment.y_mac, plan.segment.mac
    middle = y + (mac.vl_wire + mac.vl2_wire) / 2
    drawn.shapes["met1"] -= track(plan, drawn, "VL", 0, middle - plan.pdk.grid, middle + plan.pdk.grid)


def open_gnd_track(drawn: Drawn, plan: Plan) -> None:
    """The left GND track is gone in one row; its contact pads are left."""
    drawn.shapes["met1"] -= track(plan, drawn, "GND_L", 0, plan.y[1], plan.y[2])


def narrow_device(drawn: Drawn, plan: Plan) -> None:
    """A grid step off the outer edge of one pull-down."""
    x, _ = column(plan, 0)
    t, y, grid = plan.t, plan.y[1], plan.pdk.grid
    edge = x + t.xn2 - t.pull_down_w
    drawn.shapes["diff"] -= drawn.box(edge, y + t.y1 - t.gate_l, edge + grid, y + t.y1 + t.gate_l)


def lose_well_taps(drawn: Drawn, plan: Plan) -> None:
    """No contact on the well taps of the first column."""
    x, _ = column(plan, 0)
    area = drawn.box(x, 0, x + plan.t.width, plan.height)
    taps = drawn.shapes["tap"] & drawn.shapes["nwell"] & area
    drawn.shapes["licon"] = drawn.shapes["licon"].not_interacting(taps)


def remove_one_substrate_tap_contact(drawn: Drawn, plan: Plan) -> None:
    taps = (drawn.shapes["tap"] - drawn.shapes["nwell"]).merged()
    lost = kdb.Region(next(taps.each()))
    drawn.shapes["licon"] = drawn.shapes["licon"].not_interacting(lost)


def join_groups(drawn: Drawn, plan: Plan) -> None:
    """XL through a DAC strip."""
    strip, (x, _) = plan.strips[1], plan.x[1]
    x1, x2 = x + strip.lane("XL_L").x, x + strip.lane("XL_R").x
    y = plan.y[1] + plan.plain.y_xl_pad
    drawn.shapes["met2"] += drawn.box(x1, y, x2, y + plan.t.m2.w)


def narrow_sampling_switch(drawn: Drawn, plan: Plan) -> None:
    """A grid step off every transistor's lower edge in the first strip's bottom row."""
    x1, x2 = plan.x[0]
    edge = (drawn.shapes["diff"] & drawn.box(x1, plan.y[0], x2, plan.y[1])).bbox().bottom * drawn.dbu
    drawn.shapes["diff"] -= drawn.box(x1, edge, x2, edge + plan.pdk.grid)


def loose_dummy_wordlines(drawn: Drawn, plan: Plan) -> None:
    """The lower dummy row's wordlines lose their vias to GND."""
    end = drawn.box(0, 0, plan.width, plan.y[0])
    drawn.shapes["via2"] = drawn.shapes["via2"].not_inside(end)


def swap_names(layer: str, a: str, b: str) -> Spoil:
    def spoil(drawn: Drawn, plan: Plan) -> None:
        swapped = kdb.Texts()
        for text in drawn.names[layer].each():
            text.string = {a: b, b: a}.get(text.string, text.string)
            swapped.insert(text)
        drawn.names[layer] = swapped

    return spoil


def drop_name(layer: str, name: str) -> Spoil:
    def spoil(drawn: Drawn, plan: Plan) -> None:
        drawn.names[layer] = kdb.Texts([t for t in drawn.names[layer].each() if t.string != name])

    return spoil


SPOILS: dict[str, Spoil] = {
    "VL touches VDD": bridge_vl_to_vdd,
    "WLL touches WLR": bridge_wordlines,
    "T touches GND in met4": bridge_plates,
    "VL open": open_vl,
    "VL not cut": close_cut,
    "VL cut in a wrong column": cut_other_column,
    "GND track open": open_gnd_track,
    "pull-down a grid step narrow": narrow_device,
    "well without tap contact": lose_well_taps,
    "substrate tap without contact": remove_one_substrate_tap_contact,
    "XL groups joined": join_groups,
    "sampling switch a grid step narrow": narrow_sampling_switch,
    "dummy wordlines not on GND": loose_dummy_wordlines,
    "VL names swapped": swap_names("met1", "VL[0]", "VL[1]"),
    "SMP names swapped": swap_names("met1", "SMP[0]", "SMP[1]"),
    "data names swapped": swap_names("met2", "D0[1]", "D1[1]"),
    "wordline names swapped": swap_names("met2", "WLL[3]", "WLR[3]"),
    "name lost": drop_name("met2", "SEG[2]"),
}


@pytest.mark.parametrize("what", SPOILS)
@pytest.mark.parametrize("pdk", PDKS)
def test_spoilt_wiring_is_told(pdk: str, what: str) -> None:
    spec = spec_of(pdk, **SPOILT)
    drawn = drawn_array(spec).copy()
    SPOILS[what](drawn, make_plan(spec))
    assert problems(spec, Extracted(drawn)) != []


@pytest.mark.parametrize("cut", ["licon", "mcon", "via", "via2", "via3"])
@pytest.mark.parametrize("pdk", PDKS)
def test_every_lost_signal_contact_is_told(pdk: str, cut: str) -> None:
    """Among the columns each contact of a signal stands alone: without it something is open."""
    spec = spec_of(pdk, **SPOILT)
    plan, whole = make_plan(spec), drawn_array(spec)
    clean = Extracted(whole)
    x1 = plan.x[0][1] - plan.t.m1.pad_long
    area = whole.box(x1, plan.y[1], x1 + plan.groups[0] * plan.t.width, plan.y[3])
    supplies = clean.shapes("VDD", cut) + clean.shapes("GND", cut)
    signals = list(whole.shapes[cut].inside(area).not_interacting(supplies).each())
    for contact in signals[:: max(1, len(signals) // 8)]:
        drawn = whole.copy()
        drawn.shapes[cut] -= kdb.Region(contact)
        assert problems(spec, Extracted(drawn)) != [], contact
    assert signals
