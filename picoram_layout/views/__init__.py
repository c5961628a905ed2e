"""Views of the macro for whoever places it: LEF, Liberty, Verilog, all from one table of pins."""
