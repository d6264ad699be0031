"""What the settings say of tenants: read, refused where it contradicts itself, and held against the database."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import pytest
from judging import Query, target

from checks.declared.expectations import Expectations
from checks.interface import Need
from checks.schema.names import TableName
from checks.tenants.declared import Tenancy
from checks.tenants.templates import Template, parse_template
from runner.errors import UsageError
from runner.servers.interface import Database, Server
from runner.settings.declarations import Source
from runner.settings.faults import settings_from
from runner.settings.tenancy import tenancy
from runner.tenancy import hold, without_role

HEADER = "[databases.app.tenancy]\n"
WHERE = "databases.app.tenancy"


def read(text: str) -> Tenancy | None:
    settings, faults = settings_from(tomllib.loads(HEADER + text))
    assert settings is not None, faults
    return tenancy(settings.databases["app"].tenancy, "postgresql")


def test_one_column_and_all_that_goes_with_it() -> None:
    found = read(
        """
        column = "tenant_id"
        table = "tenants"
        role = "app_user"
        sign_in = "set app.tenant = {tenant}"
        shared = ["plans", "billing.plans", '"Odd "".%"']
        """
    )
    assert found == Tenancy(
        ("tenant_id",),
        (TableName("public", "tenants"),),
        frozenset({TableName("public", "plans"), TableName("billing", "plans"), TableName("public", 'Odd ".%')}),
        "app_user",
        Template(("set app.tenant = ", ""), ("tenant_id",)),
    )
    assert found.wall == ("tenant_id",)


def test_several_columns_of_which_some_are_signed_in_with() -> None:
    found = read('column = ["client", "project"]\nrole = "app"\nsign_in = "set a.c = {client}"\ntable = ["clients", "projects"]')
    assert found is not None
    assert (found.columns, found.wall, len(found.tables)) == (("client", "project"), ("client",), 2)


def test_without_a_role_the_application_itself_asks_for_its_tenant() -> None:
    found = read('column = ["a", "b"]')
    assert found == Tenancy(("a", "b"))
    assert found.wall == ("a", "b")
    assert without_role(Expectations(tenancy=found)) == {Need.APP_ROLE: "no role of the application is declared (`tenancy.role`)"}
    assert without_role(Expectations()) == {Need.APP_ROLE: "no tenants are declared (`tenancy`)"}


@pytest.mark.parametrize(
    ("text", "texts", "columns"),
    [
        ("set app.t = {tenant}", ("set app.t = ", ""), ("a",)),
        ("select f({b}, '{}', \"{x}\", {a})", ("select f(", ", '{}', \"{x}\", ", ")"), ("b", "a")),
        ('set x = {"odd %"}; -- {a}', ("set x = ", "; -- {a}"), ("odd %",)),
        ("select set_config('claims', json_build_object('t', {tenant})::text, true)", None, ("a",)),
    ],
)
def test_a_value_stands_where_its_column_is_named(text: str, texts: tuple[str, ...] | None, columns: tuple[str, ...]) -> None:
    found = parse_template(text, ["a", "b", "odd %"])
    assert found.columns == columns
    assert texts is None or found.texts == texts


FAULTS = {
    'role = "app"\nsign_in = "set a.t = {tenant}"': [f"{WHERE}.column: is missing"],
    "column = []": [f"{WHERE}.column: is empty"],
    "column = 3": [f"{WHERE}.column: expected a list, found a number"],
    'column = "t"\nrole = "app"': [f"{WHERE}.sign_in: is missing; 'role' needs it: how the role's sessions say whose they are"],
    'column = "t"\nsign_in = "set a.t = {t}"': [
        f"{WHERE}.role: is missing; 'sign_in' needs it: what the application connects as"
    ],
    'column = "t"\nrole = "app"\nsign_in = "set a.t = 1"': [
        f"{WHERE}.sign_in: names no tenant: expected a placeholder, such as 'set app.tenant = {{tenant}}'"
    ],
    'column = "t"\nrole = "app"\nsign_in = "set a.t = \'{tenant}\'"': [
        f"{WHERE}.sign_in: {{tenant}} stands in quotes; write it without: the value is quoted where it is put in"
    ],
    'column = "t"\nrole = "app"\nsign_in = "set a.t = {user}"': [
        f"{WHERE}.sign_in: {{user}} is not a placeholder; there are: {{tenant}}, {{t}}"
    ],
    'column = "t"\nshared = ["a.b.c"]': [
        f"{WHERE}.shared[0]: expected a table, such as 'plans', or 'billing.plans' with its schema"
    ],
    'column = "t"\nrol = "app"': [f"{WHERE}.rol: unknown key; did you mean 'role'?"],
}


@pytest.mark.parametrize("text", FAULTS)
def test_each_fault_has_its_place_and_its_sentence(text: str) -> None:
    settings, faults = settings_from(tomllib.loads(HEADER + text))
    assert settings is None or faults
    assert [str(fault) for fault in faults] == FAULTS[text]


def test_row_security_is_postgresql_s() -> None:
    document = tomllib.loads(f'[databases.app]\nengine = "sqlite"\n{HEADER}column = "t"\nrole = "a"\nsign_in = "set a.t = {{t}}"')
    _, faults = settings_from(document)
    assert [str(fault) for fault in faults] == [
        f"{WHERE}.role: belongs to 'postgresql', and the engine is 'sqlite'",
        f"{WHERE}.sign_in: belongs to 'postgresql', and the engine is 'sqlite'",
    ]


def test_what_the_page_shows_can_be_used_as_it_stands() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tenancy.md").read_text("utf-8")
    snippets = re.findall(r"^ *```toml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    assert len(snippets) == 3
    for snippet in snippets:
        settings, faults = settings_from(tomllib.loads(textwrap.dedent(snippet)))
        assert settings is not None, faults
        assert faults == []
    statements = re.findall(r"`(se[^`]*\{tenant\}[^`]*)`", page)
    assert len(statements) == 3
    for statement in statements:
        assert parse_template(statement, ["tenant_id"]).columns == ("tenant_id",)


def test_what_is_not_in_the_database_is_refused(server: Server, database: Database, query: Query) -> None:
    query("CREATE TABLE orders (tenant_id int); CREATE TABLE plans (id int)")
    wrong = Tenancy(("tenant",), (TableName("public", "tenants"),), frozenset({TableName("public", "plan")}), "nobody here")
    with target(server, database, Expectations(tenancy=wrong)) as made, pytest.raises(UsageError) as refused:
        hold(made, Source("app", Path()))
    assert refused.value.message.splitlines() == [
        f"{WHERE}.column: no table has a column 'tenant'; did you mean 'tenant_id'?",
        f"{WHERE}.table: there is no table 'tenants'; there are: orders, plans",
        f"{WHERE}.shared: there is no table 'plan'; did you mean 'plans'?",
        f"{WHERE}.role: there is no role 'nobody here'; `before` or a migration has to make it",
    ]


@pytest.mark.parametrize(("trait", "said"), [("SUPERUSER", "is a superuser"), ("BYPASSRLS", "has BYPASSRLS"), ("LOGIN", "")])
def test_a_role_that_no_policy_holds_is_refused(server: Server, database: Database, query: Query, trait: str, said: str) -> None:
    role = f"tenancy {trait} '\"%"
    name = '"' + role.replace('"', '""') + '"'
    query(f"CREATE ROLE {name} {trait}; CREATE TABLE orders (tenant_id int)")
    try:
        expect = Expectations(tenancy=Tenancy(("tenant_id",), role=role))
        with target(server, database, expect) as made:
            if not said:
                hold(made, Source("app", Path()))
                return
            with pytest.raises(UsageError, match=said):
                hold(made, Source("app", Path()))
    finally:
        query(f"DROP ROLE {name}")
