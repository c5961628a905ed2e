"""``picoram lvs``: comparison of any layout file with a netlist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from picoram_layout.commands.checks import check_output
from picoram_layout.console import emit_json, table
from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk
from picoram_layout.progress import progress
from picoram_layout.report.summary import lvs_summary

if TYPE_CHECKING:
    from picoram_layout.lvs.compare import LvsResult

_MOST_SHOWN = 20


def lvs(
    file: Path, netlist: Path | None, top: str | None, pdk_name: str, output: Path | None, json: bool
) -> int:
    """Compare one file with a netlist and print what differs."""
    from picoram_layout import api

    pdk = load_pdk(pdk_name)
    check_output(output)
    result = api.lvs(file, netlist, top=top, pdk=pdk.name, progress=progress(quiet=json))
    if output is not None:
        result.write_lvsdb(output)
    if json:
        names = {"file": str(file), "netlist": str(netlist or beside(file)), "top": result.top}
        emit_json({**names, "pdk": pdk.name, "study": pdk.study, **lvs_summary(result)})
    else:
        print_lvs(result, f"{file}: {result.top}")
    return 1 if result.differences else 0


def print_lvs(result: LvsResult, what: str) -> None:
    """An LVS result for people: the first differences, devices, the verdict."""
    shown = result.differences[:_MOST_SHOWN]
    if shown:
        rows = [[d.kind, d.cell, d.layout, d.reference] for d in shown]
        table(["what", "cell", "layout", "netlist"], rows)
        if len(result.differences) > len(shown):
            print(f"... and {len(result.differences) - len(shown)} more")
    devices = ", ".join(f"{count:,} {name}" for name, count in result.counts.items())
    how = "; ".join(["compared flat"] * result.flat + result.notes)
    print(f"{what}: {result.status} ({devices or 'no devices'}{'; ' + how if how else ''})")


def beside(file: Path) -> Path:
    """The netlist that a build put beside its layout."""
    found = file.with_suffix(".spice")
    if not found.is_file():
        raise InputError(f"{file}: no netlist beside it ({found.name}); name one with --netlist")
    return found
