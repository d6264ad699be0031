"""The new migrations of each kind of tool grow on what base's own made, by the books that the tool keeps."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent

from changes import DOUBTFUL, STRICT, run, states
from proving import FIRST, SQL, alembic, project
from repositories import repository


def test_prisma_folders_grow_on_base(tmp_path: Path) -> None:
    settings = SQL.replace('"sql"', '"prisma"').replace('"migrations"', '"prisma"')
    files = {
        "prisma/migrations/20240101000000_first/migration.sql": FIRST,
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
    }
    repo = repository(project(tmp_path / "repo", files, STRICT + settings), {})
    repo.branch("change")
    repo.commit({"prisma/migrations/20240201000000_doubtful/migration.sql": f"-- a comment\n{DOUBTFUL}"})
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert states(ran) == {"20240101000000_first": ("applied", False), "20240201000000_doubtful": ("applied", True)}
    (finding,) = ran.findings("unvalidated-constraint")
    assert finding["provenance"]["line"] == 2


def test_alembic_grows_on_base_and_its_own_table_is_not_judged(tmp_path: Path) -> None:
    """Under whatever name it keeps its books: nothing of it may be found."""
    settings = dedent(
        """\
        [severity]
        unindexed-foreign-key = "error"
        [databases.app.migrations]
        tool = "alembic"
        env = { DATABASE_URL = "{url}" }
        """
    )
    options = "{'version_table': 'our_books', 'version_table_schema': 'public'}"
    first = 'op.execute("create table authors (id int primary key)")'
    second = 'op.execute("create table books (id int primary key, author_id int references authors)")'
    repo = repository(project(tmp_path / "repo", alembic(options=options, one=first), settings), {})
    repo.branch("change")
    repo.write(alembic(options=options, one=first, two=second))
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert states(ran) == {"one": ("applied", False), "two": ("applied", True)}
    (finding,) = ran.findings("unindexed-foreign-key")
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("scripts/versions/two.py", 7)
    assert "our_books" not in json.dumps(ran.database["checks"])


def test_a_command_grows_on_base(tmp_path: Path) -> None:
    """A program of the project's own that keeps its books in the database and knows nothing of us."""
    settings = STRICT + dedent(
        """\
        [databases.app.migrations]
        command = "PYTHON migrate.py"
        current = "PYTHON migrate.py --dry"
        env = { DATABASE_URL = "{url}" }
        """.replace("PYTHON", sys.executable)
    )
    migrate = dedent(
        """\
        import os, pathlib, sys
        import psycopg
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            if "--dry" in sys.argv:
                sys.exit()
            connection.execute("create table if not exists schema_migrations (name text primary key)")
            for path in sorted(pathlib.Path("migrations").glob("*.sql")):
                if not connection.execute("select from schema_migrations where name = %s", [path.name]).rowcount:
                    connection.execute(path.read_text())
                    connection.execute("insert into schema_migrations values (%s)", [path.name])
        """
    )
    files = {"migrate.py": migrate, "migrations/001_first.sql": FIRST}
    repo = repository(project(tmp_path / "repo", files, settings), {})
    repo.branch("change")
    repo.write({"migrations/002_doubtful.sql": DOUBTFUL})
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert ran.failing == [("unvalidated-constraint", "books.books_id_fkey")]
    (finding,) = ran.findings("unvalidated-constraint")
    assert finding["provenance"]["file"] == "migrations/002_doubtful.sql"
