"""What docs/mariadb.md shows can be used as it stands, and what a repository shows of MariaDB is recognised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.interface import Engine
from runner.migrations.templates import expand
from runner.servers.interface import Address
from runner.servers.mariadb.provider import OLDEST
from runner.settings.detect import detect
from runner.settings.initial import text
from runner.settings.load import load
from runner.settings.services import find

PAGE = (Path(__file__).parents[2] / "docs" / "mariadb.md").read_text("utf-8")
WORKFLOW = "jobs:\n  test:\n    services:\n      db:\n        image: {}\n"


def test_the_settings_of_the_page_load(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "dbproof.toml").write_text(snippet)
    shop = load(tmp_path, {}, {}).settings.databases["shop"]
    assert (shop.engine, shop.version, shop.before) == (Engine.MARIADB, "10.11", ("db/grants.sql",))


def test_the_page_names_the_oldest_version_and_addresses_that_are_expanded() -> None:
    assert f"need not run), {'.'.join(map(str, OLDEST))} or\nnewer" in PAGE
    here = Address("127.0.0.1", 3310, "me", "it's", "shop", scheme="mysql")
    for template in re.findall(r"`(\{url:[a-z+]+\})`", PAGE):
        assert expand(template, here) == f"{template[5:-1]}://me:it%27s@127.0.0.1:3310/shop"
    assert expand("{url:pymysql}", here) == expand("{url:mysql+pymysql}", here)


def alembic(root: Path, url: str = "") -> None:
    (root / "migrations" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text(f"[alembic]\nscript_location = migrations\n{url}\n")
    (root / "migrations" / "env.py").write_text("from alembic import context\n")


@pytest.mark.parametrize(
    ("url", "image", "engine"),
    [
        ("", "mariadb:10.11", Engine.MARIADB),
        ("sqlalchemy.url = mysql+pymysql://me@localhost/app", "", Engine.MARIADB),
        ("sqlalchemy.url = mariadb+asyncmy://me@localhost/app", "postgres:16", Engine.MARIADB),
        ("sqlalchemy.url = postgresql://me@localhost/app", "mariadb:11", Engine.POSTGRESQL),
        ("", "postgres:16", Engine.POSTGRESQL),
        ("", "mysql:8.4", Engine.POSTGRESQL),
    ],
)
def test_the_engine_is_what_the_repository_shows(tmp_path: Path, url: str, image: str, engine: Engine) -> None:
    alembic(tmp_path, url)
    if image:
        (tmp_path / ".github" / "workflows").mkdir(parents=True)
        (tmp_path / ".github" / "workflows" / "test.yml").write_text(WORKFLOW.format(image))
    (database,) = detect(tmp_path).databases.values()
    assert database.engine is engine
    assert ('engine = "mariadb"' in text(tmp_path)) is (engine is Engine.MARIADB)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("mariadb:10.11-jammy", "10.11"),
        ("docker.io/library/mariadb:11", "11"),
        ("mariadb", None),
        ("mariadb-galera-monitor:1", "-"),
    ],
)
def test_images_say_their_version(tmp_path: Path, image: str, version: str | None) -> None:
    (tmp_path / "compose.yml").write_text(f"services:\n  db:\n    image: {image}\n")
    wanted = find(tmp_path, Engine.MARIADB).wanted
    if version == "-":
        assert wanted is None
    else:
        assert wanted is not None
        assert (wanted.image, wanted.version, wanted.place) == (image, version, Place("compose.yml", 3))


@pytest.mark.parametrize(
    ("file", "text", "engine"),
    [
        ("src/main/resources/application.properties", "spring.datasource.url=jdbc:mysql://db/shop\n", Engine.MARIADB),
        ("src/main/resources/application.yml", "spring:\n  datasource:\n    url: jdbc:mariadb://db/shop\n", Engine.MARIADB),
        ("src/main/resources/application.yml", "spring:\n  datasource:\n    url: jdbc:postgresql://db/shop\n", Engine.POSTGRESQL),
        ("flyway.toml", '[environments.default]\nurl = "jdbc:mysql://db/shop"\n', Engine.MARIADB),
        ("flyway.conf", "flyway.url=jdbc:mariadb://db/shop\n", Engine.MARIADB),
    ],
)
def test_the_engine_of_flyways_files_is_that_of_the_applications_address(
    file: str, text: str, engine: Engine, tmp_path: Path
) -> None:
    for name, content in {file: text, "src/main/resources/db/migration/V1__a.sql": "select 1;"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert detect(tmp_path).databases["app"].engine is engine
