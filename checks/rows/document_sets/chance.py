"""Chance that is the same every time: a generator for each thing that is left to it, seeded with a text."""

from __future__ import annotations

import random


def seeded(text: str) -> random.Random:
    """A generator whose ``random()`` gives the same numbers for the same text, on every machine and with every Python."""
    return random.Random(text)  # noqa: S311 - the same draws every time, and no secret
