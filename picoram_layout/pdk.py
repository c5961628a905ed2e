"""Process design kits as data: layers and design rules, read from ``pdk/<name>/``.

All lengths are micrometres, areas square micrometres. A folder holds ``pdk.yaml`` (identity, grid, or
what it is derived from), ``layers.yaml`` and ``rules.yaml``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from picoram_layout.errors import InputError

# How the value of a rule scales with the drawn dimensions: power of the linear scale.
_DIMENSION = {"area": 2, "hole": 2, "density": 0, "antenna": 0, "angle": 0, "grid": 0}
# The same for further numbers of a rule.
_EXTRA_DIMENSION = {"wide": 1, "thickness": 1, "diode_factor": -2}


@dataclass(frozen=True)
class Rule:
    """One design rule: ``id`` as in its source, what is checked (``kind``), on which layers, the value."""

    id: str
    kind: str
    layers: tuple[str, ...]
    value: float | None = None
    source: str = ""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)


class Pdk:
    """One process: layer numbers and rule values.

    Generators ask for a value by kind and layers, for instance ``pdk.space("met1")`` or
    ``pdk.enclosure("met1", "via")``; an unknown rule is a ``KeyError``, never a default.
    """

    def __init__(
        self,
        name: str,
        info: dict[str, Any],
        layers: dict[str, Any],
        rules: list[Rule],
        not_checked: list[dict[str, str]],
        folder: Path,
    ):
        self.name = name
        self.folder = folder
        self.title: str = info["title"]
        self.study: bool = info.get("study", False)
        self.note: str = info.get("note", "")
        self.grid: float = info["grid"]
        self.dbu: float = info["dbu"]
        self.info = info
        self.density: dict[str, Any] = info["density"]
        # a router's tracks by layer: pitch, and the first one's distance from the origin
        self.tracks: dict[str, tuple[float, float]] = {k: tuple(v) for k, v in info["tracks"].items()}
        self.drawn: dict[str, tuple[int, int]] = {k: tuple(v) for k, v in layers["drawn"].items()}
        self.labels: dict[str, tuple[int, int]] = {k: tuple(v) for k, v in layers["labels"].items()}
        self.pins: dict[str, tuple[int, int]] = {k: tuple(v) for k, v in layers["pins"].items()}
        self.marks: dict[str, tuple[int, int]] = {k: tuple(v) for k, v in layers["marks"].items()}
        self.stack: list[str] = layers["stack"]
        self.derived: dict[str, list[str]] = layers["derived"]
        power = folder / "power.yaml"
        # resistances and currents; a study deck has none
        self.power: dict[str, Any] = _yaml(power) if power.is_file() else {}
        self.rules = rules
        self.not_checked: list[dict[str, str]] = not_checked
        self._by_key: dict[tuple[str, tuple[str, ...]], Rule] = {(r.kind, r.layers): r for r in rules}

    def rule(self, kind: str, *layers: str) -> float:
        """Value of the rule of this kind on these layers."""
        try:
            value = self._by_key[kind, layers].value
        except KeyError:
            raise KeyError(f"{self.name} has no {kind} rule for {', '.join(layers)}") from None
        assert value is not None, f"{kind} {layers} has no value"
        return value

    def get(self, kind: str, *layers: str) -> Rule | None:
        """The rule of this kind on these layers, if there is one."""
        return self._by_key.get((kind, layers))

    def find(self, kind: str, *layers: str, default: float = 0.0) -> float:
        """Value of a rule that a process may lack."""
        rule = self._by_key.get((kind, layers))
        return default if rule is None or rule.value is None else rule.value

    def width(self, layer: str) -> float:
        """Minimum width."""
        return self.rule("width", layer)

    def space(self, *layers: str) -> float:
        """Minimum space within one layer or between two."""
        return self.rule("space", *layers)

    def enclosure(self, outer: str, inner: str) -> float:
        """Minimum enclosure of ``inner`` by ``outer`` on every side."""
        return self.find("enclosure", outer, inner)

    def enclosure_adjacent(self, outer: str, inner: str) -> float:
        """Enclosure needed on at least one of two adjacent sides (never less than the plain one)."""
        return max(self.enclosure(outer, inner), self.find("enclosure_adjacent", outer, inner))

    @property
    def channel_width(self) -> float:
        """Least width of a transistor's channel."""
        return self.rule("channel_width", "gate", "diff")

    def size(self, cut: str) -> float:
        """Exact edge length of a contact or via."""
        return self.rule("size", cut)

    def area(self, layer: str) -> float:
        """Minimum area."""
        return self.rule("area", layer)

    def up(self, value: float) -> float:
        """Next multiple of the grid at or above ``value``."""
        return round(math.ceil(value / self.grid - 1e-6) * self.grid, 6)

    def down(self, value: float) -> float:
        """Next multiple of the grid at or below ``value``."""
        return round(math.floor(value / self.grid + 1e-6) * self.grid, 6)

    def up2(self, value: float) -> float:
        """Next even multiple of the grid: a size whose half is on grid."""
        return round(math.ceil(value / self.grid / 2 - 1e-6) * self.grid * 2, 6)


def pdk_root() -> Path:
    """Folder that holds the PDKs: beside the package in a checkout, inside it once installed."""
    packaged = Path(__file__).parent / "_data" / "pdk"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "pdk"


def pdk_names() -> list[str]:
    """Names of all PDKs that can be loaded."""
    return sorted(p.parent.name for p in pdk_root().glob("*/pdk.yaml"))


@cache
def load_pdk(name: str) -> Pdk:
    """Load the PDK called ``name``; `InputError` if there is none."""
    folder = pdk_root() / name
    if not (folder / "pdk.yaml").is_file():
        raise InputError(f"pdk: '{name}' is unknown; available: {', '.join(pdk_names())}")
    info = _yaml(folder / "pdk.yaml")
    if "derive" in info:
        return _derived(name, info, folder)
    table = _yaml(folder / "rules.yaml")
    rules = [_rule({"source": table["source"], **row}) for row in table["rules"]]
    not_checked = [{"id": i, "why": row["why"]} for row in table["not_checked"] for i in row["ids"]]
    return Pdk(name, info, _yaml(folder / "layers.yaml"), rules, not_checked, folder)


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _rule(row: dict[str, Any]) -> Rule:
    known = {"id", "kind", "layers", "value", "source"}
    return Rule(
        row["id"],
        row["kind"],
        tuple(row["layers"]),
        row.get("value"),
        row.get("source", ""),
        {k: v for k, v in row.items() if k not in known},
    )


def _derived(name: str, info: dict[str, Any], folder: Path) -> Pdk:
    """Scale every rule of the parent and round it up to the grid; published floors raise it, and what a
    published rule replaces is that rule's."""
    derive = info["derive"]
    parent = load_pdk(derive["from"])
    info = {**parent.info, **info}
    grid, scale = info["grid"], derive["scale"]
    lengths = {key: round(info["density"][key] * scale, 6) for key in ("window", "step")}
    info["density"] = {**info["density"], **lengths}
    info["tracks"] = {k: [round(x * scale, 6) for x in v] for k, v in parent.tracks.items()}
    replaced = derive["replaced"]
    floors, instead = (
        {(f["kind"], tuple(f["layers"])): f["value"] for f in part}
        for part in (derive["floors"], replaced["rules"])
    )
    rules = []
    for rule in parent.rules:
        value, source, extra = rule.value, f"{parent.name} {rule.id}", dict(rule.extra)
        if value is not None:
            power = _DIMENSION.get(rule.kind, 1)
            value, source = value * scale**power, source + (f" x {scale:g}^{power}" if power else "")
            value = round(math.ceil(value / grid - 1e-6) * grid, 6) if power == 1 else round(value, 6)
            if (floor := floors.pop((rule.kind, rule.layers), 0.0)) > value:
                value, source = floor, derive["source"]
            if (rule.kind, rule.layers) in instead:
                value, source = instead.pop((rule.kind, rule.layers)), replaced["source"]
        for key, power in _EXTRA_DIMENSION.items():
            if key in extra:
                extra[key] = round(extra[key] * scale**power, 6)
        rules.append(Rule(rule.id, rule.kind, rule.layers, value, source, extra))
    if unused := sorted({*floors, *instead}):
        raise ValueError(f"pdk {name}: values without a rule in {parent.name}: {unused}")
    _check_pitches(name, derive, rules)
    layers = {
        "drawn": parent.drawn,
        "labels": parent.labels,
        "pins": parent.pins,
        "marks": parent.marks,
        "stack": parent.stack,
        "derived": parent.derived,
    }
    return Pdk(name, info, layers, rules, parent.not_checked, folder)


def _check_pitches(name: str, derive: dict[str, Any], rules: list[Rule]) -> None:
    """Published contacted pitches follow from other rules; they must not undercut them."""
    value = {(r.kind, r.layers): r.value or 0.0 for r in rules}
    contact = 2 * value["space", ("licon_diff", "gate")] + value["size", ("licon",)]
    pitches = [("gate", value["width", ("poly",)] + contact)]
    for metal in ("met1", "met2"):
        wire = value["size", ("via",)] + 2 * value["enclosure", (metal, "via")]
        pitches.append(("metal", wire + value["space", (metal,)]))
    for kind, pitch in pitches:
        least = derive[f"contacted_{kind}_pitch"]["value"]
        if pitch < least - 1e-9:
            text = f"contacted {kind} pitch {pitch:g} um is below the published {least:g} um"
            raise ValueError(f"pdk {name}: {text}")
