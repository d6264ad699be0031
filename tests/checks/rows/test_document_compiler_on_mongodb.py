"""Whatever the schema: the server takes each document that was compiled to satisfy it, and refuses each that was to break it.

A rule that is not broken at all is none of this test's business, but in the schemas that are drawn here few may be left out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from bson import Decimal128, Int64
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database as Documents

from checks.jsonschema.bson_types import TYPES
from checks.probing.documents import VALIDATION, asking, is_taken
from checks.rows.documents import DocumentCompiler
from checks.rows.missing import NoValue
from checks.targets import Denied
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb_scratch import MongoScratch

NAMES = st.sampled_from(["a", "b", "x y", "é", "d1", "$f", 'q"%s\n'])
FEW = st.integers(0, 4)
NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 2.5, Int64(7), Decimal128("1.25")]))
VALUES = st.one_of(NUMBERS, st.sampled_from(["", "a", "abc", None, True, {"k": 1}, [1]]))
PATTERNS = st.sampled_from(["^a", "b$", "^[a-z]{2,4}$", "^INV-[0-9]{6}$", "^(x|y)+$", ".+", "^\\S+@\\S+$", "^\\d{3}$", "\\p{L}"])
KINDS = st.sampled_from([*TYPES, "number"])
SEVERAL = st.lists(KINDS, min_size=1, max_size=3, unique=True)
LISTED = st.lists(NAMES, min_size=1, max_size=2, unique=True)


def some(**keywords: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A schema with some of these keywords."""
    return st.fixed_dictionaries({}, optional=keywords)


PLAIN = some(
    bsonType=st.one_of(KINDS, SEVERAL),
    enum=st.lists(VALUES, min_size=1, max_size=3, unique_by=repr),
    minimum=NUMBERS,
    maximum=NUMBERS,
    multipleOf=st.sampled_from([2, 3, 0.5]),
    minLength=FEW,
    maxLength=FEW,
    pattern=PATTERNS,
).filter(lambda schema: len(schema) <= 3)


def around(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects and arrays, and several together."""
    objects = some(
        bsonType=st.just("object"),
        required=LISTED,
        properties=st.dictionaries(NAMES, inner, max_size=3),
        patternProperties=st.dictionaries(st.sampled_from(["^d", "^[x-z]", "é"]), inner, max_size=2),
        additionalProperties=st.one_of(st.booleans(), inner),
        dependencies=st.dictionaries(NAMES, st.one_of(LISTED, inner), min_size=1, max_size=2),
        minProperties=FEW,
        maxProperties=st.integers(1, 5),
    )
    arrays = some(
        bsonType=st.just("array"),
        items=st.one_of(inner, st.lists(inner, min_size=1, max_size=2)),
        additionalItems=st.one_of(st.booleans(), inner),
        minItems=FEW,
        maxItems=FEW,
        uniqueItems=st.booleans(),
    )
    lists = st.lists(inner, min_size=1, max_size=2)
    together = st.one_of(*(st.fixed_dictionaries({word: lists}) for word in ("allOf", "anyOf", "oneOf")))
    return st.one_of(objects, arrays, together, st.fixed_dictionaries({"not": inner}), st.tuples(objects, together).map(_merged))


def _merged(both: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return {**both[0], **both[1]}


ROOTS = st.tuples(
    st.fixed_dictionaries(
        {"properties": st.dictionaries(NAMES, st.recursive(PLAIN, around, max_leaves=6), min_size=1, max_size=3)}
    ),
    some(required=LISTED, minProperties=FEW, dependencies=st.dictionaries(NAMES, LISTED, min_size=1, max_size=1)),
).map(_merged)


def _judge(schema: dict[str, Any], db: Documents[dict[str, Any]], scratch: MongoScratch, seen: Counter[str]) -> None:
    db.command("collMod", "tried", validator={"$jsonSchema": schema})
    ask = asking(scratch)
    compiler = DocumentCompiler({"$jsonSchema": schema}, ask=ask)
    try:
        good = [compiler.satisfying(number=number) for number in (0, 2)]
    except NoValue:
        return
    seen["schemas"] += 1
    limits = [limit for rule in compiler.rules if (limit := compiler.at_limit(rule)) is not None]
    wrong = []
    for rule in compiler.rules:
        try:
            wrong.append(compiler.violating(rule))
        except NoValue:
            seen["not broken"] += 1
    seen["broken"] += len(wrong)
    for document, answer in zip([*good, *limits], scratch.insert_each("tried", [*good, *limits]), strict=True):
        assert is_taken(answer), (schema, document, answer)
    for bad, answer in zip(wrong, scratch.insert_each("tried", [one.document for one in wrong]), strict=True):
        assert isinstance(answer, Denied), (schema, bad)
        assert answer.code == VALIDATION, (schema, bad, answer)
        assert not ask(bad.rule.alone, bad.document), (schema, bad)
        assert answer.broken == (bad.rule.label,) or ask(bad.rule.without, bad.document), (schema, bad)
    scratch.delete("tried", {})


@pytest.mark.mongodb_since("5.0")  # names with dollars
def test_the_server_finds_of_every_document_what_was_meant(mongo_database: Database) -> None:
    seen: Counter[str] = Counter()
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.create_collection("tried")
        scratch = MongoScratch(db, mongo_database.name, 60.0, "test")

        @settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(ROOTS)
        def each(schema: dict[str, Any]) -> None:
            _judge(schema, db, scratch, seen)

        each()
    assert seen["schemas"] > 60
    assert seen["broken"] > 2 * seen["not broken"], seen
