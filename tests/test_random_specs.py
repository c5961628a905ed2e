"""Any spec that is accepted is drawn and passes every design rule; what the limits refuse would not.

A long run: ``pytest --hypothesis-profile nightly -n 1 tests/test_random_specs.py``; larger macros:
``tools/nightly.py``.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from picoram_layout import limits
from picoram_layout.array.array import array
from picoram_layout.drc import DrcResult, run_drc
from picoram_layout.layout import Library
from picoram_layout.macro.assembly import macro
from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.periphery.column_logic import LEAST_BITS
from picoram_layout.plan import make_plan
from picoram_layout.spec import Spec
from picoram_layout.spec.load import check, check_all
from picoram_layout.spec.numbers import most_cells, steps
from picoram_layout.sweep import run
from picoram_layout.sweep.run import BUILT

# Clusters of a random array at the most: a case is drawn and checked in a second or two.
_CLUSTERS = 400


def least_outputs(weight_bits: int, input_bits: int) -> int:
    """Smallest count of outputs that these bits allow."""
    return int(
        steps("array.outputs", {"array.weight_bits": weight_bits, "array.input_bits": input_bits}, None).step
    )


@st.composite
def specs(draw: st.DrawFn, name: str = "", least_bits: int = 1) -> dict[str, Any]:
    """Sound arrays of few clusters: every PDK (or ``name``), style, count of bits and cells, any widths."""
    name = name or draw(st.sampled_from(pdk_names()))
    pdk = load_pdk(name)
    weight_bits = draw(st.integers(least_bits, 6))
    rows = 2**weight_bits
    fits = [b for b in range(1, 6) if least_outputs(weight_bits, b) * weight_bits * rows <= _CLUSTERS]
    input_bits = draw(st.sampled_from(fits))
    outputs = least_outputs(weight_bits, input_bits)
    most = _CLUSTERS // (outputs * weight_bits)
    inputs = draw(st.integers(2, min(6, most // (rows // 2)))) * rows // 2
    outputs *= draw(st.integers(1, min(3, _CLUSTERS // (inputs * outputs * weight_bits))))
    legal = steps("bitcell.pass_gate_w", {}, pdk)
    widths = st.one_of(
        st.sampled_from([legal.first, legal.nearest(legal.last)]),
        st.integers(0, round((legal.last - legal.first) / pdk.grid)).map(
            lambda n: round(legal.first + n * pdk.grid, 6)
        ),
    )
    return {
        "name": "random_array",
        "pdk": name,
        "array": {
            "inputs": inputs,
            "outputs": outputs,
            "weight_bits": weight_bits,
            "input_bits": input_bits,
            "cells_per_cluster": 1 + 2 * draw(st.integers(1, (most_cells(pdk) - 1) // 2)),
        },
        "bitcell": {key: draw(widths) for key in ("pass_gate_w", "pull_down_w", "pull_up_w")},
        "capacitor": {"style": draw(st.sampled_from(["shielded", "comb"])), "target_fF": 0.1},
    }


def spec_of(pdk: str, style: str, counts: str, widths: str) -> dict[str, Any]:
    """A spec in short: counts in the order of `ArraySpec`, widths in that of `BitcellSpec`."""
    keys = ("inputs", "outputs", "weight_bits", "input_bits", "cells_per_cluster")
    devices = ("pass_gate_w", "pull_down_w", "pull_up_w")
    return {
        "name": "listed_array",
        "pdk": pdk,
        "array": dict(zip(keys, map(int, counts.split()), strict=True)),
        "bitcell": dict(zip(devices, map(float, widths.split()), strict=True)),
        "capacitor": {"style": style, "target_fF": 0.1},
    }


def drawn(spec: Spec, rules: list[str] | None = None) -> DrcResult:
    """DRC of the spec's array: these rules, or all but those that average over windows larger than it."""
    pdk = load_pdk(spec.pdk)
    library = Library(pdk)
    top = array(library, make_plan(spec))
    only = rules or [rule.id for rule in pdk.rules if rule.kind != "density"]
    return run_drc(library.layout, top.name, pdk, only=only)


@settings(max_examples=settings.default.max_examples // 10)  # type: ignore[union-attr]
@given(specs())
@example(spec_of("sky130", "shielded", "4 1 2 1 3", "0.72 0.92 0.425"))  # no two devices alike, off centre
@example(spec_of("scaled65", "shielded", "4 1 2 1 3", "0.5 0.21 0.22"))  # wide pass gate
@example(spec_of("scaled65", "comb", "2 2 1 1 25", "0.45 0.5 0.21"))  # wide pull-down, no segment row
@example(spec_of("sky130", "comb", "2 64 1 1 3", "0.42 0.42 1.005"))  # a switch of many fingers
def test_an_accepted_spec_is_drawn_clean(data: dict[str, Any]) -> None:
    spec, refused = check(data)
    assert spec is not None, refused
    assert limits.problems(spec) == []
    assert drawn(spec).by_rule == {}


@pytest.mark.parametrize("pdk", pdk_names())
@settings(
    max_examples=settings.default.max_examples // 50,  # type: ignore[union-attr]
    phases=[Phase.explicit, Phase.generate],  # to shrink what fails would take hours
)
@given(data=st.data())
def test_an_accepted_spec_is_a_clean_macro(pdk: str, data: st.DataObject) -> None:
    """Whole macros, as `picoram build` makes them; `tools/nightly.py` has larger ones."""
    values = data.draw(specs(pdk, LEAST_BITS))
    spec, refused = check_all(values)
    assume(spec is not None and not refused)
    status, _, report, _ = run.evaluate(values, checks=True)
    assert status == BUILT
    assert report is not None
    assert (report["drc"]["status"], report["lvs"]["status"]) == ("clean", "match")
    assert report["views"]["differences"] == []


@pytest.mark.parametrize(
    "values",
    [
        spec_of("sky130", "shielded", "8 16 3 4 5", "0.42 0.42 0.42"),  # slices narrower than their rows
        spec_of("scaled65", "shielded", "16 1 4 1 9", "0.21 0.21 0.21"),  # long wires to few gates
        spec_of("scaled65", "shielded", "8 2 3 1 3", "0.21 0.21 0.21"),  # well taps near a row driver's end
        spec_of("sky130", "shielded", "64 1 6 1 11", "0.79 1.005 1.005"),  # lines go on far to their drivers
        spec_of("sky130", "shielded", "64 2 6 1 11", "0.79 1.005 1.005"),  # long rows with no output beside
    ],
    ids=["narrow", "single", "low", "beside the base", "wide"],
)
def test_macros_at_the_limits_are_clean(values: dict[str, Any]) -> None:
    spec, refused = check_all(values)
    assert spec is not None, refused
    plan = make_plan(spec)
    library = Library(plan.pdk)
    top = macro(library, plan).top
    rules = [rule.id for rule in plan.pdk.rules if rule.kind != "density"]
    assert run_drc(library.layout, top.name, plan.pdk, only=rules).by_rule == {}


LATCHUP = ["LU.2", "LU.3"]


def with_counts(spec: Spec, **counts: int) -> Spec:
    """The spec with other counts, unchecked."""
    return spec.model_copy(update={"array": spec.array.model_copy(update=counts)})


@pytest.mark.parametrize("pdk", pdk_names())
@pytest.mark.parametrize("counts", ["2 2 1 1 3", "4 2 2 1 3"], ids=["plain", "segments"])
def test_most_cells_are_just_within_latchup_distance(pdk: str, counts: str) -> None:
    w = load_pdk(pdk).channel_width
    spec, _ = check(spec_of(pdk, "shielded", counts, f"{w} {w} {w}"))
    assert spec is not None
    most = most_cells(load_pdk(pdk))
    legal, larger = (with_counts(spec, cells_per_cluster=n) for n in (most, most + 2))
    assert limits.problems(legal) == []
    assert drawn(legal, LATCHUP).by_rule == {}
    [problem] = limits.problems(larger)
    assert (problem.key, problem.nearest) == ("array.cells_per_cluster", most)
    assert drawn(larger, LATCHUP).by_rule


def test_no_count_is_named_where_none_is_within_latchup_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, _ = check(spec_of("sky130", "shielded", "4 2 2 1 5", "0.42 0.42 0.42"))
    assert spec is not None
    monkeypatch.setattr(limits, "columns_reached", lambda plan: False)
    [problem] = limits.problems(spec)
    assert (problem.key, problem.value, problem.nearest) == ("array.cells_per_cluster", 5, None)
    assert "None" not in problem.why


def test_most_outputs_are_just_within_latchup_distance() -> None:
    spec, _ = check(spec_of("scaled65", "shielded", "2 1024 1 1 3", "0.21 0.21 0.21"))
    assert spec is not None
    [problem] = limits.problems(spec)
    assert problem.key == "array.outputs"
    legal, larger = (with_counts(spec, outputs=problem.nearest + n) for n in (0, 2))
    assert limits.problems(legal) == []
    assert drawn(legal, LATCHUP).by_rule == {}
    assert limits.problems(larger) == [
        type(problem)(problem.key, larger.array.outputs, problem.why, problem.nearest)
    ]
    assert drawn(larger, LATCHUP).by_rule.keys() == {"LU.2"}
