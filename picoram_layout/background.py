"""Work in a second process beside the build: KLayout's engine holds Python's lock, threads take turns."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def beside(function: Callable[..., Any], *args: Any) -> Iterator[Callable[[], Any]]:
    """Run ``function(*args)`` in another process; what is yielded waits for its value when called.

    The function must be importable and all values picklable. An exception of the function is raised by
    that call; a process that is not waited for is ended with the block.
    """
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(pickle.dumps((function.__module__, function.__qualname__, args)))
            process.stdin.close()
            stdout = process.stdout

            def wait() -> Any:
                answer = stdout.read()
                if process.wait() or not answer:
                    raise RuntimeError(f"{function.__qualname__} ended with status {process.returncode}")
                value, error = pickle.loads(answer)
                if error is not None:
                    raise error
                return value

            yield wait
        finally:
            process.kill()


def _main() -> None:
    answer_to, sys.stdout = sys.stdout.buffer, sys.stderr
    module, name, args = pickle.load(sys.stdin.buffer)
    outcome: tuple[Any, Exception | None]
    try:
        outcome = getattr(importlib.import_module(module), name)(*args), None
    except Exception as error:
        outcome = None, error
    answer_to.write(pickle.dumps(outcome))


if __name__ == "__main__":
    _main()
