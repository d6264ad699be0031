"""Lays out small Django projects for tests."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.migrations.interface import Project
from runner.settings.model import MigrationSettings

MANAGE = """\
#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

SETTINGS = """\
import os

SECRET_KEY = "x"
INSTALLED_APPS = ["shop", "stock"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {databases}
"""

#: Settings that name a server of their own, with all that goes with it.
HARD_CODED = """{
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "production",
        "HOST": "db.invalid",
        "PORT": "6432",
        "USER": "app",
        "PASSWORD": "secret",
        "OPTIONS": {"sslmode": "verify-full", "sslrootcert": "/etc/ssl/none.pem", "application_name": "shop"},
    }
}"""

FIRST = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[("id", models.BigAutoField(primary_key=True)), ("name", models.TextField(db_index=True))],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("customer", models.ForeignKey("shop.Customer", models.CASCADE)),
            ],
        ),
    ]
"""

#: Its dependency lies in an application whose name comes later.
SECOND = """\
from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Customer").objects.using(schema_editor.connection.alias).create(name="100% 'Ada'")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("UPDATE shop_customer SET name = %s", ["Bo"])


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial"), ("stock", "0001_initial")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(
            ["CREATE TABLE shop_raw (id integer PRIMARY KEY)", "CREATE INDEX shop_raw_id ON shop_raw (id)"],
            "DROP TABLE shop_raw",
        ),
    ]
"""

STOCK = FIRST.replace("Customer", "Place").replace("Order", "Item").replace("customer", "place").replace("shop.", "stock.")


def lay(root: Path, files: Mapping[str, str] | None = None, databases: str = HARD_CODED) -> Path:
    """Write manage.py, settings and two applications with these migrations (by default three) below ``root``."""
    (root / "manage.py").write_text(MANAGE)
    (root / "site_settings.py").write_text(SETTINGS.format(databases=databases))
    for app in ("shop", "stock"):
        (root / app / "migrations").mkdir(parents=True)
        for package in (root / app, root / app / "migrations"):
            (package / "__init__.py").touch()
    usual = {"shop/0001_initial.py": FIRST, "shop/0002_fill.py": SECOND, "stock/0001_initial.py": STOCK}
    for name, text in (usual if files is None else files).items():
        app, _, file = name.partition("/")
        (root / app / "migrations" / file).write_text(text)
    return root


def project(root: Path, database: str = "", **settings: Any) -> Project:
    """The project of a repository with these settings."""
    described = MigrationSettings.model_validate({"tool": "django", "python": sys.executable, **settings})
    return Project(root, root, described, root, database=database)
