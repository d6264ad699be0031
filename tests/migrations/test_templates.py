from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.migrations.guessing import by_likeness, likeness, settings, template
from runner.migrations.templates import expand, placeholders, words
from runner.servers.interface import Address

HERE = Address("127.0.0.1", 5433, "shop_owner", "p@ss/w%rd", "shop")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{url}", "postgresql://shop_owner:p%40ss%2Fw%25rd@127.0.0.1:5433/shop"),
        ("{url:postgresql+asyncpg}", "postgresql+asyncpg://shop_owner:p%40ss%2Fw%25rd@127.0.0.1:5433/shop"),
        ("{url:asyncpg}", "postgresql+asyncpg://shop_owner:p%40ss%2Fw%25rd@127.0.0.1:5433/shop"),
        ("{url:postgres}", "postgres://shop_owner:p%40ss%2Fw%25rd@127.0.0.1:5433/shop"),
        ("jdbc:postgresql://{host}:{port}/{database}", "jdbc:postgresql://127.0.0.1:5433/shop"),
        ("{user} {password}", "shop_owner p@ss/w%rd"),
        ("{{url}}", "{url}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("plain", "plain"),
    ],
)
def test_templates_are_filled(text: str, expected: str) -> None:
    assert expand(text, HERE) == expected


@pytest.mark.parametrize("text", ["{uri}", "{host:x}", "a {URL} b", "{url:}"])
def test_what_is_no_placeholder_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(UsageError, match="is not a placeholder") as caught:
        expand(text, HERE)
    assert "{url:DRIVER}" in caught.value.remedy


def test_placeholders_are_listed_as_they_are_written() -> None:
    assert placeholders("{url:x} {{host}} {nonsense}") == ("{url:x}", "{nonsense}")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_password_survives_a_url(password: str) -> None:
    parts = urlsplit(expand("{url}", Address("localhost", 1, "me", password, "db")))
    assert unquote(parts.password or "") == password
    assert (parts.hostname, parts.port, parts.path) == ("localhost", 1, "/db")


@given(st.text().filter(lambda text: "{" not in text))
def test_text_without_braces_stays(text: str) -> None:
    assert expand(text, HERE) == text


def test_words_are_split_before_they_are_filled() -> None:
    on = Address("h", 1, "me", "a 'b", "db")
    assert words("tool --password={password} 'two words'", "command", on) == ("tool", "--password=a 'b", "two words")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DATABASE_URL", "{url}"),
        ("SQLALCHEMY_DATABASE_URI", "{url}"),
        ("DB_DSN", "{url}"),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "{url}"),
        ("POSTGRES_HOST", "{host}"),
        ("DB_PORT", "{port}"),
        ("DBUSER", "{user}"),
        ("PG_PASSWORD", "{password}"),
        ("POSTGRES_DB", "{database}"),
        ("DB_NAME", "{database}"),
        ("REDIS_URL", None),
        ("SECRET_KEY", None),
        ("HOST", None),
        ("DB_POOL_SIZE", None),
    ],
)
def test_names_say_what_they_hold(name: str, expected: str | None) -> None:
    assert template(name) == expected


def test_the_likeliest_names_come_first() -> None:
    read = ["LOG_LEVEL", "DB_POOL_SIZE", "TEST_DATABASE_URL", "POSTGRES_HOST", "DATABASE_URL", "PGSSLMODE", "PYTHONHASHSEED"]
    assert by_likeness(read) == ("DATABASE_URL", "TEST_DATABASE_URL", "POSTGRES_HOST", "DB_POOL_SIZE", "LOG_LEVEL")
    assert likeness("LOG_LEVEL") == 0


@pytest.mark.parametrize(
    ("read", "wanted", "expected"),
    [
        (["X", "SHOP_DATABASE_URL", "POSTGRES_HOST"], [], {"SHOP_DATABASE_URL": "{url}"}),
        (["DB_USER", "OTHER_DB_HOST", "DB_HOST"], [], {"DB_USER": "{user}", "DB_HOST": "{host}"}),
        (["DBHOST", "DBPORT"], [], {"DBHOST": "{host}", "DBPORT": "{port}"}),
        (["X"], [], {"DATABASE_URL": "{url}"}),
        (["DB_URL"], ["KEY"], {"KEY": "unused", "DB_URL": "{url}"}),
        (["OTHER_DB_URL"], ["KEY", "DB_URL"], {"KEY": "unused", "DB_URL": "{url}"}),
        ([], ["KEY"], {"KEY": "unused"}),
        ([], ["REDIS_URL", "POOL_SIZE"], {"REDIS_URL": "http://unused.invalid", "POOL_SIZE": "1"}),
    ],
)
def test_the_settings_that_would_lead_here(read: list[str], wanted: list[str], expected: dict[str, str]) -> None:
    assert settings(read, wanted) == expected
