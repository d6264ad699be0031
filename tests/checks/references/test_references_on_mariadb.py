"""The checks of references on MariaDB: orphans that came in with checks switched off, probes beside the tables."""

from __future__ import annotations

from mariadb_judging import JudgeMariadb, target

from checks.schema.names import ObjectKind
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session

SHOP = """
    CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(99) NOT NULL UNIQUE CHECK (email LIKE '%@%'));
    CREATE TABLE orders (
        id INT PRIMARY KEY AUTO_INCREMENT, buyer_id INT, number CHAR(9) NOT NULL UNIQUE, total DECIMAL(9, 2) NOT NULL,
        CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE RESTRICT,
        CONSTRAINT total_positive CHECK (total > 0)
    );
    INSERT INTO users VALUES (1, 'a@x'), (2, 'b@x');
    INSERT INTO orders VALUES (10, 1, 'one', 5), (11, NULL, 'two', 6);
"""
ORPHANS = """
    SET foreign_key_checks = 0;
    INSERT INTO orders VALUES (13, 77, 'three', 5), (14, 78, 'four', 6);
"""


def test_rows_that_all_have_parents_are_proven_and_orphans_are_counted(judge_mariadb: JudgeMariadb) -> None:
    assert judge_mariadb(SHOP, "orphaned-rows")["orphaned-rows"].proven == ["orders.buyer_id"]
    finding = judge_mariadb(SHOP + ORPHANS, "orphaned-rows")["orphaned-rows"].finding
    assert (finding.subject, finding.count) == ("orders.buyer_id", 2)
    assert finding.message == "2 rows of orders name a users.id that does not exist"
    assert finding.values == ("id=13, buyer_id=77", "id=14, buyer_id=78")
    assert [(found.kind, found.name) for found in finding.objects] == [
        (ObjectKind.CONSTRAINT, "buyer"),
        (ObjectKind.COLUMN, "buyer_id"),
        (ObjectKind.TABLE, ""),
    ]


def test_the_remedy_lists_the_orphans(mariadb_server: MariadbServer) -> None:
    from checks.references import orphaned_rows

    with target(mariadb_server, SHOP + ORPHANS) as found:
        (finding,) = (said for said in orphaned_rows.run(found) if hasattr(said, "remedy"))
        listing = finding.remedy.removeprefix("List them all with: ").partition("; then")[0]
        with session(found._database.private) as driver:
            assert {row[0] for row in rows(driver, listing)} == {13, 14}


HOSTILE = """
    CREATE TABLE `sel;ect` (`fro m` INT PRIMARY KEY, `x'y"z``%s` INT, `group` VARCHAR(20) COLLATE utf8mb4_bin UNIQUE,
        CONSTRAINT `a ``b" %s` FOREIGN KEY (`x'y"z``%s`) REFERENCES `sel;ect` (`fro m`));
    CREATE TABLE `order` (`group` VARCHAR(20) COLLATE utf8mb4_bin,
        CONSTRAINT `ünï` FOREIGN KEY (`group`) REFERENCES `sel;ect` (`group`) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE pairs (a INT, b CHAR(3), PRIMARY KEY (b, a));
    CREATE TABLE `lines` (a INT, b CHAR(3), FOREIGN KEY (b, a) REFERENCES pairs (b, a));
    SET foreign_key_checks = 0;
    INSERT INTO `sel;ect` VALUES (1, 5, 'A'), (2, 1, 'b');
    INSERT INTO `order` VALUES ('a'), ('A'), (NULL);
    INSERT INTO `lines` VALUES (1, 'x'), (NULL, 'x'), (1, NULL);
"""


def test_odd_names_self_references_composite_keys_and_collations(judge_mariadb: JudgeMariadb) -> None:
    said = judge_mariadb(HOSTILE, "orphaned-rows", "reference-probe")
    assert {finding.subject: (finding.count, finding.values) for finding in said["orphaned-rows"].findings} == {
        "sel;ect.x'y\"z`%s": (1, ("fro m=1, x'y\"z`%s=5",)),
        "order.group": (1, ("group=a",)),
        "lines.(b, a)": (1, ("b=x, a=1",)),
    }
    assert said["reference-probe"].gaps == {}
    assert len(said["reference-probe"].proven) == 3


def test_every_key_is_tried_alone_whatever_else_would_refuse(judge_mariadb: JudgeMariadb) -> None:
    ddl = f"""{SHOP}
        CREATE TRIGGER never BEFORE INSERT ON orders FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'never';
    """
    said = judge_mariadb(ddl, "reference-probe")["reference-probe"]
    assert (said.proven, said.gaps, said.findings) == (["orders.buyer_id"], {}, [])


def test_a_parent_that_was_dropped_under_the_key(judge_mariadb: JudgeMariadb) -> None:
    ddl = f"{SHOP}\n SET foreign_key_checks = 0;\n DROP TABLE users;\n"
    said = judge_mariadb(ddl, "orphaned-rows", "reference-probe")
    assert said["orphaned-rows"].finding.message == "1 row of orders names a row of users, and there is no table users"
    assert "can be met by nothing: there is no table users" in said["reference-probe"].finding.message
