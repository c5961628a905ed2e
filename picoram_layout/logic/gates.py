"""Gates as they are drawn: two strips of diffusion with a row of gates across, written down column by column.

A strip is a text of nets from left to right, in turns source/drain and gate: a NAND2 is
``"GND A x B Y"`` under ``"VDD A Y B VDD"``. A dot is a column without diffusion or without a gate; a dot in a
gate's place separates the diffusions on both sides. ``TAP`` in a source/drain's place is a tap to the strip's
supply. Nets that are no pins get the name of the gate in front once it is used (`Gate.named`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

NONE = "."
TAP = "TAP"
GND, VDD = "GND", "VDD"


class _End(NamedTuple):
    """A gate's outermost column: nets of both strips, their widths, channel length."""

    n: str
    p: str
    wn: float
    wp: float
    length: float


@dataclass(frozen=True)
class Gate:
    """A network of transistors: nMOS strip, pMOS strip (as many columns), channel widths (um), pins.

    ``length``: of its channels (um); 0 is the shortest of the PDK. All gates of a row have the same.
    """

    n: tuple[str, ...]
    p: tuple[str, ...]
    wn: float
    wp: float
    pins: tuple[str, ...]
    length: float = 0.0

    def __post_init__(self) -> None:
        if len(self.n) != len(self.p) or len(self.n) % 2 == 0:
            raise ValueError(f"{self.n} and {self.p}: strips must have the same, odd number of columns")

    def named(self, name: str, **nets: str) -> Gate:
        """The gate between these nets; other pins keep their names, inner nets get ``name`` in front."""
        unknown = set(nets) - set(self.pins)
        if unknown:
            raise ValueError(f"{name}: no pin {', '.join(sorted(unknown))}; has {', '.join(self.pins)}")
        fixed = {NONE, TAP, GND, VDD, *self.pins}

        def net(old: str) -> str:
            return nets.get(old, old) if old in fixed else f"{name}_{old}"

        strips = tuple(tuple(net(old) for old in strip) for strip in (self.n, self.p))
        return replace(self, n=strips[0], p=strips[1], pins=tuple(net(pin) for pin in self.pins))

    def renamed(self, nets: Mapping[str, str]) -> Gate:
        """The gate with some nets called otherwise."""
        n, p, pins = (tuple(nets.get(net, net) for net in names) for names in (self.n, self.p, self.pins))
        return replace(self, n=n, p=p, pins=pins)

    @cached_property
    def mirrored(self) -> Gate:
        """The same gate from right to left."""
        return replace(self, n=self.n[::-1], p=self.p[::-1])

    @cached_property
    def ends(self) -> tuple[_End, _End]:
        """Its first and its last column."""
        first, last = (_End(self.n[k], self.p[k], self.wn, self.wp, self.length) for k in (0, -1))
        return first, last

    @property
    def split(self) -> bool:
        """Whether a column has two gates of its own."""
        return any(a != b and NONE not in (a, b) for a, b in zip(self.n[1::2], self.p[1::2], strict=True))


def gate(n: str, p: str, wn: float, wp: float, pins: str, length: float = 0.0) -> Gate:
    """A gate from the texts of its strips."""
    return Gate(tuple(n.split()), tuple(p.split()), wn, wp, tuple(pins.split()), length)


def of_length(g: Gate, length: float) -> Gate:
    """The same gate with channels of this length (um)."""
    return replace(g, length=length)


def nmos(w: float, count: int = 1, length: float = 0.0) -> Gate:
    """``count`` nMOS transistors in parallel (pins S G D) under an empty strip; S at both ends if even."""
    strip = parallel(["G"] * count, "S", "D")
    return Gate(strip, (NONE,) * len(strip), w, 0.0, ("S", "G", "D"), length)


def pmos(w: float, count: int = 1, length: float = 0.0) -> Gate:
    """``count`` pMOS transistors in parallel (pins S G D) over an empty nMOS strip."""
    strip = parallel(["G"] * count, "S", "D")
    return Gate((NONE,) * len(strip), strip, 0.0, w, ("S", "G", "D"), length)


def inverter(wn: float, wp: float, fingers: int = 1, length: float = 0.0) -> Gate:
    """Y = not A, of ``fingers`` transistors of these widths in parallel."""
    n, p = (parallel(["A"] * fingers, supply, "Y") for supply in (GND, VDD))
    return Gate(n, p, wn, wp, ("A", "Y"), length)


def nand(wn: float, wp: float, inputs: str = "A B") -> Gate:
    """Y = not (A and B and ...): nMOS in series."""
    names = inputs.split()
    series = _series(names, GND, "Y")
    return Gate(series, parallel(names, VDD, "Y"), wn, wp, (*names, "Y"))


def nor(wn: float, wp: float, inputs: str = "A B") -> Gate:
    """Y = not (A or B or ...): pMOS in series."""
    names = inputs.split()
    series = _series(names, VDD, "Y")
    return Gate(parallel(names, GND, "Y"), series, wn, wp, (*names, "Y"))


def or_nand(wn: float, wp: float) -> Gate:
    """Y = not (A and (B or C))."""
    return gate("Y A m B GND C m", "VDD A Y B s C VDD", wn, wp, "A B C Y")


def xor(wn: float, wp: float) -> Gate:
    """Y = A xor B; AB and BB are the complements of A and B."""
    return gate("GND A n B Y BB m AB GND", "VDD AB p B Y BB q A VDD", wn, wp, "A AB B BB Y")


def transmission_gate(wn: float, wp: float) -> Gate:
    """A joined with Y while E is high and EB is low."""
    return gate("A E Y", "A EB Y", wn, wp, "A E EB Y")


def tristate(wn: float, wp: float, length: float = 0.0) -> Gate:
    """Y = not A while E is high and EB is low, else Y is left alone."""
    return gate("GND A n E Y", "VDD A p EB Y", wn, wp, "A E EB Y", length)


def latch(wn: float, wp: float) -> Gate:
    """Transparent while E is high and EB is low; Q = D, QB its complement; a clocked inverter holds."""
    return join(
        [
            tristate(wn, wp).named("in", A="D", Y="QB"),
            tristate(wn, wp).named("hold", A="Q", Y="QB", E="EB", EB="E"),
            inverter(wn, wp).named("out", A="QB", Y="Q"),
        ],
        "D E EB Q QB",
    )


def pass_latch(wn: float, wp: float) -> Gate:
    """Transparent while E is high and EB is low; Q = D, QB its complement.

    D comes through a transmission gate. Only the nMOS that holds a 0 is cut off meanwhile: D has to be
    stronger than the pMOS that holds a 1. No column has two gates.
    """
    return gate("D E Q EB m QB GND Q QB", ". . D EB Q QB VDD Q QB", wn, wp, "D E EB Q QB")


def flip_flop(wn: float, wp: float) -> Gate:
    """Q takes D at the rising edge of CK (CKB its complement): two latches, static."""
    return join(
        [
            latch(wn, wp).named("master", E="CKB", EB="CK", Q="mq", QB="m"),
            latch(wn, wp).named("slave", D="m", E="CK", EB="CKB", Q="QB", QB="Q"),
        ],
        "D CK CKB Q QB",
    )


def tspc_flip_flop(wn: float, wp: float) -> Gate:
    """Q takes D at the rising edge of CK: true single-phase clocked, eleven transistors.

    Yuan and Svensson, "High-speed CMOS circuit technique", IEEE JSSC 24(1), 1989: a p-C2MOS input stage, a
    precharged stage, an n-C2MOS output stage; an inverter gives Q.
    """
    return join(
        [
            gate("GND D x . .", "VDD D p CK x", wn, wp, "D CK x").named("in", x="a"),
            gate("GND CK n x y", "VDD CK y . .", wn, wp, "CK x y").named("mid", x="a", y="b"),
            gate("GND b m CK z", "VDD b z . .", wn, wp, "b CK z").named("late", z="QB"),
            inverter(wn, wp).named("out", A="QB", Y="Q"),
        ],
        "D CK Q QB",
    )


def tap() -> Gate:
    """A substrate tap and a well tap."""
    return Gate((TAP,), (TAP,), 0.0, 0.0, ())


def parallel(gates: Sequence[str], end: str, out: str) -> tuple[str, ...]:
    """A strip of transistors in parallel, from ``end`` on; it ends there, too, where their number is even."""
    nets = [end]
    for k, name in enumerate(gates):
        nets += [name, end if k % 2 else out]
    return tuple(nets)


def join(gates: Sequence[Gate], pins: str) -> Gate:
    """Gates in a row as one; neighbours share a diffusion where both strips allow it."""
    first, *rest = gates
    made = first
    for right in rest:
        made = _beside(made, right)
    return replace(made, pins=tuple(pins.split()))


# A gate and those before it.
_Chain = tuple[Gate, "_Chain | None"]


def strips(gates: Iterable[Gate]) -> list[tuple[Gate, int]]:
    """Gates of one row with their first column, each turned so that most neighbours share a diffusion."""
    # diffusions shared so far, and gates up to one that lies either way: it, and those before it
    ways: list[tuple[int, _Chain]] = []
    for g in gates:
        found: list[tuple[int, _Chain]] = []
        for turned in (g, g.mirrored):
            best: tuple[int, _Chain | None] = (0, None) if not ways else (-1, None)
            for shared, last in ways:
                more = shared + _shares(last[0], turned)
                if more > best[0]:
                    best = more, last
            found.append((best[0], (turned, best[1])))
        ways = found
    order: list[Gate] = []
    chain: _Chain | None = max(ways, key=itemgetter(0))[1]
    while chain:
        order.append(chain[0])
        chain = chain[1]
    placed: list[tuple[Gate, int]] = []
    column = 0
    for g in reversed(order):
        if placed:
            column += -1 if _shares(placed[-1][0], g) else 1
        placed.append((g, column))
        column += len(g.n)
    return placed


def _shares(left: Gate, right: Gate) -> bool:
    """Whether the last columns of one and the first of the other can be the same diffusions."""
    a, b = left.ends[1], right.ends[0]
    if a.n != b.n or a.p != b.p or a.length != b.length or TAP in (a.n, a.p) or a.n == NONE == a.p:
        return False
    return (a.n == NONE or a.wn == b.wn) and (a.p == NONE or a.wp == b.wp)


def _sizes(g: Gate) -> tuple[float, float, float]:
    return g.wn, g.wp, g.length


def _beside(left: Gate, right: Gate) -> Gate:
    """Two gates of the same sizes as one."""
    if _sizes(left) != _sizes(right):
        raise ValueError("gates that are joined must have the same channel widths and length")
    for turned in (right, right.mirrored):
        if _shares(left, turned):
            return replace(left, n=left.n + turned.n[1:], p=left.p + turned.p[1:])
    return replace(left, n=(*left.n, NONE, *right.n), p=(*left.p, NONE, *right.p))


def _series(gates: Sequence[str], supply: str, out: str) -> tuple[str, ...]:
    nets = [supply]
    for k, name in enumerate(gates):
        nets += [name, out if k == len(gates) - 1 else f"s{k}"]
    return tuple(nets)
