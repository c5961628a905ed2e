"""Netlists made from parameters: the circuits that the drawn cells must be."""
