"""squawk is asked about what new migrations sent, whatever tool sent it."""

from __future__ import annotations

from pathlib import Path

from example_repositories import run_on
from repositories import repository

FIRST = "CREATE TABLE users (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, buyer_id bigint);\n"
SECOND = """\
CREATE INDEX orders_by_buyer
    ON orders (buyer_id); -- by who bought
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id);
ALTER TABLE users ADD COLUMN name varchar(20);
CREATE TABLE notes (id bigint PRIMARY KEY, "a;b" text DEFAULT 'x -- y');
CREATE INDEX ON notes ("a;b");
"""
SETTINGS = '[databases.app]\nengine = "postgresql"\n[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'


def test_its_rules_at_the_lines_of_the_statements(tmp_path: Path) -> None:
    files = {"dbproof.toml": f"{SETTINGS}squawk = true\n", "migrations/1.sql": FIRST}
    made = repository(tmp_path / "app", files)
    made.branch("change")
    made.commit({"migrations/2.sql": SECOND})
    run = run_on(made.root)
    found = {one["subject"]: (one["severity"], one["provenance"]["line"]) for one in run.check("static-advice")["findings"]}
    assert found["2: require-concurrent-index-creation"] == ("warning", 1)
    assert found["2: require-lock-timeout"][0] == "notice"
    assert {subject.removeprefix("2: ") for subject in found} <= {
        "require-concurrent-index-creation",
        "require-lock-timeout",
        "require-statement-timeout",
    }


def test_what_it_could_not_read_is_not_proven(tmp_path: Path) -> None:
    made = repository(tmp_path / "app", {"dbproof.toml": f"{SETTINGS}squawk = true\n", "migrations/1.sql": FIRST})
    made.branch("change")
    long = f"ALTER TABLE users ADD COLUMN note text DEFAULT '{'x' * 12_000}';\n"
    made.commit({"migrations/2.sql": long, "migrations/3.sql": "CREATE TABLE quiet (id bigint PRIMARY KEY);\n"})
    check = run_on(made.root).check("static-advice")
    assert [(gap["subject"], gap["reason"]) for gap in check["not_proven"]] == [
        ("2", "a statement of it is longer than 10000 characters")
    ]
    made.commit({".squawk.toml": "nonsense = [\n"})
    check = run_on(made.root).check("static-advice")
    assert (check["outcome"], check["proven"]) == ("skipped", 0)
    (gap,) = check["not_proven"]
    assert gap["reason"].startswith("squawk ended with status 1: ")
