"""What a build costs: time and memory of a cold `picoram build`, and how both grow with the macro.

Run ``python benchmarks/build.py [--json FILE]`` in a checkout with the package and its extra ``test``
installed. Each build is a process of its own on two cores with empty caches; DRC runs beside the other steps
in a second process, whose memory counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

SPECS = Path(__file__).parent.parent / "specs"
# Of the small spec; of the large one four times the small one's time.
LIMITS = {"wall_s": 45.0, "peak_mb": 2048.0, "large_wall_s": 180.0}
CORES = 2
_SAMPLE_S = 0.2
_SPARED = 20  # to look at gigabytes stops the process: it runs so many times as long before the next look


def memory(pid: int) -> float:
    """Memory of a process and all that it has started (MB); what they share counts once."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:  # one of them has just ended
        pass
    return total / 2**20


def build(spec: Path, folder: Path) -> dict[str, Any]:
    """Build once in a child process: seconds, peak memory (MB), the report's own figures."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "picoram_layout.cli", "build", str(spec), "-o", str(folder / "out")]
    start, peak = time.perf_counter(), 0.0
    with (folder / "messages").open("w+") as messages:
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=messages)
        while child.poll() is None:
            begin = time.perf_counter()
            peak = max(peak, memory(child.pid))
            time.sleep(max(_SAMPLE_S, _SPARED * (time.perf_counter() - begin)))
        wall = time.perf_counter() - start
        messages.seek(0)
        if child.returncode:
            sys.exit(f"{spec.name}: exit status {child.returncode}\n{messages.read()}")
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    return {
        "spec": spec.name,
        "bits": report["bits"],
        "wall_s": round(wall, 2),
        "peak_mb": round(peak, 1),
        "drc_status": report["drc"]["status"],
        "lvs_status": report["lvs"]["status"],
        "timings_s": report["timings_s"],
    }


def measure(name: str, runs: int) -> dict[str, Any]:
    """The fastest of some cold builds (others share the machine)."""
    rows = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(build(SPECS / name, Path(folder)))
        print(f"{name}: {rows[-1]['wall_s']:.1f} s, {rows[-1]['peak_mb']:.0f} MB", file=sys.stderr)
    return min(rows, key=lambda row: row["wall_s"])


def main() -> int:
    """Print the table; status 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="builds per spec; the fastest counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    small, large = (measure(name, options.runs) for name in ("picoram_40kb.yaml", "picoram_1mb.yaml"))
    for row in (small, large):
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in row["timings_s"].items())
        print(f"{row['spec']}: {row['bits']:,} bits, {row['wall_s']:.1f} s, {row['peak_mb']:.0f} MB")
        print(f"  DRC {row['drc_status']}, LVS {row['lvs_status']}; s: {steps}")
    growth = large["bits"] / small["bits"]
    print(f"{growth:.1f} times the bits: {large['wall_s'] / small['wall_s']:.2f} times as long")
    checks = {
        "wall_s": small["wall_s"],
        "peak_mb": small["peak_mb"],
        "large_wall_s": large["wall_s"],
    }
    for key, value in checks.items():
        print(
            f"{key:<12} {value:>8.2f}  limit {LIMITS[key]:g}  {'met' if value <= LIMITS[key] else 'MISSED'}"
        )
    if options.json:
        machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "system": platform.platform()}
        data = {"machine": machine, "builds": [small, large], "checks": checks, "limits": LIMITS}
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return 0 if all(value <= LIMITS[key] for key, value in checks.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
