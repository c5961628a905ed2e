"""Capacitance of a drawn metal-oxide-metal (MOM) capacitor in a periodic array: a 3-D field solution.

One unit is given as boxes per net and layer, with the pitch of the array. The Laplace equation is solved in
the unit with periodic sides, above a grounded substrate, in a dielectric of one effective permittivity, by
two complementary finite-volume schemes on the same graded grid: potentials on the grid's nodes overstate
the capacitance, potentials in its cells understate it, and their mean converges faster than either.

Driving all units together hides what one live net couples to the live nets of other units. The same unit
solved with the sign of the potential alternating from unit to unit along x, y and both adds what is missing:
the mean of the four cases is exactly one live unit among grounded ones in a 2 x 2 period.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, pdk_root

Box = tuple[float, float, float, float]
Conductors = Mapping[str, Mapping[str, Sequence[Box]]]

SUBSTRATE = "substrate"
NEIGHBOURS = "live nets of other units"
_VACUUM = 8.8541878128e-3  # fF/um
_MAX_UNKNOWNS = 600_000
_RESIDUAL = 1e-4  # of the solution of the equations, as a part of their right side
_memory: dict[str, Capacitance] = {}


@dataclass(frozen=True)
class Capacitance:
    """Capacitance of the live net of one unit, in fF.

    ``value_fF`` is the sum of ``to_ground_fF`` and all of ``to_other_fF``. ``lower_fF`` and ``upper_fF`` are
    the two schemes' values, ``error_fF`` estimates the grid's error of their mean; that of the permittivity
    is not in it. ``method`` says in one sentence how the value was found.
    """

    value_fF: float
    to_ground_fF: float
    to_other_fF: dict[str, float]
    lower_fF: float
    upper_fF: float
    error_fF: float
    method: str
    unknowns: int
    seconds: float = field(compare=False)


@dataclass(frozen=True)
class Stack:
    """Vertical build of a process: bottom and top of each conductor and cut in um, relative permittivity."""

    spans: dict[str, tuple[float, float]]
    permittivity: float
    source: str


def load_stack(pdk: Pdk) -> Stack:
    """Read ``capacitance.yaml`` of the process; a derived process scales its parent's heights."""
    data, scale = _read(pdk.folder), 1.0
    if "from" in data:
        scale = data["scale"]
        data = _read(pdk_root() / data["from"])
    spans = {
        layer: (c["bottom"] * scale, (c["bottom"] + c["thickness"]) * scale)
        for layer, c in data["conductors"].items()
    }
    for cut, (below, above) in zip(pdk.stack[1::2], pairwise(pdk.stack[::2]), strict=True):
        spans[cut] = (spans[below][1], spans[above][0])
    return Stack(spans, data["permittivity"], data["permittivity_source"])


def estimate_per_um(pdk: Pdk, style: str) -> float:
    """Capacitance per length of live finger (fF/um), for a first guess; shapes scale, so it does not."""
    data = _read(pdk.folder)
    data = _read(pdk_root() / data["from"]) if "from" in data else data
    return float(data["estimate_fF_per_um"][style])


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "capacitance.yaml").read_text())
    return content


def mom_capacitance(
    pdk: Pdk,
    conductors: Conductors,
    pitch: tuple[float, float],
    *,
    live: str = "T",
    ground: str = "GND",
    refine: float = 1.0,
) -> Capacitance:
    """Capacitance of net ``live`` of one unit in an array of pitch ``pitch`` (x, y) um.

    ``conductors`` maps net -> layer -> boxes (x1, y1, x2, y2) in um; layers may be metals or cuts. Boxes of
    other nets may reach past the unit or be shared with the next one. ``refine`` divides the grid's step.
    `InputError` for unknown nets or layers, bad boxes, nets that touch, or a live net as long as the pitch.
    """
    stack = load_stack(pdk)
    solids = _solids(stack, conductors, pitch, live, ground)
    step = _step(pdk, conductors[live]) / refine
    key = hashlib.sha256(
        json.dumps(
            [sorted(solids), list(pitch), live, ground, step, stack.permittivity, stack.source]
        ).encode()
        + Path(__file__).read_bytes()
    ).hexdigest()
    if key not in _memory:
        _memory[key] = _load(key) or _store(key, _solve(stack, solids, pitch, live, ground, step))
    return _memory[key]


def in_array(pdk: Pdk, conductors: Conductors, pitch: tuple[float, float]) -> Capacitance:
    """Capacitance of ``T`` of one unit of the array, between the units beside it and over the row wires.

    Row wires are many wires side by side: a closed plane differs by 1 % and is solved at once. The same
    shapes give the same value to the last bit, however they are cut into boxes.
    """
    unit = {
        net: {layer: _unit(boxes, pitch) for layer, boxes in layers.items()}
        for net, layers in conductors.items()
    }
    unit = {net: {layer: boxes for layer, boxes in layers.items() if boxes} for net, layers in unit.items()}
    return mom_capacitance(pdk, unit | {"row wires": {"met2": [(0.0, 0.0, *pitch)]}}, pitch)


def _unit(boxes: Sequence[Box], pitch: tuple[float, float]) -> list[Box]:
    """Boxes of one layer merged, clipped to the unit and cut into trapezoids in one way."""
    import klayout.db as kdb

    fine = 1e-4
    region = kdb.Region()
    for box in boxes:
        region.insert(kdb.DBox(*box).to_itype(fine))
    here = region & kdb.Region(kdb.DBox(0, 0, *pitch).to_itype(fine))
    pieces = here.decompose_trapezoids_to_region(kdb.Polygon.TD_htrapezoids)
    found = (piece.bbox() for piece in pieces.each())
    return sorted(
        (round(b.left * fine, 4), round(b.bottom * fine, 4), round(b.right * fine, 4), round(b.top * fine, 4))
        for b in found
    )


_Point = tuple[float, float, float]


class _Solid(NamedTuple):
    """One rectangular conductor: its net and two opposite corners, um."""

    net: str
    low: _Point
    high: _Point


def _solids(
    stack: Stack, conductors: Conductors, pitch: tuple[float, float], live: str, ground: str
) -> list[_Solid]:
    """Boxes with their heights, moved so that the live net lies in the middle of the unit; checked."""
    if not all(math.isfinite(p) and p > 0 for p in pitch):
        raise InputError(f"capacitor: pitch {pitch} is not allowed; both must be above 0 um")
    solids: list[_Solid] = []
    for net, layers in conductors.items():
        for layer, boxes in layers.items():
            if layer not in stack.spans:
                raise InputError(f"capacitor: layer '{layer}' has no height; known: {', '.join(stack.spans)}")
            bottom, top = stack.spans[layer]
            for x1, y1, x2, y2 in boxes:
                if not (all(map(math.isfinite, (x1, y1, x2, y2))) and x1 < x2 and y1 < y2):
                    raise InputError(f"capacitor: box {(x1, y1, x2, y2)} of {net} on {layer} has no area")
                solids.append(_Solid(net, (x1, y1, bottom), (x2, y2, top)))
    for net in (live, ground):
        if not any(s.net == net for s in solids):
            raise InputError(f"capacitor: net '{net}' has no box; nets: {', '.join(conductors) or 'none'}")
    shift = []
    for axis, name in ((0, "x"), (1, "y")):
        low = min(s.low[axis] for s in solids if s.net == live)
        high = max(s.high[axis] for s in solids if s.net == live)
        if high - low > pitch[axis] - 1e-6:
            raise InputError(
                f"capacitor: net '{live}' is {high - low:g} um long in {name}; allowed: below the pitch "
                f"{pitch[axis]:g} um"
            )
        shift.append((pitch[axis] - low - high) / 2)
    _check_apart(solids, pitch)
    dx, dy = shift

    def moved(point: _Point) -> _Point:
        return round(point[0] + dx, 6), round(point[1] + dy, 6), round(point[2], 6)

    return [_Solid(s.net, moved(s.low), moved(s.high)) for s in solids]


def _check_apart(solids: list[_Solid], pitch: tuple[float, float]) -> None:
    """Boxes of different nets must not touch, in the unit or across its sides."""
    import numpy as np

    low = np.array([s.low for s in solids])
    high = np.array([s.high for s in solids])
    nets = np.array([s.net for s in solids])
    touch = nets[:, None] != nets[None, :]
    for axis in range(3):
        reach = high[:, None, axis] - low[None, :, axis] + 1e-6
        lag = low[:, None, axis] - high[None, :, axis] - 1e-6
        if axis == 2:
            touch &= (reach >= 0) & (lag <= 0)
        else:  # some whole number of pitches brings the second box onto the first
            touch &= np.floor(reach / pitch[axis]) >= np.ceil(lag / pitch[axis])
    if touch.any():
        i, j = (int(v) for v in np.argwhere(touch)[0])
        first, second = solids[i], solids[j]
        box = (*first.low[:2], *first.high[:2])
        raise InputError(
            f"capacitor: nets '{first.net}' and '{second.net}' touch at box {box} of {first.net}"
        )


def _step(pdk: Pdk, layers: Mapping[str, Sequence[Box]]) -> float:
    """Grid step at conductor edges: a quarter of the least width or space of the live net's metals."""
    metals = [layer for layer, boxes in layers.items() if boxes and layer in pdk.stack[::2]]
    if not metals:
        raise InputError(f"capacitor: the live net has no box on a metal; known: {', '.join(pdk.stack[::2])}")
    return min(min(pdk.width(m), pdk.space(m)) for m in metals) / 4


def _solve(
    stack: Stack, solids: list[_Solid], pitch: tuple[float, float], live: str, ground: str, step: float
) -> Capacitance:
    import numpy as np

    start = time.perf_counter()
    nets = [live, ground, *sorted({s.net for s in solids} - {live, ground}), SUBSTRATE]
    solids = [*solids, _Solid(SUBSTRATE, (0.0, 0.0, -0.1 * pitch[0]), (*pitch, 0.0))]
    # no step is coarser than the edges themselves: a crowded unit keeps their number of unknowns
    while 8 * math.prod(map(len, coarse_axes := _axes(solids, pitch, 2 * step))) > _MAX_UNKNOWNS:
        if step > max(pitch):
            break
        step *= 2
    axes = [np.sort(np.concatenate([a, (a[1:] + a[:-1]) / 2])) for a in coarse_axes]
    scale = _VACUUM * stack.permittivity
    upper, count = _charges(axes, solids, nets, pitch, nodal=True)
    lower, _ = _charges(axes, solids, nets, pitch, nodal=False)
    coarse, hidden = np.zeros(len(nets)), 0.0
    for nodal in (True, False):
        together, _ = _charges(coarse_axes, solids, nets, pitch, nodal)
        coarse += together / 2
        for signs in ((-1, 1), (1, -1), (-1, -1)):
            alternating, _ = _charges(coarse_axes, solids, nets, pitch, nodal, signs)
            hidden += float(alternating[0] - together[0]) / 8
    hidden = max(hidden, 0.0) * scale
    parts = {n: -float(q) * scale for n, q in zip(nets[1:], (upper[1:] + lower[1:]) / 2, strict=True)}
    value = sum(parts.values()) + hidden
    low, high = (float(q) * scale + hidden for q in (lower[0], upper[0]))
    error = abs(float(upper[0] + lower[0]) / 2 - float(coarse[0])) * scale
    method = (
        f"3-D finite-volume field solution of one unit with periodic sides, effective permittivity "
        f"{stack.permittivity:g} ({stack.source}), {count} unknowns, step {step:g} um: mean of an upper and "
        f"a lower scheme ({high:.3f} and {low:.3f} fF), grid error about {error / value:.1%}"
    )
    return Capacitance(
        value_fF=value,
        to_ground_fF=parts.pop(ground),
        to_other_fF={**parts, NEIGHBOURS: hidden},
        lower_fF=low,
        upper_fF=high,
        error_fF=error,
        method=method,
        unknowns=count,
        seconds=round(time.perf_counter() - start, 3),
    )


def _axes(solids: list[_Solid], pitch: tuple[float, float], step: float) -> list[Any]:
    """Grid lines in x, y, z: all edges, with steps that double away from them; z ends half a pitch above."""
    axes = []
    for axis in range(3):
        edges = {corner[axis] for s in solids for corner in (s.low, s.high)}
        if axis < 2:
            edges = {0.0, pitch[axis]} | {round(v % pitch[axis], 6) for v in edges}
        else:
            edges.add(max(edges) + max(pitch) / 2)
        axes.append(_graded(sorted(edges), step))
    return axes


def _graded(edges: list[float], step: float) -> Any:
    """Points between the edges: at least one between any two, denser near them."""
    import numpy as np

    lines = [np.array(edges[:1])]
    for low, high in pairwise(edges):
        count = max(1, math.ceil(math.log2((high - low) / 2 / step + 1) - 1e-9))
        half = 2.0 ** np.arange(count)
        steps = np.concatenate([half, half[::-1]]) * ((high - low) / 2 / half.sum())
        lines += [low + np.cumsum(steps)[:-1], np.array([high])]
    return np.concatenate(lines)


def _charges(
    axes: list[Any],
    solids: list[_Solid],
    nets: list[str],
    pitch: tuple[float, float],
    nodal: bool,
    signs: tuple[int, int] = (1, 1),
) -> tuple[Any, int]:
    """Charge of each net per unit (over the permittivity, um) and the number of unknowns.

    The first net is at 1 V, the others are at 0 V; ``signs`` -1 reverses all potentials from one unit to
    the next along that direction.
    """
    import numpy as np
    from scipy.sparse import coo_array, diags_array

    points = [a[:-1] if nodal and k < 2 else a if nodal else (a[1:] + a[:-1]) / 2 for k, a in enumerate(axes)]
    net = _nets(points, solids, nets, pitch)
    free = net < 0
    number = np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)
    first, second, conductance, sign = (
        np.concatenate(part) for part in zip(*_links(axes, free, nodal, signs), strict=True)
    )
    net, free, number = net.ravel(), free.ravel(), number.ravel()
    potential = np.where(net == 0, 1.0, 0.0)
    size = int(free.sum())
    diagonal, drive = np.zeros(size), np.zeros(size)
    for here, there in ((first, second), (second, first)):
        at = free[here]
        diagonal += np.bincount(number[here[at]], conductance[at], size)
        drive += np.bincount(number[here[at]], (conductance * sign * potential[there])[at], size)
    inner = free[first] & free[second]
    row, column = number[first[inner]], number[second[inner]]
    half = coo_array((-(conductance * sign)[inner], (row, column)), shape=(size, size)).tocsr()
    matrix = half + half.T + diags_array(diagonal)
    potential[free] = _conjugate_gradients(matrix, drive, diagonal)
    charge = np.zeros(1 + len(nets))
    for here, there in ((first, second), (second, first)):
        flux = conductance * (potential[here] - sign * potential[there])
        charge += np.bincount(net[here] + 1, flux, len(charge))
    return charge[1:], size


def _conjugate_gradients(matrix: Any, right: Any, diagonal: Any) -> Any:
    """Solution of ``matrix @ x = right`` with the diagonal as preconditioner.

    `scipy.sparse.linalg.cg` takes its inner products from a threaded library, which waits many times longer
    than it works once other processes use the cores; `numpy.einsum` does not thread.
    """
    import numpy as np

    x, residual = np.zeros_like(right), right.copy()
    direction, energy = np.zeros_like(right), 1.0
    goal = _RESIDUAL**2 * np.einsum("i,i", right, right)
    for _ in range(len(right)):
        if np.einsum("i,i", residual, residual) <= goal:
            return x
        scaled = residual / diagonal
        before, energy = energy, np.einsum("i,i", residual, scaled)
        direction = scaled + energy / before * direction
        image = matrix @ direction
        advance = energy / np.einsum("i,i", direction, image)
        x += advance * direction
        residual -= advance * image
    raise RuntimeError("the field solution did not converge")


def _nets(points: list[Any], solids: list[_Solid], nets: list[str], pitch: tuple[float, float]) -> Any:
    """Net number at every grid point, -1 in the dielectric; solids repeat with the pitch."""
    import numpy as np

    net = np.full([len(p) for p in points], -1, dtype=np.int32)
    for solid in solids:
        inside = []
        for axis, p in enumerate(points):
            low, high = solid.low[axis], solid.high[axis]
            offset = (p - low + 1e-5) % pitch[axis] if axis < 2 else p - low + 1e-5
            inside.append((offset >= 0) & (offset <= high - low + 2e-5))
        net[np.ix_(*inside)] = nets.index(solid.net)
    return net


def _links(axes: list[Any], free: Any, nodal: bool, signs: tuple[int, int]) -> list[tuple[Any, ...]]:
    """Per direction: the two points, conductance (um) and sign of every link that touches the dielectric.

    Between nodes, a link runs along the grid's line and its section is the dual cell's; between cells it runs
    from centre to centre, and from a centre to the face where the next cell is a conductor.
    """
    import numpy as np

    steps = [np.diff(a) for a in axes]
    if nodal:
        sections = [(s + np.roll(s, 1)) / 2 for s in steps[:2]]
        sections.append((np.append(steps[2], 0.0) + np.append(0.0, steps[2])) / 2)
    else:
        sections = steps
    index = np.arange(free.size).reshape(free.shape)
    links = []
    for axis in range(3):
        here = np.arange(free.shape[axis] - (axis == 2))
        there = (here + 1) % free.shape[axis]
        along = [-1 if k == axis else 1 for k in range(3)]
        free_here, free_there = free.take(here, axis), free.take(there, axis)
        if nodal:
            length = np.broadcast_to(steps[axis][here].reshape(along), free_here.shape)
        else:
            halves = steps[axis] / 2
            length = halves[here].reshape(along) * free_here + halves[there].reshape(along) * free_there
        area = np.ones((1, 1, 1))
        for k in range(3):
            if k != axis:
                area = area * sections[k].reshape([-1 if q == k else 1 for q in range(3)])
        sign = np.ones(len(here))
        if axis < 2:
            sign[-1] = signs[axis]
        used = free_here | free_there
        links.append(
            (
                index.take(here, axis)[used],
                index.take(there, axis)[used],
                np.broadcast_to(area, used.shape)[used] / length[used],
                np.broadcast_to(sign.reshape(along), used.shape)[used],
            )
        )
    return links


def cache_folder() -> Path:
    """Folder of solved units, one small file each; it may be deleted at any time."""
    from platformdirs import user_cache_path

    return user_cache_path("picoram") / "capacitance"


def _load(key: str) -> Capacitance | None:
    try:
        return Capacitance(**json.loads((cache_folder() / f"{key}.json").read_text()))
    except (OSError, ValueError, TypeError):  # absent, unreadable or damaged: solve again
        return None


def _store(key: str, result: Capacitance) -> Capacitance:
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", delete=False) as part:
            json.dump(asdict(result), part)
        os.replace(part.name, folder / f"{key}.json")
    except OSError:  # no room or no right to write: the value is as good without a cache
        pass
    return result
