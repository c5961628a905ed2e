"""Building the points of a sweep: each in a process of its own, on this machine or by a Dask scheduler."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picoram_layout.background import beside
from picoram_layout.errors import EnvironmentProblem, InputError
from picoram_layout.simulation.results import usable_cores
from picoram_layout.sweep.points import Point

BUILT, ILLEGAL, FAILED = "built", "illegal", "failed"
Found = tuple[str, str, dict[str, Any] | None, bool]  # status, reason, report and late of an `Outcome`
_CONNECT_S = 20.0
_REASON = 300  # characters of a failure's message that are kept


@dataclass(frozen=True)
class Outcome:
    """What became of a point: ``report`` is its build's ``report.json``, ``reason`` why there is none.

    ``late``: the check accepted what the build refused.
    """

    point: Point
    status: str
    reason: str = ""
    report: dict[str, Any] | None = None
    late: bool = False

    @property
    def clean(self) -> bool:
        """Built, and no check found anything."""
        if self.report is None:
            return False
        sound = self.report["drc"]["status"] != "violations" and self.report["lvs"]["status"] != "mismatch"
        return sound and not self.report["views"]["differences"]


def run_points(
    points: Sequence[Point],
    *,
    checks: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
    ended: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Build all points and return what became of them, in their order.

    Without ``checks`` neither DRC nor LVS runs. ``workers`` points are built side by side (default: one per
    core), or as many as the workers of the Dask scheduler at the address ``dask`` take. ``told(done, total)``
    is called after each point, ``ended`` with what became of it.
    """
    done: dict[int, Outcome] = {}
    told(0, len(points))
    with _executor(workers, dask) as executor:
        futures = {executor.submit(evaluate_apart, point.data, checks): point for point in points}
        for future in as_completed(futures):
            point = futures[future]
            done[point.index] = _outcome(point, future)
            ended(done[point.index])
            told(len(done), len(points))
    return [done[point.index] for point in points]


def evaluate(data: dict[str, Any], checks: bool) -> Found:
    """Build one point in a folder that is gone afterwards: what an `Outcome` says of it."""
    from picoram_layout.flow import build
    from picoram_layout.progress import Quiet
    from picoram_layout.spec.load import check_all

    spec, problems = check_all(data)
    if spec is None or problems:
        return ILLEGAL, "; ".join(problem.text() for problem in problems), None, False
    with tempfile.TemporaryDirectory(prefix="picoram-sweep-") as folder:
        try:
            point = Path(folder) / "point"
            result = build(spec, point, drc=checks, lvs=checks, pictures=False, progress=Quiet())
        except InputError as error:
            return ILLEGAL, " ".join(str(error).split()), None, True
    return BUILT, "", result.report, False


def evaluate_apart(data: dict[str, Any], checks: bool) -> Found:
    """`evaluate` in a process of its own, which may fail or be killed without harm to the others."""
    with beside(evaluate, data, checks) as answer:
        found: Found = answer()
    return found


def _outcome(point: Point, future: Future[Found]) -> Outcome:
    try:
        return Outcome(point, *future.result())
    except Exception as error:  # whatever stops one point does not stop the sweep
        text = " ".join(str(error).split()) or "no message"
        return Outcome(point, FAILED, f"{type(error).__name__}: {text}"[:_REASON])


@contextmanager
def _executor(workers: int | None, dask: str | None) -> Iterator[Executor]:
    """Where points are built; what has not begun when the body fails never begins."""
    if dask is not None:
        with _dask(dask) as executor:
            yield executor
        return
    with ThreadPoolExecutor(workers or usable_cores()) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler; they need this package in the same version."""
    try:
        from distributed import Client
    except ImportError:
        raise EnvironmentProblem("--dask needs Dask: pip install 'picoram-layout[cluster]'") from None
    try:
        client = Client(address, timeout=_CONNECT_S)
    except (OSError, TimeoutError) as error:
        raise EnvironmentProblem(f"--dask: {address}: no scheduler answers there ({_first(error)})") from None
    except ValueError as error:
        raise InputError(f"--dask: {address}: is not an address ({_first(error)})") from None
    with client:
        # Building the same point twice gives other times; no result is taken from the scheduler's memory.
        yield client.get_executor(pure=False)


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
