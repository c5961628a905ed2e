"""Mutations of clean arrays, and an independent judge of what there is to notice.

`subject` draws clean arrays, `edits` invents and applies single mutations, `circuit` tells from the flat
drawing whether one changes the circuit, `bench` asks LVS and DRC, `table` counts and writes it down.
"""
