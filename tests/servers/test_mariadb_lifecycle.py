"""A MariaDB server's life: databases with owners, seals, clones, forks, the log, and what is said where none can be had."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pymysql
import pytest

from checks.interface import Engine
from checks.targets import Role
from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Address, Wanted
from runner.servers.mariadb.given import parsed
from runner.servers.mariadb.installations import Installation
from runner.servers.mariadb.local import local_server
from runner.servers.mariadb.provider import choose, needed
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import connect, quoted, rows, session
from runner.servers.registry import provision

Open = Callable[[Address], Any]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens sessions, closed at the end of the test."""
    with ExitStack() as stack:

        def one(address: Address) -> Any:
            driver = connect(address)
            stack.callback(driver.close)
            return driver

        yield one


def named() -> str:
    return f"life_{secrets.token_hex(4)}"


def test_the_owner_may_do_anything_in_its_database_and_nothing_beside_it(mariadb_server: MariadbServer, opened: Open) -> None:
    database, other = mariadb_server.create(named()), mariadb_server.create(named())
    owner = opened(database.addresses[Role.OWNER])
    rows(owner, "CREATE TABLE t (id INT PRIMARY KEY); ")
    rows(owner, "CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id + 1")
    rows(owner, "CREATE FUNCTION two() RETURNS INT RETURN 2")
    assert rows(owner, "SELECT database(), two(), @@character_set_database") == [(database.name, 2, "utf8mb4")]
    for forbidden in (f"CREATE TABLE {other.name}.t (id INT)", "CREATE DATABASE beside", "CREATE USER me"):
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            rows(owner, forbidden)
    assert ("GRANT ALL PRIVILEGES ON *.*" in rows(opened(database.addresses[Role.ADMIN]), "SHOW GRANTS")[0][0]) is True


def test_names_are_honoured_and_a_wildcard_in_one_reaches_no_other(mariadb_server: MariadbServer, opened: Open) -> None:
    for name in (f"Say `hi` {named()}", f"100% \\{named()}", f"ünï {'x' * 40}", "select"):
        database = mariadb_server.create(name)
        assert rows(opened(database.addresses[Role.OWNER]), "SELECT database()") == [(name,)]
        assert mariadb_server.database(name).addresses == database.addresses
        with pytest.raises(ServerFailed, match="exists already"):
            mariadb_server.create(name)
    underlined = mariadb_server.create(f"a_{secrets.token_hex(4)}")
    beside = mariadb_server.create(underlined.name.replace("_", "x"))
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        rows(opened(underlined.addresses[Role.OWNER]), f"CREATE TABLE {quoted(beside.name)}.t (id INT)")
    with pytest.raises(ServerFailed, match="longer than"):
        mariadb_server.create("x" * 64)
    with pytest.raises(ServerFailed, match="no database nowhere"):
        mariadb_server.database("nowhere")


def test_strangers_and_wrong_passwords_are_refused(mariadb_server: MariadbServer) -> None:
    place = mariadb_server.admin
    for user, password in (("root", ""), ("", ""), ("root", "not-it"), ("dbproof", mariadb_server.private.password)):
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            pymysql.connect(host=place.host, port=place.port, user=user, password=password)
    socket = Path(mariadb_server.private.host)
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_a_seal_ends_the_owners_sessions_until_it_is_taken_off(mariadb_server: MariadbServer, opened: Open) -> None:
    database = mariadb_server.create(named())
    guest = opened(database.addresses[Role.OWNER])
    rows(guest, "CREATE TABLE t AS SELECT 1 AS id")
    golden = mariadb_server.seal(database)
    with pytest.raises(pymysql.err.Error):
        rows(guest, "SELECT 1")
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        opened(database.addresses[Role.OWNER])
    assert mariadb_server.open(golden) == database
    assert rows(opened(database.addresses[Role.OWNER]), "SELECT id FROM t") == [(1,)]


def test_a_clone_is_the_database_as_it_was_whatever_it_holds(mariadb_server: MariadbServer, opened: Open) -> None:
    database = mariadb_server.create(named())
    with session(database.private) as driver:
        for statement in (
            "CREATE TABLE p (id INT PRIMARY KEY)",
            "CREATE TABLE c (id INT PRIMARY KEY AUTO_INCREMENT, p INT, CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id))",
            "SET foreign_key_checks = 0",
            "INSERT INTO c (id, p) VALUES (7, 99)",
            "CREATE TABLE old (t TEXT) ENGINE = MyISAM",
            "INSERT INTO old VALUES ('é😀')",
            "CREATE VIEW v AS SELECT * FROM c",
        ):
            rows(driver, statement)
    golden = mariadb_server.seal(database)
    with mariadb_server.clone(golden) as clone:
        copy = opened(clone.addresses[Role.OWNER])
        assert rows(copy, "SELECT id, p, (SELECT t FROM old) FROM v") == [(7, 99, "é😀")]
        rows(copy, "INSERT INTO c (p) VALUES (NULL)")
        assert rows(copy, "SELECT max(id) FROM c") == [(8,)]
        place = Path(clone.private.host)
    with session(database.private) as driver:
        assert rows(driver, "SELECT count(*) FROM c") == [(1,)]
    assert not place.exists()


def test_a_fork_has_users_and_what_was_committed_last(mariadb_server: MariadbServer, opened: Open) -> None:
    database = mariadb_server.create(named())
    with session(database.private) as driver:
        rows(driver, "CREATE TABLE t (id INT PRIMARY KEY)")
        for number in range(20):
            rows(driver, "INSERT INTO t VALUES (%s)", (number,))
        open_transaction = opened(database.addresses[Role.ADMIN])
        open_transaction.begin()
        rows(open_transaction, "INSERT INTO t VALUES (100)")
        with mariadb_server.fork() as fork:
            mine = opened(fork.database(database.name).addresses[Role.OWNER])
            assert rows(mine, "SELECT count(*) FROM t") == [(20,)]
            rows(mine, "DROP TABLE t")
        open_transaction.rollback()
        assert rows(driver, "SELECT count(*) FROM t") == [(20,)]


def test_the_log_has_what_others_send_from_a_mark_on(mariadb_server: MariadbServer, opened: Open) -> None:
    database = mariadb_server.create(named())
    owner = opened(database.addresses[Role.OWNER])
    rows(owner, "SELECT 'before'")
    mark = mariadb_server.mark()
    statement = "/*dbproof:a.sql:3*/ SELECT 'line one\nline \"two\", 100%' AS `ü`"
    rows(owner, statement)
    rows(opened(database.private), "SELECT 'ours'")
    said = [record for record in mariadb_server.log(mark) if record.message == "Query"]
    assert [(record.sent, record.user) for record in said] == [(statement, f"{database.name}_owner")]


def test_where_no_server_can_be_had_it_is_said_what_was_found() -> None:
    with pytest.raises(ServerFailed, match=r"MariaDB 99\.1 \(image mariadb:99\.1\)") as caught:
        provision(Wanted(Engine.MARIADB, image="mariadb:99.1"))
    assert "mariadb-server" in caught.value.remedy
    with pytest.raises(UsageError, match="different versions"):
        needed(Wanted(Engine.MARIADB, version="11", image="mariadb:10.11"))
    with pytest.raises(UsageError, match="is older than"):
        needed(Wanted(Engine.MARIADB, version="10.3"))
    found = [Installation(Path(f"/{name}"), name, Path("/x")) for name in ((10, 11, 1), (11, 4, 2), (10, 3, 1))]
    assert choose(needed(Wanted(Engine.MARIADB)), found) == found[1]
    assert choose(needed(Wanted(Engine.MARIADB, image="mariadb:10.11-jammy")), found) == found[0]


def test_a_server_that_cannot_start_shows_its_last_words(mariadb: Installation, place: Path) -> None:
    fake = place / "mariadbd"
    fake.write_text(f'#!/bin/sh\nexec {mariadb.program} "$@" --no-such-option\n')
    fake.chmod(0o755)
    with (
        pytest.raises(ServerFailed, match=r"(?s)ended at its start with exit code .*unknown option '--no-such-option'"),
        local_server(Installation(fake, mariadb.version, mariadb.maker)),
    ):
        pass


def test_addresses_are_read_and_never_repeated() -> None:
    found = parsed("mariadb+pymysql://me:p%40ss@db.example.com/shop?charset=utf8mb4")
    assert (found.host, found.port, found.user, found.password, found.database) == ("db.example.com", 3306, "me", "p@ss", "shop")
    assert parsed("mysql://root@localhost/shop?unix_socket=/run/m.sock").host == "/run/m.sock"
    for wrong in ("mysql://me:secret@host", "mysql://me:secret@host:port/x", "mysql://me:secret@[host/x"):
        with pytest.raises(UsageError) as caught:
            parsed(wrong)
        assert "secret" not in str(caught.value)


def test_a_given_server_is_only_read(mariadb_server: MariadbServer) -> None:
    database = mariadb_server.create(named())
    url = database.addresses[Role.ADMIN].url("mysql+pymysql")
    with provision(Wanted(Engine.MARIADB, url=url)) as given:
        assert (given.version, given.origin, given.disposable) == (mariadb_server.version, "given", False)
        with pytest.raises(ServerFailed, match="read-only"):
            given.create("x")
    with pytest.raises(UsageError, match="only read"), provision(Wanted(Engine.MARIADB, url=url, disposable=True)):
        pass
    wrong = url.replace(database.addresses[Role.ADMIN].password, "not-it")
    with pytest.raises(ServerFailed, match="does not accept the user and password"), provision(Wanted(Engine.MARIADB, url=wrong)):
        pass
