"""What `load` may name: files with rows in a format that their engine takes, or a command that makes rows."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from checks.interface import Engine
from runner.settings.values import WORD, Command, Section, Text, Texts, setting


class Format(StrEnum):
    """How a file holds rows."""

    SQL = "sql"
    DUMP = "dump"
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    JSON = "json"
    PARQUET = "parquet"
    FIXTURE = "fixture"
    BSON = "bson"
    ARCHIVE = "archive"

    @property
    def label(self) -> str:
        """The format's name as people write it."""
        return _LABELS[self]


_LABELS: Mapping[Format, str] = {
    Format.SQL: "SQL",
    Format.DUMP: "a dump for pg_restore",
    Format.CSV: "CSV",
    Format.TSV: "TSV",
    Format.JSONL: "JSON lines",
    Format.JSON: "JSON",
    Format.PARQUET: "Parquet",
    Format.FIXTURE: "a fixture of Django",
    Format.BSON: "BSON",
    Format.ARCHIVE: "an archive of mongodump",
}

#: How files end that hold a format; ``.gz`` may follow.
ENDINGS: Mapping[str, Format] = {
    ".sql": Format.SQL,
    ".dump": Format.DUMP,
    ".backup": Format.DUMP,
    ".tar": Format.DUMP,
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSON,
    ".parquet": Format.PARQUET,
    ".yaml": Format.FIXTURE,
    ".yml": Format.FIXTURE,
    ".bson": Format.BSON,
    ".archive": Format.ARCHIVE,
}

_OF_TABLES = frozenset({Format.SQL, Format.CSV, Format.TSV, Format.JSONL, Format.JSON, Format.PARQUET, Format.FIXTURE})

#: The formats that an engine's rows may stand in.
FORMATS: Mapping[Engine, frozenset[Format]] = {
    Engine.POSTGRESQL: _OF_TABLES | {Format.DUMP},
    Engine.SQLITE: _OF_TABLES,
    Engine.MARIADB: _OF_TABLES,
    Engine.MONGODB: frozenset({Format.JSONL, Format.JSON, Format.PARQUET, Format.BSON, Format.ARCHIVE}),
}

#: What a file of values between delimiters may be told besides.
DELIMITED = frozenset({Format.CSV, Format.TSV})
_OF_DELIMITED = ("null", "delimiter", "quote", "columns")
#: The formats of text, which have an encoding, and those whose one file is one table.
_TEXTS = DELIMITED | {Format.JSONL, Format.JSON}
ONE_TABLE = _TEXTS | {Format.PARQUET, Format.BSON}


def format_of(name: str) -> Format | None:
    """The format that a file's name says by how it ends."""
    bare = name.lower().removesuffix(".gz")
    return next((found for ending, found in ENDINGS.items() if bare.endswith(ending)), None)


def endings(engine: Engine) -> list[str]:
    """How the files of an engine end."""
    return [ending for ending, found in ENDINGS.items() if found in FORMATS[engine]]


def _said(entry: object, key: str) -> str | None:
    """What an entry of the raw document says under a key; a text names a file."""
    found = (
        (entry if key == "file" else None) if isinstance(entry, str) else entry.get(key) if isinstance(entry, Mapping) else None
    )
    return found if isinstance(found, str) else None


def unfit(entry: object, engine: Engine) -> str | None:
    """Why an entry of the raw document cannot be loaded into an engine, as far as its name says; or ``None``."""
    named, file = _said(entry, "format"), _said(entry, "file")
    kind = Format(named) if named in set(Format) else format_of(file) if file and not named else None
    if kind is not None and kind not in FORMATS[engine]:
        others = ", ".join(sorted(one.value for one in FORMATS[engine]))
        return f"{engine.label} takes no rows from {kind.label}; there are: {others}"
    if kind is None and not named and file and _LIKE_A_FILE.search(file):
        return f"expected a file that ends in {' or '.join(', '.join(endings(engine)).rsplit(', ', 1))}, or say its 'format'"
    return None


#: The end of a name that looks like a file's, and like no pattern's.
_LIKE_A_FILE = re.compile(r"\.[A-Za-z0-9]+$")


def starts_a_program(entry: object) -> bool:
    """Whether an entry of the raw document is loaded by a program of the project's."""
    if _said(entry, "command"):
        return True
    return _said(entry, "format") == Format.FIXTURE or format_of(_said(entry, "file") or "") in (Format.FIXTURE, Format.JSON)


def _character(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise ValueError("expected one character of ASCII, such as ';'")
    return text


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError("expected an encoding that Python knows, such as 'latin-1' or 'cp1252'") from None
    return name


def _null(text: str) -> str:
    if any(sign in text for sign in "\r\n\0"):
        raise ValueError("expected a text of one line")
    return text


class LoadSettings(Section):
    """One entry of `load`: a file, a folder or a pattern of files; or a command."""

    file: Text | None = setting(None, "A file, a folder, or a pattern of files.", "seeds/*.csv")
    command: Command | None = setting(None, "A program of the project's that makes rows.", "python seed.py")
    table: Text | None = setting(None, "The table or collection, where the file is not named after it.", "sales.orders")
    format: Annotated[Format, WORD] | None = setting(None, "The format, where the file's name does not say it.", "csv")
    null: Annotated[str, AfterValidator(_null)] | None = setting(None, "How NULL is spelled, outside quotes.", "\\N")
    delimiter: Annotated[str, AfterValidator(_character)] | None = setting(None, "What stands between values.", ";")
    quote: Annotated[str, AfterValidator(_character)] | None = setting(None, "What values are quoted with.", "'")
    columns: Texts = setting((), "The columns of a file that has no line with their names.", ("id", "name"))
    encoding: Annotated[Text, AfterValidator(_encoding)] | None = setting(None, "A text's encoding.", "latin-1")

    @property
    def kind(self) -> Format | None:
        """The format that was said, else the one that the name shows; ``None`` for a folder."""
        return self.format or (format_of(self.file) if self.file else None)

    @model_validator(mode="after")
    def _means_one_thing(self) -> LoadSettings:
        if (self.file is None) == (self.command is None):
            raise ValueError(f"expected 'file' or 'command', found {'neither' if self.file is None else 'both'}")
        given = [name for name in type(self).model_fields if name not in ("file", "command") and getattr(self, name)]
        if self.command is not None and given:
            raise ValueError(f"'{given[0]}' belongs to a file, and this is a command")
        for name in given:
            if self.kind and self.kind not in _BELONGS.get(name, frozenset(Format)):
                raise ValueError(f"'{name}' means nothing for {self.kind.label}")
        if self.delimiter is not None and self.delimiter == (self.quote or '"'):
            raise ValueError("'delimiter' and 'quote' are the same")
        return self


_BELONGS: Mapping[str, frozenset[Format]] = {
    **dict.fromkeys(_OF_DELIMITED, DELIMITED),
    "encoding": _TEXTS,
    "table": ONE_TABLE,
}


def _as_table(given: object) -> object:
    """A text names a file."""
    return {"file": given} if isinstance(given, str) else given


Loads = tuple[Annotated[LoadSettings, BeforeValidator(_as_table)], ...]

LOAD = Field(
    default=(),
    description=(
        "Rows to load before the new migrations, in this order: files (SQL, CSV, JSON lines, Parquet, dumps), folders, patterns, "
        'or { command = "…" }; docs/data.md.'
    ),
    examples=[("db/seeds.sql",), ("seeds/companies.jsonl",)],
)
