"""The lines of the settings with a grammar of their own are read into what checks go by."""

from __future__ import annotations

import pytest

from checks.declared.candidates import Candidate, CheckCandidate, NotNullCandidate, Part, UniqueCandidate, parse_candidate
from checks.declared.references import ExpectedReference, Kind, PolymorphicReference, parse_any_reference
from checks.schema.model import Action
from checks.schema.names import TableName

ORDERS, USERS = TableName("public", "orders"), TableName("public", "users")

CANDIDATES: dict[str, tuple[Candidate, str]] = {
    "orders: check (total > 0)": (CheckCandidate(ORDERS, "total > 0"), "orders: check (total > 0)"),
    " orders :\n CHECK ( (a)\n or (b) ) ": (CheckCandidate(ORDERS, "(a)\n or (b)"), "orders: check ((a) or (b))"),
    "orders: check (note <> ') or (')": (CheckCandidate(ORDERS, "note <> ') or ('"), "orders: check (note <> ') or (')"),
    "orders.buyer_id: not null": (NotNullCandidate(ORDERS, "buyer_id"), "orders.buyer_id: not null"),
    'sales."Or.der"."a ""b""": NOT  NULL': (
        NotNullCandidate(TableName("sales", "Or.der"), 'a "b"'),
        'sales.Or.der.a "b": not null',
    ),
    "users: unique (email)": (UniqueCandidate(USERS, (Part("email"),)), "users: unique (email)"),
    "users: unique nulls not distinct (\"A, b\", lower(coalesce(email, ',')))  where not gone": (
        UniqueCandidate(USERS, (Part("A, b"), Part("lower(coalesce(email, ','))", expression=True)), False, "not gone"),
        "users: unique nulls not distinct (A, b, lower(coalesce(email, ','))) where not gone",
    ),
    "orders.buyer_id -> users.id": (ExpectedReference(ORDERS, ("buyer_id",), USERS, ("id",)), "orders.buyer_id -> users.id"),
}


@pytest.mark.parametrize("text", CANDIDATES)
def test_a_candidate_is_read(text: str) -> None:
    expected, label = CANDIDATES[text]
    assert parse_candidate(text) == expected
    assert parse_candidate(text).label == label


REFERENCES: dict[str, ExpectedReference | PolymorphicReference] = {
    "orders.buyer_id -> users.id undeclared": ExpectedReference(ORDERS, ("buyer_id",), USERS, ("id",), undeclared=True),
    "orders.buyer_id -> users.id on delete SET  NULL where users.deleted_at is null": ExpectedReference(
        ORDERS, ("buyer_id",), USERS, ("id",), Action.SET_NULL, where="users.deleted_at is null"
    ),
    "orders.buyer_id -> users.id undeclared\n where users.data ->> 'gone' is null": ExpectedReference(
        ORDERS, ("buyer_id",), USERS, ("id",), undeclared=True, where="users.data ->> 'gone' is null"
    ),
    'orders.(kind, row) -> {User: users.id, Blog::Post: s.posts.id, \'a b, {c}\': "x y"."z"}': PolymorphicReference(
        ORDERS,
        "kind",
        "row",
        (
            Kind("User", USERS, "id"),
            Kind("Blog::Post", TableName("s", "posts"), "id"),
            Kind("a b, {c}", TableName("public", "x y"), "z"),
        ),
    ),
}


@pytest.mark.parametrize("text", REFERENCES)
def test_a_reference_is_read(text: str) -> None:
    assert parse_any_reference(text) == REFERENCES[text]
