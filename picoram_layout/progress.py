"""Signs of life while something is built: a live step list on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_OFTEN = 10.0  # seconds between two lines of a counter where the error stream is no terminal


class Progress(Protocol):
    """Announces steps; ``with progress.step("drawing"): ...`` shows the step while it runs, then its time."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Show a step while the body runs."""
        ...


class Quiet:
    """Shows nothing."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run the body."""
        yield


class Lines:
    """One plain line per step: the name at its start, the seconds (or "failed") at its end."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run the body between the two halves of a line."""
        start = time.perf_counter()
        print(f"{name} ...", end=" ", file=self.stream, flush=True)
        ending = "failed"
        try:
            yield
            ending = f"{time.perf_counter() - start:.2f} s"
        finally:
            print(ending, file=self.stream, flush=True)


class Live:
    """A numbered list on a terminal; the running step has a spinner and its time so far."""

    def __init__(self, stream: TextIO):
        from rich.console import Console

        self.console = Console(file=stream, highlight=False)
        self.number = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run the body below the finished steps."""
        self.number += 1
        label = f"{self.number:2} {name:<40}"
        start = time.perf_counter()
        mark = "[red]✗[/red]"
        try:
            with _spinner(self.console, label):
                yield
            mark = "[green]✓[/green]"
        finally:
            self.console.print(f"{mark} {label} {time.perf_counter() - start:6.2f} s")


@contextmanager
def _spinner(console: Console, text: str) -> Iterator[None]:
    """A line with the time so far, which nothing is left of."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as running:
        running.add_task(text, total=None)
        yield


@contextmanager
def passing(name: str, *, quiet: bool = False, stream: TextIO | None = None) -> Iterator[None]:
    """Show on a terminal that something is under way which is mostly short: elsewhere it leaves no line."""
    stream = stream or sys.stderr
    if quiet or not stream.isatty():
        yield
        return
    from rich.console import Console

    with _spinner(Console(file=stream, highlight=False), name):
        yield


class Counter:
    """Finished runs of each group: on a terminal one line that changes, elsewhere a line now and then."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self.stream, self.clock = stream, clock
        self.group, self.start, self.last, self.known = "", 0.0, 0.0, 0

    def __call__(self, group: str, done: int, total: int) -> None:
        """Told after each run."""
        now = self.clock()
        if group != self.group:
            self.group, self.start, self.last, self.known = group, now, now - 2 * _OFTEN, done
        text = f"{group}: {done} of {total} runs"
        fresh, spent = done - self.known, now - self.start
        if fresh > 0 and done < total:
            text += f", about {spent / fresh * (total - done):.0f} s left"
        elif done == total and fresh:
            text += f", {spent:.0f} s"
        if self.stream.isatty():
            end = "\n" if done == total else ""
            print(f"\r\x1b[K{text}", end=end, file=self.stream, flush=True)
        elif done == total or now - self.last >= _OFTEN:
            self.last = now
            print(text, file=self.stream, flush=True)


def progress(*, quiet: bool = False) -> Progress:
    """Progress that fits the error stream; the results have the other one for themselves."""
    if quiet:
        return Quiet()
    return Live(sys.stderr) if sys.stderr.isatty() else Lines(sys.stderr)
