"""Static logic drawn from its transistors: gates, rows of them, and the wires between."""
