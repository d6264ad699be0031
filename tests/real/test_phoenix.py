"""arize-phoenix's history on PostgreSQL: it ends as its own tool ends, and what is found in it is true."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.targets import Role
from real import own_tool
from real.published import Published, Run, dbproof
from runner.servers.interface import Database, Server

pytestmark = pytest.mark.real

SETTINGS = """
[databases.phoenix]
engine = "postgresql"

[databases.phoenix.migrations]
tool = "alembic"
directory = "db"
python = "{python}"
"""
OUR_ADDRESS = 'env = { PHOENIX_SQL_DATABASE_URL = "{url}" }'

#: Every foreign key whose columns are of other types than the parent's.
MISMATCHES = """
SELECT format('%s.%s', k.conrelid::regclass, a.attname)
FROM pg_constraint k, unnest(k.conkey, k.confkey) AS pair (child, parent), pg_attribute a, pg_attribute b
WHERE k.contype = 'f' AND a.attrelid = k.conrelid AND a.attnum = child AND b.attrelid = k.confrelid AND b.attnum = parent
AND a.atttypid <> b.atttypid
"""
#: Every foreign key with the query by which the server looks for children.
LOOKUPS = """
SELECT CASE WHEN count(*) = 1 THEN format('%s.%s', k.conrelid::regclass, min(a.attname))
            ELSE format('%s.(%s)', k.conrelid::regclass, string_agg(a.attname, ', ' ORDER BY number)) END,
       format('EXPLAIN (GENERIC_PLAN) SELECT 1 FROM ONLY %s x WHERE %s FOR KEY SHARE OF x', k.conrelid::regclass,
              string_agg(format('$%s = %I', number, a.attname), ' AND ' ORDER BY number))
FROM pg_constraint k, unnest(k.conkey) WITH ORDINALITY AS part (attnum, number), pg_attribute a
WHERE k.contype = 'f' AND a.attrelid = k.conrelid AND a.attnum = part.attnum GROUP BY k.oid, k.conrelid
"""


#: Every table of which one row can take rows of more than ten other tables along.
CASCADES = """
WITH RECURSIVE reach(above, below) AS (
  SELECT confrelid, conrelid FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c'
  UNION
  SELECT reach.above, k.conrelid FROM reach JOIN pg_constraint k ON k.confrelid = reach.below AND k.confdeltype = 'c'
)
SELECT above::regclass::text FROM reach GROUP BY above HAVING count(*) > 10
"""


@dataclass(frozen=True)
class _Ended:
    """One history, applied twice: by its own tool to ``own``, and by dbproof."""

    own: Database
    run: Run
    root: Path


@pytest.fixture(scope="module")
def ended(phoenix: Published, server: Server, tmp_path_factory: pytest.TempPathFactory) -> _Ended:
    root = _repository(phoenix, tmp_path_factory.mktemp("phoenix"))
    own = server.create(f"phoenix_{secrets.token_hex(4)}")
    home = root.parent / "own-home"
    home.mkdir()
    url = own.addresses[Role.OWNER].url()
    done = phoenix.alembic(root / "db", "upgrade", "head", PHOENIX_SQL_DATABASE_URL=url, HOME=str(home))
    assert done.returncode == 0, done.stderr
    settings = root / "dbproof.toml"
    settings.write_text(f"{settings.read_text()}{OUR_ADDRESS}\n{own_tool.same('phoenix', own)}")
    return _Ended(own, dbproof(root), root)


def _repository(phoenix: Published, place: Path) -> Path:
    root = place / "repository"
    phoenix.copied(root / "db")
    (root / "dbproof.toml").write_text(SETTINGS.replace("{python}", str(phoenix.python)))
    return root


def test_it_ends_as_its_own_tool_ends(ended: _Ended) -> None:
    assert ended.run.code == 0, ended.run.said
    assert {check["outcome"] for check in ended.run.checks.values()} <= {"passed", "failed", "skipped"}
    assert (ended.run.checks["no-rows"]["outcome"], ended.run.checks["no-rows"]["proven"]) == ("passed", 2)
    assert ended.run.findings("error") == []


def test_all_of_it_is_seen(ended: _Ended) -> None:
    """As counted in the published package: 65 tables are its 64 and alembic_version."""
    assert own_tool.ask(ended.own, own_tool.TABLES) == [(65,)]
    assert own_tool.ask(ended.own, own_tool.FOREIGN_KEYS) == [(105,)]
    files = [*(ended.root / "db" / "migrations" / "versions").glob("*.py")]
    assert len(files) == len(ended.run.database["migrations"]) == ended.run.checks["migration-failed"]["proven"] == 35
    assert {migration["state"] for migration in ended.run.database["migrations"]} == {"applied"}
    assert ended.run.checks["reference-probe"]["proven"] == 105


def test_every_check_constraint_is_tried(ended: _Ended) -> None:
    """Among them: labels by which a key refers as well, patterns, and an expression over a column that a document fills."""
    ((listed,),) = own_tool.ask(ended.own, "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")
    probed = ended.run.checks["check-probe"]
    assert int(str(listed)) > 30
    assert (probed["proven"], probed["not_proven"], probed["findings"]) == (listed, [], [])


#: NOT NULL columns and unique indexes of all tables but Alembic's own.
COUNTED = """
SELECT (SELECT count(*) FROM pg_attribute WHERE attrelid = ANY (judged) AND attnotnull AND attnum > 0 AND NOT attisdropped),
       (SELECT count(*) FROM pg_index WHERE indrelid = ANY (judged) AND indisunique)
FROM (SELECT array_agg(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname <> 'alembic_version') AS it (judged)
"""


def test_every_rule_and_every_key_is_tried(ended: _Ended) -> None:
    ((*counts,),) = own_tool.ask(ended.own, COUNTED)
    not_null, unique = (int(str(count)) for count in counts)
    wanted = {"delete-rule-probe": 105, "update-rule-probe": 105, "not-null-probe": not_null, "unique-probe": unique}
    assert min(not_null, unique) > 100
    for check, count in wanted.items():
        probed = ended.run.checks[check]
        assert (probed["proven"], probed["not_proven"], probed["findings"]) == (count, [], []), check


def test_every_type_that_is_said_to_differ_differs(ended: _Ended) -> None:
    found = {finding["subject"] for finding in ended.run.checks["reference-type-mismatch"]["findings"]}
    assert found == {subject for (subject,) in own_tool.ask(ended.own, MISMATCHES)}
    assert len(found) == 37


def test_every_key_that_is_said_to_have_no_index_is_looked_up_without(ended: _Ended) -> None:
    found = {finding["subject"] for finding in ended.run.checks["unindexed-foreign-key"]["findings"]}
    unserved = set()
    for subject, lookup in own_tool.ask(ended.own, LOOKUPS):
        plan = own_tool.ask(ended.own, str(lookup), after="SET enable_seqscan = off")
        if not any("Index Cond" in str(line) for (line,) in plan):
            unserved.add(subject)
    assert found == unserved
    assert len(found) == 3


def test_the_tables_whose_rows_take_many_others_along_are_those_of_the_catalogue(ended: _Ended) -> None:
    found = {finding["subject"] for finding in ended.run.checks["cascade-reach"]["findings"]}
    assert found == {table for (table,) in own_tool.ask(ended.own, CASCADES)}
    assert len(found) == 3


def test_every_finding_leads_to_the_line_that_made_it(ended: _Ended) -> None:
    findings = [one for one in ended.run.findings("error", "warning", "notice") if one["check"] != "model-drift"]
    assert len(findings) == 43
    for finding in findings:
        table, _, column = finding["subject"].partition(".")
        place = finding["provenance"]
        lines = (ended.root / place["file"]).read_text("utf-8").splitlines()
        statement = "\n".join(lines[place["line"] - 1 : place["line"] + 40])
        assert statement.lstrip().startswith(("op.", "batch_op.", "with op.")), (finding["subject"], place)
        names = [table, *re.findall(r"\w+", column)]
        assert all(name in statement for name in names), (finding["subject"], place)


def test_without_the_setting_it_stops_and_says_which(phoenix: Published, tmp_path: Path) -> None:
    root = _repository(phoenix, tmp_path)
    before = {path for path in root.rglob("*") if "__pycache__" not in path.parts}
    run = dbproof(root)
    assert run.code == 2, run.said
    assert f"[databases.phoenix.migrations]\n  {OUR_ADDRESS}" in run.said
    assert "Traceback" not in run.said
    assert {path for path in root.rglob("*") if "__pycache__" not in path.parts} == before
    # The folder itself comes with `import phoenix`.
    assert [path for path in (run.home / ".phoenix").rglob("*") if path.is_file()] == []
    assert not [path for path in tmp_path.rglob("*") if path.suffix in {".db", ".sqlite"}]
