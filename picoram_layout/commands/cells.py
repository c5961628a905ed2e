"""``picoram cells`` and ``picoram cell``: single cells of the catalogue."""

from __future__ import annotations

import difflib
import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from picoram_layout import __version__
from picoram_layout.cells import CATALOGUE
from picoram_layout.console import emit_json, table
from picoram_layout.errors import InputError
from picoram_layout.pdk import Pdk, load_pdk
from picoram_layout.publish import MANIFEST, sha256, staging

if TYPE_CHECKING:
    from picoram_layout.cells import CellEntry, Parameter
    from picoram_layout.drc import DrcResult
    from picoram_layout.layout import Block, Library

# Kind of the rules that average over windows far larger than a cell.
_WHOLE = "density"
# Kinds of rules that ask for taps, which some cells leave to their neighbours in the array.
_TAPS = ("tapped", "latchup")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def cells(json: bool) -> int:
    """List the catalogue."""
    if json:
        emit_json(
            {
                name: {
                    "summary": entry.summary,
                    "parameters": {
                        key: {"default": p.default, "unit": p.unit, "help": p.help, "choices": p.choices}
                        for key, p in entry.parameters.items()
                    },
                }
                for name, entry in CATALOGUE.items()
            }
        )
        return 0
    for name, entry in CATALOGUE.items():
        print(f"{name}: {entry.summary}")
        for key, p in entry.parameters.items():
            choices = f" ({', '.join(map(str, p.choices))})" if p.choices else ""
            unit = f" {p.unit}" if p.unit else ""
            print(f"    {key}={_written(p.default)}{unit}: {p.help}{choices}")
    return 0


def cell(name: str, settings: list[str], pdk_name: str, output: Path | None, json: bool) -> int:
    """Draw one cell with its GDS, netlists, picture, DRC and LVS reports into a folder."""
    entry = entry_of(name)
    params = _params(name, entry, settings)
    pdk = load_pdk(pdk_name)
    out = Path("out") / name if output is None else output
    files = [f"{name}.{suffix}" for suffix in ("gds", "spice", "cdl", "png", "lyrdb", "lvsdb")]
    with staging(out, [*files, MANIFEST]) as stage:
        from picoram_layout.commands.checks import drc_summary, print_drc
        from picoram_layout.commands.lvs import print_lvs
        from picoram_layout.layout import Library
        from picoram_layout.lvs.compare import compare
        from picoram_layout.lvs.extract import extract
        from picoram_layout.netlist.spice import write_cdl, write_spice
        from picoram_layout.report.pictures import render
        from picoram_layout.report.summary import lvs_summary
        from picoram_layout.stream import write_layout

        library = Library(pdk)
        block = drawn(name, entry, library, params)
        entry.complete(library, **params)
        gds, spice, cdl, png, lyrdb, lvsdb = (stage.folder / file for file in files)
        write_layout(library.layout, block.name, gds)
        write_spice(library.netlist, spice, library.devices, pdk, block.name)
        write_cdl(library.netlist, cdl, library.devices, block.name)
        render(library.layout, block.name, pdk, png)
        result = check_cell(entry, library, block)
        result.write_lyrdb(lyrdb)
        extraction = extract(library.layout, block.name, pdk)
        compared = compare(extraction, library.netlist, block.name, library.devices)
        compared.write_lvsdb(lvsdb)
        report = {
            "cell": name,
            "top": block.name,
            "pdk": pdk.name,
            "study": pdk.study,
            "params": params,
            "width_um": block.width,
            "height_um": block.height,
            "drc": drc_summary(result),
            "lvs": lvs_summary(compared),
            "versions": {"picoram_layout": __version__},
            "sha256": {file: sha256(stage.folder / file) for file in files},
        }
        (stage.folder / MANIFEST).write_text(jsonlib.dumps(report, indent=2, default=str) + "\n")
        stage.publish()
    if json:
        emit_json(report)
    else:
        _print_cell(name, block, out, pdk)
        print_drc(result, block.name, pdk)
        print_lvs(compared, block.name)
    return 1 if result.violations or compared.differences else 0


def check_cell(entry: CellEntry, library: Library, block: Block) -> DrcResult:
    """DRC of a cell on its own; what it cannot be asked alone is among the rules not checked."""
    from picoram_layout.drc import run_drc

    pdk = library.pdk
    skipped = {
        rule.id: "a rule of whole layouts, not of a single cell" for rule in pdk.rules if rule.kind == _WHOLE
    }
    if entry.needs_array:
        why = "the taps of this cell are in its neighbours; checked in an array"
        skipped |= {rule.id: why for rule in pdk.rules if rule.kind in _TAPS}
    asked = [rule.id for rule in pdk.rules if rule.id not in skipped]
    result = run_drc(library.layout, block.name, pdk, only=asked)
    result.rules_not_checked += pdk.not_checked
    result.rules_not_checked += [{"id": name, "why": why} for name, why in skipped.items()]
    return result


def _print_cell(name: str, block: Block, out: Path, pdk: Pdk) -> None:
    area = block.width * block.height
    rows = [[f"{block.width:.3f} x {block.height:.3f}", f"{area:.3f}", pdk.name, str(out / f"{name}.gds")]]
    table(["um", "um2", "pdk", "file"], rows)


def entry_of(name: str) -> CellEntry:
    """The cell of the catalogue; `InputError` without one."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    raise InputError(f"cell: {name}: no such cell; {_hint(name, list(CATALOGUE))}")


def _params(name: str, entry: CellEntry, settings: list[str]) -> dict[str, Any]:
    """The values of ``key=value`` settings, of the type of each parameter's default."""
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"--set: {setting}: must be key=value")
        if key not in entry.parameters:
            raise InputError(
                f"--set: {key}: {name} has no such parameter; {_hint(key, list(entry.parameters))}"
            )
        values[key] = _value(key, text, entry.parameters[key])
    return values


def _value(key: str, text: str, parameter: Parameter) -> Any:
    if parameter.choices:
        for choice in parameter.choices:
            if text == str(choice):
                return choice
        raise InputError(f"--set: {key}: {text}: must be one of {', '.join(map(str, parameter.choices))}")
    match parameter.default:
        case bool():
            if text.lower() in _TRUTH:
                return _TRUTH[text.lower()]
            raise InputError(f"--set: {key}: {text}: must be true or false")
        case str():
            return text
        case int():
            number: type[int] | type[float] = int
            what = "a whole number"
        case _:
            number = float
            what = f"a number in {parameter.unit}" if parameter.unit else "a number"
    try:
        return number(text)
    except ValueError:
        raise InputError(f"--set: {key}: {text}: must be {what}") from None


def drawn(name: str, entry: CellEntry, library: Library, params: dict[str, Any]) -> Block:
    """The cell with these parameters; `InputError` where it cannot be drawn."""
    from picoram_layout.logic.wiring import Unroutable

    try:
        return entry.draw(library, **params)
    except (ValueError, Unroutable) as error:  # generators refuse what they cannot draw where they meet it
        given = ", ".join(f"{key}={value}" for key, value in params.items())
        raise InputError(f"cell: {name}: cannot be drawn with {given or 'these values'}: {error}") from None


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known) or 'none'}"


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
