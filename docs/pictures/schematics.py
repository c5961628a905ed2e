"""Draws the schematics of the documentation; run it after a change (needs the extra ``docs``)."""

from __future__ import annotations

import itertools
from pathlib import Path

import schemdraw
import schemdraw.elements as elm

FOLDER = Path(__file__).parent
LENGTH = 1.5  # of a transistor from drain to source
GATE = 1.37  # from its channel to the end of its gate


class Sheet:
    """A drawing on a grid: x to the right, y upwards; transistors hang from their upper end."""

    def __init__(self, left: float) -> None:
        schemdraw.use("svg")
        self.d = schemdraw.Drawing(show=False, fontsize=11, lw=1.4)
        # texts do not count for the size of the drawing
        self.d.add(elm.Line(color="none").at((left, 0)).to((left + 0.1, 0)))

    def fet(self, kind: str, x: float, y: float, gate: str, size: str = "", left: bool = False) -> None:
        """A transistor (``n`` or ``p``) with its gate's net and its size."""
        made = (elm.PFet() if kind == "p" else elm.NFet()).at((x, y)).theta(0)
        self.d.add(made.reverse() if left else made)
        way = -1 if left else 1
        at, align = x + way * (GATE + 0.1), "right" if left else "left"
        self.text(at, y - LENGTH / 2, gate, align)
        if size:
            self.text(at, y - LENGTH / 2 - 0.45, size, align)

    def wire(self, *points: tuple[float, float]) -> None:
        """A wire through points."""
        for a, b in itertools.pairwise(points):
            self.d.add(elm.Line().at(a).to(b))

    def dot(self, x: float, y: float) -> None:
        """Where wires join."""
        self.d.add(elm.Dot(radius=0.06).at((x, y)))

    def text(self, x: float, y: float, text: str, align: str = "center") -> None:
        """Text; ``align`` is the side of it that lies at x."""
        self.d.add(elm.Label().at((x, y)).theta(0).label(text, ofst=0, halign=align, valign="center"))

    def vdd(self, x: float, y: float) -> None:
        """The supply."""
        self.d.add(elm.Vdd().at((x, y)).theta(0).label("VDD"))

    def gnd(self, x: float, y: float) -> None:
        """Ground."""
        self.d.add(elm.GroundSignal().at((x, y)).theta(0))

    def box(self, x1: float, y1: float, x2: float, y2: float, *lines: str) -> None:
        """A block with lines of text."""
        self.d.add(elm.Rect(corner1=(0, 0), corner2=(x2 - x1, y2 - y1)).at((x1, y1)).theta(0))
        for k, line in enumerate(lines):
            self.text((x1 + x2) / 2, (y1 + y2) / 2 + (len(lines) - 1 - 2 * k) * 0.24, line)

    def save(self, name: str) -> None:
        """Write the SVG."""
        self.d.save(str(FOLDER / f"{name}.svg"))


def adc_analog() -> None:
    """Ramp, Cmp1 and Cmp2 of an ADC slice."""
    s = Sheet(-3.0)
    # ramp
    s.vdd(0, 9)
    s.fet("p", 0, 9, "VBR", "2 x 4/7", left=True)
    s.fet("p", 0, 7.5, "RONB", "4/1", left=True)
    s.wire((0, 6), (0, 4.2))
    s.d.add(elm.Capacitor().at((0, 4.2)).to((0, 2.4)).label("array\n3.45 pF", loc="top", fontsize=10))
    s.gnd(0, 2.4)
    s.dot(0, 5.2)
    s.wire((0, 5.2), (1.0, 5.2))
    s.text(1.1, 5.2, "AL", "left")
    # Cmp1
    s.vdd(6.5, 9)
    s.fet("p", 6.5, 9, "VBC", "4 x 4/7", left=True)
    s.fet("p", 6.5, 7.5, "P1B", "4/1", left=True)
    s.wire((5, 6), (8, 6))
    s.dot(6.5, 6)
    s.fet("p", 5, 6, "AL", "4 x 4/2.8", left=True)
    s.fet("p", 8, 6, "VTH", "4 x 4/2.8")
    s.wire((5, 4.5), (5, 3.6))
    s.wire((8, 4.5), (8, 3.6))
    s.fet("n", 5, 3.6, "")
    s.fet("n", 8, 3.6, "", left=True)
    s.text(4.8, 2.5, "2/2.8", "right")
    s.text(8.2, 2.5, "2/2.8", "left")
    s.wire((5 + GATE, 2.85), (8 - GATE, 2.85))
    s.wire((6.5, 2.85), (6.5, 3.9), (5, 3.9))
    s.dot(6.5, 2.85)
    s.dot(5, 3.9)
    s.gnd(5, 2.1)
    s.gnd(8, 2.1)
    s.fet("n", 10.0, 3.6, "CL")
    s.wire((8, 3.9), (10.0, 3.9), (10.0, 3.6))
    s.gnd(10.0, 2.1)
    s.dot(8, 3.9)
    s.text(8.3, 4.15, "Y1", "left")
    s.text(6.5, 1.2, "Cmp1")
    # second stage of Cmp1
    s.vdd(15.2, 9)
    s.fet("p", 15.2, 9, "VBC", "4 x 4/7", left=True)
    s.fet("p", 15.2, 7.5, "P1B", "4/1", left=True)
    s.wire((15.2, 6), (15.2, 3.6))
    s.fet("n", 15.2, 3.6, "Y1", "2 x 2/2.8", left=True)
    s.gnd(15.2, 2.1)
    s.dot(15.2, 5)
    s.wire((15.2, 5), (16.4, 5))
    s.text(15.5, 5.25, "Z1", "left")
    s.box(16.4, 4.2, 19.8, 5.8, "latch HIT", "set: Z1 low, FORCE", "reset: RAMPB")
    s.wire((19.8, 5), (20.6, 5))
    s.text(20.7, 5, "HIT", "left")
    s.text(16.5, 3.4, "P1B = not (EN1 and not HIT)", "left")
    s.text(16.5, 2.9, "RONB low: RAMPB and HIT low", "left")
    # Cmp2
    y = -9.5
    s.wire((0.2, y + 5.4), (0.2, y + 4.6))
    s.text(0.2, y + 5.65, "VTHL")
    s.fet("n", 0.2, y + 4.6, "AZ", left=True)
    s.fet("n", 0.2, y + 2.6, "AZB", left=True)
    s.wire((0.2, y + 3.1), (0.2, y + 2.6))
    s.wire((0.2, y + 1.1), (0.2, y + 0.6))
    s.text(0.2, y + 0.35, "AL")
    s.dot(0.2, y + 2.85)
    s.wire((0.2, y + 2.85), (1.0, y + 2.85))
    s.text(1.1, y + 2.85, "B2", "left")
    s.vdd(6.5, y + 9)
    s.fet("p", 6.5, y + 9, "VBC", "2 x 1/7", left=True)
    s.fet("p", 6.5, y + 7.5, "EN1", left=True)
    s.wire((5, y + 6), (8, y + 6))
    s.dot(6.5, y + 6)
    s.fet("p", 5, y + 6, "B2", "2 x 4/2.8", left=True)
    s.fet("p", 8, y + 6, "VTHL", "2 x 4/2.8")
    s.gnd(5, y + 4.5)
    s.wire((8, y + 4.5), (8, y + 3.6))
    s.fet("n", 8, y + 3.6, "", left=True)
    s.text(8.2, y + 2.85, "1/7", "left")
    s.gnd(8, y + 2.1)
    s.wire((8 - GATE, y + 2.85), (4.6, y + 2.85))
    s.text(4.35, y + 3.1, "G2", "right")
    s.dot(4.6, y + 2.85)
    s.d.add(
        elm.Capacitor().at((4.6, y + 2.85)).to((4.6, y + 1.2)).label("hold\n5 x 4/7", loc="top", fontsize=10)
    )
    s.gnd(4.6, y + 1.2)
    s.d.add(elm.Switch().at((5.4, y + 3.9)).to((7.0, y + 3.9)).label("AZ", fontsize=10))
    s.wire((5.4, y + 3.9), (5.4, y + 2.85))
    s.wire((7.0, y + 3.9), (8, y + 3.9))
    s.dot(5.4, y + 2.85)
    s.dot(8, y + 3.9)
    s.text(8.3, y + 4.15, "Y2", "left")
    s.text(6.5, y + 0.6, "Cmp2")
    s.vdd(15.2, y + 9)
    s.fet("p", 15.2, y + 9, "VBC", "1/7", left=True)
    s.fet("p", 15.2, y + 7.5, "EN1", left=True)
    s.wire((15.2, y + 6), (15.2, y + 3.6))
    s.fet("n", 15.2, y + 3.6, "Y2", "1/7", left=True)
    s.gnd(15.2, y + 2.1)
    s.dot(15.2, y + 5)
    s.wire((15.2, y + 5), (16.4, y + 5))
    s.text(15.5, y + 5.25, "Z2", "left")
    s.box(16.4, y + 4.2, 19.8, y + 5.8, "latch EN1", "set: Z2 low", "reset: RAMPB")
    s.wire((19.8, y + 5), (20.6, y + 5))
    s.text(20.7, y + 5, "EN1", "left")
    s.save("adc_analog")


def column_side() -> None:
    """One column below the array, and its output's reset."""
    s = Sheet(0.6)
    s.text(2, 8.6, "VL (array)")
    s.text(13, 8.6, "GBLB (array)")
    s.wire((2, 8.2), (2, 0.2))
    s.wire((13, 8.2), (13, 0.2))
    rows = (
        ("VLRST", "24 12 6 3", "gnd"),
        ("COL", "8 4 2 1", "AL"),
        ("one", "2 2 2 1", "vdd"),
        ("zero", "0.84", "gnd"),
    )
    for k, (gate, size, end) in enumerate(rows):
        y = 7.9 - 2.5 * k
        x = 4.2
        s.dot(2, y)
        s.wire((2, y), (x, y))
        s.fet("n", x, y, gate, size)
        if end == "gnd":
            s.gnd(x, y - LENGTH)
        elif end == "vdd":
            s.text(x - 0.15, y - LENGTH - 0.05, "VDD", "right")
        else:
            s.text(x - 0.15, y - LENGTH - 0.05, end, "right")
    s.vdd(15.2, 8.2)
    s.fet("p", 15.2, 8.2, "PREB", "6.72")
    s.wire((15.2, 6.7), (13, 6.7))
    s.dot(13, 6.7)
    s.dot(13, 5.6)
    s.wire((13, 5.6), (15.2, 5.6))
    s.fet("n", 15.2, 5.6, "one", "0.84")
    s.gnd(15.2, 4.1)
    s.dot(13, 2.0)
    s.wire((13, 2.0), (14.4, 2.0))
    s.box(14.4, 1.3, 16.6, 2.7, "latch", "open: RE")
    s.wire((16.6, 2.0), (17.6, 2.0))
    s.text(17.7, 2.0, "DO", "left")
    s.text(9.2, 4.6, "one = WE and DI")
    s.text(9.2, 4.1, "zero = WE and not DI")
    s.text(9.2, 3.3, "once an output:")
    s.fet("n", 9.5, 2.6, "ALRST", "9")
    s.text(9.35, 2.75, "AL", "right")
    s.gnd(9.5, 1.1)
    s.text(8.6, -2.0, "W in um, L 0.15; VL's for the bits from the most significant one")
    s.save("column_side")


if __name__ == "__main__":
    adc_analog()
    column_side()
