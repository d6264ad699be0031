"""Whole runs on MariaDB: base and head, Alembic to the line, migrations that stay half done, a look at a given database."""

from __future__ import annotations

from pathlib import Path

import pytest
from mariadb_judging import made
from proving import Ran, dbproof, project
from repositories import repository

from checks.targets import Role
from runner.servers.mariadb.server import MariadbServer

pytestmark = pytest.mark.usefixtures("mariadb")

SETTINGS = """\
[databases.app]
engine = "mariadb"

[databases.app.migrations]
tool = "sql"
directory = "migrations"

[databases.app.data]
load = ["seeds.sql"]

[databases.app.expect]
references = ["books.author_id -> authors.id on delete restrict"]

[databases.app.expect.no_rows]
"a book has a title" = "select id from books where title = ''"

[databases.app.queries.of_an_author]
sql = "select title from books where author_id = {authors.id} and title like '%'"
category = "simple"
"""
FIRST = """\
CREATE TABLE authors (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(99) NOT NULL);
CREATE TABLE books (
  id INT PRIMARY KEY AUTO_INCREMENT, author_id INT NOT NULL, title VARCHAR(99) NOT NULL,
  CONSTRAINT by_author FOREIGN KEY (author_id) REFERENCES authors (id),
  CONSTRAINT titled CHECK (title <> '')
);
DELIMITER //
CREATE TRIGGER trimmed BEFORE INSERT ON books FOR EACH ROW
BEGIN
  SET NEW.title = trim(NEW.title);
END//
DELIMITER ;
"""
ROWS = "INSERT INTO authors VALUES (1, 'Ursula'); INSERT INTO books VALUES (10, 1, 'The Telling');"
FILES = {"dbproof.toml": SETTINGS, "migrations/1_first.sql": FIRST, "seeds.sql": ROWS}


def run(root: Path, place: Path, *arguments: str) -> Ran:
    ran = dbproof("run", *arguments, root=root, more={"TMPDIR": str(place)})
    assert list(place.iterdir()) == [], "nothing is left of a run"
    return ran


def test_what_base_has_is_known_and_what_head_adds_is_new(tmp_path: Path, place: Path) -> None:
    repo = repository(
        tmp_path / "repo", {**FILES, "migrations/1_first.sql": FIRST + "CREATE INDEX again ON books (author_id);\n"}
    )
    base = repo.git("rev-parse", "HEAD")
    second = (
        "CREATE TABLE notes (\n  book_id INT,\n  KEY one (book_id),\n  KEY two (book_id)\n);\n"
        "ALTER TABLE books MODIFY title TEXT NOT NULL;"
    )
    repo.commit({"migrations/2_notes.sql": second})
    ran = run(repo.root, place, "--compare", base)
    assert ran.code == 0, ran.said
    assert ran.database["version"].startswith("1")
    found = {(one["subject"], one["state"], one["provenance"]["file"]) for one in ran.findings("duplicate-index")}
    assert found == {("notes.two", "new", "migrations/2_notes.sql")}
    (key,) = ran.findings("missing-primary-key")
    assert (key["subject"], key["provenance"]["file"], key["provenance"]["line"]) == ("notes", "migrations/2_notes.sql", 1)
    (copied,) = ran.findings("blocking-migration")
    assert (copied["subject"], copied["provenance"]["line"]) == ("2_notes on books", 6)
    assert "writes books anew (Cannot change column type, 1 row) under MDL_" in copied["message"]
    assert len(ran.findings("lock-queue")) == 1
    making, copying = ran.database["migrations"][1]["statements"]
    assert all(each["seconds"] > 0 and each["work"]["redo"] > 0 for each in (making, copying))
    assert copying["rewrites"] == [{"relation": "books", "reason": "its rows were copied by the server"}]
    assert {lock["mode"] for lock in copying["locks"]} == {"MDL_EXCLUSIVE", "MDL_SHARED_NO_WRITE"}
    proven = {check["id"]: check["proven"] for check in ran.database["checks"] if check["outcome"] == "passed"}
    assert (
        proven.items()
        >= {
            "migration-failed": 2,
            "superuser-migration": 1,
            "load-refused": 1,
            "orphaned-rows": 1,
            "reference-probe": 1,
            "delete-rule": 1,
            "reference-type-mismatch": 1,
            "no-rows": 1,
            "query-limit": 1,
        }.items()
    )


ALEMBIC = """\
[databases.app]
engine = "mariadb"

[databases.app.migrations]
tool = "alembic"
env = { DATABASE_URL = "{url:mysql+pymysql}" }

[databases.app.data]
load = ["seeds.sql"]

[databases.app.expect]
references = ["books.author_id -> authors.id on delete restrict"]
"""
ENV_PY = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
HEAD = "from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = {!r}, {!r}\n\ndef upgrade():\n"
AUTHORS = (
    HEAD.format("one", None)
    + """\
    op.create_table("authors", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(99)))
    op.create_table(
        "books", sa.Column("id", sa.Integer, primary_key=True), sa.Column("author_id", sa.Integer),
        sa.Column("title", sa.String(99), nullable=False),
    )
"""
)
FAULTY = (
    HEAD.format("two", "one")
    + """\
    op.create_index("by_title", "books", ["title"])
    op.create_foreign_key(None, "books", "authors", ["author_id"], ["id"], ondelete="CASCADE")
    op.execute("SET foreign_key_checks = 0")
    op.execute("INSERT INTO books VALUES (9, 99, 'Nobody''s')")
"""
)
BROKEN = (
    HEAD.format("three", "two")
    + """\
    op.add_column("books", sa.Column("pages", sa.Integer))
    op.create_unique_constraint("one_title", "books", ["title"])
"""
)
TWICE = """\
INSERT INTO authors VALUES (1, 'Ursula');
INSERT INTO books (id, author_id, title) VALUES (10, 1, 'Twice'), (11, 1, 'Twice');
"""


def alembic(**revisions: str) -> dict[str, str]:
    files = {f"scripts/versions/{name}.py": text for name, text in revisions.items()}
    return {"alembic.ini": "[alembic]\nscript_location = scripts\n", "scripts/env.py": ENV_PY, "seeds.sql": TWICE, **files}


def test_faults_of_alembic_migrations_are_found_at_their_lines(tmp_path: Path, place: Path) -> None:
    repo = repository(tmp_path / "repo", {"dbproof.toml": ALEMBIC, **alembic(one=AUTHORS)})
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"scripts/versions/two.py": FAULTY, "scripts/versions/three.py": BROKEN})
    ran = run(repo.root, place, "--compare", base)
    assert ran.code == 1, ran.said
    (failed,) = ran.findings("migration-failed")
    assert (failed["subject"], failed["evidence"]["code"]) == ("three", "1062")
    assert failed["evidence"]["said"] == "Duplicate entry for key 'one_title'"
    assert "Twice'" not in failed["evidence"]["detail"]
    assert failed["message"] == "migration three failed on rows: green on an empty table, red on these rows"
    assert (failed["provenance"]["file"], failed["provenance"]["line"]) == ("scripts/versions/three.py", 7)
    (orphans,) = ran.findings("orphaned-rows")
    assert (orphans["subject"], orphans["evidence"]["count"]) == ("books.author_id", 1)
    (rule,) = ran.findings("delete-rule")
    assert "is ON DELETE CASCADE, expected RESTRICT" in rule["message"]
    for finding in (orphans, rule):
        assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("scripts/versions/two.py", 7)


def test_a_migration_that_fails_stays_half_done_and_what_is_there_is_judged(tmp_path: Path, place: Path) -> None:
    broken = "CREATE TABLE half (id INT PRIMARY KEY);\n\nALTER TABLE nowhere ADD COLUMN x INT;\n"
    ran = run(project(tmp_path / "repo", {**FILES, "migrations/2_broken.sql": broken}, None), place, "--compare", "nothing")
    assert ran.code == 1, ran.said
    (failed,) = ran.findings("migration-failed")
    place_of = failed["provenance"]
    assert (failed["evidence"]["code"], place_of["file"], place_of["line"]) == ("1146", "migrations/2_broken.sql", 3)
    assert ran.check("missing-primary-key")["proven"] == 3, "the table that was made before stays"


def test_a_program_that_goes_elsewhere_is_stopped_with_the_settings_that_lead_here(tmp_path: Path, place: Path) -> None:
    env = ENV_PY.replace('os.environ["DATABASE_URL"]', '"mysql+pymysql://me:hidden@db.invalid:3306/app"')
    ran = run(project(tmp_path / "repo", {"dbproof.toml": ALEMBIC, **alembic(one=AUTHORS), "scripts/env.py": env}, None), place)
    assert ran.code == 2, ran.said
    assert "mysql+pymysql://db.invalid:3306/app, which is not the database made for it" in ran.said
    assert "hidden" not in ran.said


def test_a_given_database_is_looked_at_and_left_as_it_was(tmp_path: Path, mariadb_server: MariadbServer) -> None:
    ddl = f"""
        {FIRST.partition("DELIMITER")[0]}
        INSERT INTO authors VALUES (1, 'Ursula');
        INSERT INTO books VALUES (10, 1, 'The Telling');
        SET foreign_key_checks = 0;
        INSERT INTO books VALUES (11, 7, 'Lost');
    """
    with made(mariadb_server, ddl) as database:
        url = database.addresses[Role.ADMIN].url("mysql")
        more = {"THEIRS": url}
        ran = dbproof("check", "--url-env", "THEIRS", root=project(tmp_path / "repo", {}, None), more=more)
        assert ran.code == 1, ran.said
        (orphans,) = ran.findings("orphaned-rows")
        assert (orphans["subject"], orphans["evidence"]["count"]) == ("books.author_id", 1)
        assert ran.check("reference-probe")["reason"] == "the database was given to be read only"
        assert database.addresses[Role.ADMIN].password not in ran.said
        assert "2 tables, 1 reference" in ran.said


FAULTS = '''\
"""Three things that should not be"""

from alembic import op

revision = "9aa000000001"
down_revision = "3d6bf708e9ca"


def upgrade():
    op.drop_constraint("fk_orders_buyer_id", "orders", type_="foreignkey")
    op.create_foreign_key("fk_orders_buyer_id", "orders", "users", ["buyer_id"], ["id"], ondelete="CASCADE")
    op.drop_constraint("ck_order_total_positive", "orders", type_="check")
    op.execute(
        """CREATE TABLE reviews (
            id BIGINT PRIMARY KEY, product_id BIGINT NOT NULL,
            CONSTRAINT fk_reviews_product FOREIGN KEY (product_id) REFERENCES products (id)
        ) ENGINE = MyISAM"""
    )
'''
SHOP_ROWS = """\
INSERT INTO users (email, name) VALUES ('seller@shop.example', 'S'), ('buyer@mail.example', 'B');
INSERT INTO products (vendedor_id, sku, name, precio_venta, precio_costo) SELECT id, 'SKU-1', 'P', 5, 2 FROM users WHERE id = 1;
INSERT INTO orders (buyer_id, number, subtotal, total, shipping_name) SELECT id, 'S-1', 10, 10, 'B' FROM users WHERE id = 2;
INSERT INTO order_items (order_id, product_id, product_sku, product_name, quantity, unit_price, total)
  SELECT orders.id, products.id, sku, name, 2, 5, 10 FROM orders, products;
"""


def shop(root: Path) -> dict[str, str]:
    """The example's own history with MariaDB's settings: its rows and two of its queries are PostgreSQL's."""
    names = ["alembic.ini", "migrations/env.py", "shop/__init__.py", "shop/models.py", "shop/sessions.py"]
    names += [path.relative_to(root).as_posix() for path in (root / "migrations" / "versions").glob("*.py")]
    files = {name: (root / name).read_text("utf-8") for name in names}
    of_a_till = 'if foreign_keys and parsed.get_backend_name() == "sqlite":'
    files["shop/sessions.py"] = files["shop/sessions.py"].replace("if foreign_keys:", of_a_till)
    told = (
        (root / "dbproof.toml")
        .read_text("utf-8")
        .partition("[databases.shop.expect]\n")[2]
        .partition("[databases.shop.expect.no_rows]")[0]
    )
    declared = "\n".join(line for line in told.splitlines() if "where external_id" not in line)
    files["dbproof.toml"] = (
        f"{ALEMBIC.partition('[databases.app.expect]')[0].replace('app', 'shop')}\n[databases.shop.expect]\n{declared}"
    )
    return {**files, "seeds.sql": SHOP_ROWS}


def test_the_shops_history_runs_unchanged_and_what_a_change_breaks_is_found(tmp_path: Path, place: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "shop"
    repo = repository(tmp_path / "repo", shop(example))
    base = repo.git("rev-parse", "HEAD")
    repo.commit({"migrations/versions/2026_faults.py": FAULTS})
    ran = run(repo.root, place, "--compare", base)
    assert ran.code == 1, ran.said
    found = {(check, subject) for check, subject in ran.failing}
    assert found >= {
        ("delete-rule", "orders.buyer_id -> users.id"),
        ("expected-constraint", "ck_order_total_positive"),
        ("ignored-reference", "reviews.fk_reviews_product"),
    }
    lines = {
        finding["subject"]: finding["provenance"]["line"]
        for check in ("delete-rule", "ignored-reference")
        for finding in ran.findings(check)
    }
    assert lines == {"orders.buyer_id -> users.id": 11, "reviews.fk_reviews_product": 13}
    assert ran.check("check-probe")["proven"] == 27
    assert not [finding for finding in ran.findings() if finding["state"] == "known" and finding["severity"] == "error"]
