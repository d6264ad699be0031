"""Chance for engines without a hash of numbers: integer arithmetic that no engine's 64 bits overflow.

A row's number is spread by the fifth power modulo the prime 2^31 - 1, which gives each number another one (5 does not divide
2^31 - 2), twice: ``h`` and ``i``. ``h * salt + i`` modulo the prime is another number for each salt, and any two salts' go
together no more than chance has it (Carter and Wegman, Universal classes of hash functions, 1979).
"""

from __future__ import annotations

import zlib

from checks.rows.sets.language import NUMBER

PRIME = 2**31 - 1
#: The columns that chance is made of.
FIRST, SECOND = "dbproof_h", "dbproof_i"


def hashed(source: str, seed: int, modulo: str, fence: str) -> str:
    """A query of ``source`` (as it is read FROM) with the columns that chance is made of; ``fence`` ends a subquery that is
    not to be taken apart."""
    one, other = (zlib.crc32(f"{seed}/{part}".encode()) % PRIME for part in (FIRST, SECOND))
    first = _fifth_power(f"(({NUMBER} * 48271 + {one}) {modulo} {PRIME})", modulo)
    second = _fifth_power(f"(({NUMBER} * 69621 + {FIRST} + {other}) {modulo} {PRIME})", modulo)
    inner = f"SELECT dbproof_source.*, {first} AS {FIRST} FROM {source} AS dbproof_source {fence}"
    return f"SELECT dbproof_one.*, {second} AS {SECOND} FROM ({inner}) AS dbproof_one {fence}"


def chance(salt: int, modulo: str) -> str:
    """A whole number from 0 on."""
    return f"(({FIRST} * {salt % (PRIME - 1) + 1} + {SECOND}) {modulo} {PRIME})"


def _fifth_power(number: str, modulo: str) -> str:
    square = f"({number} * {number} {modulo} {PRIME})"
    return f"(({square} * {square} {modulo} {PRIME}) * {number} {modulo} {PRIME})"
