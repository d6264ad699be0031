"""Families of types: columns of one family compare as they are, those of two only as text."""

from __future__ import annotations

import re

_MEMBERS = {
    "number": (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision"),
        *("int", "tinyint", "mediumint", "decimal", "float", "double"),
    ),
    "text": (
        *("text", "character varying", "character", "varchar", "char", "bpchar", "name", "citext"),
        *("tinytext", "mediumtext", "longtext", "nvarchar", "nchar", "clob"),
    ),
    "uuid": ("uuid",),
    "time": ("date", "timestamp without time zone", "timestamp with time zone", "timestamp", "datetime"),
}
_FAMILIES = {member: family for family, members in _MEMBERS.items() for member in members}

# Lengths, precisions, and what MariaDB writes behind its numbers.
_TRIMMINGS = re.compile(r"\([^()]*\)|\b(?:unsigned|zerofill|signed)\b", re.IGNORECASE)


def family(type_: str) -> str:
    """The family of a type as an engine formats it: ``number``, ``text``, ``uuid``, ``time``, else the type itself."""
    plain = " ".join(_TRIMMINGS.sub(" ", type_).lower().split())
    return _FAMILIES.get(plain, plain)


def alike(one: str, other: str) -> bool:
    """Whether columns of the two types can be compared as they are."""
    return family(one) == family(other)
