"""Tools of Go, whose files dbproof's adapters send themselves: goose, golang-migrate and Atlas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from real.archives import module

from runner.migrations import atlas
from tools import fetching
from tools.atlas_program import PROGRAM as ATLAS_PROGRAM
from tools.samples import Call, Command, Had, Sample, copied, failing, url
from tools.statements import (
    CONCURRENTLY,
    FAILS,
    FAILS_ALONE,
    FUNCTION,
    NO_TABLES,
    NOT_CONCURRENTLY,
    RIGHTS,
    SETTING,
    TABLES,
    USED,
    VALUE,
    WHERE,
)


def _statement(text: str) -> str:
    return f"-- +goose StatementBegin\n{text}-- +goose StatementEnd\n"


#: goose knows no dollar quotes, and ends a statement where a line ends in a semicolon.
_GOOSE_TABLES = TABLES.replace(" -- not here;", "").replace("; of words", " of words")
GOOSE_FILES = {
    "2_tables.sql": f"-- +goose Up\n{_GOOSE_TABLES}\n-- +goose Down\n{NO_TABLES}",
    "10_function.sql": f"-- a word; before\n-- +goose Up\n{_statement(FUNCTION)}-- +goose Down\nDROP FUNCTION twice;\n",
    "0011_value.sql": f"-- +goose Up\n{VALUE}",
    "12_used.sql": f"-- +goose Up\n{USED}{RIGHTS}",
    "13_setting.sql": f"-- +goose Up\n{SETTING}",
    "14_where.sql": f"-- +goose up\n{WHERE}",
    "20240101_index.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{CONCURRENTLY}-- +goose Down\n{NOT_CONCURRENTLY}",
}


def _goose(word: str) -> Call:
    return lambda had, root, on: Command([str(had.place), "-dir", str(root), "postgres", url(on), word])


GOOSE = Sample(
    "goose",
    lambda cache: fetching.of_go(
        cache,
        "github.com/pressly/goose/v3",
        "v3.29.0",
        "github.com/pressly/goose/v3/cmd/goose",
        "no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb",
    ),
    GOOSE_FILES,
    _goose("up"),
    "SELECT id, version_id, is_applied FROM goose_db_version ORDER BY id",
    ["goose_db_version", "goose_db_version_id_seq"],
    undo=_goose("down"),
)

GOLANG_MIGRATE_FILES = {
    "2_tables.up.sql": TABLES,
    "2_tables.down.sql": NO_TABLES,
    "10_function.up.sql": f"BEGIN;\n{FUNCTION}COMMIT;\n",
    "0011_value.up.sql": VALUE,
    "12_used.up.sql": USED + RIGHTS,
    "13_setting.up.sql": SETTING,
    "14_where.up.sql": WHERE,
    "20240101_index.up.sql": CONCURRENTLY,
    "20240101_index.down.sql": NOT_CONCURRENTLY,
    "notes.sql": "no sql at all",
}


def _golang_migrate(*words: str) -> Call:
    return lambda had, root, on: Command([str(had.place), "-path", str(root), "-database", url(on), *words])


GOLANG_MIGRATE = Sample(
    "golang-migrate",
    lambda cache: fetching.of_go(
        cache, "github.com/golang-migrate/migrate/v4", "v4.20.1", "github.com/golang-migrate/migrate/v4/cmd/migrate", "postgres"
    ),
    GOLANG_MIGRATE_FILES,
    _golang_migrate("up"),
    "SELECT version, dirty FROM public.schema_migrations",
    ["public.schema_migrations"],
    undo=_golang_migrate("down", "1"),
)

#: What Atlas' command takes of it.
HCL = {"github.com/hashicorp/hcl/v2": "v2.18.1", "github.com/zclconf/go-cty": "v1.14.4"}
ATLAS_FILES = {
    "10_tables.sql": TABLES.replace("E'c\\';d'", "'c;d'"),
    "2_function.sql": FUNCTION,
    "3_value.sql": VALUE,
    "4_used.sql": USED + RIGHTS,
    "5_index.sql": f"-- atlas:txmode none\n\n{CONCURRENTLY}",
    "6_do.sql": "DO $$ BEGIN CREATE TABLE done (id integer); END $$;\nSELECT ';'",
}


def _summed(_: Had, root: Path) -> None:
    (root / "atlas.sum").write_text("\n".join([*atlas.sums(root), ""]))


ATLAS = Sample(
    "atlas",
    lambda cache: fetching.of_go_source(
        cache,
        {"main.go": ATLAS_PROGRAM},
        {"ariga.io/atlas": "v0.32.1-0.20250325101103-175b25e1c1b9", "github.com/lib/pq": "v1.10.9", **HCL},
        ".",
    ),
    ATLAS_FILES,
    lambda had, root, on: Command([str(had.place), url(on), str(root)]),
    "",
    lay=_summed,
    without=["atlas_schema_revisions"],
    books_kept=False,
    note="Atlas' library, without the books, which its command keeps",
)


FAILING = [
    failing(GOOSE, {"20240102_fails.sql": f"-- +goose Up\n{FAILS}"}),
    failing(GOOSE, {"20240102_fails.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{FAILS_ALONE}"}, "(fails alone)"),
    failing(GOOSE, {"20240102_fails.sql": "-- +goose Up\nSELECT 1\n"}, "(unfinished)"),
    failing(GOLANG_MIGRATE, {"20240102_fails.up.sql": FAILS}),
    failing(ATLAS, {"7_fails.sql": FAILS}),
    failing(ATLAS, {"7_fails.sql": f"-- atlas:txmode none\n\n{FAILS_ALONE}"}, "(fails alone)"),
]
SAMPLES = [
    GOOSE,
    replace(
        GOOSE,
        files={},
        lay=copied(lambda _: module("github.com/pressly/goose/v3", "v3.29.0") / "examples" / "sql-migrations"),
        variant="(its example)",
    ),
    GOLANG_MIGRATE,
    replace(
        GOLANG_MIGRATE,
        files={},
        lay=copied(lambda _: module("github.com/golang-migrate/migrate/v4", "v4.20.1") / "database/postgres/examples/migrations"),
        undo=None,
        variant="(its example)",
    ),
    ATLAS,
    *FAILING,
]
