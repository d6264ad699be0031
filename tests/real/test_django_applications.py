"""Published applications of Django on PostgreSQL: all their migrations end as `manage.py migrate` ends."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest

from checks.targets import Role
from real.dumps import applied, ended, same
from real.published import Published
from runner.backends import postgresql
from runner.migrations import django as adapter
from runner.migrations.interface import Project
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

MANAGE = """\
import os, sys

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
#: Its own server is one that does not exist; OWN is for the comparison alone.
SETTINGS = """\
import json, os

SECRET_KEY = "x"
SITE_ID = 1
USE_TZ = True
AUTH_USER_MODEL = "people.Person"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.sites", "people", "oauth2_provider", "allauth", "allauth.account",
    "allauth.socialaccount", "allauth.mfa", "allauth.usersessions",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"context_processors": [
    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages"]}}]
OURS = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "db.invalid", "OPTIONS": {"sslmode": "require"}}
DATABASES = {"default": json.loads(os.environ.get("OWN", "null")) or OURS}
"""
MODELS = "from django.contrib.auth.models import AbstractUser\n\n\nclass Person(AbstractUser):\n    pass\n"
BOOKS = "SELECT app, name FROM django_migrations ORDER BY id"


def _repository(root: Path) -> Path:
    (root / "people" / "migrations").mkdir(parents=True)
    files = {"manage.py": MANAGE, "site_settings.py": SETTINGS, "people/models.py": MODELS}
    for name, text in {**files, "people/__init__.py": "", "people/migrations/__init__.py": ""}.items():
        (root / name).write_text(text)
    return root


def _own(django: Published, root: Path, on: Database, *words: str) -> None:
    import json

    to = on.addresses[Role.OWNER]
    own = {"ENGINE": "django.db.backends.postgresql", "NAME": to.database, "USER": to.user, "PASSWORD": to.password}
    environment = {"OWN": json.dumps({**own, "HOST": to.host, "PORT": to.port})}
    command = [str(django.python), "manage.py", *words]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_they_end_as_their_own_tool_ends(django: Published, tmp_path: Path, server: Server, database: Database) -> None:
    root = _repository(tmp_path / "shop")
    own = server.create(f"django_{secrets.token_hex(4)}")
    _own(django, root, own, "makemigrations", "people")
    _own(django, root, own, "migrate", "--noinput")
    settings = MigrationSettings.model_validate({"tool": "django", "python": str(django.python)})
    project, mark = Project(root, root, settings, root), server.mark()
    events = applied(adapter, project, database)
    assert ended(events) == [one.id for one in adapter.revisions(project)]
    assert len(ended(events)) > 50
    same(own, database, BOOKS)
    recording = postgresql.recording(server, database, mark, events, ())
    made = postgresql.provenance(database, [recording], {one.place.file: one.id for one in adapter.revisions(project)})
    assert not [one for one, how in made.items() if how.revision is None], "every object is some migration's"
