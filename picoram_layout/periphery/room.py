"""Whether the blocks beside an array have room, as far as that is found without solving all their wires.

The build alone finds what takes as long to know as to draw: that wires of the outputs, the decoders or the
lower edge find no place, or that decoders reach the base. It refuses those in the same form, as `SpecError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from picoram_layout.logic.wiring import Unroutable
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


@contextmanager
def routable(spec: Spec) -> Iterator[None]:
    """`SpecError` with the counts of the spec where blocks are solved whose wires find no place."""
    try:
        yield
    except Unroutable as error:
        counts = ", ".join(f"{name} {value}" for name, value in spec.array.model_dump().items())
        why = f"wires beside an array of {counts} find no place ({error}); "
        why += "fewer input_bits, more weight_bits or another count of cells_per_cluster may have room"
        raise SpecError("", [Problem("array", None, why)]) from None
