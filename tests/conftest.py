"""What all tests share: the command line in a folder of its own, and how hypothesis runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from picoram_layout.cli import main

# Times vary on loaded machines; what a test does must not: new examples are for the nightly runs.
settings.register_profile(
    "picoram", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", settings.get_profile("picoram"), derandomize=False, max_examples=2000)
settings.load_profile("picoram")


def needs(program: str) -> pytest.MarkDecorator:
    """Leaves a test out without a program, but never in CI: `tools/system-packages` installs it there."""
    missing = shutil.which(program) is None and "CI" not in os.environ
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


needs_ngspice, needs_klayout = needs("ngspice"), needs("klayout")


@dataclass(frozen=True)
class Outcome:
    """Exit status and output of one command."""

    status: int
    out: str
    err: str


Picoram = Callable[..., Outcome]


@pytest.fixture
def picoram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Picoram:
    """Run the command in this process, inside ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Outcome:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run
