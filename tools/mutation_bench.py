"""Mutate clean arrays at random and count what LVS and DRC report.

Run ``python tools/mutation_bench.py --count 240 --seed 1 -o docs/mutations.md``. The count is shared by three
sizes. Status: 0 every mutation that changes the circuit was reported, 1 one was not, or a checker failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.mutations.bench import Verdict, run
from tests.mutations.subject import SIZES
from tests.mutations.table import as_json, markdown, summary


def main() -> int:
    """Run the bench, say how far it is, write the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--count", type=int, default=240, help="mutations on all sizes together (default: 240)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="arrays (default: all)"
    )
    parser.add_argument("--pdk", default="sky130", choices=("sky130", "scaled65"))
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; a JSON file is written beside it")
    options = parser.parse_args()
    command = f"tools/mutation_bench.py --count {options.count} --seed {options.seed}"
    command += f" --sizes {' '.join(options.sizes)}" if options.sizes != list(SIZES) else ""
    command += f" --pdk {options.pdk}" if options.pdk != "sky130" else ""
    start, verdicts = time.monotonic(), list[Verdict]()
    for number, size in enumerate(options.sizes):
        share = options.count // len(options.sizes) + (number < options.count % len(options.sizes))
        for verdict in run(size, share, options.seed, options.pdk):
            verdicts.append(verdict)
            _progress(verdict, len(verdicts), options.count, time.monotonic() - start)
    if options.output:
        options.output.write_text(markdown(verdicts, command), encoding="utf-8")
        options.output.with_suffix(".json").write_text(as_json(verdicts, command), encoding="utf-8")
    print(summary(verdicts))
    return int(any(verdict.missed or verdict.failed for verdict in verdicts))


def _progress(verdict: Verdict, number: int, count: int, seconds: float) -> None:
    """A line for every tenth mutation, and for each that is missed or made a checker fail."""
    word = "MISSED " if verdict.missed else "FAILED " if verdict.failed else ""
    if word or number % 10 == 0 or number == count:
        what = f"{verdict.size} {verdict.scope} {verdict.cell}: {verdict.text}"
        print(
            f"[{number}/{count}, {seconds:.0f} s] {word}{what}: {verdict.effect}, {verdict.reported}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
