"""Layout generator for an analog compute-in-memory SRAM macro, with netlists, views, DRC, LVS, reports."""

__version__ = "0.1.0"
