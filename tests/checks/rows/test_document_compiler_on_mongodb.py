"""Whatever the schema: the server takes each document that was compiled to satisfy it, and refuses each that was to break it.

A rule that is not broken at all is none of this test's business, but in the schemas that are drawn here few may be left out.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from json_schemas import ROOTS
from pymongo.database import Database as Documents

from checks.document_targets import Denied
from checks.probing.documents import VALIDATION, asking, is_taken
from checks.rows.documents import DocumentCompiler
from checks.rows.missing import NoValue
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb_scratch import MongoScratch


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
