"""ngspice as a program: one deck in a folder of its own, single-threaded, with a time limit.

Results come from ``.meas`` lines on its output; a vector over a sweep from a ``wrdata`` file of the deck.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from picoram_layout.errors import EnvironmentProblem, PicoramError

# Threads make small runs many times slower: parallel are whole runs.
_INIT = "set num_threads=1\n"
_MEASURED = re.compile(r"^(\w+)\s+=\s+([-+]?[\d.]+(?:e[-+]?\d+)?)(?:\s|$)", re.MULTILINE | re.IGNORECASE)
_FAILED = re.compile(
    r"^.*(?:Error|aborted|too small|no such|failed|singular).*$", re.MULTILINE | re.IGNORECASE
)
_CHATTER = re.compile(r"\s*Reference value\b")  # ngspice's own progress
_TAIL = 12
_running: set[subprocess.Popen[str]] = set()


class SimulationError(PicoramError):
    """A run that ngspice could not finish, or whose results are missing (exit status 1)."""

    exit_status = 1


@dataclass(frozen=True)
class Output:
    """What a run gave: measured values by name (lower case), and vectors of data files by file name."""

    values: dict[str, float]
    vectors: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def find_ngspice() -> str:
    """Path of the program; `EnvironmentProblem` without it."""
    found = shutil.which("ngspice")
    if found is None:
        raise EnvironmentProblem("ngspice is not installed (Debian and Ubuntu: apt-get install ngspice)")
    return found


def version(program: str) -> str:
    """The program's version, such as ``ngspice-39``."""
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"ngspice-[\w.+]+", text)
    return found[0] if found else "unknown"


def run(
    deck: str, wanted: tuple[str, ...] = (), files: tuple[str, ...] = (), seconds: float = 600.0
) -> Output:
    """Run a deck; ``wanted`` are measured names that must come out, ``files`` what it writes with wrdata.

    `SimulationError` with the last lines of the log if ngspice fails, ends without a wanted value or takes
    longer than ``seconds``.
    """
    program = find_ngspice()
    with tempfile.TemporaryDirectory(prefix="picoram_") as name:
        folder = Path(name)
        (folder / ".spiceinit").write_text(_INIT)
        (folder / "deck.sp").write_text(deck)
        log, status = _started(program, folder, seconds)
        values = {key.lower(): float(value) for key, value in _MEASURED.findall(log)}
        missing = [key for key in wanted if key not in values]
        missing += [file for file in files if not (folder / file).is_file()]
        if missing or status < 0:
            end = f"was ended by signal {-status}" if status < 0 else f"(status {status})"
            gave = f"; it gave no {', '.join(missing)}" if missing else ""
            raise SimulationError(f"ngspice {end}{gave}:\n{_reason(log)}")
        return Output(values, {file: np.loadtxt(folder / file, ndmin=2) for file in files})


def _started(program: str, folder: Path, seconds: float) -> tuple[str, int]:
    """Run ngspice to its end; an interrupted or late run does not leave it behind."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    process = subprocess.Popen(
        [program, "-b", "deck.sp"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    _running.add(process)
    try:
        log, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        log, _ = process.communicate()
        raise SimulationError(f"ngspice took longer than {seconds:g} s:\n{_reason(log)}") from None
    finally:
        process.kill()
        process.wait()
        _running.discard(process)
    return log, process.returncode


def stop_all() -> None:
    """End the runs of other threads: nothing waits for them any more."""
    for process in list(_running):
        process.kill()


def _reason(log: str) -> str:
    """Lines of a log that say what went wrong, else its last ones."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _CHATTER.match(line)]
    found = [line for line in lines if _FAILED.match(line)]
    return "\n".join((found or lines)[-_TAIL:])
