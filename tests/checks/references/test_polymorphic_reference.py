"""polymorphic-reference: each row's parent in the table that its type names, and types that are known."""

from __future__ import annotations

from judging import Judge, Judged, Query
from sqlite_judging import judged

from checks.declared.expectations import Expectations
from checks.declared.references import PolymorphicReference, parse_any_reference

CHECK = "polymorphic-reference"

#: Comments on posts by number, on photos by text; `id` 6 is of a kind that nobody knows, 7 of none, 8 refers to nothing.
TABLES = """
    CREATE TABLE posts (id int PRIMARY KEY);
    CREATE TABLE photos (id varchar(20) PRIMARY KEY);
    CREATE TABLE "100% "" tags" ("i d" int);
    CREATE TABLE comments (id int PRIMARY KEY, target_type varchar(20), target_id varchar(20));
    INSERT INTO posts VALUES (1), (2);
    INSERT INTO photos VALUES ('a'), ('1');
    INSERT INTO comments VALUES (1, 'Post', '1'), (2, 'Post', '3'), (3, 'Post', 'a'), (4, 'Blog::Photo', 'a'),
        (5, 'Blog::Photo', '1'), (6, 'Page', '1'), (7, NULL, '1'), (8, 'Page', NULL);
"""
LINE = 'comments.(target_type, target_id) -> {Post: posts.id, Blog::Photo: photos.id, 7: "100% "" tags"."i d"}'


def declaring(line: str, schema: str = "public") -> Expectations:
    read = parse_any_reference(line, schema)
    assert isinstance(read, PolymorphicReference)
    return Expectations(polymorphic=(read,))


def holds(said: Judged) -> None:
    types, posts = said.findings
    assert (types.subject, types.count) == ("comments.(target_type, target_id)", 2)
    assert types.message == ("2 rows of comments refer to something and have no target_type that is known: Post, Blog::Photo, 7")
    assert types.values == ("id=6, target_type=Page, target_id=1", "id=7, target_type=NULL, target_id=1")
    assert (posts.subject, posts.count) == ("comments.(target_type, target_id) -> Post: posts.id", 2)
    assert posts.message == "2 rows of comments name a Post, a posts.id, that does not exist"
    assert said.proven == ["comments.(target_type, target_id) -> Blog::Photo: photos.id"]
    assert said.gaps == {'comments.(target_type, target_id) -> 7: 100% " tags.i d': "no row of the type 7"}


def test_each_kind_is_counted_by_itself(judge: Judge, query: Query) -> None:
    said = judge(CHECK, TABLES, declaring(LINE))
    holds(said)
    for finding in said.findings:
        assert len(query(finding.remedy.removeprefix("List them all with: ").split("; then")[0])) == finding.count
    query("DELETE FROM comments WHERE id IN (2, 3, 6, 7)")
    assert judge(CHECK, "", declaring(LINE)).findings == []


def test_each_kind_is_counted_in_sqlite_too() -> None:
    holds(judged(CHECK, TABLES, declaring(LINE.replace("comments.(target_type", "Comments.(TARGET_type"), "")))


def test_a_type_may_be_a_number_and_a_table_of_another_schema(judge: Judge) -> None:
    ddl = """
        CREATE SCHEMA "Käufe"; CREATE TABLE "Käufe".posts (id uuid PRIMARY KEY);
        CREATE TABLE marks (content_type_id int, object_id uuid) PARTITION BY LIST (content_type_id);
        CREATE TABLE marks_7 PARTITION OF marks FOR VALUES IN (7);
        INSERT INTO "Käufe".posts VALUES ('11111111-1111-1111-1111-111111111111');
        INSERT INTO marks VALUES (7, '11111111-1111-1111-1111-111111111111'), (7, '11111111-1111-1111-1111-111111111112');
    """
    finding = judge(CHECK, ddl, declaring('marks.(content_type_id, object_id) -> {7: "Käufe".posts.id}')).finding
    assert (finding.count, finding.values) == (1, ("content_type_id=7, object_id=11111111-1111-1111-1111-111111111112",))


def test_without_rows_or_tables_nothing_is_proven(judge: Judge) -> None:
    said = judge(
        CHECK, TABLES.split("INSERT")[0], declaring("comments.(target_type, target_id) -> {Post: posts.id, Page: pages.id}")
    )
    assert said.gaps == dict.fromkeys(
        ("comments.(target_type, target_id)", "comments.(target_type, target_id) -> Post: posts.id"), "no rows"
    )
    assert said.finding.subject == "comments.(target_type, target_id) -> Page: pages.id (absent)"
    assert said.finding.message.endswith("and there is no table pages")
