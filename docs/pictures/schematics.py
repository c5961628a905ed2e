"""Draws the schematics of the documentation; run it after a change (needs the extra ``docs``)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import schemdraw
import schemdraw.elements as elm
import schemdraw.logic as logic

FOLDER = Path(__file__).parent
LENGTH = 1.5  # of a transistor from drain to source
GATE = 1.37  # from its channel to the end of its gate
GAP = 0.7  # from an output to the transistors above and below it

Devices = Sequence[tuple[str, str]]  # gate, size


class Sheet:
    """A drawing on a grid: x to the right, y upwards; transistors hang from their upper end."""

    def __init__(self, left: float) -> None:
        schemdraw.use("svg")
        self.d = schemdraw.Drawing(show=False, fontsize=11, lw=1.4)
        self.room(left, 0)

    def room(self, x: float, y: float) -> None:
        """Make the drawing reach to here: texts do not count for its size."""
        self.d.add(elm.Line(color="none").at((x, y)).to((x + 0.1, y)))

    def fet(self, kind: str, x: float, y: float, gate: str, size: str = "", left: bool = False) -> None:
        """A transistor (``n`` or ``p``) with its gate's net and its size."""
        made = (elm.PFet() if kind == "p" else elm.NFet()).at((x, y)).theta(0)
        self.d.add(made.reverse() if left else made)
        way = -1 if left else 1
        at, align = x + way * (GATE + 0.15), "right" if left else "left"
        self.text(at, y - LENGTH / 2, gate, align)
        if size:
            self.text(at, y - LENGTH / 2 - 0.45, size, align)

    def across(self, x: float, y: float, gate: str, size: str = "") -> None:
        """An nMOS that lies from x to the right, its gate up."""
        self.d.add(elm.NFet().at((x, y)).theta(90))
        for k, line in enumerate(filter(None, (size, gate))):
            self.text(x + LENGTH / 2, y + GATE + 0.25 + 0.45 * k, line)

    def stack(self, x: float, y: float, p: Devices, n: Devices, left: bool = False) -> None:
        """pMOS from VDD down to an output at y, nMOS from there down to GND: gates and sizes."""
        top = y + GAP + len(p) * LENGTH
        self.vdd(x, top)
        for k, device in enumerate(p):
            self.fet("p", x, top - k * LENGTH, *device, left=left)
        self.wire((x, y + GAP), (x, y - GAP))
        for k, device in enumerate(n):
            self.fet("n", x, y - GAP - k * LENGTH, *device, left=left)
        self.gnd(x, y - GAP - len(n) * LENGTH)

    def crossed(self, x1: float, x2: float, y: float, series: int) -> None:
        """Two inverters, each on the other's output, of so many transistors in series."""
        far = GAP + (series - 0.5) * LENGTH
        for out, inner, at in ((x1, x2 - GATE, y + 0.3), (x2, x1 + GATE, y - 0.3)):
            self.stack(out, y, [("", "")] * series, [("", "")] * series, left=out == x2)
            self.wire((inner, y + far), (inner, y - far))
            self.wire((out, at), (inner, at))
            self.dot(out, at)
            self.dot(inner, at)

    def wire(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """A wire through points."""
        for a, b in itertools.pairwise(points):
            self.d.add(elm.Line(ls="--" if dashed else "-").at(a).to(b))

    def dot(self, x: float, y: float) -> None:
        """Where wires join."""
        self.d.add(elm.Dot(radius=0.06).at((x, y)))

    def text(self, x: float, y: float, text: str, align: str = "center") -> None:
        """Text; ``align`` is the side of it that lies at x."""
        at = x - 0.1, y - 0.1  # schemdraw's labels stand off by that
        self.d.add(elm.Label().at(at).theta(0).label(text, ofst=0, halign=align, valign="center"))

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
    s.text(4.85, 2.85, "2 x 2/2.8", "right")
    s.text(8.15, 2.85, "2 x 2/2.8", "left")
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
    s.text(15.4, 5.3, "Z1", "left")
    s.vdd(17.4, 9)
    s.fet("p", 17.4, 9, "P1")
    s.wire((17.4, 7.5), (17.4, 6.6), (16.1, 6.6), (16.1, 5))
    s.dot(16.1, 5)
    s.box(16.4, 4.2, 19.8, 5.8, "latch HIT", "set: Z1 low, FORCE", "reset: RAMPB")
    s.wire((19.8, 5), (20.6, 5))
    s.text(20.7, 5, "HIT", "left")
    s.text(16.5, 3.4, "P1 = EN1 and not HIT = not P1B", "left")
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
    s.text(4.15, y + 3.15, "G2")
    s.dot(4.6, y + 2.85)
    s.d.add(
        elm.Capacitor().at((4.6, y + 2.85)).to((4.6, y + 1.2)).label("hold\n5 x 4/7", loc="top", fontsize=10)
    )
    s.gnd(4.6, y + 1.2)
    s.across(5.4, y + 3.9, "AZ")
    s.wire((5.4, y + 3.9), (5.4, y + 2.85))
    s.wire((6.9, y + 3.9), (8, y + 3.9))
    s.fet("n", 3.2, y + 4.35, "AZB", left=True)
    s.wire((3.2, y + 4.35), (3.7, y + 4.35), (3.7, y + 2.85))
    s.wire((3.2, y + 2.85), (4.6, y + 2.85))
    s.dot(3.7, y + 2.85)
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
    s.text(9, y - 0.6, "W in 0.42 um, L in 0.15 um; others 1/1")
    s.room(21.4, y - 0.8)
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


def cluster_circuit() -> None:
    """A cluster: one of its cells, the MAC unit, the capacitor."""
    s = Sheet(-3.4)
    # MAC unit between VL and LBL
    s.text(0, 9.2, "VL, upper part")
    s.wire((0, 8.8), (0, 3.7))
    s.fet("n", 0, 3.7, "SEG", "N_s", left=True)
    s.wire((0, 3.7), (0.6, 3.7), (0.6, 2.2), (0, 2.2), dashed=True)
    s.wire((0, 2.2), (0, -0.8))
    s.text(0, -1.2, "VL")
    s.dot(0, 5)
    s.wire((0, 5), (1.2, 5))
    s.across(1.2, 5, "SOUT", "N_o")
    s.wire((2.7, 5), (4.2, 5))
    s.dot(4.2, 5)
    s.text(4.35, 4.7, "T", "left")
    s.text(4.2, 7.9, "XL")
    s.wire((4.2, 7.5), (4.2, 7))
    s.fet("n", 4.2, 7, "")
    s.text(4.0, 6.25, "N_w", "right")
    s.wire((4.2, 5.5), (4.2, 5))
    s.wire((4.2 + GATE, 6.25), (7, 6.25))
    s.dot(7, 6.25)
    s.d.add(elm.Capacitor().at((4.2, 5)).to((4.2, 3.2)).label("C", loc="bottom"))
    s.gnd(4.2, 3.2)
    s.dot(0, 0.3)
    s.wire((0, 0.3), (2.7, 0.3))
    s.across(2.7, 0.3, "ACC", "N_a")
    s.wire((4.2, 0.3), (7, 0.3))
    s.dot(7, 0.3)
    s.vdd(7, 9)
    s.fet("p", 7, 9, "PCHB", "P_p", left=True)
    s.wire((7, 7.5), (7, -0.8))
    s.text(7, -1.2, "LBL")
    # cell
    s.dot(7, 3.3)
    s.wire((7, 3.3), (7.6, 3.3))
    s.across(7.6, 3.3, "WLL")
    s.wire((9.1, 3.3), (10, 3.3))
    s.crossed(10, 14, 3, 1)
    s.text(9.8, 2.9, "Q", "right")
    s.text(14.2, 3.1, "QB", "left")
    s.wire((14, 2.7), (14.9, 2.7))
    s.across(14.9, 2.7, "WLR")
    s.wire((16.4, 2.7), (17, 2.7))
    s.dot(17, 2.7)
    s.wire((17, 8.8), (17, -0.8))
    s.text(17, -1.2, "GBLB")
    s.text(12, -0.2, "cell, one of cells_per_cluster")
    # dummy
    s.vdd(11, 9)
    s.fet("p", 11, 9, "")
    s.wire((11 + GATE, 8.25), (11 + GATE, 9))
    s.wire((11, 7.5), (12.9, 7.5), (12.9, 9), (11, 9))
    s.text(13.1, 8.25, "P_d", "left")
    s.text(8, -2.2, "SEG in segment rows alone; dashed: there, in the columns whose VL is not cut")
    s.text(8, -2.7, "picoram_40kb: all W 0.42 um, L 0.15 um; C 6.43 fF, its other plate GND")
    s.room(18.2, -3)
    s.save("cluster_circuit")


def row_dac() -> None:
    """XL of a row of picoram_40kb in its groups, and the switches of the DAC strips."""
    s = Sheet(-2.6)
    groups, samples = (16, 8, 4, 2, 2), (6.72, 3.36, 1.68, 0.84, 3.36)
    pitch, last = 5.2, len(groups) - 1
    for k, (columns, width) in enumerate(zip(groups, samples, strict=True)):
        x, data = pitch * k, 7.6 + 0.5 * k
        if k < last:
            s.text(-1.0, data, f"D{last - 1 - k}", "right")
            s.wire((-0.8, data), (x, data), (x, 7))
        else:
            s.wire((x, 7.6), (x, 7))
            s.text(x, 7.9, "GND")
        s.fet("n", x, 7, f"SMP[{k}]", f"{width}")
        s.wire((x, 5.5), (x, 3))
        s.dot(x, 3)
        if k:
            s.across(x - 2.2, 3, f"SHR[{k}]", "1.68")
            s.wire((x - 0.7, 3), (x, 3))
        s.wire((x, 3), (x + (0.6 if k == last else pitch - 2.2), 3))
        s.text(x + 0.15, 3.35, f"XL{k}", "left")
        s.dot(x + 0.6, 3)
        s.fet("n", x + 0.6, 3, "LBL")
        s.d.add(elm.Capacitor().at((x + 0.6, 1.5)).to((x + 0.6, -0.2)))
        s.gnd(x + 0.6, -0.2)
        s.text(x + 1.2, 0.65, f"{columns} x C", "left")
    s.text(10.4, -1.5, "1. LBL high, SMP: levels on XL0 to XL3, GND on XL4 (SMP[4] is the macro's SMPZ)")
    s.text(10.4, -2.0, "2. SMP low, SHR: XL = D3 / 2 + D2 / 4 + D1 / 8 + D0 / 16; later SMPZ empties XL")
    s.text(10.4, -2.5, "picoram_40kb, 32 columns; W in um, L 0.15; D is VREF of its bit or GND")
    s.room(23.5, -2.8)
    s.save("row_dac")


def ring_oscillator() -> None:
    """The ring of four stages, a stage, and what makes a phase of it."""
    s = Sheet(-0.4)
    # ring
    a, b = 12.6, 11.4
    for k in range(4):
        x = 3.4 + 4.2 * k
        s.box(x, 11, x + 2.2, 13, f"stage {k}")
        for net, y in (("A", a), ("B", b)):
            s.wire((x + 2.2, y), (x + 4.2 if k < 3 else x + 3.6, y))
            s.text(x + 2.9, y + 0.3, f"{net}{k}")
    s.text(2.9, a + 0.3, "B3")
    s.text(2.9, b + 0.3, "A3")
    s.wire((19.6, a), (19.6, 13.8), (2.2, 13.8), (2.2, b), (3.4, b))
    s.wire((19.6, b), (19.6, 10.2), (1.4, 10.2), (1.4, a), (3.4, a))
    # a stage
    y, main = 4.0, "2/2.65"
    for x, net, left in ((2.6, "A", True), (19.4, "B", False)):
        source = f"{net}(k-1)"
        s.stack(x, y, [(source, main), ("off", main)], [("on", main), (source, main)], left=left)
        s.dot(x, y)
    s.crossed(9, 13, y, 2)
    s.text(11, y + 4.0, "all 1.25/2.65")
    s.wire((2.6, y), (9, y))
    s.wire((13, y), (19.4, y))
    s.text(3.6, y + 0.3, "Ak")
    s.text(18.4, y + 0.3, "Bk")
    s.vdd(5, y + 2.4)
    s.fet("p", 5, y + 2.4, "on", "1/2.65")
    s.wire((5, y + 0.9), (5, y))
    s.dot(5, y)
    s.wire((17, y), (17, y - 0.9))
    s.fet("n", 17, y - 0.9, "off", "1/2.65", left=True)
    s.gnd(17, y - 2.4)
    s.dot(17, y)
    s.text(11, -0.8, "stage k; stage 0 has B3 for A(k-1), A3 for B(k-1); off = not EN, on = not off")
    s.text(11, -1.3, "for odd k the pMOS of on is at Bk, the nMOS of off at Ak")
    # a phase
    middle = -4.2
    for way, net, name in ((1, "Ak", "x"), (-1, "Bk", "y")):
        y = middle + 1.1 * way
        s.d.add(logic.Nor().at((5, y)).theta(0).anchor("out"))
        s.wire((2, y + 0.25 * way), (3.1, y + 0.25 * way))
        s.text(1.8, y + 0.25 * way, net, "right")
        into, back = middle - 0.85 * way, (5.6, middle + 0.4 * way)
        s.wire((5, y), (5.6, y), back, (2.6, middle - 0.4 * way), (2.6, into), (3.1, into))
        s.text(5.6, y + 0.35 * way, name)
    s.text(4.2, middle - 2.1, "n 1/1, p 3/1")
    y = middle - 1.1
    s.dot(5.6, y)
    for x, size in ((8, "2 x n 1/1, p 1/1"), (12, "6 x n 1/1, p 2/1")):
        s.d.add(logic.Not().at((x, y)).theta(0).anchor("in1"))
        s.text(x + 0.5, y - 1.0, size)
    s.wire((5.6, y), (8, y))
    s.wire((8.89, y), (12, y))
    s.wire((12.89, y), (14, y))
    s.text(9.4, y + 0.35, "z")
    s.text(14.15, y, "PH[k]", "left")
    s.text(7.5, middle + 0.9, "phase k; for odd k Ak and Bk are exchanged", "left")
    s.text(11, -7.4, "W in 0.42 um, L in 0.15 um; the last inverter for eight slices")
    s.room(22.4, -7.6)
    s.save("ring_oscillator")


def adc_bias() -> None:
    """Bias of the ADC slices."""
    s = Sheet(-1.6)
    for x, line, fingers, current, ampere in ((1, "VBR", 8, "IREF_R", 13), (12, "VBC", 4, "IREF_C", 8)):
        size, y = f"{fingers} x 4/7", 6.5
        for at in (x, x + 3, x + 6.4):
            s.vdd(at, 9)
        s.fet("p", x, 9, "PDB", "1/1", left=True)
        s.fet("p", x + 3, 9, "")
        s.text(x + 2.8, 8.25, size, "right")
        s.fet("p", x + 6.4, 9, "", left=True)
        s.wire((x + 6.4, 7.5), (x + 7.2, 7.5), (x + 7.2, 9), (x + 6.4, 9))
        s.text(x + 7.4, 8.25, size, "left")
        s.wire((x, 7.5), (x, y))
        s.wire((x + 3, 7.5), (x + 3, 5.5))
        s.wire((x + 3 + GATE, 8.25), (x + 6.4 - GATE, 8.25))
        s.wire((x + 4.7, 8.25), (x + 4.7, y))
        s.wire((x, y), (x + 8, y))
        s.text(x + 8.1, y, line, "left")
        for at, height in ((x + 3, y), (x + 4.7, y), (x + 4.7, 8.25)):
            s.dot(at, height)
        s.fet("n", x + 3, 5.5, "PDB", "2 x 4/1", left=True)
        s.wire((x + 3, 4), (x + 3, 3.4))
        s.text(x + 3.3, 3.7, current, "left")
        s.d.add(elm.SourceI().at((x + 3, 3.4)).theta(-90).length(1.6))
        s.text(x + 3.8, 2.6, f"{ampere} uA, outside", "left")
        s.gnd(x + 3, 1.8)
    x, y = 10.2, 2.8
    s.stack(x, y, [("", "")], [("", "")], left=True)
    s.wire((x - GATE, y + 1.45), (x - GATE, y - 1.45))
    s.wire((x - GATE, y), (8.4, y))
    s.dot(x - GATE, y)
    s.text(8.25, y, "PD", "right")
    s.dot(x, y)
    s.wire((x, y), (11, y))
    s.text(11.15, y, "PDB", "left")
    s.text(10.4, y + 1.45, "2/1", "left")
    s.text(10.4, y - 1.45, "1/1", "left")
    s.text(10, -0.8, "W in 0.42 um, L in 0.15 um")
    s.room(21, -1)
    s.save("adc_bias")


if __name__ == "__main__":
    adc_analog()
    column_side()
    cluster_circuit()
    row_dac()
    ring_oscillator()
    adc_bias()
