"""Whatever the schema of a SQLite database: no row is made that SQLite refuses, and what is left empty has a reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_judging import made

from checks.interface import Engine
from checks.rows.sets.wishes import Wishes
from runner.data.generated.running import orphans
from runner.data.generated.sqlite import catalogue_of, generate, reading
from runner.servers.sqlite.sessions import quoted, session

ROWS = 40
#: A few in every run; by hand as many as one likes.
EXAMPLES = int(os.environ.get("DBPROOF_RANDOM_SCHEMAS", "25"))
NAMES = (
    "plain",
    "Mixed Case",
    'with "quotes"',
    "per % cent",
    "co:lon?",
    "select",
    "日本",
    "it's",
    "back\\slash",
    "new\nline",
    "rowid",
)

_WHOLE = (
    "{c} > 0",
    "{c} BETWEEN 1 AND 100",
    "{c} IN (1, 2, 3)",
    "{c} % 2 = 0",
    "{c} >= 0 AND {c} < 1000",
    "{c} < -5",
    "{c} <> 0",
)
_TEXT = (
    "length({c}) > 0", "length({c}) BETWEEN 3 AND 10", "{c} IN ('a', 'b', 'c')", "{c} GLOB '[A-Z][A-Z][A-Z]'", "{c} LIKE 'x%'",
    "{c} = lower({c})", "length(trim({c})) > 0", "{c} LIKE '%_@_%'", "typeof({c}) = 'text'", "{c} NOT GLOB '*[^0-9a-f]*'",
)  # fmt: skip
_TIME = ("{c} > '2001-01-01'", "{c} BETWEEN '2020-01-01' AND '2030-01-01'", "{c} IS datetime({c})", "date({c}) IS NOT NULL")
_JSON = ("json_valid({c})", "json_type({c}) = 'object'", "json_valid({c}) AND {c} ->> 'kind' IN ('a', 'b')")
#: Types with conditions that may be put on a column of them.
KINDS: dict[str, tuple[str, ...]] = {
    "INTEGER": _WHOLE, "INT": _WHOLE, "BIGINT UNSIGNED": _WHOLE, "": _WHOLE[:3], "TEXT": _TEXT, "VARCHAR(12)": _TEXT,
    "REAL": ("{c} > 0", "{c} < 1e6"), "DECIMAL(10, 2)": ("{c} >= 0", "{c} BETWEEN 0 AND 100"), "NUMERIC": ("{c} > 0",),
    "DATE": _TIME[:2], "DATETIME": _TIME, "TIMESTAMP": _TIME[:2], "TIME": (), "BLOB": ("length({c}) < 30",), "JSON": _JSON,
    "BOOLEAN": ("{c} IN (0, 1)",),
}  # fmt: skip
STRICT = ("INTEGER", "INT", "TEXT", "REAL", "BLOB", "ANY")
#: Types by which rows may be told apart, of which there are as many as one likes.
KEYS = ("INTEGER", "TEXT", "VARCHAR(12)", "BIGINT UNSIGNED", "DATETIME", "")
#: Conditions of several columns, by the types that they want.
PAIRS = {
    "INTEGER": ("{a} < {b}", "{a} <= {b}", "{a} = {b} + 1", "{b} = {a} * 2", "({a} IS NULL) = ({b} IS NULL)", "{a} <> {b}"),
    "DECIMAL(10, 2)": ("{a} >= {b}", "{a} = {b} * 2", "{a} IS NULL OR {b} > 0"),
    "DATETIME": ("{b} > {a}", "{b} IS NULL OR {b} >= {a}"),
    "TEXT": ("{a} <> {b}", "{a} <> 'paid' OR {b} IS NOT NULL", "({a} IS NULL) <> ({b} IS NULL)"),
}


def schema(random: Random) -> Iterator[str]:
    """Statements that make tables which refer to each other."""
    made_so_far: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for number in range(random.randint(2, 5)):
        name = f"{random.choice(NAMES)} {number}"
        yield from _table(random, name, made_so_far)


def _table(random: Random, name: str, known: list[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> Iterator[str]:
    strict, conflict = random.random() < 0.15, _conflict(random)
    columns: list[str] = []
    types: dict[str, list[str]] = {}
    key, type_of_key = f"{random.choice(NAMES)} id", random.choice(("INTEGER", "TEXT", "INT") if strict else KEYS)
    parts = [f"{quoted(key)} {type_of_key} {random.choice(('', 'NOT NULL'))}".strip()]
    for number in range(random.randint(1, 6)):
        column = f"{random.choice(NAMES)}{number}"
        type_ = random.choice(STRICT if strict else tuple(KINDS))
        types.setdefault(type_, []).append(column)
        columns.append(column)
        parts.append(_column(random, column, type_, conflict))
    own: list[str] = [f"PRIMARY KEY ({quoted(key)})"]
    for type_, conditions in PAIRS.items():
        if len(types.get(type_, ())) > 1 and random.random() < 0.7:
            a, b = random.sample(types[type_], 2)
            own.append(f"CHECK ({random.choice(conditions).format(a=quoted(a), b=quoted(b))})")
    for parent, keys, types_of_keys in random.sample(known, min(len(known), random.randint(0, 2))):
        mine = [f"ref{len(own)}_{place}" for place in range(len(keys))]
        null = random.choice(("", "NOT NULL"))
        one = random.choice(("", "", "UNIQUE")) if len(keys) == 1 else ""
        theirs = ["ANY" if strict and type_ not in STRICT else type_ for type_ in types_of_keys]
        parts += [f"{quoted(column)} {type_} {null} {one}" for column, type_ in zip(mine, theirs, strict=True)]
        own.append(f"FOREIGN KEY ({', '.join(mine)}) REFERENCES {quoted(parent)} ({', '.join(map(quoted, keys))})")
    if random.random() < 0.3:
        parts.append(f"up {type_of_key}")
        own.append(f"FOREIGN KEY (up) REFERENCES {quoted(name)} ({quoted(key)})")
    if random.random() < 0.4:
        own.append(f"UNIQUE ({', '.join(map(quoted, random.sample(columns, min(len(columns), 2))))}){conflict}")
    if random.random() < 0.3:
        source = random.choice(columns)
        formula = f"{quoted(source)} || 'x'" if random.random() < 0.5 else f"coalesce({quoted(source)}, 0) + 1"
        parts.append(f"made {'TEXT' if strict else ''} AS ({formula}) {random.choice(('STORED', 'VIRTUAL'))}")
    endings = [word for word, chance in (("STRICT", strict), ("WITHOUT ROWID", random.random() < 0.2)) if chance]
    yield f"CREATE TABLE {quoted(name)} ({', '.join((*parts, *own))}) {', '.join(endings)}"
    if random.random() < 0.3:
        column = quoted(random.choice(columns))
        expression = random.choice((column, f"lower({column})", f"{column} || 'x'"))
        where = random.choice(("", f" WHERE {column} IS NOT NULL", f" WHERE {column} <> 'x'"))
        yield f"CREATE UNIQUE INDEX {quoted(f'unique {name}')} ON {quoted(name)} ({expression}){where}"
    known.append((name, (key,), (type_of_key,)))


def _column(random: Random, name: str, type_: str, conflict: str) -> str:
    words = [quoted(name), type_]
    if random.random() < 0.5:
        words.append(f"NOT NULL{conflict}")
    if random.random() < 0.15:
        words.append(f"UNIQUE{conflict}")
    if type_ in ("TEXT", "VARCHAR(12)") and random.random() < 0.2:
        words.append("COLLATE NOCASE")
    if random.random() < 0.2:
        words.append("DEFAULT 7")
    conditions = KINDS.get(type_, ())
    if conditions and random.random() < 0.4:
        words.append(f"CHECK ({random.choice(conditions).format(c=quoted(name))})")
    return " ".join(word for word in words if word)


def _conflict(random: Random) -> str:
    return random.choice(("", "", "", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE", " ON CONFLICT ROLLBACK"))


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck])
def test_no_row_is_refused_and_nothing_is_violated(seed: int) -> None:
    filled(seed)


def filled(seed: int) -> list[str]:
    """Fill a random schema and judge it; gives why tables got fewer rows."""
    with made("") as (_, database):
        with session(database.private) as connection:
            for statement in schema(Random(seed)):
                connection.execute(statement)
        catalogue = catalogue_of(database.private)
        wanted = {table.name: ROWS for table in catalogue.tables}
        done = generate(database.private, catalogue, wanted, seed, Wishes(), lambda _: None)
        assert {one.table for one in done} == set(catalogue.table)
        with session(database.private) as connection:
            for one in done:
                assert connection.execute(f"SELECT count(*) FROM {quoted(one.table.name)}").fetchall() == [(one.rows,)], one
                assert bool(one.reason) == (one.rows < ROWS), one
                assert "refuses its rows" not in one.reason, one
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert not any(key.mismatch for key in catalogue.foreign_keys)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        with reading(database.private) as read:
            assert orphans(catalogue, read, Engine.SQLITE) == {}
        return [f"{one.rows}: {one.reason}" for one in done if one.reason]
