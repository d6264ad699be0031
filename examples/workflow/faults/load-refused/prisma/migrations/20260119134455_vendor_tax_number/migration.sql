/*
  Warnings:

  - Added the required column `tax_number` to the `vendor_master` table without a default value. This is not possible if the table is not empty.

*/
-- AlterTable
ALTER TABLE "vendor_master" ADD COLUMN     "tax_number" TEXT NOT NULL;
