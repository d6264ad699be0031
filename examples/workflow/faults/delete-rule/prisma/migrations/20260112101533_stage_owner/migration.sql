-- AlterTable
ALTER TABLE "workflow_stages" ADD COLUMN     "owner_note" TEXT;

-- DropForeignKey
ALTER TABLE "workflow_stages" DROP CONSTRAINT "workflow_stages_workflow_instance_id_fkey";

-- AddForeignKey
ALTER TABLE "workflow_stages" ADD CONSTRAINT "workflow_stages_workflow_instance_id_fkey" FOREIGN KEY ("workflow_instance_id") REFERENCES "workflow_instances"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
