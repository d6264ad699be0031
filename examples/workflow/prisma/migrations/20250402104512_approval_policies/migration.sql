-- CreateTable
CREATE TABLE "user_roles" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "granted_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMP(3),
    "note" TEXT,

    CONSTRAINT "user_roles_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approval_policy_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "scope_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "min_approvals" INTEGER NOT NULL DEFAULT 1,
    "max_rejections" INTEGER NOT NULL DEFAULT 0,
    "quorum_percent" INTEGER NOT NULL DEFAULT 100,
    "valid_from" DATE NOT NULL,
    "valid_to" DATE,
    "status" TEXT NOT NULL DEFAULT 'DRAFT',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "approval_policy_master_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approval_policy_stages" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "role_id" TEXT NOT NULL,
    "policy_code" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "sla_hours" INTEGER NOT NULL DEFAULT 48,
    "required_approvals" INTEGER NOT NULL DEFAULT 1,
    "on_timeout" TEXT NOT NULL DEFAULT 'ESCALATE',
    "reminder_hours" INTEGER,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_policy_stages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approver_overrides" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "approver_id" TEXT NOT NULL,
    "substitute_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "workflow_reference" TEXT,
    "reason" TEXT NOT NULL,
    "valid_from" TIMESTAMP(3) NOT NULL,
    "valid_to" TIMESTAMP(3) NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "revoked_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "approver_overrides_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_roles_user_id_role_id_key" ON "user_roles"("user_id", "role_id");

-- CreateIndex
CREATE UNIQUE INDEX "approval_policy_master_workspace_id_code_version_key" ON "approval_policy_master"("workspace_id", "code", "version");

-- CreateIndex
CREATE UNIQUE INDEX "approval_policy_stages_workspace_id_policy_code_sequence_key" ON "approval_policy_stages"("workspace_id", "policy_code", "sequence");
