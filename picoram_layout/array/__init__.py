"""The array: rows of clusters and DAC strips, nested in blocks of equal rows, closed by ends."""
