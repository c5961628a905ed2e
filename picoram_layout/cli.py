"""The ``picoram`` command: options, and the one place where errors become a message and an exit status.

Exit status: 0 clean, 1 built or checked but not clean, 2 bad usage or input, 3 environment. Commands import
their work when they run, so that help and validation start at once.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from picoram_layout import __version__
from picoram_layout.errors import InputError, PicoramError

app = typer.Typer(
    name="picoram",
    help="Lay out an analog compute-in-memory SRAM macro from a YAML spec, with netlists and views; check "
    "its design rules, compare it with its netlist, simulate it, report on it.",
    epilog="""Example: picoram build picoram_tiny

    \b
    Exit status:
      0  clean
      1  built or checked, but not clean, or a limit is missed
      2  bad usage or input
      3  something is missing on this machine
    """,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
PdkName = Annotated[str, typer.Option("--pdk", metavar="NAME", help="Process design kit.")]
Top = Annotated[
    str | None, typer.Option("--top", metavar="CELL", help="Cell to check; default: the only top cell.")
]
# Arguments are described in each command's text: some releases of the parser drop their help.
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", show_default=False)]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"picoram {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: picoram build specs/picoram_40kb.yaml -o out/picoram_40kb")
def build(
    spec: SpecFile,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for the results; default: out/<name>."),
    ] = None,
    drc: Annotated[bool, typer.Option("--drc/--no-drc", help="Check the design rules.")] = True,
    lvs: Annotated[bool, typer.Option("--lvs/--no-lvs", help="Compare layout and netlist.")] = True,
    json: Json = False,
) -> int:
    """Build the macro of a spec: layout, netlists, views, checks, reports, pictures.

    SPEC is a YAML file, or the name of a shipped spec.
    """
    from picoram_layout.commands.build import run

    return run(spec, output, drc, lvs, json)


@app.command(epilog="Example: picoram validate specs/picoram_40kb.yaml")
def validate(spec: SpecFile, json: Json = False) -> int:
    """Check a spec without drawing anything.

    All problems are listed at once, each with its line and the nearest legal value.

    SPEC is a YAML file, or the name of a shipped spec.
    """
    from picoram_layout.commands.spec import validate

    return validate(spec, json)


@app.command(epilog="Example: picoram schema > picoram.schema.json")
def schema() -> int:
    """Print the JSON Schema of a spec, for editors and other tools."""
    from picoram_layout.commands.spec import schema

    return schema()


@app.command(epilog="Example: picoram drc chip.gds --top sram --pdk sky130 -o chip.lyrdb")
def drc(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    top: Top = None,
    pdk: PdkName = "sky130",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.lyrdb", help="Write the markers for KLayout."),
    ] = None,
    json: Json = False,
) -> int:
    """Check the design rules of a layout.

    FILE is any GDS or OASIS file.
    """
    from picoram_layout.commands.checks import drc

    return drc(file, top, pdk, output, json)


@app.command(epilog="Example: picoram lvs chip.gds --netlist chip.spice --pdk sky130 -o chip.lvsdb")
def lvs(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    netlist: Annotated[
        Path | None,
        typer.Option(
            "--netlist", metavar="FILE.spice", help="SPICE or CDL; default: the one beside the layout."
        ),
    ] = None,
    top: Top = None,
    pdk: PdkName = "sky130",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.lvsdb", help="Write the comparison for KLayout."),
    ] = None,
    json: Json = False,
) -> int:
    """Compare a layout with a netlist: transistors, capacitors, taps and nets.

    FILE is a GDS or OASIS file; its top cell is compared with the circuit of the same name.
    """
    from picoram_layout.commands.lvs import lvs

    return lvs(file, netlist, top, pdk, output, json)


@app.command(epilog="Example: picoram density out/picoram_40kb/picoram_40kb.gds")
def density(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    top: Top = None,
    pdk: PdkName = "sky130",
    json: Json = False,
) -> int:
    """Measure the density of layers: overall and worst window.

    FILE is any GDS or OASIS file.
    """
    from picoram_layout.commands.checks import density

    return density(files, top, pdk, json)


@app.command(epilog="Example: picoram view picoram_40kb")
def view(
    target: Annotated[
        str,
        typer.Argument(metavar="NAME_OR_FILE", show_default=False),
    ],
) -> int:
    """Open a layout in KLayout with its layer colours, DRC and LVS reports.

    NAME_OR_FILE is the name of a built macro, or any GDS or OASIS file.
    """
    from picoram_layout.view import view

    return view(target)


@app.command(epilog="Example: picoram rules --pdk scaled65")
def rules(pdk: PdkName = "sky130", json: Json = False) -> int:
    """List the design rules that are checked, and those that are not."""
    from picoram_layout.commands.rules import rules

    return rules(pdk, json)


@app.command(epilog="Example: picoram cells")
def cells(json: Json = False) -> int:
    """List the cells that can be drawn alone, with their parameters."""
    from picoram_layout.commands.cells import cells

    return cells(json)


@app.command(epilog="Example: picoram cell bitcell --pdk sky130 -o out/bitcell")
def cell(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a parameter; may be repeated."),
    ] = None,
    pdk: PdkName = "sky130",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for the results; default: out/<cell>."),
    ] = None,
    json: Json = False,
) -> int:
    """Draw one cell: GDS, netlists, picture, design rule check and comparison with its netlist.

    NAME is one of those that "picoram cells" lists.
    """
    from picoram_layout.commands.cells import cell

    return cell(name, settings or [], pdk, output, json)


@app.command(epilog="Example: picoram simulate picoram_40kb --what mac --corner ss --temp -40")
def simulate(
    spec: SpecFile,
    what: Annotated[
        str,
        typer.Option(
            "--what",
            metavar="PART",
            help="bitcell, dac, mac, drivers, sram, adc, energy or all.",
            show_default=True,
        ),
    ] = "all",
    corner: Annotated[
        str | None,
        typer.Option("--corner", metavar="NAME", help="tt, ss, ff, sf or fs; default: as needed."),
    ] = None,
    temp: Annotated[float | None, typer.Option("--temp", metavar="T", help="Temperature in C.")] = None,
    vdd: Annotated[float | None, typer.Option("--vdd", metavar="V", help="Supply in V.")] = None,
    monte_carlo: Annotated[
        int, typer.Option("--monte-carlo", metavar="N", help="Samples with mismatch; 0: none.")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Result folder of the build; default: out/<name>."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Runs side by side; default: one per core.")
    ] = None,
    json: Json = False,
) -> int:
    """Simulate array and periphery in ngspice, from netlists of the layout with its wires.

    Needs ngspice and the extra "sim". Finished runs are kept in <DIR>/simulation and not run again.

    SPEC is a YAML file, or the name of a shipped spec.
    """
    from picoram_layout.commands.simulate import run

    return run(spec, what, corner, temp, vdd, monte_carlo, output, workers, json)


@app.command(
    epilog="Example: picoram sweep picoram_tiny --set array.inputs=16,32,64 --set pdk=sky130,scaled65"
)
def sweep(
    spec: SpecFile,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=A,B,..", help="Values of a key; of several keys all combinations."
        ),
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks/--no-checks", help="Check design rules and netlist of every point.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder for the results; default: out/<name>_sweep."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Points side by side; default: one per core.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Build on the workers of this Dask scheduler."),
    ] = None,
    json: Json = False,
) -> int:
    """Build variants of a spec and compare density, areas, capacitor, times.

    Writes sweep.csv, report.json, sweep.svg and the spec of each variant. Values that no macro can have are
    listed with the reason. Keys are those of a spec, with their section: array.inputs, capacitor.style, pdk.

    SPEC is a YAML file, or the name of a shipped spec.
    """
    from picoram_layout.commands.sweep import run

    return run(spec, settings or [], checks, output, workers, dask, json)


@app.command(epilog="Example: picoram doctor")
def doctor(json: Json = False) -> int:
    """Look for what the program needs on this machine."""
    from picoram_layout.doctor import report

    return report(json)


klayout = typer.Typer(
    help="Bring the technologies and a menu into the KLayout application.",
    epilog="Example: picoram klayout install",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(klayout, name="klayout")


@klayout.command(epilog="Example: picoram klayout install --home ~/.klayout")
def install(
    home: Annotated[
        Path | None,
        typer.Option(
            "--home", metavar="DIR", help="KLayout's user folder; default: KLAYOUT_HOME, or ~/.klayout."
        ),
    ] = None,
) -> int:
    """Put the package into KLayout's user folder.

    KLayout then knows the technologies of all PDKs, and has a menu that builds a spec and opens results with
    their DRC and LVS reports.
    """
    from picoram_layout.commands.klayout import install

    return install(home)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; every error meant for the user is one line each."""
    if arguments is None:  # a process of its own: ended from outside, it tidies up as after Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status: Any = app(args=arguments, prog_name="picoram", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except PicoramError as error:
        return _fail(str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing of it may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # of a file, or of a full disk: what cannot be written is told as elsewhere
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", InputError.exit_status)
    except Exception as error:
        usage = getattr(error, "format_message", None)  # the usage errors of typer's parser
        if usage is None:
            raise
        return _misused(usage())


def _misused(message: str) -> int:
    if message.startswith("Usage:"):  # a call without a command: the message is the help
        print(message, file=sys.stderr)
        return 2
    # Typer and its parser may each append the same suggestion.
    return _fail(re.sub(r"( Did you mean .+?)\1+$", r"\1", message), 2)


def _fail(message: str, status: int) -> int:
    for line in message.splitlines():
        print(f"picoram: error: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
