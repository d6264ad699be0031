-- AlterTable
ALTER TABLE "workflow_stages" ADD COLUMN "escalated_to_id" TEXT;

-- AddForeignKey
DO $$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'workflow_stages' AND column_name = 'escalated_id') THEN
        ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_escalated_id_fkey" FOREIGN KEY ("escalated_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
    END IF;
END
$$;
