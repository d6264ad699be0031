-- Written by hand (prisma migrate dev --create-only): Prisma's schema has no partial indexes.

-- CreateIndex
CREATE UNIQUE INDEX "config_versions_one_active_key" ON "config_versions"("workspace_id") WHERE "status" = 'ACTIVE';
