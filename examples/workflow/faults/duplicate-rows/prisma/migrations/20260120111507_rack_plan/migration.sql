-- CreateTable
CREATE TABLE "rack_plan" (
    "room" TEXT NOT NULL,
    "rack" TEXT NOT NULL,
    "height_units" INTEGER NOT NULL
);

-- From a spreadsheet.
INSERT INTO "rack_plan" VALUES ('A', 'A-1', 42), ('A', 'A-2', 42), ('B', 'B-1', 47);

-- Its second sheet begins where the first one ends.
INSERT INTO "rack_plan" VALUES ('B', 'B-1', 47), ('B', 'B-2', 47);
