"""``dbproof data``: a repository's own schema, migrated and filled; wrong calls end at once and write nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from standing import completed


def dbproof(*told: str) -> subprocess.CompletedProcess[str]:
    return completed(["data", *told], cwd=Path.cwd(), env=os.environ, timeout=120)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "db").mkdir(parents=True)
    (root / "db" / "1.sql").write_text(
        "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE NOT NULL CHECK (email LIKE '%@%'));\n"
        "CREATE TABLE orders (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users);\n"
        "CREATE TABLE shapeless (id integer PRIMARY KEY CHECK (id > 5 AND id < 5));\n"
    )
    (root / "dbproof.toml").write_text('[databases.app.migrations]\ntool = "sql"\ndirectory = "db"\ntransaction = "file"\n')
    return root


def test_the_schema_is_migrated_filled_and_written(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.sql"
    ended = dbproof(str(repository), "--rows", "1_000", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    assert "2000 rows in 2 tables" in ended.stderr
    assert "shapeless: 0 of 1000 rows, " in ended.stdout
    text = out.read_text(encoding="utf-8")
    assert text.index('COPY "public"."users"') < text.index('COPY "public"."orders"')
    assert text.count("\n") > 2_000


def test_the_settings_are_its_defaults(repository: Path, tmp_path: Path) -> None:
    said = "rows = 7\ntables = { orders = 3 }\ncolumns = { \"users.email\" = \"'u' || dbproof_n || '@x'\" }\n"
    with (repository / "dbproof.toml").open("a") as settings:
        settings.write(f"[databases.app.data]\n{said}")
    ended = dbproof(str(repository), "--out", str(tmp_path / "rows.sql"))
    assert (ended.returncode, "10 rows in 2 tables" in ended.stderr) == (0, True), ended.stderr
    assert "u7@x" in (tmp_path / "rows.sql").read_text(encoding="utf-8")


def test_texts_are_for_people_where_that_is_asked(repository: Path, tmp_path: Path) -> None:
    ended = dbproof(str(repository), "--rows", "20", "--readable", "--out", str(tmp_path / "rows.sql"))
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "rows.sql").read_text(encoding="utf-8").count("@example.com") == 20


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (["--rows", "many"], "--rows: expected a whole number from 1 to 100000000, not 'many'"),
        (["--rows", "0"], "--rows: expected a whole number from 1"),
        (["--seed", "-1"], "--seed: expected a whole number from 0"),
        (["--database", "ap"], "did you mean 'app'?"),
        (["--out", "there.sql"], "exists already"),
        (["--out", "no/such/directory/x.sql"], "there is no directory"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(told: list[str], words: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    Path("there.sql").write_text("mine")
    ended = dbproof(*(told if "--out" in told else ["--out", "new.sql", *told]))
    assert (ended.returncode, words in " ".join(ended.stderr.split())) == (2, True), ended.stderr
    assert Path("there.sql").read_text() == "mine"
    assert not Path("new.sql").exists()


#: What the same tables are called for elsewhere, and how the file begins that is written of them.
ELSEWHERE = {
    "sqlite": ("integer PRIMARY KEY", "sqlite3 DATABASE <", 'INSERT OR ABORT INTO "users" ("id", "email") VALUES'),
    "mariadb": ("integer AUTO_INCREMENT PRIMARY KEY", "mariadb DATABASE <", "INSERT INTO `users` (`id`, `email`) VALUES"),
}


@pytest.mark.parametrize("engine", ELSEWHERE)
def test_other_engines_rows_are_written_for_their_own_programs(
    engine: str, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if engine == "mariadb":
        request.getfixturevalue("mariadb")
    key, load, insert = ELSEWHERE[engine]
    out = tmp_path / "rows.sql"
    text = (repository / "db" / "1.sql").read_text().replace("serial PRIMARY KEY", key).replace("email text", "email varchar(60)")
    text = text.replace("REFERENCES users", "REFERENCES users (id)")
    (repository / "db" / "1.sql").write_text(text)
    settings = (repository / "dbproof.toml").read_text()
    (repository / "dbproof.toml").write_text(f'[databases.app]\nengine = "{engine}"\n\n{settings}')
    ended = dbproof(str(repository), "--rows", "1_000", "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    assert "2000 rows in 2 tables" in ended.stderr
    assert "shapeless: 0 of 1000 rows, " in ended.stdout
    assert f"load it with {load} {out}" in ended.stdout
    assert insert in out.read_text(encoding="utf-8")
