"""From file, environment, flags and inputs to one value, with who said what."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.declared.queries import Category
from checks.evidence import Place
from checks.interface import Severity
from runner.settings.load import Loaded, load, root_of
from runner.settings.model import MigrationSettings
from runner.settings.secrets import of_address, secrets
from runner.settings.surface import FailOn

WHOLE = """
fail_on = "warning"
compare = "main"
report_dir = "out"
show_values = true

[databases.shop]
engine = "postgresql"
image = "pgvector/pgvector:pg16"
preload = ["pg_stat_statements"]
before = ["db/roles.sql"]

[databases.shop.migrations]
tool = "alembic"
directory = "backend"
env = { URL = "{url:postgresql+asyncpg}", JSON = '{"a": 1}', LITERAL = "{{name}}", API_TOKEN = "t0ken-t0ken", DEBUG = "1" }
pass_env = ["INDEX_PASSWORD"]
timeout = "1.5m"

[databases.shop.data]
load = ["a.sql", "b.sql"]

[databases.shop.expect]
references = ["orders.buyer_id -> users.id on delete restrict"]
no_rows = { "paid twice" = "select 1" }

[databases.shop.queries.open]
sql = "select 1"
category = "join"
limit = "200ms"

[severity]
orphaned-rows = "off"
"""


def loaded(root: Path, text: str | None = None, environment: dict[str, str] | None = None, **arguments: object) -> Loaded:
    if text is not None:
        (root / "dbproof.toml").write_text(text, "utf-8")
    return load(root, arguments, environment or {}, checks=("orphaned-rows",), detecting=False)


def test_a_whole_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE).settings
    shop = settings.databases["shop"]
    assert (settings.fail_on, settings.compare, settings.report_dir, settings.show_values) == (
        FailOn.WARNING,
        "main",
        "out",
        True,
    )
    assert settings.severity == {"orphaned-rows": Severity.OFF}
    assert (shop.preload, shop.before) == (("pg_stat_statements",), ("db/roles.sql",))
    assert [one.file for one in shop.data.load] == ["a.sql", "b.sql"]
    assert shop.migrations is not None
    assert (shop.migrations.timeout, shop.migrations.directory) == (90.0, "backend")
    assert shop.queries["open"].category is Category.JOIN
    assert shop.queries["open"].limit == pytest.approx(0.2)
    assert isinstance(settings.severity["orphaned-rows"], Severity)


def test_a_command_is_a_tool(tmp_path: Path) -> None:
    shop = loaded(tmp_path, "[databases.shop.migrations]\ncommand = 'bin/rails db:migrate'").settings.databases["shop"]
    assert shop.migrations == MigrationSettings(tool="command", command="bin/rails db:migrate")


def test_pyproject_is_as_good_and_without_our_section_it_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.dbproof]\nfail_on = 'never'\n")
    here = loaded(tmp_path)
    assert (here.settings.fail_on, here.file, here.origins["fail_on"]) == (FailOn.NEVER, file, "pyproject.toml")
    file.write_text("[project]\nname = '{{ cookiecutter.name }}\n")  # a template, and no TOML at all
    assert loaded(tmp_path).file is None


def test_a_named_file_is_the_only_one_that_is_read(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("fail_on = 'notice'")
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\nfail_on = 'never'\n")
    for here in (
        loaded(tmp_path, "fail_on = 'warning'", config=str(other)),
        loaded(tmp_path, None, {"DBPROOF_CONFIG": str(other)}),
    ):
        assert (here.settings.fail_on, here.file, here.origins["config"]) == (FailOn.NOTICE, other, here.origins["config"])


@pytest.mark.parametrize(
    ("file", "environment", "arguments", "value", "origin"),
    [
        ("", {}, {}, FailOn.ERROR, "default"),
        ("fail_on = 'warning'", {}, {}, FailOn.WARNING, "dbproof.toml"),
        ("fail_on = 'warning'", {"DBPROOF_FAIL_ON": "notice"}, {}, FailOn.NOTICE, "DBPROOF_FAIL_ON"),
        (
            "fail_on = 'warning'",
            {"DBPROOF_FAIL_ON": "notice", "GITHUB_ACTIONS": "true", "INPUT_FAIL-ON": "never"},
            {},
            FailOn.NEVER,
            "input fail-on",
        ),
        ("fail_on = 'warning'", {"DBPROOF_FAIL_ON": "notice"}, {"fail_on": "error"}, FailOn.ERROR, "--fail-on"),
    ],
)
def test_who_wins(
    file: str, environment: dict[str, str], arguments: dict[str, object], value: FailOn, origin: str, tmp_path: Path
) -> None:
    here = loaded(tmp_path, file, environment, **arguments)
    assert here.settings.fail_on is value
    assert here.origins["fail_on"] == origin


def test_a_switch_can_be_turned_off_again(tmp_path: Path) -> None:
    here = loaded(tmp_path, "show_values = true", show_values=False)
    assert (here.settings.show_values, here.origins["show_values"]) == (False, "--show-values")


def test_what_is_no_file_key(tmp_path: Path) -> None:
    here = loaded(tmp_path, None, {"DBPROOF_QUIET": "1"}, all=True)
    assert (here.show_all, here.quiet) == (True, True)
    assert root_of({"path": "x"}, {}) == Path("x")
    assert root_of({}, {"GITHUB_ACTIONS": "true", "INPUT_PATH": "y"}) == Path("y")
    assert root_of({}, {}) == Path()


def test_ids_of_severity_are_the_registry_s_by_default(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_text("severity.orphaned-rows = 'warning'")
    assert load(tmp_path, {}, {}).settings.severity == {"orphaned-rows": Severity.WARNING}


def test_the_server_is_the_setting_s_else_the_repository_s(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  db:\n    image: postgis/postgis:15-3.4\n")
    images = loaded(
        tmp_path,
        "[databases]\na = {}\nb = { image = 'pgvector/pgvector:pg17' }\nc = { version = '14' }\nd = { url_env = 'URL' }\n",
    ).images
    assert images.keys() == {"a", "b"}
    assert (images["a"].version, set(images["a"].extensions), images["a"].place) == ("15", {"postgis"}, Place("compose.yaml", 3))
    assert (images["b"].version, set(images["b"].extensions), images["b"].place) == ("17", {"vector"}, Place("dbproof.toml"))


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("postgres://u:p%40ss@h/db", ("p%40ss", "p@ss")),
        ("postgresql+asyncpg://u:a@b:c@host:5/db?x=1", ("a@b:c",)),
        ("postgres://u@h:5/x", ()),
        ("postgres:///x?password=abc&x=1", ("abc",)),
        ("host=1 password='x y'", ("x y",)),
        ("u:p@h/x", ("u:p@h/x",)),
        ("postgresql:/u:pw@h", ("postgresql:/u:pw@h",)),
        ("", ()),
    ],
)
def test_what_is_secret_of_an_address(address: str, hidden: tuple[str, ...]) -> None:
    assert of_address(address) == hidden


def test_secrets_of_the_settings(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE + "\n[databases.given]\nurl_env = 'ADDRESS'\n").settings
    environment = {"ADDRESS": "postgres://u:given-secret@h/d", "INDEX_PASSWORD": "index-secret", "OTHER_PASSWORD": "not ours"}
    assert secrets(settings, environment) == ("given-secret", "index-secret", "t0ken-t0ken")
    assert secrets(settings, {}) == ("t0ken-t0ken",)
