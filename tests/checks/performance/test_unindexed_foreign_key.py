"""unindexed-foreign-key: what the check calls covered is what the server really uses."""

from __future__ import annotations

import psycopg
import pytest
from judging import Judge, Query

from checks.interface import Severity

CHECK = "unindexed-foreign-key"

TABLES = """
    CREATE TABLE users (tenant int, id int, PRIMARY KEY (tenant, id), UNIQUE (id));
    CREATE TABLE orders (number int, tenant int, buyer_id int, status text,
        CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users (id));
"""

SERVING = [
    "(buyer_id)",
    "(buyer_id, status)",
    "(buyer_id DESC) INCLUDE (status)",
    "USING hash (buyer_id)",
    "(buyer_id) WHERE buyer_id IS NOT NULL",
]
USELESS = [
    "(status) INCLUDE (buyer_id)",
    "((buyer_id + 0))",
    "(buyer_id) WHERE status = 'open'",
    "(buyer_id) WHERE status IS NOT NULL",
    "(buyer_id) WHERE buyer_id IS NULL",
    "(buyer_id) WHERE buyer_id IS NOT NULL AND status = 'open'",
]


@pytest.mark.parametrize("index", SERVING)
def test_an_index_that_the_server_uses_covers(judge: Judge, query: Query, index: str) -> None:
    assert judge(CHECK, f"{TABLES}; CREATE INDEX found ON orders {index}").proven == ["orders.buyer_id"]
    assert _finds_children_by_index(query, "orders", "buyer_id")


@pytest.mark.parametrize("index", USELESS)
def test_an_index_that_the_server_cannot_use_is_no_cover(judge: Judge, query: Query, index: str) -> None:
    judged = judge(CHECK, f"{TABLES}; CREATE INDEX found ON orders {index}")
    assert (judged.finding.subject, judged.proven) == ("orders.buyer_id", [])
    assert not _finds_children_by_index(query, "orders", "buyer_id")


def test_an_index_that_begins_with_another_column_is_no_cover(judge: Judge) -> None:
    """The server may read such an index from end to end, which is no better than the table."""
    assert judge(CHECK, f"{TABLES}; CREATE INDEX ON orders (status, buyer_id)").findings


def test_without_any_index_an_empty_table_is_a_finding(judge: Judge) -> None:
    finding = judge(CHECK, TABLES).finding
    assert finding.message == "no index serves orders.buyer_id, which refers to users"
    assert finding.remedy == "CREATE INDEX CONCURRENTLY ON orders (buyer_id);"
    assert finding.objects[0].name == "buyer"


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("NO ACTION", Severity.NOTICE),
        ("RESTRICT", Severity.NOTICE),
        ("CASCADE", Severity.WARNING),
        ("SET NULL", Severity.WARNING),
        ("SET DEFAULT", Severity.WARNING),
    ],
)
def test_a_rule_that_writes_to_the_children_weighs_more(judge: Judge, rule: str, severity: Severity) -> None:
    ddl = f"CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (buyer_id int REFERENCES users ON DELETE {rule})"
    assert judge(CHECK, ddl).finding.severity is severity


COMPOSITE = """
    CREATE TABLE users (tenant int, id int, PRIMARY KEY (tenant, id));
    CREATE TABLE orders (number int, tenant int, buyer_id int, FOREIGN KEY (tenant, buyer_id) REFERENCES users);
"""


@pytest.mark.parametrize(
    "index",
    ["(tenant, buyer_id)", "(buyer_id, tenant, number)", "(buyer_id, tenant) WHERE tenant IS NOT NULL AND buyer_id IS NOT NULL"],
)
def test_the_columns_of_a_composite_key_may_stand_in_any_order(judge: Judge, query: Query, index: str) -> None:
    assert judge(CHECK, f"{COMPOSITE}; CREATE INDEX ON orders {index}").proven == ["orders.(tenant, buyer_id)"]
    assert _finds_children_by_index(query, "orders", "tenant", "buyer_id")


@pytest.mark.parametrize("index", ["(tenant)", "(tenant, number, buyer_id)", "USING hash (tenant)"])
def test_part_of_a_composite_key_is_no_cover(judge: Judge, index: str) -> None:
    assert judge(CHECK, f"{COMPOSITE}; CREATE INDEX ON orders {index}").findings


@pytest.mark.parametrize(
    ("index", "covers"),
    [
        ("UNIQUE INDEX ON details (id)", True),
        ("UNIQUE INDEX ON details (id) WHERE kind IS NOT NULL", True),
        ("UNIQUE INDEX ON details (id, number)", False),
        ("UNIQUE INDEX ON details (id) WHERE number = 1", False),
        ("UNIQUE INDEX ON details ((id + 0))", False),
        ("INDEX ON details (id)", False),
    ],
)
def test_an_index_that_leads_to_one_row_covers_a_longer_key(judge: Judge, query: Query, index: str, covers: bool) -> None:
    judged = judge(
        CHECK,
        f"""
        CREATE TABLE things (kind int, id int, PRIMARY KEY (kind, id));
        CREATE TABLE details (number int, kind int, id int, FOREIGN KEY (kind, id) REFERENCES things ON DELETE CASCADE);
        INSERT INTO things SELECT 1, n FROM generate_series(1, 2000) n;
        INSERT INTO details SELECT 1, kind, id FROM things;
        CREATE {index}; ANALYZE;
        """,
    )
    assert judged.proven == (["details.(kind, id)"] if covers else [])
    if covers:
        query("SET plan_cache_mode = force_generic_plan")
        query("PREPARE one (int, int) AS SELECT 1 FROM ONLY details x WHERE $1 = kind AND $2 = id FOR KEY SHARE OF x")
        assert any("Index Cond" in line for (line,) in query("EXPLAIN EXECUTE one (1, 1)"))


@pytest.mark.parametrize(
    ("index", "covers"),
    [
        ("INDEX ON orders (buyer_id)", True),
        ("INDEX ON orders (buyer_id, number)", True),
        ("INDEX ON orders USING hash (buyer_id)", True),
        ("INDEX ON orders (tenant)", False),
        ("INDEX ON orders (tenant, number, buyer_id)", False),
        ("INDEX ON orders (number, buyer_id)", False),
        ("INDEX ON orders (buyer_id) WHERE number = 1", False),
    ],
)
def test_an_index_by_what_is_unique_in_the_parent_covers(judge: Judge, query: Query, index: str, covers: bool) -> None:
    ddl = f"""
        CREATE TABLE users (tenant int, id int PRIMARY KEY, UNIQUE (tenant, id));
        CREATE TABLE orders (number int, tenant int, buyer_id int,
            FOREIGN KEY (tenant, buyer_id) REFERENCES users (tenant, id) ON DELETE CASCADE);
        CREATE {index};
    """
    assert judge(CHECK, ddl).proven == (["orders.(tenant, buyer_id)"] if covers else [])
    assert not covers or _finds_children_by_index(query, "orders", "buyer_id")


def test_what_is_unique_in_the_parent_only_at_times_is_not_enough(judge: Judge) -> None:
    ddl = """
        CREATE TABLE users (tenant int, id int, UNIQUE (tenant, id));
        CREATE UNIQUE INDEX ON users (id) WHERE tenant = 1;
        CREATE TABLE orders (tenant int, buyer_id int, FOREIGN KEY (tenant, buyer_id) REFERENCES users (tenant, id));
        CREATE INDEX ON orders (buyer_id);
    """
    assert judge(CHECK, ddl).findings


def test_a_primary_key_that_begins_with_the_reference_covers(judge: Judge) -> None:
    ddl = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int REFERENCES a, n int, PRIMARY KEY (a_id, n))"
    assert judge(CHECK, ddl).proven == ["b.a_id"]


def test_an_exclusion_constraint_covers(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE TABLE slots (during int4range PRIMARY KEY);
        CREATE TABLE stays (during int4range REFERENCES slots, EXCLUDE USING gist (during WITH &&));
    """
    assert judge(CHECK, ddl).proven == ["stays.during"]
    assert _finds_children_by_index(query, "stays", "during", kind="int4range")


def test_an_invalid_index_is_no_cover_and_is_named(judge: Judge, query: Query) -> None:
    query(f"{TABLES} INSERT INTO users VALUES (1, 1); INSERT INTO orders (buyer_id) VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        query("CREATE UNIQUE INDEX CONCURRENTLY found ON orders (buyer_id)")
    finding = judge(CHECK).finding
    assert "(found is invalid)" in finding.message
    assert finding.remedy == "REINDEX INDEX CONCURRENTLY found;"
    query("DELETE FROM orders")
    query(finding.remedy)
    assert judge(CHECK).proven == ["orders.buyer_id"]


PARTITIONED = """
    CREATE TABLE users (id int PRIMARY KEY);
    CREATE TABLE orders (buyer_id int REFERENCES users, region int) PARTITION BY LIST (region);
    CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
    CREATE TABLE orders_2 PARTITION OF orders FOR VALUES IN (2);
"""


def test_an_index_of_a_partitioned_table_covers(judge: Judge) -> None:
    assert judge(CHECK, f"{PARTITIONED} CREATE INDEX ON orders (buyer_id)").proven == ["orders.buyer_id"]


def test_an_index_on_each_partition_covers(judge: Judge) -> None:
    both = "CREATE INDEX ON orders_1 (buyer_id); CREATE INDEX ON orders_2 (buyer_id)"
    assert judge(CHECK, f"{PARTITIONED} {both}").proven == ["orders.buyer_id"]


def test_an_index_on_one_of_two_partitions_is_no_cover(judge: Judge, query: Query) -> None:
    finding = judge(CHECK, f"{PARTITIONED} CREATE INDEX ON orders_1 (buyer_id); CREATE INDEX ON ONLY orders (buyer_id)").finding
    assert finding.remedy == "CREATE INDEX ON orders (buyer_id);"
    query(finding.remedy)
    assert judge(CHECK).proven == ["orders.buyer_id"]


def test_hostile_names_are_quoted_in_the_remedy(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."user" ("x IS NOT NULL" int PRIMARY KEY);
        CREATE TABLE "a.b"."t""%s" ("x IS NOT NULL" int REFERENCES "a.b"."user", "AND" int);
        CREATE INDEX ON "a.b"."t""%s" ("x IS NOT NULL") WHERE "AND" IS NOT NULL;
    """
    finding = judge(CHECK, ddl).finding
    query(finding.remedy)
    assert judge(CHECK).proven == [finding.subject]


def test_a_quoted_name_in_the_predicate_is_read(judge: Judge) -> None:
    ddl = """
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders ("Buyer ""IS"" (NOT) NULL" int REFERENCES users);
        CREATE INDEX ON orders ("Buyer ""IS"" (NOT) NULL") WHERE "Buyer ""IS"" (NOT) NULL" IS NOT NULL;
    """
    assert judge(CHECK, ddl).proven == ['orders.Buyer "IS" (NOT) NULL']


def _finds_children_by_index(query: Query, child: str, *columns: str, kind: str = "int") -> bool:
    """Whether the query of the server's own trigger, planned for any value, can use an index for every column of the key."""
    query("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL")
    where = " AND ".join(f"${number} OPERATOR(pg_catalog.=) {column}" for number, column in enumerate(columns, 1))
    query(
        f"PREPARE children ({', '.join([kind] * len(columns))}) AS SELECT 1 FROM ONLY {child} x WHERE {where} FOR KEY SHARE OF x"
    )
    lines = [line for (line,) in query(f"EXPLAIN EXECUTE children ({', '.join(['NULL'] * len(columns))})")]
    conditions = [line for line in lines if "Index Cond" in line]
    return bool(conditions) and all(column in conditions[0] for column in columns)
