"""``picoram validate`` and ``picoram schema``."""

from __future__ import annotations

from pathlib import Path

from picoram_layout.console import emit_json
from picoram_layout.progress import passing
from picoram_layout.spec import Spec, json_schema, load_spec
from picoram_layout.spec.shipped import find_spec


def checked_spec(given: Path, *, quiet: bool) -> Spec:
    """The spec of a file or a shipped name, with a sign of life: it takes long if blocks have no room."""
    with passing("checking the spec", quiet=quiet):
        return load_spec(find_spec(given))


def validate(path: Path, json: bool) -> int:
    """Say that a spec is sound and what it asks for."""
    path = find_spec(path)
    spec = checked_spec(path, quiet=json)
    array = spec.array
    if json:
        emit_json({"file": str(path), "valid": True, "bits": array.bits, "spec": spec.model_dump()})
        return 0
    print(f"{path}: valid")
    print(
        f"{spec.name}: {array.bits:,} bits in {spec.pdk}: {array.inputs} inputs x {array.outputs} outputs x "
        f"{array.weight_bits} weight bits x {array.cells_per_cluster} cells per cluster"
    )
    return 0


def schema() -> int:
    """Print the schema of a spec."""
    emit_json(json_schema())
    return 0
