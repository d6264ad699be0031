from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.redaction import MASK, NO_SECRETS, Redactor

PASSWORD = "p@ss:w0rd/with#odd?chars&%\"'<é>\\ and more"


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for secret in secrets:
        made.add(secret)
    return made


@pytest.mark.parametrize(
    "spelling",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        quote_plus(PASSWORD),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        repr(PASSWORD)[1:-1],
        ascii(PASSWORD)[1:-1],
        html.escape(PASSWORD),
        html.escape(PASSWORD, quote=False),
        PASSWORD.replace("'", "''"),
        PASSWORD.lower(),
        base64.b64encode(PASSWORD.encode()).decode(),
    ],
)
def test_every_spelling_is_masked(spelling: str) -> None:
    assert redactor(PASSWORD).redact(f"before {spelling} after") == f"before {MASK} after"


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_wherever_the_secret_lies_in_it(user: str, encode: object) -> None:
    assert callable(encode)
    whole = encode(f"{user}:hunter2-hunter2?>".encode()).decode()
    masked = redactor("hunter2-hunter2?>").redact(whole)
    assert MASK in masked
    assert len(masked.replace(MASK, "")) < 12


@pytest.mark.parametrize(
    ("echoed", "masked"),
    [
        ('could not translate host name "ss:w0rd" to address', f'could not translate host name "{MASK}" to address'),
        ('invalid port number: "w0rd"', f'invalid port number: "{MASK}"'),
        ("failed to resolve host 'w0rd@db.example'", f"failed to resolve host '{MASK}@db.example'"),
        ("[Errno -2] unknown host w0rd", f"[Errno -2] unknown host {MASK}"),
        ('could not translate host name "ss" to address', f'could not translate host name "{MASK}" to address'),
        ("connecting to u@ss failed, less is more", f"connecting to u@{MASK} failed, less is more"),
    ],
)
def test_parts_that_drivers_echo_are_masked(echoed: str, masked: str) -> None:
    shown = redactor("ss:w0rd").redact(echoed)
    assert shown == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://user:hunter2@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("at postgresql+asyncpg://u:p@h/d, then", "at postgresql+asyncpg://u:***@h/d, then"),
        ("postgres://u:p@ss@wo/rd@h/d", "postgres://u:***@h/d"),
        ("'mongodb+srv://u:p@h/?a=b'", "'mongodb+srv://u:***@h/?a=b'"),
        ('{"url": "mysql://u:p@h"}', '{"url": "mysql://u:***@h"}'),
        ("redis://:p@h", "redis://:***@h"),
        ("postgresql://:@h", "postgresql://:***@h"),
        ("https://ghp_token@github.com/a/b", "https://***@github.com/a/b"),
        ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("https://example.com/@scope/package", "https://example.com/@scope/package"),
        ("http://localhost:8080/path and a@b", "http://localhost:8080/path and a@b"),
        ("host=h password=hunter2 user=u", "host=h password=*** user=u"),
        ("host=h password='hun ter\\'2' user=u", "host=h password='***' user=u"),
        ("password = 'x' host=h", "password = '***' host=h"),
        ("password = hunter2 host = h", "password = *** host = h"),
        ("postgresql:///db?password=a&user=b", "postgresql:///db?password=***"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("(sslpassword=x)", "(sslpassword=***)"),
        ("{'password': 'hunter2', 'a': 1}", "{'password': '***', 'a': 1}"),
        ('{"password": "hunter2", "a": 1}', '{"password": "***", "a": 1}'),
        ('{\\"password\\": \\"hun\\\\\\"ter\\"}', '{\\"password\\": \\"***\\"}'),
        ("ALTER ROLE app PASSWORD 'hunter2';", "ALTER ROLE app PASSWORD '***';"),
        ("CHECK (password = lower(password))", "CHECK (password = lower(password))"),
        ("CHECK (password IS NOT NULL)", "CHECK (password IS NOT NULL)"),
        ('password authentication failed for user "app"', 'password authentication failed for user "app"'),
        ('column "password" of relation "users"', 'column "password" of relation "users"'),
    ],
)
def test_passwords_are_known_by_their_place(text: str, masked: str) -> None:
    assert redactor().redact(text) == masked
    assert redactor().redact(masked) == masked


def test_the_passwords_of_tutorials_are_left_alone_outside_of_their_place() -> None:
    made = redactor(*NO_SECRETS)
    assert made.redact("/usr/lib/postgresql/16, role postgres, test") == "/usr/lib/postgresql/16, role postgres, test"
    assert made.redact("postgresql://postgres:postgres@h/postgres") == "postgresql://postgres:***@h/postgres"


@pytest.mark.parametrize("secret", ["", " ", "\n", "a", "1", "ab", "abc"])
def test_short_secrets_do_not_spoil_a_report(secret: str) -> None:
    text = "a table ab abc, app.py:1 and\nmore"
    assert redactor(secret).redact(text) == text


def test_short_secrets_are_masked_where_they_stand_alone() -> None:
    made = redactor("abc")
    assert made.redact("host \"abc\", 'abc', abc@h, u@abc") == f"host \"{MASK}\", '{MASK}', {MASK}@h, u@{MASK}"


def test_the_longest_secret_wins() -> None:
    assert redactor("hunter", "hunter22").redact("hunter22 hunter") == f"{MASK} {MASK}"


def test_secrets_may_come_later() -> None:
    made = redactor("first-one")
    assert made.redact("second-one") == "second-one"
    made.add("second-one")
    assert made.redact("first-one second-one") == f"{MASK} {MASK}"


@given(st.text(st.characters(), min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_is_left(secret: str, before: str, after: str) -> None:
    if secret.lower() in NO_SECRETS or not secret.strip() or secret in MASK:
        return
    masked = redactor(secret).redact(f"{before}{secret}{after}")
    assert secret not in masked.replace(MASK, "")


PIECES = ["a", "abc", "abcabc", ":", "@", "/", " ", "'", '"', "=", "\n", "\\", "://", "password=", "password", "https"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_redacting_again_changes_nothing(text: str) -> None:
    made = redactor("abcabc")
    once = made.redact(text)
    assert made.redact(once) == once
