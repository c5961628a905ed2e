"""The few SVG elements that the reports draw with; lengths in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_FONT = "font-family='Helvetica, Arial, sans-serif' font-size='13' fill='#1a1a1a'"
EDGE = "#4a5560"
SOFT = "#555555"


def document(width: float, height: float, parts: Iterable[str]) -> str:
    """A whole picture on white."""
    size = f"width='{width:.0f}' height='{height:.0f}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' {size} {_FONT}>"
    return "\n".join([head, f"<rect {size} fill='#ffffff'/>", *parts, "</svg>"]) + "\n"


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 13,
    anchor: str = "start",
    bold: bool = False,
    turn: bool = False,
    colour: str = "",
) -> str:
    """Text on the baseline ``y``; ``turn`` makes it read upwards."""
    more = (" font-weight='bold'" if bold else "") + (f" fill='{colour}'" if colour else "")
    more += f" transform='rotate(-90 {x:.1f} {y:.1f})'" if turn else ""
    head = f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}'{more}>"
    return f"{head}{escape(content)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str = "#1a1a1a", width: float = 1.0) -> str:
    """A straight line."""
    ends = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {ends} stroke='{colour}' stroke-width='{width:g}'/>"


def rect(x: float, y: float, w: float, h: float, fill: str, stroke: str = "", tip: str = "") -> str:
    """A rectangle with an optional outline and tooltip."""
    place = f"x='{x:.2f}' y='{y:.2f}' width='{w:.2f}' height='{h:.2f}'"
    style = f"fill='{fill}'" + (f" stroke='{stroke}' stroke-width='0.8'" if stroke else "")
    return f"<rect {place} {style}>{f'<title>{escape(tip)}</title>' if tip else ''}</rect>"


def group(parts: Iterable[str], x: float = 0.0, y: float = 0.0) -> str:
    """Parts moved together."""
    return f"<g transform='translate({x:.1f} {y:.1f})'>{''.join(parts)}</g>"
