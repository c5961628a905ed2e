"""A switch-level evaluator: what the nets of a circuit settle to, with charge kept on floating gates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from picoram_layout.simulation.circuits import GND, VDD, Transistor

Level = int | None


class Switches:
    """Transistors as switches; nets are 0, 1 or None (unknown). Inputs are driven, others keep what they had.

    A net that is joined with both supplies (or might be) is unknown: no ratioed circuits, but for ``strong``
    inputs, which win over supplies. Groups of nets joined by channels settle one after the other, in the
    order in which their gates changed.
    """

    def __init__(self, transistors: Iterable[Transistor], strong: Collection[str] = ()):
        self.strong = frozenset(strong)
        self.fixed: dict[str, int] = {GND: 0, VDD: 1}
        self.near: dict[str, list[tuple[Transistor, str]]] = defaultdict(list)
        self.gated: dict[str, list[Transistor]] = defaultdict(list)
        self.state: dict[str, Level] = {GND: 0, VDD: 1}
        for t in transistors:
            self.near[t.d].append((t, t.s))
            self.near[t.s].append((t, t.d))
            self.gated[t.g].append(t)
            for net in (t.d, t.g, t.s):
                self.state.setdefault(net, None)

    def drive(self, inputs: Mapping[str, int] = MappingProxyType({}), **more: int) -> Mapping[str, Level]:
        """Drive inputs, let everything settle; all nets."""
        new = {**inputs, **more}
        waiting = [net for net in self.state if net not in new] if len(self.fixed) == 2 else []
        for net, level in new.items():
            if net not in self.state:
                raise KeyError(net)
            if self.state[net] != level or net not in self.fixed:
                waiting += self._moved(net)
            self.fixed[net] = self.state[net] = level
        for _ in range(100 * len(self.state)):
            if not waiting:
                return self.state
            for net, new_level in self._group(waiting.pop(0)).items():
                if self.state[net] != new_level:
                    self.state[net] = new_level
                    waiting += self._moved(net)
        raise AssertionError("does not settle")

    def _moved(self, net: str) -> list[str]:
        """A net of each group that a change of this net may change."""
        ends = [end for t in self.gated[net] for end in (t.d, t.s)]
        return [*ends, *(other for _, other in self.near[net])] if net in self.fixed else ends

    def _group(self, net: str) -> dict[str, Level]:
        """New levels of all nets that might be joined with this one."""
        if net in self.fixed:
            return {}
        group = self._joined(net, might=True)
        return {one: self._level(one) for one in group if one not in self.fixed}

    def _level(self, net: str) -> Level:
        might, joined = self._joined(net, might=True), self._joined(net, might=False)
        if joined & self.strong:
            might, joined = might & self.strong, joined & self.strong
        possible = {self.fixed[other] for other in might if other in self.fixed}
        driven = {self.fixed[other] for other in joined if other in self.fixed}
        if possible:
            return driven.pop() if len(driven) == 1 and driven == possible else None
        # floating: gates share their charge, diffusions take theirs
        shared = {self.state[other] for other in might if self.gated[other]} or {self.state[net]}
        return shared.pop() if len(shared) == 1 else None

    def _joined(self, net: str, might: bool) -> set[str]:
        """Nets that this one is (``might``: may be) joined with, up to driven ones."""
        seen, queue = {net}, [net]
        while queue:
            here = queue.pop()
            if here in self.fixed:
                continue
            for t, other in self.near[here]:
                level = self.state[t.g]
                on = might if level is None else (level == 1) == (t.kind == "nfet")
                if on and other not in seen:
                    seen.add(other)
                    queue.append(other)
        return seen
