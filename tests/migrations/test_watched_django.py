"""What Django's Python does to rows, seen by the server."""

from __future__ import annotations

from pathlib import Path

from django_projects import lay, project

from checks.evidence import Lock
from checks.targets import Role
from runner.backends import postgresql
from runner.migrations import django
from runner.servers.interface import Database, Server

FILL = """\
from django.db import migrations


def fill(apps, schema_editor):
    customers = apps.get_model("shop", "Customer").objects
    customers.bulk_create([customers.model(name=f"customer {number}") for number in range(40)])
    customers.filter(name__startswith="customer 1").update(name="other")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(fill)]
"""


def test_what_a_function_of_a_migration_writes_is_counted(tmp_path: Path, server: Server, database: Database) -> None:
    root = lay(tmp_path)
    file = root / "shop" / "migrations" / "0002_fill.py"
    file.unlink()
    list(django.apply(project(root), database.addresses[Role.OWNER]))
    base = postgresql.recording(server, database, 0, (), ())
    file.write_text(FILL, "utf-8")
    postgresql.heed(database)
    mark = server.mark()
    with postgresql.watched(database) as open_at:
        list(django.apply(project(root), open_at.addresses[Role.OWNER]))
    seen = {each.place.line: each for each in postgresql.recording(server, database, mark, (), (base,)).statements if each.place}
    inserted, updated = seen[6], seen[7]
    assert inserted.work is not None
    assert updated.work is not None
    assert [(each.relation, each.inserted) for each in inserted.work.tables] == [("shop_customer", 40)]
    assert [(each.relation, each.updated) for each in updated.work.tables] == [("shop_customer", 11)]
    assert Lock("shop_customer", "RowExclusiveLock") in inserted.locks
    assert (inserted.work.wal or 0) > 0
