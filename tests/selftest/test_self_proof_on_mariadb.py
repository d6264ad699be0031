"""The same on MariaDB, where each copy is a server of its own: a sample, which shares copies."""

from __future__ import annotations

from faulty import self_test
from mariadb_judging import made

from checks.declared.expectations import Expectations
from checks.declared.references import parse_reference
from runner.report import FaultState
from runner.selftest.proving import Extent
from runner.servers.mariadb.server import MariadbServer

DDL = """
CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20) NOT NULL);
CREATE TABLE `50%_se``lect` (
  id INT PRIMARY KEY, `user` BIGINT NOT NULL, `n'ame` VARCHAR(9) UNIQUE, total INT NOT NULL,
  CONSTRAINT `it's %s` CHECK (total >= 0),
  CONSTRAINT fk_user FOREIGN KEY (`user`) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id));
INSERT INTO users VALUES (1, 'a'), (2, 'b');
INSERT INTO `50%_se``lect` (id, `user`, total) VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO tree VALUES (1, NULL), (2, 1);
"""
EXPECT = Expectations(
    references=(parse_reference('"50%_se`lect".user -> users.id on delete cascade', ""),),
    no_rows={"a total says something": "select 1 from `50%_se``lect` where total = 0"},
)


def test_every_fault_that_can_be_planted_is_found_on_mariadb(mariadb_server: MariadbServer) -> None:
    with made(mariadb_server, DDL) as database, self_test(mariadb_server, database, EXPECT, extent=Extent(600)) as test:
        proof = test.run()
    missed = [f"{one.check}: {one.kind} of {one.place}: {one.reason}" for one in proof.of(FaultState.MISSED)]
    assert missed == []
    found = {one.kind for one in proof.of(FaultState.FOUND)}
    assert {"orphan", "weakened-check", "broken-sentence", "swapped-rule", "dropped-reference", "second-index"} <= found
