// Loaded before migrate-mongo where that is made of ES modules (`node --import`): its object is the one that it will use itself.
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const loaded = await import(pathToFileURL(path.join(process.env.DBPROOF_MIGRATE_MONGO, "lib", "env", "migrationsDir.js")));
require("./migrate_mongo.cjs").instrument(loaded.default);
