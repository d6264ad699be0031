-- CreateTable
CREATE TABLE "config_versions" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "previous_version_id" TEXT,
    "published_by_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "label" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'DRAFT',
    "checksum" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "published_at" TIMESTAMP(3),
    "retired_at" TIMESTAMP(3),
    "change_note" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "config_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_instances" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "config_version_id" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,
    "site_id" TEXT NOT NULL,
    "policy_id" TEXT NOT NULL,
    "vendor_id" TEXT,
    "created_by_id" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'DRAFT',
    "priority" TEXT NOT NULL DEFAULT 'NORMAL',
    "progress_percent" INTEGER NOT NULL DEFAULT 0,
    "planned_start" DATE NOT NULL,
    "planned_end" DATE NOT NULL,
    "started_at" TIMESTAMP(3),
    "completed_at" TIMESTAMP(3),
    "cancelled_at" TIMESTAMP(3),
    "cancel_reason" TEXT,
    "estimated_hours" DECIMAL(7,2) NOT NULL,
    "actual_hours" DECIMAL(7,2),
    "retry_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "workflow_instances_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_stages" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "workflow_instance_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "assignee_id" TEXT,
    "sequence" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'WAITING',
    "sla_hours" INTEGER NOT NULL DEFAULT 48,
    "entered_at" TIMESTAMP(3),
    "due_at" TIMESTAMP(3),
    "completed_at" TIMESTAMP(3),
    "approvals_required" INTEGER NOT NULL DEFAULT 1,
    "approvals_given" INTEGER NOT NULL DEFAULT 0,
    "outcome" TEXT,
    "reopen_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "workflow_stages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_stage_actions" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "actor_id" TEXT NOT NULL,
    "stage_reference" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "reason" TEXT,
    "acted_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "duration_seconds" INTEGER NOT NULL DEFAULT 0,
    "client" TEXT NOT NULL DEFAULT 'WEB',

    CONSTRAINT "workflow_stage_actions_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "config_versions_workspace_id_version_key" ON "config_versions"("workspace_id", "version");

-- CreateIndex
CREATE INDEX "workflow_instances_workspace_id_status_idx" ON "workflow_instances"("workspace_id", "status");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_instances_workspace_id_reference_key" ON "workflow_instances"("workspace_id", "reference");

-- CreateIndex
CREATE INDEX "workflow_stages_assignee_id_status_idx" ON "workflow_stages"("assignee_id", "status");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_stages_workflow_instance_id_sequence_key" ON "workflow_stages"("workflow_instance_id", "sequence");

-- CreateIndex
CREATE INDEX "workflow_stage_actions_workspace_id_acted_at_idx" ON "workflow_stage_actions"("workspace_id", "acted_at");

-- CreateIndex
CREATE INDEX "workflow_stage_actions_stage_reference_idx" ON "workflow_stage_actions"("stage_reference");
