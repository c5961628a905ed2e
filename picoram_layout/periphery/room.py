"""Whether the blocks beside an array have room: what the build would refuse, found without drawing."""

from __future__ import annotations

from functools import cache

from picoram_layout.periphery.column_side import check_bits
from picoram_layout.periphery.row_driver import check_room
from picoram_layout.plan import make_plan
from picoram_layout.spec import Spec, SpecError
from picoram_layout.spec.problem import Problem


def problems(spec: Spec) -> list[Problem]:
    """What is wrong with a spec whose array is sound: too narrow outputs, too low rows."""
    return list(_problems(spec.model_copy(update={"name": "any"})))


@cache
def _problems(spec: Spec) -> tuple[Problem, ...]:
    for check in (check_bits, check_room):
        try:
            check(make_plan(spec))
        except SpecError as error:
            return tuple(error.problems)
    return ()
