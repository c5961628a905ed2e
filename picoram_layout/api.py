"""The program's parts for use from Python: what the commands do, without printing.

Nothing heavy is imported before it is used. Everything that a user can get wrong raises `InputError`, with
one line for each problem. Lengths are micrometres, areas square micrometres.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picoram_layout.errors import EnvironmentProblem, InputError, PicoramError
from picoram_layout.progress import Progress, Quiet
from picoram_layout.publish import MANIFEST

if TYPE_CHECKING:
    from picoram_layout.cells import CellEntry
    from picoram_layout.drc import DrcResult
    from picoram_layout.flow import Result
    from picoram_layout.layout import Block, Library
    from picoram_layout.lvs.compare import LvsResult
    from picoram_layout.plan import Plan
    from picoram_layout.spec import Spec

__all__ = [
    "Cell",
    "EnvironmentProblem",
    "InputError",
    "PicoramError",
    "build",
    "draw_cell",
    "drc",
    "load_spec",
    "lvs",
    "make_spec",
    "plan",
    "read_report",
    "sweep",
]


def load_spec(spec: str | Path) -> Spec:
    """The spec in a YAML file, or the shipped spec of that name; the error lists all problems of a file.

    >>> load_spec("picoram_tiny").array.bits
    768
    """
    from picoram_layout.spec import load_spec as load
    from picoram_layout.spec.shipped import find_spec

    return load(find_spec(Path(spec)))


def make_spec(data: Mapping[str, Any]) -> Spec:
    """The spec that a mapping describes, checked as a file is.

    >>> array = {"inputs": 20, "outputs": 4, "weight_bits": 4, "input_bits": 4, "cells_per_cluster": 3}
    >>> make_spec({"name": "mine", "pdk": "sky130", "array": array})
    Traceback (most recent call last):
        ...
    picoram_layout.spec.problem.SpecError: array.inputs: 20: must be a multiple of 8 (2^(weight_bits - 1)) \
from 16 to 4096; nearest legal value: 16
    """
    from picoram_layout.spec import SpecError
    from picoram_layout.spec.load import check_all

    spec, problems = check_all(dict(data))
    if spec is None or problems:
        raise SpecError("", problems)
    return spec


def plan(spec: Spec) -> Plan:
    """Counts, sizes and places of the spec's array: everything but its geometry, at once.

    >>> plan(load_spec("picoram_tiny")).width
    73.71
    """
    from picoram_layout.plan import make_plan

    return make_plan(spec)


def build(
    spec: Spec,
    out: str | Path,
    *,
    drc: bool = True,
    lvs: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Draw the spec, check it, write everything to the folder ``out``: `picoram build`.

    ``progress`` is shown the steps, for instance ``picoram_layout.progress.progress()``.
    """
    from picoram_layout import flow

    return flow.build(spec, Path(out), drc=drc, lvs=lvs, progress=progress or Quiet())


def read_report(folder: str | Path) -> dict[str, Any]:
    """The ``report.json`` of a build, a cell or a sweep."""
    path = Path(folder) / MANIFEST
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        report["versions"]["picoram_layout"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is not a report of picoram") from None
    found: dict[str, Any] = report
    return found


@dataclass(frozen=True)
class Cell:
    """A drawn cell of the catalogue: ``library`` has layout and netlist, ``block`` sizes, ports, circuit."""

    name: str
    entry: CellEntry
    library: Library
    block: Block

    def write(self, path: str | Path) -> None:
        """Write a layout file, GDS or OASIS by its ending."""
        from picoram_layout.stream import write_layout

        write_layout(self.library.layout, self.block.name, Path(path))

    def picture(self, path: str | Path) -> None:
        """Write a picture (PNG)."""
        from picoram_layout.report.pictures import render

        render(self.library.layout, self.block.name, self.library.pdk, Path(path))

    def drc(self) -> DrcResult:
        """Check the rules, but those that a cell cannot be asked alone."""
        from picoram_layout.commands.cells import check_cell

        return check_cell(self.entry, self.library, self.block)

    def lvs(self) -> LvsResult:
        """Compare the drawing with the circuit that its generator wrote down."""
        from picoram_layout.lvs.compare import compare
        from picoram_layout.lvs.extract import extract

        library, top = self.library, self.block.name
        return compare(extract(library.layout, top, library.pdk), library.netlist, top, library.devices)


def draw_cell(name: str, pdk: str = "sky130", **params: Any) -> Cell:
    """Draw a cell that `picoram cells` lists, with some of its parameters.

    >>> cell = draw_cell("inverter", n_w=0.84)
    >>> cell.drc().status, cell.lvs().status
    ('clean', 'match')
    """
    from picoram_layout.commands.cells import drawn, entry_of
    from picoram_layout.layout import Library
    from picoram_layout.pdk import load_pdk

    entry = entry_of(name)
    unknown = sorted(params.keys() - entry.parameters.keys())
    if unknown:
        raise InputError(f"cell: {name} has no parameter {', '.join(unknown)}")
    library = Library(load_pdk(pdk))
    block = drawn(name, entry, library, params)
    entry.complete(library, **params)
    return Cell(name, entry, library, block)


def drc(file: str | Path, *, top: str | None = None, pdk: str = "sky130") -> DrcResult:
    """Check the design rules of a GDS or OASIS file; ``top`` is needed where it has several top cells."""
    from picoram_layout.commands.checks import opened
    from picoram_layout.drc import run_drc
    from picoram_layout.pdk import load_pdk

    process = load_pdk(pdk)
    layout, cell = opened(Path(file), top, process)
    return run_drc(layout, cell, process)


def lvs(
    file: str | Path,
    netlist: str | Path | None = None,
    *,
    top: str | None = None,
    pdk: str = "sky130",
    progress: Progress | None = None,
) -> LvsResult:
    """Compare a GDS or OASIS file with a SPICE or CDL netlist; default: the ``.spice`` beside it."""
    from picoram_layout.commands.checks import opened
    from picoram_layout.commands.lvs import beside
    from picoram_layout.lvs.compare import compare
    from picoram_layout.lvs.extract import extract
    from picoram_layout.netlist.devices import load_devices
    from picoram_layout.netlist.spice import read_spice
    from picoram_layout.pdk import load_pdk

    process, steps = load_pdk(pdk), progress or Quiet()
    devices = load_devices(process)
    layout, cell = opened(Path(file), top, process)
    source = beside(Path(file)) if netlist is None else Path(netlist)
    reference = read_spice(source, devices)
    if reference.circuit_by_name(cell) is None:
        names = ", ".join(sorted(c.name for c in reference.each_circuit() if not any(c.each_ref())))
        raise InputError(f"{source}: has no circuit '{cell}' to compare with; its top circuits: {names}")
    with steps.step("extraction"):
        extraction = extract(layout, cell, process)
    with steps.step("comparison"):
        return compare(extraction, reference, cell, devices)


def sweep(
    spec: Spec,
    settings: Mapping[str, Sequence[Any]],
    *,
    checks: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    told: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Build all combinations of values of dotted keys; a row of figures each, as in ``report.json``.

    A row's ``status`` is ``built``, ``illegal`` or ``failed``; the last two have a ``reason`` and no figures.
    ``told(done, total)`` is called after each. With ``dask``, the address of a scheduler, its workers build.
    """
    from picoram_layout.sweep import make_points, run_points
    from picoram_layout.sweep.results import row

    points = make_points(spec, settings)
    outcomes = run_points(
        points, checks=checks, workers=workers, dask=dask, told=told or (lambda done, total: None)
    )
    return [row(outcome) for outcome in outcomes]
