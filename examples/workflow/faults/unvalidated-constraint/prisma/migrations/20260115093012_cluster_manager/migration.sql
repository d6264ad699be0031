-- AlterTable
ALTER TABLE "cluster_master" ADD COLUMN     "manager_id" TEXT;

-- CreateIndex
CREATE INDEX "cluster_master_manager_id_idx" ON "cluster_master"("manager_id");

-- AddForeignKey
ALTER TABLE "cluster_master" ADD CONSTRAINT "cluster_master_manager_id_fkey" FOREIGN KEY ("manager_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE NOT VALID;
