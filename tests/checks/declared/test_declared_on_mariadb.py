"""Declared and guessed references, and what NULL lets through, on MariaDB."""

from __future__ import annotations

from mariadb_judging import JudgeMariadb

from checks.declared.expectations import Expectations
from checks.declared.references import PolymorphicReference, parse_any_reference, parse_reference

SHOP = """
    CREATE TABLE users (id INT PRIMARY KEY, deleted_at DATE, boss_id INT);
    CREATE TABLE orders (id INT PRIMARY KEY, buyer_id INT, note VARCHAR(20));
    CREATE TABLE posts (id INT PRIMARY KEY);
    CREATE TABLE comments (id INT PRIMARY KEY, target_type VARCHAR(20), target_id VARCHAR(20), post_id BIGINT);
    CREATE TABLE folders (
        tenant INT NOT NULL, parent INT, name VARCHAR(20) NOT NULL, share INT, kind VARCHAR(9) NOT NULL,
        CONSTRAINT folder_name UNIQUE (tenant, parent, name),
        CONSTRAINT of_percent CHECK (kind <> 'percent' OR share <= 100), CONSTRAINT named CHECK (length(name) > 0)
    );
    CREATE TABLE files (tenant INT NOT NULL, name VARCHAR(20) NOT NULL, UNIQUE (tenant, name));
    INSERT INTO users VALUES (1, NULL, NULL), (2, '2024-05-01', 1), (3, NULL, 2);
    INSERT INTO orders VALUES (10, 1, '%'), (11, 2, NULL), (12, 2, ''), (14, NULL, NULL);
    INSERT INTO posts VALUES (1), (2), (3);
    INSERT INTO comments VALUES (1, 'Post', '1', 1), (2, 'Post', '9', 2), (6, 'Page', '1', 3), (7, 'Post', '2', 1);
"""
DELETED = "orders.buyer_id -> users.id where users.deleted_at is null"
HELD = "orders.buyer_id -> users.id where users.id < 9 and 'a%' like '%'"


def test_references_that_no_key_has_are_judged_by_the_rows(judge_mariadb: JudgeMariadb) -> None:
    several = parse_any_reference("comments.(target_type, target_id) -> {Post: posts.id}", "")
    assert isinstance(several, PolymorphicReference)
    expect = Expectations(references=(parse_reference(DELETED, ""), parse_reference(HELD, "")), polymorphic=(several,))
    said = judge_mariadb(SHOP, "soft-deleted-parent", "polymorphic-reference", "undeclared-reference", expect=expect)
    gone = said["soft-deleted-parent"]
    assert (gone.finding.subject, gone.finding.count, gone.proven) == (DELETED, 2, [HELD])
    assert gone.finding.values == ("id=11, buyer_id=2", "id=12, buyer_id=2")
    kinds = {finding.subject: finding.count for finding in said["polymorphic-reference"].findings}
    assert kinds == {"comments.(target_type, target_id)": 1, "comments.(target_type, target_id) -> Post: posts.id": 1}
    guessed = {finding.subject: finding for finding in said["undeclared-reference"].findings}
    assert "comments.post_id" in guessed
    remedy = guessed["comments.post_id"].remedy
    assert remedy.startswith("ALTER TABLE comments ADD FOREIGN KEY (post_id) REFERENCES posts (id); ")


def test_what_null_lets_through_is_found(judge_mariadb: JudgeMariadb) -> None:
    said = judge_mariadb(SHOP, "nullable-unique", "null-passes-check")
    unique = said["nullable-unique"]
    assert unique.finding.subject == "folders.folder_name"
    assert unique.finding.remedy.startswith("ALTER TABLE folders MODIFY parent int(11) NOT NULL;")
    assert said["null-passes-check"].finding.subject == "folders.of_percent"
    assert "MODIFY share int(11) NOT NULL" in said["null-passes-check"].finding.remedy
