"""The content of ``report.json``, from the drawing and what was measured and checked on it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import picoram_layout
from picoram_layout.pdk import Pdk
from picoram_layout.report.areas import pin_groups, shares
from picoram_layout.report.published import beside_original, densities

if TYPE_CHECKING:
    from picoram_layout.density import LayerDensity
    from picoram_layout.drc import DrcResult
    from picoram_layout.drc.result import Violation
    from picoram_layout.lvs.compare import LvsResult
    from picoram_layout.macro import Drawing
    from picoram_layout.spec import Spec

# Which part of the original's area a kind of block is compared with.
PARTS = {
    **dict.fromkeys(("array", "dac", "end", "edge"), "array"),
    **dict.fromkeys(("row drivers", "row foot", "line drivers"), "drivers"),
    **dict.fromkeys(("ADC slices", "ADC shared"), "ADC"),
}
# So many markers of each rule are listed one by one; the .lyrdb has them all.
_LISTED = 10


def summarise(
    spec: Spec,
    pdk: Pdk,
    drawing: Drawing,
    density: Mapping[str, LayerDensity],
    drc: DrcResult | None,
    lvs: LvsResult | None,
) -> dict[str, Any]:
    """All results of a build but its timings and files; ``drc`` and ``lvs`` are None if not run."""
    top = drawing.top
    area = top.width * top.height
    bits = drawing.figures["bits"]
    per_mm2 = 1e6 / area
    report = {
        "name": spec.name,
        "pdk": pdk.name,
        "pdk_title": pdk.title,
        "study_deck": pdk.study,
        "note": pdk.note,
        "bits": bits,
        "width_um": round(top.width, 6),
        "height_um": round(top.height, 6),
        "area_um2": round(area, 6),
        "density_kb_per_mm2": bits / 1024 * per_mm2,
        "density_kbit_per_mm2": bits / 1000 * per_mm2,
    }
    report |= {key: value for key, value in drawing.figures.items() if key not in report}
    blocks = [asdict(row) for row in shares(drawing.floorplan, top.width, top.height)]
    report["blocks"] = blocks
    report["published"] = densities(spec.name, report["density_kb_per_mm2"], pdk.info["node_nm"])
    report["beside_original"] = beside_original(blocks, PARTS)
    report["pins"] = [asdict(group) for group in pin_groups(top)]
    report["layer_density"] = {layer: asdict(row) for layer, row in density.items()}
    report["drc"] = _drc(drc, pdk)
    report["lvs"] = lvs_summary(lvs)
    report["spec"] = spec.model_dump()
    report["versions"] = versions()
    return report


def _drc(result: DrcResult | None, pdk: Pdk) -> dict[str, Any]:
    if result is None:
        rules = list(dict.fromkeys(rule.id for rule in pdk.rules))
        why = "DRC was switched off for this build"
        return {
            "status": "not run",
            "violations": None,
            "by_rule": {},
            "rules_checked": [],
            "rules_not_checked": [{"id": rule, "why": why} for rule in rules] + list(pdk.not_checked),
            "markers": [],
        }
    return {
        "status": result.status,
        "violations": len(result.violations),
        "by_rule": result.by_rule,
        "rules_checked": result.rules_checked,
        "rules_not_checked": result.rules_not_checked,
        "markers": [asdict(violation) for violation in _first(result.violations)],
    }


def lvs_summary(result: LvsResult | None) -> dict[str, Any]:
    """An LVS result as JSON has it."""
    if result is None:
        return {"status": "not run", "why": "LVS was switched off for this build", "differences": None}
    return {
        "status": result.status,
        "differences": len(result.differences),
        "first": [asdict(difference) for difference in result.differences[:_LISTED]],
        "devices": result.counts,
        "compared": "flat" if result.flat else "hierarchical",
        "notes": result.notes,
        "seconds": round(result.seconds, 3),
    }


def _first(violations: Iterable[Violation]) -> list[Violation]:
    """The first few violations of each rule."""
    count: Counter[str] = Counter()
    found = []
    for violation in violations:
        count[violation.rule] += 1
        if count[violation.rule] <= _LISTED:
            found.append(violation)
    return found


def versions() -> dict[str, str]:
    """Versions of Python and of all that has a part in the layout."""
    libraries = {name: version(name) for name in ("klayout", "gdsfactory", "kfactory", "numpy")}
    return {
        "python": platform.python_version(),
        "picoram_layout": picoram_layout.__version__,
        **libraries,
    }
