"""Random schemas of PostgreSQL: tables that refer to each other, with types, keys and conditions of all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

#: What comes first: types of the schema's own.
TYPES = (
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s 100 %')",
    "CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@ ]+@[^@ ]+[.][a-z]+$')",
    "CREATE DOMAIN percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100)",
    "CREATE DOMAIN code AS varchar(6) NOT NULL CHECK (VALUE = upper(VALUE)) CHECK (length(VALUE) >= 2)",
)
NAMES = ("plain", "Mixed Case", 'with "quotes"', "per % cent", "co:lon", "select", "日本", "it's", "back\\slash", "new\nline")

_WHOLE = (
    "{c} > 0",
    "{c} BETWEEN 1 AND 100",
    "{c} IN (1, 2, 3)",
    "{c} % 2 = 0",
    "{c} >= 0 AND {c} < 1000",
    "{c} <> 0",
    "{c} < -5",
)
_TEXT = (
    "length({c}) > 0", "length({c}) BETWEEN 3 AND 10", "{c} IN ('a', 'b', 'c')", "{c} ~ '^[A-Z]{{2,4}}$'", "{c} LIKE 'x%'",
    "{c} = lower({c})", "length(trim({c})) > 0", "{c} <> ''", "position('@' in {c}) > 1", "{c} ~* '^[a-f0-9]+$'",
)  # fmt: skip
_TIME = ("{c} > '2001-01-01'", "{c} BETWEEN '2020-01-01' AND '2030-01-01'", "{c} < '2024-06-01'")
_JSON = (
    "jsonb_typeof({c}) = 'object'",
    "{c} ? 'kind'",
    "{c} ->> 'kind' IN ('a', 'b')",
    "jsonb_typeof({c}) IN ('array', 'object')",
)
_ARRAY = ("cardinality({c}) <= 3", "cardinality({c}) > 0", "array_length({c}, 1) BETWEEN 1 AND 2")
#: Types with conditions that may be put on a column of them.
KINDS: dict[str, tuple[str, ...]] = {
    "smallint": _WHOLE, "integer": _WHOLE, "bigint": _WHOLE, "numeric(10,2)": _WHOLE[:3], "numeric(6,3)": _WHOLE[:3],
    "numeric": _WHOLE[:3], "real": _WHOLE[:2], "double precision": _WHOLE[:2], "text": _TEXT, "varchar(12)": _TEXT,
    "char(4)": _TEXT[:3], "boolean": ("{c}", "{c} IS NOT NULL"), "date": _TIME, "timestamp": _TIME, "timestamptz": _TIME,
    "time": ("{c} > '08:00'",), "interval": ("{c} > '1 hour'",), "uuid": ("{c} <> '00000000-0000-0000-0000-000000000000'",),
    "jsonb": _JSON, "json": ("json_typeof({c}) = 'object'",), "bytea": ("length({c}) < 20",), "inet": ("family({c}) = 4",),
    "mood": ("{c} <> 'sad'",), "email": (), "percent": ("{c} > 10",), "code": (), "text[]": _ARRAY, "integer[]": _ARRAY,
    "mood[]": _ARRAY[:1], "int4range": ("NOT isempty({c})",), "daterange": ("NOT isempty({c})", "lower({c}) >= '2020-01-01'"),
    "tstzrange": (), "numrange": (), "bit(3)": (), "point": (), "cidr": (), "macaddr": (), "tsvector": (), "xml": (), "money": (),
}  # fmt: skip
#: Types by which rows may be told apart, of which there are as many as one likes.
KEYS = ("integer", "bigint", "uuid", "text", "varchar(12)", "timestamptz", "numeric(10,2)", "date")
#: Conditions of several columns, by the types that they want.
PAIRS = {
    "integer": ("{a} < {b}", "{a} <= {b}", "{a} = {b} + 1", "{b} = {a} * 2", "({a} IS NULL) = ({b} IS NULL)", "{a} <> {b}"),
    "numeric(10,2)": ("{a} >= {b}", "round({a} - {b}, 2) = 0", "abs({a} - {b}) < 0.01", "{a} = {b} * 2"),
    "timestamptz": ("{b} > {a}", "{b} IS NULL OR {b} >= {a}", "{b} >= {a} + interval '1 hour'"),
    "date": ("{a} <= {b}", "{a} IS NOT NULL OR {b} IS NOT NULL", "{b} - {a} BETWEEN 0 AND 30"),
    "text": ("{a} <> {b}", "num_nonnulls({a}, {b}) = 1", "{a} <> 'paid' OR {b} IS NOT NULL", "{a} IS NULL OR length({b}) > 2"),
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Made:
    """A table as far as others may refer to it."""

    name: str
    columns: list[tuple[str, str]] = field(default_factory=list)
    keys: list[list[tuple[str, str]]] = field(default_factory=list)
    partition: str = ""


def schema(random: Random) -> list[str]:
    """Statements that make a schema, each to be sent alone; the server may refuse some that go too far."""
    tables: list[Made] = []
    statements: list[str] = [*TYPES]
    for number in range(random.randint(1, 5)):
        made = Made(f"{random.choice(NAMES)} {number}" if random.random() < 0.4 else f"t{number}")
        statements += _table(made, tables, random)
        tables.append(made)
    statements += list(_circles(tables, random))
    for made in tables:
        statements += list(_around(made, random))
    return statements


def _table(made: Made, others: list[Made], random: Random) -> Iterator[str]:
    parts: list[str] = []
    _primary_key(made, parts, random)
    for number in range(random.randint(1, 6)):
        parts.append(_column(f"c{number}", random.choice([*KINDS]), made, random))
    for number in range(random.randint(0, 2)):
        parts += _pair(f"p{number}", made, random)
    for number in range(random.choice((0, 0, 1, 1, 2))):
        if others:
            parts += _reference(f"r{number}", random.choice(others), made, random)
    if random.random() < 0.25:
        parts.append(_generated(made, random))
    if random.random() < 0.15 and not made.partition:
        parts.append(f"during {random.choice(('int4range', 'tstzrange', 'daterange'))}, EXCLUDE USING gist (during WITH &&)")
    parts += _uniques(made, random)
    by = f" PARTITION BY {made.partition} (part)" if made.partition else ""
    yield f"CREATE TABLE {quoted(made.name)} ({', '.join(parts)}){by}"
    yield from _partitions(made, random)


def _primary_key(made: Made, parts: list[str], random: Random) -> None:
    kind = random.choice(("identity", "serial", "plain", "plain", "uuid", "composite", "none", "partitioned"))
    if kind == "partitioned":
        made.partition = random.choice(("RANGE", "LIST", "HASH"))
        type_ = {"RANGE": "date", "LIST": "text", "HASH": "integer"}[made.partition]
        parts += ["id bigint", f"part {type_} NOT NULL", *(["PRIMARY KEY (id, part)"] if random.random() < 0.7 else [])]
        made.columns += [("id", "bigint"), ("part", type_)]
    elif kind == "composite":
        types = random.choice(KEYS), random.choice(KEYS)
        parts += [f"k1 {types[0]}", f"k2 {types[1]}", "PRIMARY KEY (k1, k2)"]
        made.keys.append([("k1", types[0]), ("k2", types[1])])
    elif kind != "none":
        type_ = {"identity": "bigint", "serial": "integer", "uuid": "uuid"}.get(kind) or random.choice((*KEYS, "code", "email"))
        more = {
            "identity": random.choice((
                "GENERATED ALWAYS AS IDENTITY", "GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 5)",
                "GENERATED ALWAYS AS IDENTITY (INCREMENT -1)",
            )),
            "uuid": "DEFAULT gen_random_uuid()",
        }.get(kind, "")  # fmt: skip
        deferrable = random.choice(("", "", " DEFERRABLE INITIALLY DEFERRED")) if kind == "plain" else ""
        parts.append(f"id {'serial' if kind == 'serial' else type_} {more} PRIMARY KEY{deferrable}")
        if not deferrable:
            made.keys.append([("id", type_)])


def _column(name: str, type_: str, made: Made, random: Random) -> str:
    made.columns.append((name, type_))
    checks = random.sample(KINDS[type_], min(len(KINDS[type_]), random.choice((0, 0, 1, 1, 2))))
    written = " ".join(f"CHECK ({one.format(c=quoted(name))})" for one in checks)
    default = {"integer": "DEFAULT 7", "timestamptz": "DEFAULT now()", "text": "DEFAULT 'it''s'", "boolean": "DEFAULT false"}
    return f"{quoted(name)} {type_} {random.choice(('', 'NOT NULL'))} {default.get(type_, '') * random.randint(0, 1)} {written}"


def _pair(name: str, made: Made, random: Random) -> Iterator[str]:
    type_ = random.choice([*PAIRS])
    first, second = f"{name} a", f"{name} b"
    made.columns += [(first, type_), (second, type_)]
    yield from (f"{quoted(one)} {type_} {random.choice(('', 'NOT NULL'))}" for one in (first, second))
    yield f"CHECK ({random.choice(PAIRS[type_]).format(a=quoted(first), b=quoted(second))})"


def _reference(name: str, other: Made, made: Made, random: Random) -> Iterator[str]:
    if not other.keys:
        return
    key = random.choice(other.keys)
    own = [(f"{name} {number}", type_) for number, (_, type_) in enumerate(key)]
    made.columns += own
    null = random.choice(("", "NOT NULL"))
    yield from (f"{quoted(column)} {type_} {null}" for column, type_ in own)
    if random.random() < 0.2:
        yield f"UNIQUE ({', '.join(quoted(column) for column, _ in own)})"
        made.keys.append(own)
    yield _foreign_key([column for column, _ in own], other, [column for column, _ in key], random)


def _foreign_key(own: list[str], other: Made, theirs: list[str], random: Random) -> str:
    match = random.choice(("", "", "MATCH FULL"))
    rule = random.choice(("", "ON DELETE CASCADE", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"))
    mine, parents = (", ".join(map(quoted, names)) for names in (own, theirs))
    return f"FOREIGN KEY ({mine}) REFERENCES {quoted(other.name)} ({parents}) {match} {rule}"


def _generated(made: Made, random: Random) -> str:
    numbers = [name for name, type_ in made.columns if type_ in ("integer", "numeric(10,2)", "bigint")]
    texts = [name for name, type_ in made.columns if type_ in ("text", "varchar(12)")]
    if numbers and random.random() < 0.5:
        check = random.choice(("", "CHECK (made > 3)", "NOT NULL"))
        return f"made numeric GENERATED ALWAYS AS ({quoted(random.choice(numbers))} * 2 + 1) STORED {check}"
    if texts:
        unique = random.choice(("", "" if made.partition else "UNIQUE"))
        return f"made text GENERATED ALWAYS AS (lower({quoted(random.choice(texts))})) STORED {unique}"
    return "made integer GENERATED ALWAYS AS (1 + 1) STORED"


def _uniques(made: Made, random: Random) -> Iterator[str]:
    plain = [(name, type_) for name, type_ in made.columns if type_ not in ("json", "point", "xml")]
    if made.partition or not plain or random.random() < 0.4:
        return
    chosen = random.sample(plain, min(len(plain), random.randint(1, 3)))
    kind = random.choice(("UNIQUE", "UNIQUE NULLS NOT DISTINCT"))
    deferrable = random.choice(("", "", " DEFERRABLE"))
    yield f"{kind} ({', '.join(quoted(name) for name, _ in chosen)}){deferrable}"


def _partitions(made: Made, random: Random) -> Iterator[str]:
    if not made.partition:
        return
    name = quoted(made.name)
    bounds = {
        "RANGE": ("FROM ('2024-01-01') TO ('2025-01-01')", "FROM ('2025-01-01') TO ('2026-01-01')"),
        "LIST": ("IN ('a', 'b')", "IN ('c%')"),
        "HASH": ("WITH (MODULUS 2, REMAINDER 0)", "WITH (MODULUS 2, REMAINDER 1)"),
    }[made.partition]
    for number, bound in enumerate(bounds):
        under = " PARTITION BY HASH (id)" if random.random() < 0.2 else ""
        yield f"CREATE TABLE {quoted(f'{made.name}_{number}')} PARTITION OF {name} FOR VALUES {bound}{under}"
        if under:
            above = f"{made.name}_{number}"
            for rest in range(2):
                within = f"WITH (MODULUS 2, REMAINDER {rest})"
                yield f"CREATE TABLE {quoted(f'{above}_{rest}')} PARTITION OF {quoted(above)} FOR VALUES {within}"
    if made.partition != "HASH" and random.random() < 0.4:
        yield f"CREATE TABLE {quoted(f'{made.name}_rest')} PARTITION OF {name} DEFAULT"


def _circles(tables: list[Made], random: Random) -> Iterator[str]:
    """References to tables that came later, or to the table itself."""
    for made in tables:
        for other in random.sample(tables, random.choice((0, 0, 1))):
            key = random.choice(other.keys) if other.keys else []
            if len(key) == 1:
                null = random.choice(("", "", "NOT NULL"))
                yield f"ALTER TABLE {quoted(made.name)} ADD COLUMN round {key[0][1]} {null}"
                yield f"ALTER TABLE {quoted(made.name)} ADD {_foreign_key(['round'], other, [key[0][0]], random)}"


def _around(made: Made, random: Random) -> Iterator[str]:
    """Indexes, inheritance, row security, triggers."""
    name = quoted(made.name)
    texts = [column for column, type_ in made.columns if type_ in ("text", "varchar(12)")]
    column, _ = random.choice(made.columns) if made.columns else ("id", "")
    if texts and random.random() < 0.3 and not made.partition:
        yield f"CREATE UNIQUE INDEX ON {name} (lower({quoted(random.choice(texts))}))"
    if random.random() < 0.3 and not made.partition:
        yield f"CREATE UNIQUE INDEX ON {name} ({quoted(column)}) WHERE {quoted(column)} IS NOT NULL"
    if random.random() < 0.3:
        yield f"CREATE INDEX ON {name} ({quoted(column)} DESC)"
    if random.random() < 0.15 and not made.partition:
        yield f"CREATE TABLE {quoted(f'{made.name} heir')} (extra integer NOT NULL CHECK (extra > 0)) INHERITS ({name})"
    if random.random() < 0.2:
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    if random.random() < 0.15:
        yield "CREATE OR REPLACE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$"
        yield f"CREATE TRIGGER never BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION never()"
