"""Specs: what is accepted, and what a file that is not is told."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.periphery.column_side import solve_side
from picoram_layout.plan import make_plan
from picoram_layout.spec import ArraySpec, Spec, SpecError, json_schema, load_spec
from picoram_layout.spec.load import check, check_all
from picoram_layout.spec.numbers import MAX_BITS, most_cells

SPECS = Path(__file__).parent.parent / "specs"
GOOD: dict[str, Any] = {
    "name": "good",
    "pdk": "sky130",
    "array": {"inputs": 16, "outputs": 4, "weight_bits": 4, "input_bits": 4, "cells_per_cluster": 3},
    "capacitor": {"target_fF": 1.0},
}


def changed(**values: Any) -> dict[str, Any]:
    """The good spec with ``array__inputs=...`` or ``name=...`` replaced."""
    data = copy.deepcopy(GOOD)
    for key, value in values.items():
        section, _, name = key.rpartition("__")
        (data.setdefault(section, {}) if section else data)[name] = value
    return data


def problems(data: dict[str, Any]) -> dict[str, str]:
    """Key and text of every problem of a spec's mapping."""
    return {problem.key: problem.text() for problem in check(data)[1]}


def file_problems(path: Path, text: str) -> list[str]:
    """The lines that a file is answered with, without the folder."""
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("picoram_40kb", 41_472),
        ("picoram_40kb_scaled65", 41_472),
        ("picoram_1mb", 1_179_648),
        ("picoram_1mb_scaled65", 1_179_648),
        ("picoram_tiny", 768),
    ],
)
def test_shipped_specs(name: str, bits: int) -> None:
    spec = load_spec(SPECS / f"{name}.yaml")
    assert (spec.name, spec.array.bits) == (name, bits)
    assert f"{bits:,} bits" in (SPECS / f"{name}.yaml").read_text()


def test_all_shipped_specs_are_known_here() -> None:
    assert len(list(SPECS.iterdir())) == 5


@pytest.mark.parametrize("pdk", pdk_names())
def test_defaults_come_from_the_pdk(pdk: str) -> None:
    data = changed(pdk=pdk, bitcell={"pass_gate_w": None}, capacitor=None)
    spec = Spec.model_validate(data)
    narrowest = load_pdk(pdk).channel_width
    assert spec.bitcell.pass_gate_w == spec.bitcell.pull_down_w == spec.bitcell.pull_up_w == narrowest
    assert spec.capacitor.target_fF == load_pdk(pdk).info["capacitor_fF"]


def test_spec_is_immutable() -> None:
    spec = Spec.model_validate(GOOD)
    with pytest.raises(ValidationError):
        spec.name = "other"


def test_model_refuses_what_the_file_check_refuses() -> None:
    array = ArraySpec(inputs=17, outputs=4, weight_bits=4, input_bits=4, cells_per_cluster=3)
    with pytest.raises(ValidationError, match="multiple of 8"):
        Spec(name="x", pdk="sky130", array=array)


MOST = most_cells(load_pdk("sky130"))


@pytest.mark.parametrize(
    ("key", "legal", "illegal", "nearest"),
    [
        ("array__inputs", 16, 8, 16),
        ("array__inputs", 24, 25, 24),
        ("array__inputs", 4096, 4104, 4096),
        ("array__inputs", 144, 10**9, 4096),
        ("array__outputs", 4, 3, 4),
        ("array__outputs", 8, 6, 4),
        ("array__outputs", 1024, 1028, 1024),
        ("array__outputs", 4, 0, 4),
        ("array__outputs", 4, -(10**400), 4),
        ("array__weight_bits", 4, 0, 1),
        ("array__input_bits", 2, 6, 5),
        ("array__cells_per_cluster", 3, 2, 3),
        ("array__cells_per_cluster", 9, 10, 9),
        ("array__cells_per_cluster", MOST, MOST + 2, MOST),
        ("bitcell__pass_gate_w", 0.42, 0.415, 0.42),
        ("bitcell__pull_down_w", 0.425, 0.426, 0.425),
        ("bitcell__pull_up_w", 0.5, 5, 1.005),
        ("capacitor__target_fF", 0.1, 0.09, 0.1),
        ("name", "a" * 64, "a" * 65, "a" * 64),
        ("name", "A1_", "40kb", "m_40kb"),
        ("name", "no", "../up", "up"),
        ("pdk", "sky130", "sky131", "sky130"),
        ("capacitor__style", "shielded", "Comb", "comb"),
    ],
)
def test_limits(key: str, legal: Any, illegal: Any, nearest: Any) -> None:
    assert problems(changed(**{key: legal})) == {}
    found = problems(changed(**{key: illegal}))
    assert list(found) == [key.replace("__", ".")]
    assert found[key.replace("__", ".")].endswith(f"; nearest legal value: {nearest}")


@pytest.mark.parametrize("key", ["inputs", "outputs", "weight_bits", "input_bits", "cells_per_cluster"])
@pytest.mark.parametrize("value", ["16", 16.0, True, None, [16], {"a": 1}, float("nan"), float("inf")])
def test_a_count_is_a_whole_number(key: str, value: Any) -> None:
    assert f"array.{key}" in problems(changed(**{f"array__{key}": value}))


@pytest.mark.parametrize("value", ["0.5", True, [0.5], float("nan"), float("inf"), float("-inf"), 10**400])
@pytest.mark.parametrize("key", ["bitcell__pass_gate_w", "capacitor__target_fF"])
def test_a_size_is_a_finite_number(key: str, value: Any) -> None:
    assert key.replace("__", ".") in problems(changed(**{key: value}))


def test_total_size_is_limited() -> None:
    large = {"inputs": 4096, "outputs": 1024, "weight_bits": 4, "input_bits": 4, "cells_per_cluster": 9}
    text = problems(changed(array=large))["array.inputs"]
    assert "4096 x 1024 x 4 x 9 = 150994944 bits" in text
    nearest = int(text.rpartition(" ")[2])
    assert nearest * 1024 * 4 * 9 <= MAX_BITS < (nearest + 8) * 1024 * 4 * 9
    assert problems(changed(array={**large, "inputs": nearest})) == {}


def test_all_problems_at_once_with_lines(tmp_path: Path) -> None:
    text = """\
name: 40kb
pdk: sky130
array:
  imputs: 144
  outputs: "8"
  weight_bits: 4
  cells_per_cluster: 8
  cells_per_cluster: 9
bitcell: {pass_gate_w: 0.421}
extra: 1
"""
    assert file_problems(tmp_path / "s.yaml", text) == [
        "s.yaml:1: name: 40kb: must be a letter, then at most 63 letters, digits or _; "
        "nearest legal value: m_40kb",
        "s.yaml:3: array.input_bits: missing: must be a whole number from 1 to 5",
        "s.yaml:4: array.imputs: 144: unknown key (known here: inputs, outputs, weight_bits, input_bits, "
        "cells_per_cluster); did you mean inputs?",
        "s.yaml:5: array.outputs: '8': must be a whole number from 1 to 1024; nearest legal value: 8",
        f"s.yaml:7: array.cells_per_cluster: 8: must be an odd number from 3 to {MOST} "
        "(latch-up distance to the taps); nearest legal value: 7",
        "s.yaml:8: array.cells_per_cluster: the key is given twice (first on line 7)",
        "s.yaml:9: bitcell.pass_gate_w: 0.421: must be 0.42 to 1.005 um in steps of 0.005 um (sky130); "
        "nearest legal value: 0.42",
        "s.yaml:10: extra: 1: unknown key (known here: name, pdk, array, bitcell, capacitor)",
    ]


def test_dotted_key_is_unknown() -> None:
    found = problems({**GOOD, "array.inputs": 17})
    assert "unknown key" in found["array.inputs"]


@pytest.mark.parametrize("text", ["0144", "1:30", "1_000", "0x10", "2024-01-01"])
def test_numbers_that_yaml_1_1_would_reinterpret(tmp_path: Path, text: str) -> None:
    lines = file_problems(tmp_path / "s.yaml", yaml.dump(changed(array__inputs="X")).replace("X", text))
    assert len(lines) == 1
    assert "array.inputs: " in lines[0]


def test_numbers_that_yaml_1_1_would_not_read(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(yaml.dump(changed(capacitor__target_fF="X")).replace("X", "10e-1"))
    assert load_spec(path).capacitor.target_fF == 1.0


def test_aliases_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(yaml.dump(GOOD) + "bitcell: {pass_gate_w: &w 0.5, pull_up_w: *w}\n")
    assert load_spec(path).bitcell.pull_up_w == 0.5


COUNTS = st.one_of(
    st.integers(-5, 40), st.integers(), st.floats(), st.text(max_size=3), st.none(), st.booleans()
)
SIZES = st.one_of(st.floats(0, 1.5), st.floats(), st.integers(), st.text(max_size=3), st.none())


@given(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=80),
            "pdk": st.sampled_from([*pdk_names(), "sky13"]),
            "array": st.fixed_dictionaries(dict.fromkeys(ArraySpec.model_fields, COUNTS)),
            "bitcell": st.fixed_dictionaries({"pass_gate_w": SIZES, "pull_up_w": SIZES}),
            "capacitor": st.fixed_dictionaries({"style": st.sampled_from(["comb", "shield"])}),
        }
    )
)
def test_taking_the_nearest_values_leads_to_a_legal_spec(data: dict[str, Any]) -> None:
    for _ in range(4):
        spec, found = check(data)
        assert (spec is None) == bool(found)
        for problem in found:
            section, _, key = problem.key.rpartition(".")
            legal = {"name": "x", "weight_bits": 4, "input_bits": 4}.get(key, 3)
            value = legal if problem.nearest is None else problem.nearest
            (data[section] if section else data)[key] = value
    assert check(data)[1] == []


@given(
    st.sampled_from(pdk_names()),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(2, 12),
    st.integers(1, 6),
    st.integers(1, 8),
)
def test_what_the_rules_allow_is_accepted_and_fits_the_schema(
    pdk: str, weight_bits: int, input_bits: int, rows: int, groups: int, half: int
) -> None:
    array = {
        "inputs": rows * 2 ** (weight_bits - 1),
        "outputs": groups * 2**input_bits,
        "weight_bits": weight_bits,
        "input_bits": input_bits,
        "cells_per_cluster": 2 * half + 1,
    }
    data = changed(pdk=pdk, array=array, bitcell={"pass_gate_w": None})
    assert check(data)[1] == []
    jsonschema.validate(data, json_schema())


@pytest.mark.parametrize("name", [path.name for path in SPECS.iterdir()])
def test_schema_accepts_the_shipped_specs(name: str) -> None:
    jsonschema.validate(yaml.safe_load((SPECS / name).read_text()), json_schema())


@pytest.mark.parametrize(
    "data",
    [
        changed(pdk="sky131"),
        changed(array__imputs=3),
        changed(array__inputs="16"),
        changed(array__weight_bits=7),
        changed(bitcell__pass_gate_w="wide"),
        changed(capacitor__style="round"),
        changed(name="4"),
        {"name": "x", "pdk": "sky130"},
    ],
)
def test_schema_refuses_what_the_models_refuse(data: dict[str, Any]) -> None:
    assert check(data)[1]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    for section in schema["$defs"].values():
        for key, entry in section["properties"].items():
            assert entry.get("description"), key


TINY = (SPECS / "picoram_tiny.yaml").read_text()


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TINY)),
            st.integers(0, 8),
            st.one_of(st.text("{}[]:,-&*!|>'\"#%@ \n\t0.e~?<", max_size=4), st.text(max_size=4)),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int, str]]
) -> None:
    text = TINY
    for at, removed, added in edits:
        text = text[:at] + added + text[at + removed :]
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        lines = []
        assert load_spec(path).array.bits > 0
    except SpecError as error:
        lines = [problem.text("damaged.yaml") for problem in error.problems] or ["no problem given"]
    assert all(line.startswith("damaged.yaml:") and line.isprintable() for line in lines)


def whole(**values: Any) -> list[str]:
    """What the whole check says about the good spec with these values: its array and the blocks beside it."""
    return [problem.text() for problem in check_all(changed(**values))[1]]


def test_what_the_blocks_beside_the_array_have_no_room_for_is_refused() -> None:
    assert whole() == []
    assert whole(array__weight_bits=3, array__outputs=16) == []
    assert whole(array__weight_bits=2, array__inputs=8, array__outputs=8) == [
        "array.weight_bits: 2: must be 3 or more: fewer columns are narrower than what an output has below "
        "them; nearest legal value: 3"
    ]
    counts = {"inputs": 16, "outputs": 4, "weight_bits": 4, "input_bits": 4, "cells_per_cluster": 3}
    [text] = whole(pdk="scaled65", array=counts)
    assert text.startswith("array.input_bits: 4: wires of a row driver find no place in ")
    assert text.endswith(" um; must be less than 4 with 3 cells per cluster and 16 inputs")


def test_the_build_refuses_in_the_same_words() -> None:
    spec, problems = check_all(changed(array__weight_bits=2, array__inputs=8, array__outputs=8))
    assert spec is not None
    with pytest.raises(SpecError) as caught:
        solve_side(make_plan(spec))
    assert caught.value.problems == problems
