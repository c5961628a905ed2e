"""Draws row_driver.svg: ``python docs/pictures/row_driver.py``."""

from __future__ import annotations

from pathlib import Path

# Text of a block, its left edge, upper edge, width; wires end at its middle line.
_HEIGHT = 34
_BLOCKS = (
    ("NAND3 + inverter", 150, 20, 120),
    ("NAND2 left", 330, 20, 110),
    ("NAND2 right", 330, 70, 110),
    ("NOR2, one a cell", 500, 20, 120),
    ("NOR2, one a cell", 500, 70, 120),
    ("inverter", 330, 130, 120),
    ("inverter", 330, 180, 120),
    ("inverter (segment rows)", 330, 230, 150),
    ("2 inverters: delay", 150, 290, 120),
    ("NOR2", 330, 290, 120),
    ("NAND2 + inverter", 330, 350, 120),
    ("latch, one a bit", 330, 410, 120),
    ("nMOS to level / to GND", 490, 410, 150),
)
# Points (x, y) of wires.
_WIRES = (
    ((90, 37), (150, 37)), ((270, 37), (330, 37)), ((300, 37), (300, 87), (330, 87)), ((385, 12), (385, 20)),
    ((385, 112), (385, 104)), ((440, 37), (500, 37)), ((440, 87), (500, 87)), ((560, 12), (560, 20)),
    ((560, 54), (560, 70)), ((620, 37), (680, 37)), ((620, 87), (680, 87)), ((90, 147), (330, 147)),
    ((450, 147), (680, 147)), ((90, 197), (330, 197)), ((450, 197), (680, 197)), ((90, 247), (330, 247)),
    ((480, 247), (680, 247)), ((90, 307), (150, 307)), ((270, 307), (330, 307)), ((300, 307), (300, 272)),
    ((390, 340), (390, 324)), ((450, 307), (680, 307)), ((90, 367), (330, 367)), ((390, 384), (390, 410)),
    ((90, 427), (330, 427)), ((450, 427), (490, 427)), ((565, 460), (565, 444)), ((640, 427), (680, 427)),
)  # fmt: skip
_TEXTS = (
    (86, 41, "end", "PA PB PC"),
    (300, 31, "middle", "row"),
    (385, 10, "middle", "ENL"),
    (385, 124, "middle", "ENR"),
    (560, 10, "middle", "CSB (cell select, low)"),
    (686, 41, "start", "WLL"),
    (686, 91, "start", "WLR"),
    (86, 151, "end", "PCH"),
    (686, 151, "start", "PCHB"),
    (86, 201, "end", "SOUTB"),
    (686, 201, "start", "SOUT"),
    (86, 251, "end", "SEGB"),
    (686, 251, "start", "SEG"),
    (86, 311, "end", "row below"),
    (300, 268, "middle", "row above"),
    (396, 342, "start", "ACCGB"),
    (686, 311, "start", "ACC"),
    (86, 371, "end", "row, LOAD"),
    (86, 431, "end", "BUS"),
    (565, 472, "middle", "VREF[bit]"),
    (686, 431, "start", "D[bit]"),
)


def svg() -> str:
    """The whole picture."""
    font = 'font-family="sans-serif" font-size="12"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-15 0 755 485" {font}>']
    out.append('<rect x="-15" width="755" height="485" fill="white"/>')
    for points in _WIRES:
        at = " ".join(f"{x},{y}" for x, y in points)
        out.append(f'<polyline points="{at}" fill="none" stroke="black"/>')
    for text, x, y, width in _BLOCKS:
        out.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" fill="#e8eef8" stroke="black"/>'
        )
        out.append(f'<text x="{x + width / 2:g}" y="{y + 21}" text-anchor="middle">{text}</text>')
    for x, y, anchor, text in _TEXTS:
        out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>')
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(svg(), encoding="utf-8")
