"""missing-constraint: what blocks pass over is named with what is absent; what is there, was dropped or was renamed is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import Judge

from checks.evidence import Evidence, MigrationFailure, Place, Statement
from checks.rulebook.intended import LONGEST
from checks.schema.names import ObjectKind, ObjectReference

CHECK = "missing-constraint"

TABLES = """
    CREATE TABLE policies (id text PRIMARY KEY);
    CREATE TABLE stages (id text PRIMARY KEY, policy text, total int, CONSTRAINT taken CHECK (total > 0));
    CREATE TABLE steps (id text PRIMARY KEY, stage text CONSTRAINT there REFERENCES stages, n int UNIQUE);
    CREATE SCHEMA sales;
    CREATE TABLE sales."Or""der" ("Id 1" int PRIMARY KEY);
"""

#: Scenario 4's three, as a migration has them, with a comment and a text that mislead who reads without care.
GUARDED = """DO $$
BEGIN
    -- ALTER TABLE stages ADD CONSTRAINT commented FOREIGN KEY (x) REFERENCES policies (id);
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'stages' AND column_name = 'policy_id') THEN
        ALTER TABLE "stages" ADD CONSTRAINT "stages_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policies"("id");
    END IF;
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'overrides' AND column_name = 'stage_id') THEN
        EXECUTE 'ALTER TABLE overrides ADD CONSTRAINT overrides_fk FOREIGN KEY (stage_id) REFERENCES stages (''id'')';
    END IF;
    RAISE NOTICE 'add constraint later: ALTER TABLE stages';
    ALTER TABLE steps ADD CONSTRAINT there FOREIGN KEY (stage) REFERENCES stages (id);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$"""


def block(*statements: str) -> Statement:
    return Statement(f"DO $do$ BEGIN {' '.join(f'{one};' for one in statements)} END $do$", Place("b.py", 9))


def evidence(*statements: Statement) -> Evidence:
    return Evidence(statements=statements)


def test_what_a_block_passed_over_is_named_at_its_line_and_what_it_made_is_proven(judge: Judge) -> None:
    judged = judge(CHECK, TABLES, evidence=evidence(Statement(GUARDED, Place("m/migration.sql", 10))))
    assert judged.proven == ["steps.there"]
    assert {finding.subject: (str(finding.place), finding.message) for finding in judged.findings} == {
        "stages.stages_policy_id_fkey": (
            "m/migration.sql:14",
            "a migration set out to make the foreign key stages_policy_id_fkey of stages and did not: the column stages.policy_id"
            " does not exist",
        ),
        "overrides.overrides_fk": (
            "m/migration.sql:17",
            "a migration set out to make the foreign key overrides_fk of overrides and did not: there is no table overrides",
        ),
    }


NOT_HELD = "all that it speaks of is there, so its condition did not hold or its error was caught"
MISSING = {
    "ALTER TABLE stages ADD CONSTRAINT fresh CHECK (total < 9)": NOT_HELD,
    "ALTER TABLE stages ADD COLUMN a int, ADD CONSTRAINT odd CHECK (lower(a_b) <> '' AND total > 1)": (
        "the column stages.a_b does not exist"
    ),
    "ALTER TABLE policies ADD CONSTRAINT taken CHECK (id <> '')": "stages has a CHECK of that name",
    "ALTER TABLE stages ADD CONSTRAINT one UNIQUE (policy, nothing)": "the column stages.nothing does not exist",
    'ALTER TABLE ONLY steps ADD FOREIGN KEY (n) REFERENCES sales."Or""der" ("Id 2")': 'the column sales.Or"der.Id 2 does not '
    "exist",
    'ALTER TABLE sales."Or""der" ADD CONSTRAINT "a; b" EXCLUDE (x WITH =)': NOT_HELD,
}
THERE = [
    "ALTER TABLE stages ADD CONSTRAINT other CHECK (0 < TOTAL)",
    "ALTER TABLE Steps ADD FOREIGN KEY (Stage) REFERENCES public.stages",
    "ALTER TABLE steps ADD CONSTRAINT n_once UNIQUE (n)",
    "ALTER TABLE stages ADD CONSTRAINT stages_key PRIMARY KEY (id)",
    'ALTER TABLE "Or""der" ADD PRIMARY KEY ("Id 1")',
]


def test_why_it_is_missing(judge: Judge) -> None:
    judged = judge(CHECK, TABLES, evidence=evidence(*(block(one) for one in MISSING)))
    assert [finding.message.partition("did not: ")[2] for finding in judged.findings] == list(MISSING.values())
    assert {finding.place for finding in judged.findings} == {Place("b.py", 9)}


def test_what_is_there_in_other_words_is_proven(judge: Judge) -> None:
    judged = judge(CHECK, TABLES, evidence=evidence(block(*THERE)))
    assert (judged.findings, len(judged.proven)) == ([], 4)  # one key has no name and is judged by none


def test_what_went_again_and_what_has_another_name_is_not_missing(judge: Judge) -> None:
    dropped = ObjectReference(ObjectKind.CONSTRAINT, "public", "stages", "gone")
    table = ObjectReference(ObjectKind.TABLE, "public", "away")
    statements = (
        block("ALTER TABLE stages ADD CONSTRAINT gone CHECK (total > 7)", "ALTER TABLE away ADD CONSTRAINT a CHECK (b > 1)"),
        block("ALTER TABLE once ADD CONSTRAINT was FOREIGN KEY (stage) REFERENCES levels (id)"),
        Statement("ALTER TABLE stages DROP CONSTRAINT gone", dropped=(dropped,)),
        Statement("DROP TABLE away", dropped=(table,)),
        Statement("ALTER TABLE once RENAME TO steps"),
        Statement("ALTER TABLE levels RENAME TO stages; ALTER TABLE steps RENAME CONSTRAINT was TO there"),
    )
    judged = judge(CHECK, TABLES, evidence=evidence(*statements))
    assert (judged.findings, judged.proven, judged.gaps) == ([], ["steps.there"], {})


def test_what_is_executed_plainly_was_undone_or_is_never_called_is_none_of_it(judge: Judge) -> None:
    add = "ALTER TABLE stages ADD CONSTRAINT nowhere CHECK (total > 7)"
    statements = (Statement(add), replace(block(add), undone=True), Statement(f"CREATE FUNCTION f() AS $$ BEGIN {add}; END $$"))
    assert judge(CHECK, TABLES, evidence=evidence(*statements)).all == ()
    guarded = Statement(add.replace("TABLE", "TABLE IF EXISTS"))
    assert judge(CHECK, "", evidence=evidence(guarded)).finding.subject == "stages.nowhere"


@pytest.mark.parametrize("made", [(), (ObjectReference(ObjectKind.CONSTRAINT, "public", "stages", "x"),)])
def test_names_that_a_block_puts_together_are_not_proven_unless_it_made_some(
    judge: Judge, made: tuple[ObjectReference, ...]
) -> None:
    dynamic = block("EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (total > 7)', t, c)")
    judged = judge(CHECK, TABLES, evidence=evidence(replace(dynamic, made=made)))
    assert judged.gaps == ({} if made else {"b.py:9": "it puts the names together as it runs"})


def test_what_cannot_be_known_is_not_proven(judge: Judge) -> None:
    add = "ALTER TABLE stages ADD CONSTRAINT nowhere CHECK (total > 7)"
    stopped = Evidence(statements=(block(add),), failure=MigrationFailure("2", None, "", "23503", "no"))
    assert judge(CHECK, TABLES, evidence=stopped).gaps == {"stages.nowhere": "not there, the migrations failed"}
    long = block(f"{'x' * LONGEST}")
    assert judge(CHECK, "", evidence=evidence(long)).gaps == {"b.py:9": "the block is too long to be read to its end"}
