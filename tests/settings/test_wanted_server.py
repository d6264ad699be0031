"""Which PostgreSQL the repository's own files ask for, and at which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.evidence import Place
from runner.settings.services import find, read

WORKFLOW = """name: test
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps: []
  test:
    services:
      redis:
        image: redis:7
      db:
        image: {image}
"""


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("image", "version", "extensions"),
    [
        ("postgres:17", "17", set()),
        ("postgres:16.3-alpine", "16", set()),
        ("postgres:9.6", "9.6", set()),
        ("postgres:18beta1", "18", set()),
        ("postgres:16@sha256:abcdef", "16", set()),
        ("docker.io/library/postgres:15-bookworm", "15", set()),
        ("localhost:5000/postgres:14", "14", set()),
        ("pgvector/pgvector:pg16", "16", {"vector"}),
        ("pgvector/pgvector:0.8.0-pg17", "17", {"vector"}),
        ("ankane/pgvector:v0.5.1", None, {"vector"}),
        ("postgis/postgis:16-3.4", "16", {"postgis"}),
        ("timescale/timescaledb:latest-pg16", "16", {"timescaledb"}),
        ("timescale/timescaledb-ha:pg16-ts2.14", "16", {"timescaledb"}),
        ("citusdata/citus:12.1", None, {"citus"}),
        ("supabase/postgres:15.1.0.117", "15", set()),
        ("bitnami/postgresql:16.1.0", "16", set()),
        ("postgres", None, set()),
        ("postgres:latest", None, set()),
        ("ghcr.io/acme/our-postgres:stable", None, set()),
    ],
)
def test_what_an_image_tells(image: str, version: str | None, extensions: set[str]) -> None:
    wanted = read(image, Place("x"))
    assert (wanted.image, wanted.version, set(wanted.extensions)) == (image, version, extensions)


def test_a_workflow_s_service(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/test.yml", WORKFLOW.format(image="pgvector/pgvector:pg16"))
    found = find(tmp_path)
    assert found.wanted == read("pgvector/pgvector:pg16", Place(".github/workflows/test.yml", 12))
    assert found.notes == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services:\n  - postgres:16\n", 2),
        ("default:\n  services:\n    - name: postgres:16\n      alias: db\n", 3),
        ("test:\n  services: [redis:7, postgres:16]\n  script: [make]\n", 2),
    ],
)
def test_a_gitlab_service(text: str, line: int, tmp_path: Path) -> None:
    write(tmp_path, ".gitlab-ci.yml", text)
    assert find(tmp_path).wanted == read("postgres:16", Place(".gitlab-ci.yml", line))


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.dev.yaml", "compose.yaml", "compose.override.yml"])
def test_a_compose_file(name: str, tmp_path: Path) -> None:
    write(tmp_path, name, "services:\n  web: {build: .}\n  db:\n    image: 'postgres:${PG:-16}'\n")
    assert find(tmp_path).wanted == read("postgres:16", Place(name, 4))


def test_what_yaml_merges(tmp_path: Path) -> None:
    write(tmp_path, "compose.yml", "x-db: &db\n  image: postgres:16\nservices:\n  db:\n    <<: *db\n    restart: always\n")
    assert find(tmp_path).wanted == read("postgres:16", Place("compose.yml", 2))


def test_the_workflow_goes_before_gitlab_and_compose(tmp_path: Path) -> None:
    write(tmp_path, "compose.yml", "services: {db: {image: postgres:14}}")
    assert str(find(tmp_path).wanted.place) == "compose.yml:1"  # type: ignore[union-attr]  # None fails the test too
    write(tmp_path, ".gitlab-ci.yml", "services: [postgres:15]")
    assert str(find(tmp_path).wanted.place) == ".gitlab-ci.yml:1"  # type: ignore[union-attr]
    write(tmp_path, ".github/workflows/a.yaml", WORKFLOW.format(image="postgres:16"))
    assert str(find(tmp_path).wanted.place) == ".github/workflows/a.yaml:12"  # type: ignore[union-attr]


def test_different_images_decide_nothing_and_the_next_group_is_asked(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/a.yml", WORKFLOW.format(image="postgres:15"))
    write(tmp_path, ".github/workflows/b.yml", WORKFLOW.format(image="postgres:16"))
    note = (
        "several PostgreSQL images, none is taken: postgres:15 (.github/workflows/a.yml:12), "
        "postgres:16 (.github/workflows/b.yml:12); set 'version' or 'image'"
    )
    assert find(tmp_path).wanted is None
    assert find(tmp_path).notes == (note,)
    write(tmp_path, "compose.yml", "services: {db: {image: postgres:16}}")
    assert find(tmp_path).wanted == read("postgres:16", Place("compose.yml", 1))
    assert find(tmp_path).notes == (note,)


def test_the_same_server_twice_is_one(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/a.yml", WORKFLOW.format(image="postgres:16-alpine"))
    write(tmp_path, ".github/workflows/b.yml", WORKFLOW.format(image="postgres:16.3"))
    assert find(tmp_path).wanted == read("postgres:16-alpine", Place(".github/workflows/a.yml", 12))


def test_variables_are_said_and_not_taken(tmp_path: Path) -> None:
    write(tmp_path, ".github/workflows/a.yml", WORKFLOW.format(image="postgres:${{ matrix.postgres }}"))
    write(tmp_path, "compose.yml", "services: {db: {image: 'postgres:$PG'}}")
    found = find(tmp_path)
    assert found.wanted is None
    assert found.notes == (
        ".github/workflows/a.yml:12: 'postgres:${{ matrix.postgres }}' holds a variable and is not taken",
        "compose.yml:1: 'postgres:$PG' holds a variable and is not taken",
    )


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("services: {db: {image: postgres:16\n", "compose.yml:2: not YAML, passed over"),
        ("services:\n\tdb: x\n", "compose.yml:2: not YAML, passed over"),
        ("services: &a [*a, *b]", "compose.yml:1: not YAML, passed over"),
        ("services: \x00", "compose.yml: not YAML, passed over"),
        (f"services: {'[' * 5000}", "compose.yml: not YAML, passed over"),
        (f"services: {'x' * 300_000}", "compose.yml: too long to be read"),
    ],
)
def test_what_cannot_be_read_is_noted(text: str, note: str, tmp_path: Path) -> None:
    write(tmp_path, "compose.yml", text)
    found = find(tmp_path)
    assert (found.wanted, found.notes) == (None, (note,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "services",
        "services: 3",
        "services: [postgres:16]",
        "services: {db: postgres:16}",
        "services: {db: {image: [postgres:16]}}",
        "services: {db: {image: }}",
        "services: {api: {image: postgrest/postgrest:v12}, mon: {image: prometheuscommunity/postgres-exporter}}",
        "services: &a {db: *a}",
        "services: {db: &b {<<: *b}}",
        "? [services]\n: x\n",
        "--- 1\n--- 2\n# services\n",
    ],
)
def test_files_without_a_server_say_nothing(text: str, tmp_path: Path) -> None:
    write(tmp_path, "compose.yml", text)
    assert find(tmp_path).wanted is None


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_bytes(b"services: \xff")
    (tmp_path / "compose.yaml").mkdir()
    assert find(tmp_path).notes == ("compose.yml: not YAML, passed over",)
