"""Layout versus schematic with KLayout's engine: extraction of devices and nets, comparison, report."""
