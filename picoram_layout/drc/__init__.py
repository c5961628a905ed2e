"""Design rule check: the PDK's rule table interpreted with KLayout's hierarchical engine."""

from picoram_layout.drc.result import DrcResult, Violation
from picoram_layout.drc.run import check_file, describe, run_drc

__all__ = ["DrcResult", "Violation", "check_file", "describe", "run_drc"]
