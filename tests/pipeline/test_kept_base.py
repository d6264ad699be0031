"""Base as it was replayed is kept between runs: what is taken from there, when it is, and when it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from building_pairs import based, pair
from proving import ALEMBIC, ENV_PY, FIRST, SQL, alembic, project
from repositories import Repository, repository

from checks.schema.names import TableName, table_reference
from checks.targets import Role
from runner.migrations.interface import Project
from runner.settings.model import DatabaseSettings, MigrationSettings
from runner.snapshots import replaying, resting, store

SQLITE = f'[databases.app]\nengine = "sqlite"\n{SQL}'
MARIADB = f'[databases.app]\nengine = "mariadb"\n{SQL}'
KEPT, AGAIN = "; kept, the next run skips this", " from the cache"
MARKING = f"import os\nopen({{mark!r}}, 'a').write(os.getcwd() + '\\n')\n{ENV_PY}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, in which every base is worth to be kept; what clusters begin with comes from the usual one."""
    from runner.servers import cache as caching

    usual, own = caching.kept, tmp_path / "cache"
    named = caching.root()

    def kept(name: str, build: Callable[[Path], None]) -> Path | None:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(caching, "root", lambda: named)
            return usual(name, build)

    monkeypatch.setenv("DBPROOF_CACHE", str(own))
    for module in ("runner.servers.postgresql.cluster", "runner.servers.mariadb.directory"):
        monkeypatch.setattr(f"{module}.kept", kept)
    monkeypatch.setattr(replaying, "WORTH", 0.0)
    return own


def repo(tmp_path: Path, files: dict[str, str], settings: str) -> Repository:
    made = repository(project(tmp_path / "repo", files, settings), {})
    made.branch("change")
    return made


def test_a_second_run_takes_base_from_the_cache_and_nothing_from_the_tool(tmp_path: Path, cache: Path) -> None:
    mark = tmp_path / "mark"
    history = {
        "a1": 'op.execute("create table a (id int primary key)")',
        "a2": 'op.execute("create table b (id int primary key)")',
    }
    env = MARKING.format(mark=str(mark))
    change = repo(tmp_path, alembic(env, **history), ALEMBIC)
    change.write(alembic(env, **history, a3='op.execute("alter table a add column name text")'))

    with pair(change.root) as (first, said):
        assert first.base is not None
        assert said.stages["base"] == f"2 revisions{KEPT}"
        provenance, statements = first.base.evidence.provenance, first.base.evidence.statements
        heads = first.head.evidence
    started = [line for line in mark.read_text().splitlines() if line != str(change.root)]
    assert started != []
    secrets = [secret.encode() for secret in said.secrets if secret]
    assert len(secrets) >= 2
    kept = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert not any(secret in content for content in kept for secret in secrets)
    (entry,) = cache.glob("base-*/")
    assert entry.stat().st_mode & 0o077 == 0

    with pair(change.root) as (second, said):
        assert second.base is not None
        assert said.stages["base"] == f"2 revisions{AGAIN}"
        assert second.base.evidence.provenance == provenance
        assert second.base.evidence.statements == statements
        assert {one.label() for one in _tables(provenance)} >= {"a", "b"}
        assert second.head.evidence.provenance == heads.provenance
        assert [(one.revision, one.new) for one in second.head.evidence.migrations] == [
            ("a1", False),
            ("a2", False),
            ("a3", True),
        ]
        owner = second.head.golden.database.addresses[Role.OWNER]
        with second.head.server.clone(second.head.golden) as clone, psycopg.connect(**clone.private.keywords()) as connection:
            found = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename IN ('a', 'b')").fetchall()
        assert found == [(owner.user,)] * 2
        assert not set(said.secrets) & {secret.decode() for secret in secrets}
    assert [line for line in mark.read_text().splitlines() if line != str(change.root)] == started


def _tables(provenance: object) -> set[TableName]:
    assert isinstance(provenance, dict)
    return {
        TableName(one.schema, one.relation) for one in provenance if one == table_reference(TableName(one.schema, one.relation))
    }


@pytest.mark.parametrize("settings", [SQLITE, MARIADB], ids=["sqlite", "mariadb"])
def test_files_and_mariadb_are_kept_too(tmp_path: Path, settings: str) -> None:
    first_file = FIRST.replace("index on", "index by_author on").replace("references authors", "references authors (id)")
    change = repo(tmp_path, {"migrations/001_first.sql": first_file}, settings)
    change.write({"migrations/002_more.sql": "alter table books add column isbn varchar(20);"})
    with pair(change.root) as (first, said):
        assert first.base is not None
        assert said.stages["base"] == f"1 revision{KEPT}"
        told = first.base.evidence.provenance, first.head.evidence.provenance
    with pair(change.root) as (second, said):
        assert second.base is not None
        assert said.stages["base"] == f"1 revision{AGAIN}"
        assert (second.base.evidence.provenance, second.head.evidence.provenance) == told
        assert second.head.evidence.failure is None


@pytest.fixture
def files(tmp_path: Path) -> Repository:
    """A repository whose base is kept."""
    change = repo(tmp_path, {"migrations/001_first.sql": FIRST.replace("index on", "index by_author on")}, SQLITE)
    assert based(change.root) == f"1 revision{KEPT}"
    return change


def on_main(change: Repository, files: dict[str, str]) -> None:
    """A further commit of base."""
    change.git("checkout", "--quiet", "main")
    change.commit(files)
    change.git("checkout", "--quiet", "-B", "change")


def test_another_base_that_replays_to_the_same_is_not_replayed(files: Repository) -> None:
    on_main(files, {"README.md": "more", "docs/a.md": "words", "src/app.py": "print()", ".github/workflows/a.yml": "on: push"})
    assert based(files.root) == f"1 revision{AGAIN}"


def test_what_base_rests_on_makes_another_one(files: Repository) -> None:
    on_main(files, {"migrations/001_first.sql": "create table authors (id int primary key);"})
    assert based(files.root) == f"1 revision{KEPT}"
    on_main(files, {"elsewhere/part.sql": "select 1;"})
    assert based(files.root) == f"1 revision{KEPT}"
    files.write({"dbproof.toml": f'{SQLITE}transaction = "file"\n'})
    assert based(files.root) == f"1 revision{KEPT}"
    files.write({"dbproof.toml": f'{SQLITE}timeout = "5m"\n'})
    assert based(files.root) == f"1 revision{AGAIN}"


@pytest.mark.parametrize("damage", ["truncated", "changed", "lacking", "told", "manifest"])
def test_a_damaged_one_is_said_and_made_anew(files: Repository, cache: Path, damage: str) -> None:
    (entry,) = cache.glob("base-*/")
    data = entry / "data" / "app.db"
    match damage:
        case "truncated":
            data.write_bytes(data.read_bytes()[:4096])
        case "changed":
            content = bytearray(data.read_bytes())
            content[-1] ^= 1
            data.write_bytes(bytes(content))
        case "lacking":
            data.unlink()
        case "told":
            (entry / "told.json").write_text('{"revisions": 3}')
        case "manifest":
            (entry / "manifest.json").unlink()
    with pair(files.root) as (both, said):
        assert said.stages["base"] == f"1 revision{KEPT}"
        (note,) = both.notes
        assert note.startswith("The snapshot of base in the cache was of no use (")
    assert based(files.root) == f"1 revision{AGAIN}"


def test_a_told_file_whose_manifest_agrees_but_says_something_else_is_no_snapshot(files: Repository, cache: Path) -> None:
    (entry,) = cache.glob("base-*/")
    (entry / "told.json").write_text('{"revisions": 3}')
    (entry / "manifest.json").write_text(store.manifest(entry))
    assert based(files.root) == f"1 revision{KEPT}"


def test_an_old_one_serves_no_more(files: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SERVES", -1.0)
    assert based(files.root) == f"1 revision{KEPT}"


def test_those_used_longest_ago_go_when_the_cache_is_full(
    files: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = cache.glob("base-*/")
    size = sum(path.stat().st_size for path in first.rglob("*") if path.is_file())
    monkeypatch.setattr(store, "LIMIT", int(size * 1.5))
    on_main(files, {"elsewhere/part.sql": "select 1;"})
    assert based(files.root) == f"1 revision{KEPT}"
    (left,) = cache.glob("base-*/")
    assert left != first


def test_nothing_is_kept_where_that_is_switched_off_or_what_is_handed_on_may_be_secret(
    files: Repository, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secretive = DatabaseSettings(migrations=MigrationSettings(tool="alembic", pass_env=("TOKEN",)))
    assert resting.why_not(secretive, files.root) == "`pass_env` hands on what may be secret"
    assert resting.why_not(DatabaseSettings(before=("a.sql",)), files.root) == ""
    files.write({"a.sql": "\\i b.sql\n"})
    assert resting.why_not(DatabaseSettings(before=("a.sql",)), files.root) == "a file of `before` reads other files"
    assert based(files.root) == f"1 revision{AGAIN}"
    files.write({"dbproof.toml": f'{SQLITE}transaction = "file"\n'})
    monkeypatch.setenv("DBPROOF_CACHE", "")
    assert based(files.root) == "1 revision"
    monkeypatch.setenv("DBPROOF_CACHE", str(cache / "base.lock" / "below"))
    assert based(files.root) == "1 revision; not kept: Not a directory"


def test_a_base_that_fails_is_tried_again_each_time(tmp_path: Path) -> None:
    change = repo(tmp_path, {"migrations/001_wrong.sql": "create table a (id int, id int);"}, SQLITE)
    assert based(change.root) == based(change.root) == "1 revision"


def test_a_base_that_needs_a_superuser_is_not_asked_twice(tmp_path: Path, cache: Path) -> None:
    change = repo(tmp_path, {"migrations/001_role.sql": "create role somebody superuser;"}, SQL)
    with pair(change.root) as (_, said):
        assert said.stages["base"] == f"1 revision{KEPT}"
    assert len(list(cache.glob("base-*/"))) == 2
    with pair(change.root) as (both, said):
        assert said.stages["base"] == f"1 revision{AGAIN}"
        assert both.head.evidence.superuser_needed is not None
        assert both.head.evidence.superuser_needed.statement.startswith("create role")


@pytest.mark.parametrize(
    ("prepended", "said"), [("", KEPT), ("prepend_sys_path = .\n", AGAIN)], ids=["linked first", "own first"]
)
def test_packages_linked_to_the_work_tree_count_where_base_would_import_those(tmp_path: Path, prepended: str, said: str) -> None:
    files = {**alembic(), "alembic.ini": f"[alembic]\nscript_location = scripts\n{prepended}", "shop.py": "A = 1\n"}
    change = repo(tmp_path, files, ALEMBIC)
    site = change.root / ".env/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (site / "shop.pth").write_text(f"{change.root}\n")
    (site / "shop-1.0.dist-info").mkdir()
    names = [_name(change)]
    change.write({"shop.py": "A = 2\n"})
    names.append(_name(change))
    assert (names[0] == names[1]) is (said == AGAIN)
    (site / "shop-1.0.dist-info").rename(site / "shop-1.1.dist-info")
    assert _name(change) not in names


def _name(change: Repository) -> str:
    project = Project(change.root, change.root, MigrationSettings(tool="alembic"), change.root)
    python = change.root / ".env/bin/python"
    return repr(dict(resting.packages(python, change.root, frozenset(resting.own_first(project)))))
