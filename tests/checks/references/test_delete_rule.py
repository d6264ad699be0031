"""delete-rule: declared references against the catalogue."""

from __future__ import annotations

import pytest
from judging import Judge, Query

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference

CHECK = "delete-rule"
RULES = ["restrict", "no action", "cascade", "set null", "set default"]
TABLES = 'CREATE TABLE users (id int PRIMARY KEY, code int UNIQUE); CREATE TABLE orders (id int, buyer_id int, "Odd col" int);'


def expecting(*lines: str) -> Expectations:
    return Expectations(references=tuple(parse_reference(line) for line in lines))


def _with_rule(rule: str) -> str:
    return f"{TABLES} ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users ON DELETE {rule}"


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_that_was_declared_is_proven(judge: Judge, rule: str) -> None:
    expect = expecting(f"orders.buyer_id -> users.id on delete {rule}")
    assert judge(CHECK, _with_rule(rule), expect).proven == ["orders.buyer_id -> users.id"]


@pytest.mark.parametrize(("found", "wanted"), [(found, wanted) for found in RULES for wanted in RULES if found != wanted])
def test_any_other_rule_is_found_and_the_remedy_settles_it(judge: Judge, query: Query, found: str, wanted: str) -> None:
    expect = expecting(f"orders.buyer_id -> users.id on delete {wanted}")
    finding = judge(CHECK, _with_rule(found), expect).finding
    assert finding.subject == "orders.buyer_id -> users.id"
    assert f"is ON DELETE {found.upper()}, expected {wanted.upper()}" in finding.message
    assert ("NO ACTION looks only at the end" in finding.message) == ({found, wanted} == {"restrict", "no action"})
    assert finding.objects[0].name == "buyer"
    query(finding.remedy)
    assert judge(CHECK, expect=expect).proven == ["orders.buyer_id -> users.id"]


def test_a_line_without_a_rule_accepts_any(judge: Judge) -> None:
    assert judge(CHECK, _with_rule("cascade"), expecting("orders.buyer_id -> users.id")).proven


def test_a_missing_reference(judge: Judge, query: Query) -> None:
    expect = expecting('orders."Odd col" -> users.id on delete set null')
    finding = judge(CHECK, _with_rule("cascade"), expect).finding
    assert finding.subject == "orders.Odd col -> users.id (missing)"
    assert finding.message == "no foreign key enforces orders.Odd col -> users.id"
    query(finding.remedy)
    assert judge(CHECK, expect=expect).proven


@pytest.mark.parametrize("line", ["orders.buyer_id -> users.code", "orders.buyer_id -> users.code on delete cascade"])
def test_the_wrong_parent_is_a_missing_reference_that_names_what_is_there(judge: Judge, line: str) -> None:
    finding = judge(CHECK, _with_rule("cascade"), expecting(line)).finding
    assert finding.subject == "orders.buyer_id -> users.code (missing)"
    assert finding.message.endswith("; buyer refers to users.id instead")
    assert finding.objects[0].name == "buyer"


def test_tables_and_columns_that_do_not_exist(judge: Judge) -> None:
    judged = judge(CHECK, TABLES, expecting("orders.byer_id -> users.id", "ordres.buyer_id -> usrs.id on delete cascade"))
    assert [(finding.subject, finding.message) for finding in judged.findings] == [
        ("orders.byer_id -> users.id (absent)", "orders.byer_id -> users.id is expected, and there is no column orders.byer_id"),
        (
            "ordres.buyer_id -> usrs.id (absent)",
            "ordres.buyer_id -> usrs.id is expected, and there is no table ordres and no table usrs",
        ),
    ]


COMPOSITE = """
    CREATE SCHEMA sales; CREATE TABLE papers (tenant int, number int, PRIMARY KEY (tenant, number));
    CREATE TABLE sales.lines (t int, n int, FOREIGN KEY (t, n) REFERENCES papers ON DELETE CASCADE);
"""


@pytest.mark.parametrize(
    "line", ["sales.lines.(t, n) -> papers.(tenant, number) on delete cascade", "sales.lines.(n, t) -> papers.(number, tenant)"]
)
def test_a_composite_key_in_another_schema_in_any_order(judge: Judge, line: str) -> None:
    assert judge(CHECK, COMPOSITE, expecting(line)).proven


def test_a_composite_key_whose_columns_are_crossed_is_missing(judge: Judge) -> None:
    finding = judge(CHECK, COMPOSITE, expecting("sales.lines.(t, n) -> papers.(number, tenant)")).finding
    assert finding.subject.endswith("(missing)")


def test_of_two_keys_on_the_same_columns_the_right_one_counts(judge: Judge) -> None:
    second = "ALTER TABLE orders ADD CONSTRAINT another FOREIGN KEY (buyer_id) REFERENCES users ON DELETE RESTRICT"
    expect = expecting("orders.buyer_id -> users.id on delete restrict")
    assert judge(CHECK, f"{_with_rule('cascade')}; {second}", expect).proven


def test_nothing_expected_says_nothing(judge: Judge) -> None:
    assert judge(CHECK, _with_rule("cascade")).all == ()


def test_lines_of_one_reference_are_judged_once_and_undeclared_ones_not_at_all(judge: Judge) -> None:
    key = "buyer_id int REFERENCES users ON DELETE CASCADE"
    ddl = f"CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders ({key}, ref int);"
    lines = (
        "orders.buyer_id -> users.id where users.id > 0",
        "orders.buyer_id -> users.id on delete cascade",
        "orders.ref -> users.id undeclared",
    )
    assert judge("delete-rule", ddl, expecting(*lines)).proven == ["orders.buyer_id -> users.id"]
