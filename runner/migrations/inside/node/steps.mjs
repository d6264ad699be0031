// Takes single steps of migrate-mongo through its own functions, with a stop after each until the gate has its number.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { tell, pause } = require("./telling.cjs");
const { state } = require("./driver.cjs");
const { steps } = require("./migrate_mongo.cjs");
const { broke } = require("./failures.cjs");

const request = JSON.parse(process.env.DBPROOF_REQUEST);
const loaded = await import(pathToFileURL(path.join(process.env.DBPROOF_MIGRATE_MONGO, "lib", "migrate-mongo.js")));
const tool = loaded.default ?? loaded;
const standing = new Set();

/** What `down` would undo: the last migration in the order of names that the books have. */
async function last(db) {
  const listed = await tool.status(db);
  return listed.filter((one) => one.appliedAt !== "PENDING").at(-1)?.fileName;
}

async function down(db, client, revision) {
  const found = await last(db);
  if (found !== revision) {
    state.revision = revision;
    throw new Error(`\`migrate-mongo down\` undoes ${found}, whose name comes after`);
  }
  await tool.down(db, client);
}

async function take(db, client, direction, revision) {
  if (direction === "down") return down(db, client, revision);
  steps.until = direction === "up" ? revision : null;
  await tool.up(db, client);
}

async function walk() {
  global.options = { file: request.config };
  const { db, client } = await tool.database.connect();
  for (const [number, [direction, revision]] of request.steps.entries()) {
    let irreversible = "";
    if (direction === "up" && standing.delete(revision)) {
      // it could not be undone, so it is still applied
    } else {
      steps.noWayBack = "";
      try {
        await take(db, client, direction, revision);
      } catch (error) {
        if (!steps.noWayBack) {
          broke(error);
          throw error;
        }
        irreversible = steps.noWayBack;
        standing.add(revision);
      }
    }
    const [file, line] = state.begun ?? [null, null];
    tell("paused", { number, file, line, irreversible });
    while (!fs.existsSync(path.join(request.gate, String(number)))) pause(0.002);
  }
  await client.close();
}

await walk().then(
  () => process.exit(0),
  (error) => {
    console.error(`ERROR: ${error.message}`);
    process.exit(1);
  },
);
