"""Capacitance of wires from documented coefficients per area and per edge, for netlists to simulate."""

from picoram_layout.wires.extract import Capacitances, wire_capacitance

__all__ = ["Capacitances", "wire_capacitance"]
