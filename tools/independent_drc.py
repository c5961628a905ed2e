"""A second opinion: run a public KLayout rule deck on a layout and count what it finds, by rule.

Run ``python tools/independent_drc.py DECK GDS --top CELL``. DECK is a mask-rule deck of the process as others
published it, for SKY130 ``checks/tech-files/sky130A_mr.drc`` of efabless/mpw_precheck; it is not part of this
project. The deck runs in the installed ``klayout`` program with every group of rules on but the seal ring's.
Status: 0 clean, 1 violations, 2 the deck did not run to its end.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import klayout.db as kdb
import klayout.rdb as rdb

GROUPS = {"feol": "true", "beol": "true", "offgrid": "true", "floating_met": "true", "seal": "false"}


def run(deck: Path, gds: Path, top: str, limit: float) -> rdb.ReportDatabase:
    """The deck's report on a cell; exits with status 2 if there is none (``limit`` in seconds)."""
    program = shutil.which("klayout")
    if program is None:
        sys.exit(_failed("klayout: program not found"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.lyrdb"
        settings = {"input": gds.resolve(), "top_cell": top, "report": report, "thr": 1, **GROUPS}
        command = [program, "-b", "-r", str(deck)]
        for name, setting in settings.items():
            command += ["-rd", f"{name}={setting}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            sys.exit(_failed(f"{deck}: not done after {limit:g} s"))
        if done.returncode or not report.exists():
            said = (done.stderr + done.stdout).splitlines()
            why = next((line for line in said if line.startswith("ERROR")), "no report")
            sys.exit(_failed(f"{deck}: klayout ended with status {done.returncode}: {why}"))
        database = rdb.ReportDatabase("independent")
        database.load(str(report))
    return database


def _failed(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def main() -> int:
    """Check, print one line per broken rule and a total."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("deck", type=Path, help="KLayout rule deck")
    parser.add_argument("gds", type=Path, help="GDS or OASIS file")
    parser.add_argument("--top", help="cell to check (default: the top cell of the file)")
    parser.add_argument("--limit", type=float, default=1200, help="give up after this many seconds")
    options = parser.parse_args()
    layout = kdb.Layout()
    try:
        if not options.deck.is_file():
            return _failed(f"{options.deck}: no such file")
        layout.read(str(options.gds))
    except RuntimeError as problem:
        return _failed(f"{options.gds}: {problem}")
    tops = [cell.name for cell in layout.top_cells()]
    top = options.top or (tops[0] if len(tops) == 1 else "")
    if layout.cell(top) is None:
        return _failed(f"--top: choose one of {', '.join(tops)}")
    database = run(options.deck, options.gds, top, options.limit)
    rules = list(database.each_category())
    if not rules:
        return _failed(f"{options.deck}: checked no rule")
    for rule in sorted(rules, key=lambda rule: -rule.num_items()):
        if rule.num_items():
            print(f"{rule.num_items():8d}  {rule.description or rule.name()}")
    print(f"{top}: {database.num_items()} violations of {len(rules)} rules checked by {options.deck.name}")
    return 1 if database.num_items() else 0


if __name__ == "__main__":
    sys.exit(main())
