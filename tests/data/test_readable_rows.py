"""Texts for people: by what a column is called, of nobody real, the same for a seed, and never past what the schema allows."""

from __future__ import annotations

import re
import sys

import pytest
from judging import Query

from checks.rows.sets.wishes import Wishes
from checks.schema.model import Column
from checks.schema.names import TableName
from runner.data.generated.postgresql import catalogue_of, generate
from runner.data.generated.readable import readable
from runner.errors import UsageError
from runner.servers.interface import Database

PEOPLE = TableName("public", "customers")
EXPECTED = {
    "email": r"\w+@example\.com",
    "contactEmail": r"\w+@example\.com",
    "phone_number": r"\+1 202 555 01\d\d",
    "homepage": r"https://[a-z]+\.example\.com/[a-z]+",
    "name": r"[A-Z][\w'-]+( [A-Z][\w'-]+)+",
    "slug": r"[a-z]+-[a-z]+",
    "currency": r"[A-Z]{3}",
    "whatever": r"[a-z]+",
}


def texts(name: str, table: TableName = PEOPLE, seed: int = 1) -> list[str]:
    return list(readable(seed)(table, Column(name, "text", nullable=False)))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_column_gets_what_its_name_says(name: str) -> None:
    found = texts(name)
    assert len(found) > 20
    assert [text for text in found if not re.fullmatch(EXPECTED[name], text)] == []


def test_a_name_is_somebodys_only_where_people_are() -> None:
    assert texts("name") != texts("name", TableName("public", "products"))
    assert all(len(text.split()) == 2 for text in texts("name", TableName("public", "products")))


def test_a_seed_gives_the_same_and_another_one_others() -> None:
    assert texts("email") == texts("email") != texts("email", seed=2)


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mimesis", None)
    with pytest.raises(UsageError, match="needs Mimesis") as raised:
        readable(1)
    assert "dbproof[readable]" in (raised.value.remedy or "")


def test_the_schema_comes_first(database: Database, query: Query) -> None:
    """Texts that a rule refuses, or that are too long, are not used; a key stays one."""
    query(
        """
        CREATE TABLE customers (id serial PRIMARY KEY, email varchar(60) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
            name text NOT NULL, city varchar(3), kind text NOT NULL CHECK (kind IN ('a', 'b')), age integer NOT NULL);
        """
    )
    catalogue = catalogue_of(database.private)
    wishes = Wishes(readable=readable(1))
    (one,) = generate(database.private, catalogue, {catalogue.tables[0].name: 300}, 1, wishes, lambda _: None)
    assert one.rows == 300
    told = "count(DISTINCT email), max(length(city)) <= 3, max(age) < 2000000000"
    assert query(f"SELECT {told} FROM customers") == [(300, True, True)]
    assert query("SELECT DISTINCT kind FROM customers ORDER BY 1") == [("a",), ("b",)]
    assert query("SELECT count(*) FROM customers WHERE name ~ '^[A-Z]' AND email LIKE '%@example.com%'") == [(300,)]
