"""Results that survive an interruption: one JSON file for each run, named by a hash of its deck.

A run whose file exists is not run again; a changed deck (models, circuit, options) is another run.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from picoram_layout.errors import InputError
from picoram_layout.output import check_folder
from picoram_layout.publish import replacing
from picoram_layout.simulation import ngspice

_FORMAT = 1


@dataclass(frozen=True)
class Job:
    """A run: what it is about, its deck, names that must be measured, files that the deck writes."""

    name: str
    deck: str
    wanted: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    seconds: float = 900.0

    @property
    def key(self) -> str:
        """Hash of everything that the result depends on (but for ngspice itself)."""
        content = json.dumps([_FORMAT, self.deck, self.wanted, self.files])
        return hashlib.sha256(content.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Result:
    """What a run gave: values by name, data files as rows of numbers, run time (s)."""

    name: str
    values: dict[str, float]
    vectors: dict[str, list[list[float]]]
    seconds: float

    def array(self, file: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A data file as an array: a row per point."""
        return np.asarray(self.vectors[file], dtype=float)


class Store:
    """The folder ``runs`` of results."""

    def __init__(self, folder: Path):
        check_folder(folder)
        self.folder = folder
        self.runs = folder / "runs"
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.runs}: cannot be written: {error.strerror}") from None

    def load(self, job: Job) -> Result | None:
        """The result of a former run; None if there is none, or its file is no result."""
        try:
            data = json.loads((self.runs / f"{job.key}.json").read_text(encoding="utf-8"))
            return Result(data["name"], data["values"], data["vectors"], data["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, job: Job, result: Result) -> None:
        """Write a result, complete or not at all."""
        data = {
            "name": job.name,
            "key": job.key,
            "values": result.values,
            "vectors": {name: _finite(rows) for name, rows in result.vectors.items()},
            "seconds": round(result.seconds, 2),
        }
        write_json(self.runs / f"{job.key}.json", data)

    def run(
        self,
        jobs: Sequence[Job],
        workers: int | None = None,
        done: Callable[[int, int], None] = lambda finished, total: None,
    ) -> list[Result]:
        """Results of all jobs in their order; what is missing is run, ``workers`` at a time.

        Each job is a process of its own (ngspice); ``done`` is told after each how many have finished. The
        first failure ends the whole, but what has finished by then is kept.
        """
        found = {job.key: self.load(job) for job in jobs}
        todo = list({job.key: job for job in jobs if found[job.key] is None}.values())
        finished = len(found) - len(todo)
        done(finished, len(found))
        if not todo:
            return [result for job in jobs if (result := found[job.key]) is not None]
        ngspice.find_ngspice()
        with ThreadPoolExecutor(workers or usable_cores()) as pool:
            waiting: dict[Future[Result], Job] = {pool.submit(_ran, job): job for job in todo}
            try:
                while waiting:
                    ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in ready:
                        job = waiting.pop(future)
                        found[job.key] = future.result()
                        self.save(job, future.result())
                        finished += 1
                        done(finished, len(found))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                ngspice.stop_all()
                raise
        return [result for job in jobs if (result := found[job.key]) is not None]


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ran(job: Job) -> Result:
    import time

    start = time.perf_counter()
    try:
        output = ngspice.run(job.deck, job.wanted, job.files, job.seconds)
    except ngspice.SimulationError as error:
        raise ngspice.SimulationError(f"{job.name}: {error}") from None
    vectors = {name: values.tolist() for name, values in output.vectors.items()}
    return Result(job.name, output.values, vectors, time.perf_counter() - start)


def _finite(rows: list[list[float]]) -> list[list[float | None]]:
    """The rows as JSON can have them: None, which is read as not a number, for what is none or has no end."""
    return [[value if math.isfinite(value) else None for value in row] for row in rows]


def write_json(path: Path, data: Any) -> None:
    """Write a file, complete or not at all; `ValueError` for a number that JSON does not have."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    with replacing(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def worst_row(rows: Sequence[dict[str, Any]], key: str, least: bool = False) -> dict[str, Any]:
    """The row with the largest (``least``: smallest) value; None, what was not measured, is worst."""
    sign = -1.0 if least else 1.0
    return max(rows, key=lambda row: math.inf if row[key] is None else sign * row[key])


def latest(times: Iterable[float | None]) -> float | None:
    """The latest of the times (s) in ns; None if one of them, or all, were not measured."""
    found = list(times)
    known = [time for time in found if time is not None]
    return 1e9 * max(known) if known and len(known) == len(found) else None


def seconds(results: Iterable[Result]) -> float:
    """Sum of the run times."""
    return round(sum(result.seconds for result in results), 1)
