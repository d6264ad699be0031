-- CreateTable
CREATE TABLE "stage_reminders" (
    "id" TEXT NOT NULL,
    "stage_id" TEXT NOT NULL,
    "remind_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "stage_reminders_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "stage_reminders" ADD CONSTRAINT "stage_reminders_stage_id_fkey" FOREIGN KEY ("stage_id") REFERENCES "workflow_stages"("id") ON DELETE CASCADE ON UPDATE CASCADE;
