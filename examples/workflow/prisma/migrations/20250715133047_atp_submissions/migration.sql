-- CreateTable
CREATE TABLE "atp_submissions" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "workflow_instance_id" TEXT NOT NULL,
    "config_version_id" TEXT NOT NULL,
    "submitted_by_id" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "status" TEXT NOT NULL DEFAULT 'DRAFT',
    "submitted_at" TIMESTAMP(3),
    "reviewed_at" TIMESTAMP(3),
    "test_count" INTEGER NOT NULL DEFAULT 0,
    "passed_count" INTEGER NOT NULL DEFAULT 0,
    "failed_count" INTEGER NOT NULL DEFAULT 0,
    "skipped_count" INTEGER NOT NULL DEFAULT 0,
    "score" DECIMAL(5,2),
    "remarks" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "atp_submissions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "atp_submission_documents" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "submission_id" TEXT NOT NULL,
    "uploaded_by_id" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "mime_type" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "page_count" INTEGER,
    "kind" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "storage_key" TEXT NOT NULL,
    "scanned_at" TIMESTAMP(3),
    "scan_result" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "atp_submission_documents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "punchlists" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "workflow_instance_id" TEXT NOT NULL,
    "submission_id" TEXT NOT NULL,
    "raised_by_id" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'OPEN',
    "severity" TEXT NOT NULL DEFAULT 'MINOR',
    "due_date" DATE,
    "closed_at" TIMESTAMP(3),
    "item_count" INTEGER NOT NULL DEFAULT 0,
    "open_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "punchlists_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "punchlist_items" (
    "id" TEXT NOT NULL,
    "workspace_id" UUID NOT NULL,
    "punchlist_id" TEXT NOT NULL,
    "vendor_id" TEXT NOT NULL,
    "closed_by_id" TEXT,
    "sequence" INTEGER NOT NULL,
    "description" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "severity" TEXT NOT NULL DEFAULT 'MINOR',
    "status" TEXT NOT NULL DEFAULT 'OPEN',
    "photo_count" INTEGER NOT NULL DEFAULT 0,
    "estimated_cost" DECIMAL(12,2),
    "rework_hours" DECIMAL(7,2) NOT NULL DEFAULT 0,
    "found_at" TIMESTAMP(3) NOT NULL,
    "fixed_at" TIMESTAMP(3),
    "closed_at" TIMESTAMP(3),
    "rejection_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "punchlist_items_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "atp_submissions_workspace_id_reference_revision_key" ON "atp_submissions"("workspace_id", "reference", "revision");

-- CreateIndex
CREATE UNIQUE INDEX "atp_submission_documents_storage_key_key" ON "atp_submission_documents"("storage_key");

-- CreateIndex
CREATE UNIQUE INDEX "punchlists_workspace_id_reference_key" ON "punchlists"("workspace_id", "reference");

-- CreateIndex
CREATE INDEX "punchlist_items_vendor_id_status_idx" ON "punchlist_items"("vendor_id", "status");

-- CreateIndex
CREATE UNIQUE INDEX "punchlist_items_punchlist_id_sequence_key" ON "punchlist_items"("punchlist_id", "sequence");
