"""Many variants of a spec, built side by side and compared."""

from picoram_layout.sweep.points import Point, make_points, parse_settings
from picoram_layout.sweep.run import Outcome, run_points

__all__ = ["Outcome", "Point", "make_points", "parse_settings", "run_points"]
