"""enum-probe: a column of an enum that takes its labels and nothing else is proven; a label that no row can have is found."""

from __future__ import annotations

from judging import Judge

from checks.interface import Severity

CHECK = "enum-probe"
TYPE = "CREATE TYPE mood AS ENUM ('good', 'b''ad', 'w:e%s \"x\"\\', 'ORDER', 'dbproof', '');"


def test_columns_that_take_their_labels(judge: Judge) -> None:
    judged = judge(
        CHECK,
        f"""
        {TYPE}
        CREATE DOMAIN feeling AS mood;
        CREATE TABLE days (a mood, b mood[] NOT NULL, c feeling, "f%:" mood DEFAULT 'good', n int NOT NULL CHECK (n > 0));
        CREATE TABLE parted (a mood, n int, CHECK (a <> 'good' OR n > 0)) PARTITION BY LIST (a);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN ('good');
        CREATE TABLE none_yet (a mood) PARTITION BY LIST (a);
        """,
    )
    assert judged.proven == ["days.a", "days.b", "days.c", "days.f%:", "parted.a"]
    assert judged.gaps == {"none_yet.a": "no partition"}
    assert judged.findings == []


def test_a_label_that_a_check_refuses(judge: Judge) -> None:
    finding = judge(
        CHECK,
        """
        CREATE TYPE order_status AS ENUM ('open', 'paid');
        ALTER TYPE order_status ADD VALUE 'refunded';
        CREATE TABLE orders (status order_status NOT NULL CONSTRAINT known CHECK (status::text IN ('open', 'paid')));
        """,
    ).finding
    assert (finding.subject, finding.severity, finding.count) == ("orders.status", Severity.NOTICE, 1)
    assert "'refunded'" in finding.message
    assert [one.name for one in finding.objects] == ["status", "known"]


def test_a_label_that_a_domain_refuses(judge: Judge) -> None:
    finding = judge(CHECK, f"{TYPE} CREATE DOMAIN calm AS mood CHECK (VALUE <> 'b''ad'); CREATE TABLE days (m calm);").finding
    assert finding.evidence["labels"] == ["b'ad"]
