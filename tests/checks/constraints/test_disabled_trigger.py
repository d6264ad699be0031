"""disabled-trigger: triggers of people's own, those behind references, and partitions that were switched by themselves."""

from __future__ import annotations

from judging import Judge, Query

CHECK = "disabled-trigger"
DDL = """
    CREATE SCHEMA "S %";
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE "S %"."t ""1" (id int PRIMARY KEY);
    CREATE TRIGGER "audit; %s" AFTER INSERT ON "S %"."t ""1" FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TABLE whole (id int REFERENCES "S %"."t ""1") PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF whole FOR VALUES FROM (1) TO (9);
    CREATE TABLE high PARTITION OF whole FOR VALUES FROM (9) TO (99);
    CREATE TRIGGER each_row AFTER INSERT ON whole FOR EACH ROW EXECUTE FUNCTION f();
"""


def test_switched_on_is_proven_and_partitions_are_judged_with_the_whole(judge: Judge) -> None:
    said = judge(CHECK, DDL)
    assert (sorted(said.proven), said.findings, said.gaps) == (
        ['S %.t "1.audit; %s', "whole.each_row", "whole.id"],
        [],
        {},
    )


def test_a_trigger_that_is_switched_off_is_found_and_the_remedy_switches_it_on(judge: Judge, query: Query) -> None:
    finding = judge(CHECK, DDL + 'ALTER TABLE "S %"."t ""1" DISABLE TRIGGER USER').finding
    assert (finding.subject, finding.message) == ('S %.t "1.audit; %s', 'trigger audit; %s of S %.t "1 is switched off')
    query(finding.remedy)
    assert judge(CHECK).findings == []


def test_one_partition_alone_is_found(judge: Judge) -> None:
    said = judge(CHECK, DDL + "ALTER TABLE ONLY high DISABLE TRIGGER each_row")
    assert [finding.subject for finding in said.findings] == ["high.each_row"]
    assert "whole.each_row" in said.proven


def test_a_reference_that_is_not_enforced_any_more_is_found(judge: Judge, query: Query) -> None:
    said = judge(CHECK, DDL + "ALTER TABLE low DISABLE TRIGGER ALL")
    found = {finding.subject: finding for finding in said.findings}
    assert set(found) == {"low.each_row", "whole.id"}
    query(found["whole.id"].remedy.partition(";")[0])
    assert judge(CHECK).findings == []


def test_a_trigger_for_replication_is_not_proven(judge: Judge) -> None:
    said = judge(CHECK, DDL + "ALTER TABLE whole ENABLE REPLICA TRIGGER each_row")
    assert "whole.each_row" in said.gaps
    assert said.findings == []
