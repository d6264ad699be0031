"""Prisma's own command prints its models, and they are compared with what the migrations made."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.drift import DriftKind
from checks.evidence import Evidence, Place
from checks.targets import Role
from runner.migrations import printed_models, prisma
from runner.migrations.interface import Project
from runner.modelled import compared
from runner.plan import Built
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

SCHEMA = """\
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

enum Mood {
  fine
  bad
}

model Customer {
  id    Int     @id @default(autoincrement())
  email String  @unique
  nick  String? @map("nick_name")
  mood  Mood    @default(fine)
  at    DateTime @default(now())

  @@map("customers")
}
"""
#: The engine that comes with the package itself; the other one is fetched when it is first used.
CONFIG = """\
import { defineConfig } from 'prisma/config';
import { PrismaPg } from '@prisma/adapter-pg';
export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
});
"""
MIGRATION = """\
CREATE TYPE "Mood" AS ENUM ('fine', 'bad');
CREATE TABLE "customers" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    {column}
    "mood" "Mood" NOT NULL DEFAULT 'fine',
    "at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "customers_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "by_hand" CHECK ("email" <> '')
);
CREATE UNIQUE INDEX "customers_email_key" ON "customers"("email");
"""


def test_its_models_are_compared(prisma_packages: Path, tmp_path: Path, server: Server, database: Database) -> None:
    root = tmp_path / "app"
    (root / "prisma" / "migrations" / "1_first").mkdir(parents=True)
    (root / "prisma" / "schema.prisma").write_text(SCHEMA)
    (root / "prisma.config.mjs").write_text(CONFIG)
    (root / "package.json").write_text('{"devDependencies": {"prisma": "6"}}')
    (root / "node_modules").symlink_to(prisma_packages / "node_modules")
    (root / "prisma" / "migrations" / "1_first" / "migration.sql").write_text(MIGRATION.format(column='"nick_name" INTEGER,'))
    nothing = str(root / "package.json")  # what is fetched otherwise, and not used
    env = {"PRISMA_QUERY_ENGINE_LIBRARY": nothing, "PRISMA_SCHEMA_ENGINE_BINARY": nothing}
    project = Project(root, root, MigrationSettings.model_validate({"tool": "prisma", "env": env}), root)
    list(prisma.apply(project, database.addresses[Role.OWNER]))
    printed = printed_models.by_prisma(project, database.addresses[Role.OWNER])
    assert printed is not None
    assert b'CREATE TABLE "customers"' in printed.sql
    found = compared(Built(server, server.seal(database), Evidence()), Role.OWNER, printed)
    assert [(one.subject, one.kind, one.place) for one in found.operations] == [
        ("customers.nick_name", DriftKind.CHANGED, Place("prisma/schema.prisma", 14))
    ]
