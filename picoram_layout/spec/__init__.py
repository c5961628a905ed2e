"""The spec: what a user may ask for, checked completely before anything is drawn."""

from picoram_layout.spec.load import load_spec
from picoram_layout.spec.model import Spec, json_schema
from picoram_layout.spec.problem import Problem, SpecError
from picoram_layout.spec.sections import ArraySpec, BitcellSpec, CapacitorSpec

__all__ = [
    "ArraySpec",
    "BitcellSpec",
    "CapacitorSpec",
    "Problem",
    "Spec",
    "SpecError",
    "json_schema",
    "load_spec",
]
