"""Layout generator for an analog compute-in-memory SRAM array, with DRC, density and reports."""

__version__ = "0.1.0"
