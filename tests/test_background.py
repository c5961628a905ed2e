"""Work in a second process: its value, its exception, its end with the block."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from picoram_layout.background import beside
from picoram_layout.errors import InputError
from picoram_layout.pdk import load_pdk
from picoram_layout.plan import capacitance, make_plan
from picoram_layout.spec import load_spec

SPECS = Path(__file__).parent.parent / "specs"


def test_value() -> None:
    with beside(math.hypot, 3.0, 4.0) as wait:
        assert wait() == 5.0


def test_an_exception_is_raised_where_it_is_waited_for() -> None:
    with beside(load_pdk, "nosuch") as wait, pytest.raises(InputError, match="nosuch"):
        wait()


def test_a_process_that_nobody_waits_for_is_ended() -> None:
    start = time.monotonic()
    with beside(time.sleep, 600):
        pass
    assert time.monotonic() - start < 300


def test_a_plan_travels() -> None:
    plan = make_plan(load_spec(SPECS / "picoram_tiny.yaml"))
    with beside(capacitance, plan) as wait:
        assert wait().value_fF == pytest.approx(capacitance(plan).value_fF)
