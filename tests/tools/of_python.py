"""Tools of Python, which dbproof starts itself in the project's own environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

from real.test_yoyo import BOOKS as YOYO_BOOKS
from real.test_yoyo import FILES as YOYO_PROJECT

from runner.servers.interface import Address
from tools import fetching
from tools.samples import Call, Command, Had, Sample
from tools.statements import CONCURRENTLY, FUNCTION, NO_TABLES, NOT_CONCURRENTLY, RIGHTS, TABLES, USED, VALUE

DRIVER = "psycopg[binary]==3.3.9"


def _python(had: Had) -> Mapping[str, object]:
    return {"python": str(had.place)}


def _sql(*parts: str) -> str:
    """SQL as a string of Python that psycopg takes without values, colons left alone."""
    return repr("".join(parts))


_ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, version_table="revisions_of_shop", transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
_REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down}


def upgrade():
{up}

def downgrade():
{back}
"""


def _revision(name: str, down: object, up: str, back: str = "pass") -> dict[str, str]:
    text = _REVISION.format(name=name, down=repr(down), up=indent(up, "    "), back=indent(back, "    "))
    return {f"migrations/versions/{name}.py": text}


def _driver(*parts: str) -> str:
    return f"op.get_bind().exec_driver_sql({_sql(*parts)})\n"


_BATCH = """\
with op.batch_alter_table("orders") as batch:
    batch.add_column(sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()))
    batch.create_check_constraint("ck_total", "total > 0")
"""
REVISIONS = {
    **_revision("b_tables", None, _driver(TABLES.replace("100%", "100 percent"))),
    **_revision("a_function", "b_tables", _driver(FUNCTION), 'op.execute("DROP FUNCTION twice")\n'),
    **_revision("value", "a_function", _driver(VALUE)),
    **_revision("used", "value", _driver(USED, RIGHTS)),
    **_revision("batch", "a_function", _BATCH),
    **_revision("both", ("used", "batch"), "pass\n"),
    **_revision(
        "index",
        "both",
        f"with op.get_context().autocommit_block():\n    op.execute({_sql(CONCURRENTLY)})\n",
        f"with op.get_context().autocommit_block():\n    op.execute({_sql(NOT_CONCURRENTLY)})\n",
    ),
}


def _alembic(*words: str) -> Call:
    return lambda had, _root, on: Command(
        [str(had.place), "-m", "alembic", *words], {"DATABASE_URL": on.url("postgresql+psycopg")}
    )


ALEMBIC = Sample(
    "alembic",
    lambda cache: fetching.of_pypi(cache, "alembic", "alembic==1.20.1", DRIVER),
    {"alembic.ini": "[alembic]\nscript_location = migrations\n", "migrations/env.py": _ENV, **REVISIONS},
    _alembic("upgrade", "heads"),
    "SELECT version_num FROM revisions_of_shop",
    ["revisions_of_shop"],
    settings=_python,
    undo=_alembic("downgrade", "-1"),
)

_SHOP = """\
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("OWN", "postgresql+psycopg://app@db.invalid/shop")
    db.init_app(app)
    Migrate(app, db)
    return app
"""
_FLASK_ENV = """\
from alembic import context
from flask import current_app

engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


def _flask(*words: str) -> Call:
    def call(had: Had, _root: Path, on: Address) -> Command:
        program = [str(had.place), "-m", "flask", "--app", "shop", "db"]
        return Command([*program, *words], {"OWN": on.url("postgresql+psycopg")})

    return call


FLASK_MIGRATE = Sample(
    "flask-migrate",
    lambda cache: fetching.of_pypi(cache, "flask_migrate", "Flask-Migrate==4.1.0", "Flask-SQLAlchemy==3.1.1", DRIVER),
    {"shop.py": _SHOP, "migrations/alembic.ini": "[alembic]\n", "migrations/env.py": _FLASK_ENV, **REVISIONS},
    _flask("upgrade", "heads"),
    "SELECT version_num FROM alembic_version",
    ["alembic_version"],
    settings=lambda had: {**_python(had), "env": {"FLASK_APP": "shop"}},
    undo=_flask("downgrade"),
)

_MANAGE = """\
import os, sys

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
_SETTINGS = """\
import json, os

SECRET_KEY = "x"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop"]
OURS = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "db.invalid", "OPTIONS": {"sslmode": "require"}}
DATABASES = {"default": json.loads(os.environ.get("OWN", "null")) or OURS}
"""
_MIGRATION = """\
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Buyer").objects.create(name="100% 'Ada';")


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {needs!r}
    operations = [
{operations}    ]
"""


def _migration(name: str, needs: list[tuple[str, str]], operations: str, atomic: bool = True) -> dict[str, str]:
    text = _MIGRATION.format(atomic=atomic, needs=needs, operations=indent(operations, " " * 8))
    return {f"shop/migrations/{name}.py": text}


_MODELS = """\
migrations.CreateModel("Buyer", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField(unique=True))]),
migrations.CreateModel("Sale", [
    ("id", models.BigAutoField(primary_key=True)),
    ("buyer", models.ForeignKey("shop.Buyer", models.CASCADE)),
    ("by", models.ForeignKey("auth.User", models.SET_NULL, null=True)),
]),
migrations.AddConstraint("Buyer", models.CheckConstraint(condition=~models.Q(name=""), name="named")),
migrations.RunPython(fill, migrations.RunPython.noop),
"""
_DJANGO_FILES = {
    "manage.py": _MANAGE,
    "site_settings.py": _SETTINGS,
    "shop/__init__.py": "",
    "shop/migrations/__init__.py": "",
    **_migration("0002_models", [("auth", "0001_initial")], _MODELS),
    **_migration("0001_sql", [("shop", "0002_models")], f"migrations.RunSQL({_sql(TABLES, FUNCTION)}, {_sql(NO_TABLES)}),\n"),
    **_migration("0010_value", [("shop", "0001_sql")], f"migrations.RunSQL({_sql(VALUE)}, ''),\n"),
    **_migration("0009_used", [("shop", "0010_value")], f"migrations.RunSQL([{_sql(USED)}, {_sql(RIGHTS)}]),\n"),
    **_migration(
        "0011_index",
        [("shop", "0009_used")],
        f'AddIndexConcurrently("Sale", models.Index(fields=["by", "buyer"], name="by_both")),\n'
        f"migrations.RunSQL({_sql(CONCURRENTLY)}, {_sql(NOT_CONCURRENTLY)}),\n",
        atomic=False,
    ),
}


def _django(*words: str) -> Call:
    def call(had: Had, _root: Path, on: Address) -> Command:
        own = {"ENGINE": "django.db.backends.postgresql", "NAME": on.database, "USER": on.user, "PASSWORD": on.password}
        return Command([str(had.place), "manage.py", *words], {"OWN": json.dumps({**own, "HOST": on.host, "PORT": on.port})})

    return call


DJANGO = Sample(
    "django",
    lambda cache: fetching.of_pypi(
        cache, "django", "Django==5.2.19", "django-oauth-toolkit==3.4.1", "django-allauth==65.21.1", DRIVER
    ),
    _DJANGO_FILES,
    _django("migrate", "--noinput"),
    "SELECT app, name FROM django_migrations ORDER BY id",
    ["django_migrations*"],
    settings=_python,
    undo=_django("migrate", "shop", "0009_used"),
)

YOYO_FILES = {
    **YOYO_PROJECT,
    "web/steps/c_tables.py": "from yoyo import step\n\n"
    f"steps = [step({_sql(TABLES.replace('customers', 'buyers').replace('orders', 'sales').replace('100%', '100'))}),\n"
    f"         step({_sql(FUNCTION)}, 'DROP FUNCTION twice')]\n",
    "web/steps/d_index.py": "from yoyo import step\n\n__depends__ = {'c_tables', 'a_orders'}\n__transactional__ = False\n"
    f"steps = [step({_sql(CONCURRENTLY.replace('customers', 'buyers'))}, {_sql(NOT_CONCURRENTLY)})]\n",
}


def _yoyo(*words: str) -> Call:
    def call(had: Had, _root: Path, on: Address) -> Command:
        program = [str(had.place), "-m", "yoyo", *words, "--batch"]
        return Command([*program, "--database", on.url("postgresql+psycopg")], folder="web")

    return call


YOYO = Sample(
    "yoyo",
    lambda cache: fetching.of_pypi(cache, "yoyo", "yoyo-migrations==9.0.0", DRIVER, "setuptools<81"),
    YOYO_FILES,
    _yoyo("apply"),
    YOYO_BOOKS,
    ["_yoyo*", "yoyo*"],
    settings=lambda had: {**_python(had), "directory": "web"},
    undo=_yoyo("rollback", "-r", "d_index"),
)

SAMPLES = [ALEMBIC, FLASK_MIGRATE, DJANGO, YOYO]
