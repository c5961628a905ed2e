"""ngspice simulation: bitcell, row DAC, a whole output, mismatch. Needs the program and the extra ``sim``."""
