"""Rows by the thousand, from the catalogue alone: where each column's values come from, and in which order tables are filled.

Nothing is rendered here and nothing is written: a plan says what the engine's own statement has to make of the number of a row.
"""
