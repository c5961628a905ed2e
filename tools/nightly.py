"""Builds whole macros of many specs and prints what came of each; exit status 1 if one is not clean.

    python tools/nightly.py [--random N] [--seed S] [--only TEXT] [--workers N]

First the list below, then N random specs (default 10) of the seed (default: the day's). A refused spec counts
as clean: by the check, so that the build is never asked, or by the build, where only wiring the blocks shows
it; the table tells which. The others must build with no DRC violation, a matching netlist, views that agree.
"""

from __future__ import annotations

import argparse
import datetime
import random
import sys
import time
from typing import Any

from picoram_layout.pdk import load_pdk, pdk_names
from picoram_layout.spec import ArraySpec, BitcellSpec
from picoram_layout.spec.numbers import absolute_range, most_cells, steps
from picoram_layout.sweep.points import Point
from picoram_layout.sweep.run import BUILT, ILLEGAL, Outcome, run_points

_CLUSTERS = 4096  # of a random array at the most

# Counts in the order of `ArraySpec`, widths (um) in that of `BitcellSpec`, capacitor.
LISTED = (
    ("sky130", "144 8 4 4 9", "", "shielded"),
    ("scaled65", "144 8 4 4 9", "", "shielded"),
    ("sky130", "144 16 3 4 9", "", "shielded"),
    ("scaled65", "256 16 3 4 9", "", "comb"),
    ("sky130", "160 16 5 4 9", "", "shielded"),
    ("scaled65", "192 16 6 4 9", "", "shielded"),
    ("sky130", "512 2 4 2 9", "", "shielded"),
    ("scaled65", "512 4 4 2 9", "", "comb"),
    ("sky130", "16 64 4 4 5", "", "shielded"),
    ("scaled65", "16 64 4 4 5", "", "comb"),
    ("sky130", "144 8 4 5 3", "", "comb"),
    ("sky130", "64 32 4 5 13", "", "shielded"),
    ("sky130", "72 8 4 4 9", "1.005 1.005 1.005", "shielded"),
    ("sky130", "72 8 4 4 9", "0.72 0.92 0.425", "comb"),
    ("scaled65", "72 8 4 4 9", "0.5 0.5 0.5", "shielded"),
    ("scaled65", "72 8 4 3 25", "0.5 0.21 0.22", "comb"),
    ("sky130", "64 1 6 1 11", "0.79 1.005 1.005", "shielded"),
    ("scaled65", "64 1 6 1 11", "0.4 0.5 0.5", "shielded"),
)


def spec_of(name: str, pdk: str, counts: str, widths: str, style: str) -> dict[str, Any]:
    """A spec from one line of the list."""
    array = dict(zip(ArraySpec.model_fields, map(int, counts.split()), strict=True))
    bitcell = dict(zip(BitcellSpec.model_fields, map(float, widths.split()), strict=False))
    capacitor = {"style": style, "target_fF": 0.1}
    return {"name": name, "pdk": pdk, "array": array, "bitcell": bitcell, "capacitor": capacitor}


def random_spec(name: str, rng: random.Random) -> dict[str, Any]:
    """Counts that fit each other, of few clusters; any widths. Blocks beside the array may have no room."""
    pdk = load_pdk(rng.choice(pdk_names()))
    keys = ("array.weight_bits", "array.input_bits")
    bits = {key: rng.randint(*absolute_range(key)) for key in keys}
    outputs, inputs = steps("array.outputs", bits, pdk), steps("array.inputs", bits, pdk)
    columns = int(outputs.step) * rng.randint(1, 3)
    most = max(2, _CLUSTERS // (columns * bits[keys[0]] * int(inputs.step)))
    rows = int(inputs.step) * rng.randint(2, min(most, 40))
    cells = rng.randrange(3, most_cells(pdk) + 1, 2)
    counts = (rows, columns, *bits.values(), cells)
    legal = steps("bitcell.pass_gate_w", {}, pdk)
    widths = (f"{legal.nearest(rng.uniform(legal.first, legal.last)):g}" for _ in BitcellSpec.model_fields)
    style = rng.choice(("shielded", "comb"))
    return spec_of(name, pdk.name, " ".join(map(str, counts)), " ".join(widths), style)


def shown(data: dict[str, Any]) -> str:
    """A spec as a line of the list has it."""
    parts = (data["pdk"], data["capacitor"]["style"], *data["array"].values(), *data["bitcell"].values())
    return " ".join(map(str, parts))


def row(outcome: Outcome) -> str:
    """A line of the table."""
    if outcome.report is None:
        refused = f"refused by the {'build' if outcome.late else 'check'}"
        what = refused if outcome.status == ILLEGAL else outcome.status
        return f"{what:20} {shown(outcome.point.data)}: {outcome.reason}"
    report = outcome.report
    checks = f"DRC {report['drc']['status']}, LVS {report['lvs']['status']}"
    checks += f", {len(report['views']['differences'])} differences of views"
    return f"{'clean' if outcome.clean else 'NOT CLEAN':20} {shown(outcome.point.data)}: {checks}"


def main() -> int:
    """Build them all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--random", type=int, default=10, metavar="N", help="random specs (default 10)")
    parser.add_argument("--seed", type=int, default=datetime.date.today().toordinal(), help="of these")
    parser.add_argument("--only", default="", metavar="TEXT", help="of the list, the lines with this text")
    parser.add_argument("--workers", type=int, help="builds side by side (default: one per core)")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    made = [spec_of(f"listed_{k}", *line) for k, line in enumerate(LISTED)]
    made = [data for data in made if options.only in shown(data)]
    made += [random_spec(f"random_{k}", rng) for k in range(options.random)]
    points = [Point(k, {}, data) for k, data in enumerate(made)]
    print(f"{len(points)} specs, seed {options.seed}", flush=True)
    begin = time.monotonic()

    def told(done: int, total: int) -> None:
        print(f"{done} of {total} after {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)

    outcomes = run_points(
        points,
        checks=True,
        workers=options.workers,
        told=told,
        ended=lambda outcome: print(row(outcome), flush=True),
    )
    bad = [o for o in outcomes if not (o.clean if o.status == BUILT else o.status == ILLEGAL)]
    print(f"{len(bad)} of {len(outcomes)} are not clean")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
