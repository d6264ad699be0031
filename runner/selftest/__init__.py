"""Proves that the checks can fail: faults are planted on copies, one at a time, and the responsible check has to find each."""
