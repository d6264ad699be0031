"""Every check of documents comes to a clear outcome on every odd database: none breaks, none is silent, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from odd_databases import NAMES, ODD

from checks.declared.documents import (
    DeclaredIndex,
    DeclaredValidator,
    DocumentExpectations,
    DocumentQuery,
    parse_document_reference,
)
from checks.declared.expectations import Expectations
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.interface import Need, Outcome, State
from checks.registries.documents import DOCUMENTS
from checks.schema.collections import CollectionIndex
from runner.scheduler import run_checks
from runner.servers.interface import Database
from runner.servers.mongodb.given import GivenServer
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

REFERENCES = ("odd.name -> parents.name", "odd.list[] -> odd._id", "odd.n -> odd.n")
EXPECT = DocumentExpectations(
    references=tuple(map(parse_document_reference, REFERENCES)),
    validators=(DeclaredValidator("odd", NAMES),),
    indexes=(DeclaredIndex("odd", CollectionIndex("by_name", (("name", 1),))),),
    queries=(DocumentQuery("by_name", "odd", {"name": "a"}, None, Category.SIMPLE, 1.0, 10),),
)
ONLY_READ = {Need.SANDBOX: "the database was given to be read only"}


#: What is said of each oddity, by check: the state, and a word of a message or a reason. What is not named only must not break.
SAID: Mapping[str, Mapping[str, tuple[State, str]]] = {
    "view": {
        "validator-missing": (State.FAILED, "is a view, which takes none"),
        "document-violates-validator": (State.SKIPPED, "no validated collections"),
        "mixed-type-field": (State.FAILED, "real.name is of more than one type"),
    },
    "failing_view": {"dangling-reference": (State.SKIPPED, "no documents"), "damaged-collection": (State.PASSED, "")},
    "capped": {"document-violates-validator": (State.PASSED, ""), "damaged-collection": (State.PASSED, "")},
    "time_series": {
        "mixed-type-field": (State.FAILED, "odd.n is of more than one type: number in 3 documents, string in 1 document"),
        "validator-missing": (State.FAILED, "is a timeseries, which takes none"),
        "damaged-collection": (State.PASSED, ""),
    },
    "expression_validator": {
        "document-violates-validator": (State.FAILED, "1 document of odd breaks its validator: $expr (1)"),
        "damaged-collection": (State.PASSED, ""),
    },
    "failing_validator": {
        "document-violates-validator": (State.PASSED, "the server cannot evaluate it on every document (error 241)"),
        "validator-weak": (State.PASSED, ""),
    },
    "names": {
        "mixed-type-field": (State.FAILED, 'odd."d.$e" is of more than one type: object in 1 document, string in 1 document'),
        "document-violates-validator": (State.PASSED, ""),
    },
    "large": {
        "large-document": (State.FAILED, "4 documents of odd are larger than 1 MB, 15.2 MB the largest, 2 of them near"),
        "unbounded-array": (State.FAILED, "odd.list has more than 1000 elements in 1 document, 100000 in the longest"),
        "document-violates-validator": (State.FAILED, "4 documents of odd break its validator: n: required (4), name"),
        "mixed-type-field": (State.FAILED, "odd._id is of more than one type: number in 3 documents, string in 1 document"),
    },
    "no_text": {
        "document-violates-validator": (State.FAILED, "1 document of odd breaks its validator: name: required (1)"),
        "mixed-type-field": (State.FAILED, "odd._id is of more than one type: number in 2 documents, string in 1 document"),
    },
    "twice": {"mixed-type-field": (State.PASSED, ""), "document-violates-validator": (State.PASSED, "")},
    "deep": {
        "document-violates-validator": (State.FAILED, "1 document of odd breaks its validator: name: required (1)"),
        "unbounded-array": (State.PASSED, ""),
    },
    "numbers": {
        "document-violates-validator": (State.FAILED, "3 documents of odd break its validator: n: minimum (3)"),
        "unused-field-in-schema": (State.PASSED, ""),
    },
    "dates": {
        "document-violates-validator": (State.FAILED, "4 documents of odd break its validator: n: required (4)"),
        "dangling-reference": (State.FAILED, "4 documents of odd name a parents.name that does not exist"),
    },
    "types": {
        "document-violates-validator": (State.FAILED, "documents of odd break its validator: n: required"),
        "mixed-type-field": (State.FAILED, "odd.name is of more than one type: "),
    },
    "keys_without_end": {
        "mixed-type-field": (State.PASSED, ""),
        "document-violates-validator": (State.FAILED, "300 documents of odd break the declared validator: name: required (300)"),
    },
    "collated": {"document-violates-validator": (State.FAILED, "1 document of odd breaks its validator: name (1)")},
    "clustered": {"document-violates-validator": (State.PASSED, ""), "damaged-collection": (State.PASSED, "")},
}


@contextmanager
def target_of(server: MongoServer, database: Database, *, written: bool) -> Iterator[MongoTarget]:
    where = server if written else GivenServer(server.version, database.private)
    with MongoTarget(where, None, database, Expectations(documents=EXPECT), Evidence()) as target:
        yield target


def outcomes(server: MongoServer, database: Database, *, written: bool) -> Mapping[str, Outcome]:
    with target_of(server, database, written=written) as target:
        return {one.check: one for one in run_checks(target, DOCUMENTS, {} if written else ONLY_READ)}


#: From which version on a server has what is odd.
SINCE = {"time_series": "5.0", "names": "5.0", "clustered": "5.3"}


@pytest.mark.parametrize("oddity", [pytest.param(one, marks=pytest.mark.mongodb_since(SINCE.get(one, "4.4"))) for one in ODD])
def test_each_check_ends_with_an_outcome(oddity: str, mongo_server: MongoServer, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.parents.insert_many([{"name": "a"}, {"name": "z"}])
        ODD[oddity](db)
        before = db.command("dbHash")["md5"]
        read = outcomes(mongo_server, mongo_database, written=False)
        tried = outcomes(mongo_server, mongo_database, written=True)
        assert db.command("dbHash")["md5"] == before
    for said in (read, tried):
        assert {name: one.reason for name, one in said.items() if one.state is State.ERRORED} == {}
        silent = {name for name, one in said.items() if not (one.reason or one.findings or one.proven or one.not_proven)}
        assert silent == set()
    for check, (state, words) in SAID[oddity].items():
        assert tried[check].state is state, (check, tried[check])
        assert any(words in said for said in _words(tried[check])), (check, _words(tried[check]))
    assert read["damaged-collection"].reason == "the database was given to be read only"


def test_the_table_names_every_oddity() -> None:
    assert SAID.keys() == ODD.keys()


def _words(outcome: Outcome) -> list[str]:
    gaps = [gap.reason for gap in outcome.not_proven]
    return [outcome.reason, *(finding.message for finding in outcome.findings), *gaps]
