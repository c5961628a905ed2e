"""The macro: blocks placed, joined, powered; the one place that knows the whole hierarchy."""

from picoram_layout.macro.drawing import Area, Drawing, draw

__all__ = ["Area", "Drawing", "draw"]
