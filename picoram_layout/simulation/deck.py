"""SPICE decks from circuits: transistor cards, capacitors, phase sources."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from picoram_layout.simulation import models
from picoram_layout.simulation.circuits import GND, VDD, Cell, Transistor
from picoram_layout.simulation.models import Condition


class Deck:
    """A deck while it is written. Lengths in um, capacitances in fF, times in ns, voltages in V.

    ``mismatch``: draws a model card of its own for every transistor.
    """

    def __init__(self, title: str, condition: Condition, mismatch: random.Random | None = None):
        self.condition = condition
        self.mismatch = mismatch
        self.lines: list[str] = []
        self.title = title
        self._sizes: set[tuple[str, float, float]] = set()
        self._own: list[str] = []
        self._serial = 0
        self._driven: dict[str, float] = {}
        self.add(f"Vvdd {VDD} 0 {condition.vdd:g}")

    def add(self, *lines: str) -> None:
        """Add lines as they are."""
        self.lines += lines

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def mos(self, t: Transistor, m: float = 1) -> None:
        """A transistor, ``m`` of them in parallel (a part of one, too)."""
        number = self._next()
        model = models.MODELS[t.kind]
        if self.mismatch is None:
            self._sizes.add((t.kind, t.w, t.length))
        else:
            model = f"mm{number}"
            corner = self.condition.corner
            self._own.append(models.varied(corner, t.kind, t.w, t.length, m, model, self.mismatch))
        many = f" m={m:.6g}" if m != 1 else ""
        self.add(
            f"M{number} {t.d} {t.g} {t.s} {t.b} {model} w={t.w:g}u l={t.length:g}u "
            f"ad={t.a_d:.4g}p as={t.a_s:.4g}p pd={t.p_d:.4g}u ps={t.p_s:.4g}u{many}"
        )

    def join(self, other: Deck) -> None:
        """Add everything of another deck, whose device names are made different."""
        self._sizes |= other._sizes
        self._own += other._own
        for line in other.lines:
            if not line.startswith("Vvdd "):
                first, rest = line.split(" ", 1)
                self.add(f"{first}j{self._next()} {rest}" if first[0] in "MCR" else line)

    def switch(self, d: str, g: str, s: str, w: float, m: float = 1) -> None:
        """An nMOS switch of the periphery that is not drawn yet; its diffusions are 0.29 um long."""
        area, perimeter = 0.29 * w, 2 * (0.29 + w)
        self.mos(Transistor("nfet", d, g, s, GND, w, 0.15, area, area, perimeter, perimeter), m)

    def capacitor(self, a: str, b: str, value: float) -> None:
        """A capacitor; none between a net and itself."""
        if a != b and value > 0:
            self.add(f"C{self._next()} {a} {b} {value:.6g}f")

    def resistor(self, a: str, b: str, ohm: float) -> None:
        """A resistor."""
        self.add(f"R{self._next()} {a} {b} {ohm:g}")

    def cell(self, cell: Cell) -> None:
        """All devices of a circuit."""
        for t in cell.transistors:
            self.mos(t)
        for a, b, value in cell.capacitors:
            self.capacitor(a, b, value)

    def source(self, net: str, steps: Sequence[tuple[float, float]], edge: float) -> None:
        """A source on a net: (time, level) pairs, each level reached ``edge`` after its time."""
        level = self._driven[net] = steps[0][1]
        points = [f"0 {level:g}"]
        for time, new in steps[1:]:
            points += [f"{time:g}n {level:g}", f"{time + edge:g}n {new:g}"]
            level = new
        self.add(f"V{net.replace('[', '_').replace(']', '')} {net} 0 PWL({' '.join(points)})")

    def start(self, levels: Mapping[str, float]) -> None:
        """Initial voltages of nodes in a transient run with ``uic``.

        Sources start where they are: else their first step would push charge into floating nodes.
        """
        levels = {VDD: self.condition.vdd, **self._driven, **levels}
        self.lines += [f".ic v({net})={level:.9g}" for net, level in levels.items()]

    def text(self, options: str, analysis: Iterable[str]) -> str:
        """The whole deck."""
        c = self.condition
        cards = models.cards(c.corner, self._sizes) if self._sizes else ""
        return "\n".join(
            [
                f"* {self.title}, {c}",
                *([cards] if cards else []),
                *self._own,
                f".temp {c.temp:g}",
                f".options {options}",
                *self.lines,
                *analysis,
                ".end",
                "",
            ]
        )
