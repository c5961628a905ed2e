"""Published macros beside this one: storage density, and the original's shares of area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def _data() -> Any:
    return yaml.safe_load((files("picoram_layout.report") / "published.yaml").read_text(encoding="utf-8"))


def densities(name: str, kb_per_mm2: float, node_nm: int) -> list[dict[str, Any]]:
    """Densities (Kb/mm2), this macro's among them, densest first: as published, and at this macro's node.

    Scaled by area: with the square of the nodes' ratio.
    """
    own = {"name": name, "kind": "compute", "source": "this build"}
    rows: list[dict[str, Any]] = [{**own, "kb_per_mm2": kb_per_mm2, "node_nm": node_nm}]
    for macro in _data()["macros"]:
        row = {key: macro[key] for key in ("name", "node_nm", "kind", "source")}
        density = macro.get("kb_per_mm2")
        if density is None:
            width, height = macro["um"]
            density = macro["bits"] / 1024 / (width * height) * 1e6
        rows.append({**row, "kb_per_mm2": density})
    for row in rows:
        row["scaled"] = row["kb_per_mm2"] * (row["node_nm"] / node_nm) ** 2
    return sorted(rows, key=lambda row: -row["scaled"])


def beside_original(blocks: Sequence[Mapping[str, Any]], parts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Shares of area of array, drivers and ADC, and the original's; ``parts``: a kind's part of them."""
    return [
        {
            "part": part,
            "share": sum(block["share"] for block in blocks if parts.get(block["kind"]) == part),
            "original": share,
        }
        for part, share in _data()["original"].items()
    ]
