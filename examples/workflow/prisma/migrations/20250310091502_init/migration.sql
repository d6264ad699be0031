-- CreateTable
CREATE TABLE "workspaces" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "timezone" TEXT NOT NULL DEFAULT 'UTC',
    "locale" TEXT NOT NULL DEFAULT 'en',
    "default_currency" TEXT NOT NULL DEFAULT 'EUR',
    "archived_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "workspaces_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "full_name" TEXT NOT NULL,
    "job_title" TEXT,
    "phone" TEXT,
    "status" TEXT NOT NULL DEFAULT 'INVITED',
    "failed_sign_ins" INTEGER NOT NULL DEFAULT 0,
    "last_sign_in_at" TIMESTAMP(3),
    "disabled_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "vendor_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "contract_number" TEXT,
    "rating" INTEGER,
    "contract_start" DATE,
    "contract_end" DATE,
    "crew_size" INTEGER NOT NULL DEFAULT 0,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "vendor_master_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cluster_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "region" TEXT NOT NULL,
    "priority" INTEGER NOT NULL DEFAULT 3,
    "target_sites" INTEGER NOT NULL DEFAULT 0,
    "freeze_date" DATE,
    "launch_date" DATE,
    "status" TEXT NOT NULL DEFAULT 'PLANNED',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "cluster_master_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "site_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "cluster_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "latitude" DECIMAL(9,6) NOT NULL,
    "longitude" DECIMAL(9,6) NOT NULL,
    "tower_height_m" DECIMAL(7,2),
    "site_type" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "on_air_date" DATE,
    "status" TEXT NOT NULL DEFAULT 'PLANNED',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "site_master_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "atp_scope_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "category" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "min_documents" INTEGER NOT NULL DEFAULT 1,
    "max_documents" INTEGER NOT NULL DEFAULT 20,
    "sla_hours" INTEGER NOT NULL DEFAULT 72,
    "is_mandatory" BOOLEAN NOT NULL DEFAULT true,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "atp_scope_master_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approval_role_master" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "level" INTEGER NOT NULL,
    "can_delegate" BOOLEAN NOT NULL DEFAULT false,
    "max_amount" DECIMAL(12,2),
    "notify_after_hours" INTEGER NOT NULL DEFAULT 24,
    "escalate_after_hours" INTEGER NOT NULL DEFAULT 48,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "approval_role_master_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "workspaces_code_key" ON "workspaces"("code");

-- CreateIndex
CREATE UNIQUE INDEX "users_workspace_id_email_key" ON "users"("workspace_id", "email");

-- CreateIndex
CREATE UNIQUE INDEX "vendor_master_workspace_id_code_key" ON "vendor_master"("workspace_id", "code");

-- CreateIndex
CREATE UNIQUE INDEX "cluster_master_workspace_id_code_key" ON "cluster_master"("workspace_id", "code");

-- CreateIndex
CREATE UNIQUE INDEX "site_master_workspace_id_code_key" ON "site_master"("workspace_id", "code");

-- CreateIndex
CREATE UNIQUE INDEX "atp_scope_master_workspace_id_code_key" ON "atp_scope_master"("workspace_id", "code");

-- CreateIndex
CREATE UNIQUE INDEX "approval_role_master_workspace_id_code_key" ON "approval_role_master"("workspace_id", "code");
