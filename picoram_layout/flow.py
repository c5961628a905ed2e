"""The build: from a spec to the folder with layout, checks, pictures and reports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picoram_layout.background import beside
from picoram_layout.pdk import Pdk, load_pdk
from picoram_layout.publish import MANIFEST, Staging, sha256, staging
from picoram_layout.report.views import View, render_file

if TYPE_CHECKING:
    from picoram_layout.macro import Drawing
    from picoram_layout.progress import Progress
    from picoram_layout.spec import Spec


@dataclass(frozen=True)
class Result:
    """A finished build: its folder, the content of ``report.json``, 0 or (built but not clean) 1."""

    out: Path
    report: dict[str, Any]
    exit_status: int


class _Clock:
    """Times the steps that it shows."""

    def __init__(self, progress: Progress):
        self.progress = progress
        self.start = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        with self.progress.step(name):
            yield
        self.seconds[name] = round(time.perf_counter() - begin, 3)

    def total(self) -> dict[str, float]:
        return {**self.seconds, "total": round(time.perf_counter() - self.start, 3)}


def build(
    spec: Spec,
    out: Path,
    *,
    drc: bool = True,
    lvs: bool = True,
    pictures: bool = True,
    progress: Progress,
) -> Result:
    """Draw the spec, check it and write everything (or all but ``pictures``) to the folder ``out``.

    ``out`` appears, or changes, when all is complete; whatever stops the build leaves it as it was. The
    files of a former build are replaced, others stay. `InputError` if ``out`` cannot be used.
    """
    pdk = load_pdk(spec.pdk)
    suffixes = ("gds", "oas", "spice", "cdl", "lyrdb", "lvsdb")
    gds, oas, spice, cdl, lyrdb, lvsdb = files = [f"{spec.name}.{suffix}" for suffix in suffixes]
    clock = _Clock(progress)
    from picoram_layout.views.write import ENDINGS, LIBRELANE

    names = [*files, *(f"{spec.name}{ending}" for ending in ENDINGS), LIBRELANE, "report.html", MANIFEST]
    with staging(out, names) as stage, ExitStack() as jobs:
        with clock.step("drawing"):
            from picoram_layout.plan import capacitance, make_plan

            plan = make_plan(spec)
            solved = jobs.enter_context(beside(capacitance, plan))
            from picoram_layout.macro import draw

            drawing = draw(spec, pdk, solved)
        layout, top = drawing.library.layout, drawing.top.name
        with clock.step("layout files"):
            from picoram_layout.stream import write_layout

            for name in (gds, oas):
                write_layout(layout, top, stage.folder / name)
        with clock.step("netlists"):
            from picoram_layout.netlist.spice import write_cdl, write_spice

            devices, netlist = drawing.library.devices, drawing.library.netlist
            write_spice(netlist, stage.folder / spice, devices, pdk, spec.name)
            write_cdl(netlist, stage.folder / cdl, devices, spec.name)
        with clock.step("views"):
            from picoram_layout.views.agree import block_pins, differences, read_views
            from picoram_layout.views.pins import pins
            from picoram_layout.views.write import write_views

            write_views(stage.folder, drawing.top, plan)
            found = {"layout": block_pins(drawing.top), **read_views(stage.folder, spec.name)}
            disagreements = differences(pins(plan), found)
        shown: dict[str, Path] = {}
        if pictures:
            folder = stage.folder / "pictures"
            folder.mkdir()
            views = _views(drawing, folder)
            drawn = jobs.enter_context(beside(render_file, stage.folder / gds, pdk.name, views))
        checked = None
        if drc:
            from picoram_layout.drc import check_file

            paths = stage.folder / gds, top, pdk.name, stage.folder / lyrdb
            checked = jobs.enter_context(beside(check_file, *paths))
        with clock.step("density"):
            from picoram_layout.density import layer_density

            density = layer_density(layout, top, pdk)
        compared = None
        if lvs:
            with clock.step("LVS"):
                from picoram_layout.lvs.compare import compare
                from picoram_layout.lvs.extract import extract

                compared = compare(extract(layout, top, pdk), netlist, top, devices)
                compared.write_lvsdb(stage.folder / lvsdb)
        if pictures:
            with clock.step("pictures"):
                shown = _diagrams(drawing, pdk, list(density), folder, spec.name)
                drawn()
                shown |= {view.path.stem: view.path for view in views}
        result = None
        if checked:
            with clock.step("DRC"):
                result = checked()
        with clock.step("reports"):
            from picoram_layout.report.html import write_html
            from picoram_layout.report.summary import summarise

            report = summarise(spec, pdk, drawing, density, result, compared)
            report["views"] = {"compared": sorted(found), "differences": disagreements}
            report["timings_s"] = clock.total()
            report["sha256"] = _digests(stage)
            write_html(stage.folder / "report.html", report, shown, out)
            report["sha256"] = _digests(stage)
            text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
            (stage.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        stage.publish()
    dirty = report["drc"]["status"] == "violations" or report["lvs"]["status"] == "mismatch"
    dirty |= bool(report["views"]["differences"])
    return Result(out, report, 1 if dirty else 0)


def _digests(stage: Staging) -> dict[str, str]:
    return {name: sha256(stage.folder / name) for name in stage.files()}


def _views(drawing: Drawing, folder: Path) -> list[View]:
    """Pictures of places in the macro and of the gallery's cells."""
    top = drawing.top.name
    places = [View(top, folder / f"{name}.png", box) for name, box in drawing.closeups.items()]
    return places + [View(block.name, folder / f"{name}.png") for name, block in drawing.gallery.items()]


def _diagrams(drawing: Drawing, pdk: Pdk, layers: list[str], folder: Path, title: str) -> dict[str, Path]:
    """Draw floorplan and density maps; the files by name."""
    from picoram_layout.report.density_map import density_svg
    from picoram_layout.report.floorplan import floorplan_svg

    layout, top = drawing.library.layout, drawing.top
    files = {"floorplan": folder / "floorplan.svg"}
    plan = floorplan_svg(top, drawing.floorplan, pdk, f"{title}: floorplan")
    files["floorplan"].write_text(plan, encoding="utf-8")
    if layers:
        files["density"] = folder / "density.svg"
        files["density"].write_text(density_svg(layout, top.name, pdk, layers), encoding="utf-8")
    return files
