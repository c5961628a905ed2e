"""What a build costs: time and memory of a cold `picoram build`, and how both grow with the macro.

Run ``python benchmarks/build.py [--json FILE]`` in a checkout with the package installed. Each build is a
process of its own with empty caches; DRC runs beside the other steps.
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

SPECS = Path(__file__).parent.parent / "specs"
# Of the small spec; of the large one four times the small one's time.
LIMITS = {"wall_s": 45.0, "peak_mb": 2048.0, "large_wall_s": 180.0}


def build(spec: Path, folder: Path) -> dict[str, Any]:
    """Build once in a child process: seconds, peak memory of one process (MB), the report's own figures."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "picoram_layout.cli", "build", str(spec), "-o", str(folder / "out")]
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    messages = child.stderr.read().decode(errors="replace")
    # Waited for by hand: usage of this child alone, not the largest of all children so far.
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{spec.name}: exit status {child.returncode}\n{messages}")
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return {
        "spec": spec.name,
        "bits": report["bits"],
        "wall_s": round(wall, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / unit, 1),
        "drc_status": report["drc"]["status"],
        "violations": report["drc"]["violations"],
        "lvs_s": report["timings_s"]["LVS"],
        "lvs_status": report["lvs"]["status"],
        "timings_s": report["timings_s"],
    }


def measure(name: str, runs: int) -> dict[str, Any]:
    """The fastest of some cold builds (others share the machine)."""
    rows = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(build(SPECS / name, Path(folder)))
    return min(rows, key=lambda row: row["wall_s"])


def main() -> int:
    """Print the table; status 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="builds per spec; the fastest counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    small, large = (measure(name, options.runs) for name in ("picoram_40kb.yaml", "picoram_1mb.yaml"))
    titles = f"{'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'LVS s':>7}"
    print(f"{'spec':<20} {'bits':>10} {titles}  verdict")
    for row in (small, large):
        print(
            f"{row['spec']:<20} {row['bits']:>10,} {row['wall_s']:>8.2f} {row['cpu_s']:>8.2f} "
            f"{row['peak_mb']:>8.1f} {row['lvs_s']:>7.2f}  "
            f"{row['drc_status']}, {row['lvs_status']}"
        )
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
