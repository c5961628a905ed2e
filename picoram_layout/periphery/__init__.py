"""Blocks around the array: drivers and decoders on the left, column circuits and ADC slices below."""
