"""Addresses as URLs and as what a driver takes."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from runner.servers.interface import Address

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(user=TEXT, password=TEXT, database=TEXT)
def test_every_part_survives_a_url(user: str, password: str, database: str) -> None:
    url = urlsplit(Address("127.0.0.1", 5432, user, password, database).url("postgresql+asyncpg"))
    assert (url.scheme, url.hostname, url.port) == ("postgresql+asyncpg", "127.0.0.1", 5432)
    assert (unquote(url.username or ""), unquote(url.password or ""), unquote(url.path[1:])) == (user, password, database)


def test_further_parameters_and_ipv6_are_written() -> None:
    address = Address("::1", 5432, "u", "p", "d", {"sslmode": "require", "options": "-c a=b"})
    assert address.url() == "postgresql://u:p@[::1]:5432/d?sslmode=require&options=-c%20a%3Db"
    assert address.keywords()["sslmode"] == "require"


def test_a_password_is_never_shown() -> None:
    address = Address("h", 1, "u", "secret", "d", {"sslpassword": "secret"})
    assert "secret" not in repr(address)
    assert hash(address) == hash(Address("h", 1, "u", "secret", "d"))
