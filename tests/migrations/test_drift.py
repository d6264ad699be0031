"""In what models differ from what migrations make, as each tool says it itself, and which differences are none."""

from __future__ import annotations

from pathlib import Path

import django_projects
import pytest
from alembic_projects import ASYNC_ENV, SYNC_ENV, lay, project, revision

from checks.drift import Drift, DriftKind
from checks.evidence import Place
from checks.targets import Role
from runner.migrations import alembic, django
from runner.migrations.interface import Broke, Project
from runner.servers.interface import Database
from runner.servers.sqlite.server import sqlite_server

MODELS = """\
from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    state: Mapped[str | None] = mapped_column(server_default=text("'a' || 'b'"))
"""
#: What stands in the models and in no migration, and the other way round.
DIFFERENT = """    note: Mapped[str | None]
    __table_args__ = (Index("customers_note", "note"),)


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
"""
FIRST = """
op.create_table("customers", sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String({length}), nullable=False),
    sa.Column("state", sa.String, server_default=sa.text("'a' || 'b'")){more})
"""
GONE = ', sa.Column("old%s", sa.Date), sa.Column("note", sa.Integer)'
EXTRA = 'op.create_table("by_hand", sa.Column("id", sa.Integer))\nop.create_index("by_hand_id", "by_hand", ["id"])'


def with_models(env: str, more: str = "") -> str:
    """An env.py that imports the models."""
    configured = env.replace(
        "configure(connection=connection", f"configure(connection=connection, target_metadata=Base.metadata{more}"
    )
    return f"from models import Base\n{configured}"


def laid(root: Path, env: str, models: str, length: int = 40, more: str = "", extra: str = "") -> Project:
    files = {"one.py": revision("one", None, f"{FIRST.format(length=length, more=more)}{extra}")}
    (root / "models.py").write_text(models)
    return project(lay(root, files, env))


def drift(given: Project, database: Database) -> Drift:
    on = database.addresses[Role.OWNER]
    assert not [event for event in alembic.apply(given, on) if isinstance(event, Broke)]
    found = alembic.drift(given, on)
    assert found is not None
    assert not found.gap
    return found


@pytest.mark.parametrize("env", [SYNC_ENV, ASYNC_ENV], ids=["sync", "async"])
def test_models_that_are_what_the_migrations_make(tmp_path: Path, database: Database, env: str) -> None:
    assert drift(laid(tmp_path, with_models(env), MODELS), database).operations == ()


def test_every_difference_is_named_with_its_model(tmp_path: Path, database: Database) -> None:
    given = laid(tmp_path, with_models(SYNC_ENV), MODELS + DIFFERENT, 20, GONE, EXTRA)
    said = {one.subject: one for one in drift(given, database).operations}
    assert {subject: (one.kind, one.words) for subject, one in said.items()} == {
        "visits": (DriftKind.MISSING, "table visits is in the models and not in the database"),
        "by_hand": (DriftKind.UNKNOWN_TABLE, "no model knows table by_hand"),
        "by_hand.by_hand_id": (DriftKind.UNKNOWN, "no model has index by_hand_id on by_hand (id)"),
        "customers.name": (DriftKind.CHANGED, "customers.name is VARCHAR(20), and is VARCHAR(40) in the models"),
        "customers.note": (DriftKind.CHANGED, "customers.note is INTEGER, and is VARCHAR in the models"),
        "customers.old%s": (DriftKind.UNKNOWN, "no model has column customers.old%s"),
        "customers.customers_note": (
            DriftKind.MISSING,
            "index customers_note on customers (note) is in the models and not in the database",
        ),
    }
    lines = (MODELS + DIFFERENT).splitlines()
    at = {subject: one.place for subject, one in said.items()}
    assert at["customers.name"] == Place("models.py", lines.index("    name: Mapped[str] = mapped_column(String(40))") + 1)
    assert at["visits"] == Place("models.py", lines.index("class Visit(Base):") + 1)
    assert at["by_hand"] is None
    assert not any(one.none for one in said.values())


def test_what_alembic_finds_again_after_it_was_settled_is_no_difference(tmp_path: Path, database: Database) -> None:
    """A hook that says of every default that it differs, as some projects have one, and as a server's own words do."""
    never = with_models(SYNC_ENV, ", compare_server_default=lambda *_: True")
    models = MODELS.replace("String(40)", "String(50)")
    said = {one.words: one.none for one in drift(laid(tmp_path, never, models), database).operations}
    assert said.pop("customers.name is VARCHAR(40), and is VARCHAR(50) in the models") == ""
    assert len(said) >= 1
    assert all(said.values())
    assert all("default" in words for words in said)


def test_an_env_that_goes_through_several_sets_of_models_is_told_of_each(tmp_path: Path, database: Database) -> None:
    again = "    context.configure(connection=connection, target_metadata=MetaData())\n    with context.begin_transaction():\n"
    env = f"from sqlalchemy import MetaData\n{with_models(SYNC_ENV)}{again}        context.run_migrations()\n"
    said = drift(laid(tmp_path, env, MODELS), database).operations
    assert [(one.subject, one.kind) for one in said] == [("customers", DriftKind.UNKNOWN_TABLE)]


def test_without_models_there_is_nothing_to_compare(tmp_path: Path, database: Database) -> None:
    given, on = project(lay(tmp_path)), database.addresses[Role.OWNER]
    assert not [event for event in alembic.apply(given, on) if isinstance(event, Broke)]
    assert alembic.drift(given, on) is None


def test_models_that_cannot_be_imported_are_said(tmp_path: Path, database: Database) -> None:
    given = laid(tmp_path, with_models(SYNC_ENV), "class Base:\n    metadata = None.gone\n")
    found = alembic.drift(given, database.addresses[Role.OWNER])
    assert found is not None
    assert found.gap.startswith("`alembic check` failed: ")
    assert "gone" in found.gap


def test_on_sqlite_tables_are_made_anew_to_see_what_stays(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    plain = MODELS.replace("'a' || 'b'", "'ab'").replace("from sqlalchemy import", "from sqlalchemy import SmallInteger,")
    plain = plain.replace("mapped_column(primary_key=True)", "mapped_column(SmallInteger, primary_key=True)")
    given = laid(tmp_path / "project", with_models(SYNC_ENV), plain + DIFFERENT, 20, GONE)
    path = given.root / "migrations" / "versions" / "one.py"
    path.write_text(path.read_text().replace("'a' || 'b'", "'ab'"))
    with sqlite_server() as server:
        said = {one.subject: one for one in drift(given, server.create("app")).operations}
    assert said.pop("customers.id").none == "SQLite takes both types for the same"
    assert said.pop("customers.name").none == "SQLite takes both types for the same"
    assert {"visits", "customers.note", "customers.old%s"} <= said.keys()
    assert not any(one.none for one in said.values())


KEY = 'models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")'
MIGRATED = django_projects.FIRST.replace("models.BigAutoField(primary_key=True)", KEY)
MODEL = """\
from django.db import models


class Customer(models.Model):
    name = models.TextField(db_index=True)
    mail = models.EmailField()


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)


class Visit(models.Model):
    pass
"""


def test_django(tmp_path: Path, database: Database) -> None:
    given = django_projects.project(django_projects.lay(tmp_path, {"shop/0001_initial.py": MIGRATED}))
    (tmp_path / "shop" / "models.py").write_text(MODEL)
    found = django.drift(given, database.addresses[Role.OWNER])
    assert found is not None
    assert [(one.subject, one.words, one.kind, one.place) for one in found.operations] == [
        ("shop.Visit", "shop: create model Visit", DriftKind.MISSING, Place("shop/models.py", 13)),
        ("shop.customer.mail", "shop: add field mail to customer", DriftKind.MISSING, Place("shop/models.py", 4)),
    ]
    assert not any(one.none or one.foreign for one in found.operations)
    (tmp_path / "shop" / "models.py").write_text(
        MODEL.split("\n\n\nclass Visit")[0].replace("    mail = models.EmailField()\n", "")
    )
    found = django.drift(given, database.addresses[Role.OWNER])
    assert found is not None
    assert (found.operations, found.gap) == ((), "")
