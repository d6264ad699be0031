"""References that MariaDB reads and throws away."""

from __future__ import annotations

from dataclasses import replace

from judging import Judged
from mariadb_judging import made, statements

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, MigrationFailure, Place
from checks.references import ignored_reference
from checks.targets import Role
from runner.recorder.mariadb import read
from runner.recorder.stamps import comment
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.targets.mariadb import MariadbTarget

USERS = "CREATE TABLE users (id INT PRIMARY KEY);\n"


def judged(server: MariadbServer, ddl: str, failure: MigrationFailure | None = None) -> Judged:
    """The check on what the server's own log and catalogue say after the statements, as the database's owner sends them."""
    mark = server.mark()
    with made(server, "") as database:
        with session(database.addresses[Role.OWNER]) as driver:
            for line, statement in enumerate(statements(USERS + ddl), 1):
                rows(driver, comment(Place("db/all.sql", line)) + statement)
        recording = read(server.log(mark), database.name, f"{database.name}_owner")
        evidence = Evidence(statements=recording.statements, failure=failure)
        with MariadbTarget(server, server.seal(database), database, Expectations(), evidence) as target:
            return Judged(tuple(ignored_reference.run(target)))


IGNORED = """
    CREATE TABLE orders (id INT PRIMARY KEY, buyer_id INT, CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id))
        ENGINE = MyISAM;
    CREATE TABLE notes (id INT PRIMARY KEY, user_id INT REFERENCES users (id)) ENGINE = Aria;
    CREATE TABLE `it's %s` (`a``b` INT) ENGINE = MyISAM;
    ALTER TABLE `it's %s` ADD FOREIGN KEY (`a``b`) REFERENCES users (id);
"""


def test_references_of_other_engines_are_found_where_they_were_declared(mariadb_server: MariadbServer) -> None:
    said = judged(mariadb_server, IGNORED)
    places = {finding.subject: finding.place for finding in said.findings}
    assert places == {
        "orders.buyer": Place("db/all.sql", 2),
        "notes.FOREIGN KEY (user_id)": Place("db/all.sql", 3),
        "it's %s.FOREIGN KEY (a`b)": Place("db/all.sql", 5),
    }
    assert "the server kept nothing of it" in said.findings[0].message
    assert said.findings[0].remedy.startswith("ALTER TABLE orders ENGINE = InnoDB;")


KEPT = """
    CREATE TABLE orders (
        id INT PRIMARY KEY, buyer_id INT, seller_id INT REFERENCES users (id), total INT,
        CONSTRAINT Buyer FOREIGN KEY (buyer_id) REFERENCES users (id), CONSTRAINT c CHECK (total > 0)
    );
    ALTER TABLE orders ADD COLUMN up INT, ADD FOREIGN KEY named (up) REFERENCES orders (id);
    CREATE TABLE gone (id INT, x INT, FOREIGN KEY (x) REFERENCES users (id)) ENGINE = MyISAM;
    DROP TABLE gone;
    CREATE TABLE moved (id INT, x INT, FOREIGN KEY (x) REFERENCES users (id)) ENGINE = MyISAM;
    RENAME TABLE moved TO elsewhere;
    CREATE TABLE dropped (id INT, CONSTRAINT d FOREIGN KEY (id) REFERENCES users (id));
    ALTER TABLE dropped DROP FOREIGN KEY d;
"""


def test_what_is_kept_or_dropped_again_is_no_finding(mariadb_server: MariadbServer) -> None:
    said = judged(mariadb_server, KEPT)
    assert said.findings == []
    assert sorted(said.proven) == ["orders.Buyer", "orders.FOREIGN KEY (seller_id)", "orders.FOREIGN KEY (up)"]


def test_after_failed_migrations_nothing_is_proven(mariadb_server: MariadbServer) -> None:
    failure = MigrationFailure(None, None, "", "1146", "no such table")
    said = judged(mariadb_server, IGNORED, replace(failure))
    assert said.findings == []
    assert set(said.gaps.values()) == {"not there, the migrations failed"}
