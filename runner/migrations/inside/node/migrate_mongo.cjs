// Tells of each migration of migrate-mongo: that it begins, ends, breaks. Its own code runs as it is.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { tell } = require("./telling.cjs");
const { told, name, lineOf } = require("./places.cjs");
const { state, calls } = require("./driver.cjs");
const { broke } = require("./failures.cjs");

/** A parameter by which migrations before migrate-mongo 7 are told that they are done. */
const CALLBACK = /^[^(]*\([^)]*\b(callback|next|done|cb)\b/;
const SAID_SO =
  /not (be )?(reversible|implemented|supported)|irreversible|can(not|'t| not) be (undone|reversed|reverted|rolled back)|no (way back|downgrade|rollback)/i;

/** `until` is the last migration that exists for a step up; `noWayBack` says why a step down had nothing to run. */
const steps = { until: null, noWayBack: "" };

/** A function of a migration that is told of; `this` is the migration, as migrate-mongo has it. */
function toldOf(migration, way, fileName, file) {
  const original = migration[way];
  if (typeof original !== "function") {
    if (way === "up") return original;
    return () => {
      steps.noWayBack = "it exports no `down`";
      throw new Error(`${fileName} exports no down`);
    };
  }
  begin(way, fileName, file);
  if (CALLBACK.test(String(original))) return original;
  return async (...given) => {
    const start = process.hrtime.bigint();
    try {
      const result = await calls.exit(() => original.apply(migration, given));
      tell("ended", { revision: fileName, seconds: Number(process.hrtime.bigint() - start) / 1e9 });
      return result;
    } catch (error) {
      const mere = error instanceof Error && ["Error", "NotImplementedError"].includes(error.name);
      if (way === "down" && mere && SAID_SO.test(`${error.name} ${error.message}`)) {
        steps.noWayBack = `its way back throws ${error.name}: ${error.message}`;
      } else {
        broke(error instanceof Error ? error : new Error(String(error)), state.begun);
      }
      throw error;
    }
  };
}

function begin(way, fileName, file) {
  const line = lineOf(file, way);
  state.file = name(file);
  state.begun = [state.file, line];
  state.revision = fileName;
  tell("began", { revision: fileName, file: state.file, line });
}

/** Put ourselves between migrate-mongo and its migrations. */
function instrument(migrationsDir) {
  const original = migrationsDir.loadMigration;
  migrationsDir.loadMigration = async function (fileName) {
    const file = path.join(await migrationsDir.resolve(), fileName);
    state.revision = fileName;
    state.file = name(file);
    state.begun = [state.file, 1];
    let migration;
    try {
      migration = await original.call(this, fileName);
    } catch (error) {
      tell("began", { revision: fileName, file: state.file, line: 1 });
      broke(error, state.begun);
      throw error;
    }
    const lazily = (way) => ({ enumerable: true, get: () => toldOf(migration, way, fileName, file) });
    return Object.defineProperties({ ...migration }, { up: once(lazily("up")), down: once(lazily("down")) });
  };
}

/** A property that is made when it is first asked for: migrate-mongo looks at a function before it calls it. */
function once(property) {
  let made = null;
  return { enumerable: true, get: () => (made = made || [property.get()])[0] };
}

/** Hide the migrations after `steps.until` from whoever lists the folder that holds it. */
function filter() {
  const kept = (names) => (steps.until && names.includes(steps.until) ? names.filter((one) => !(one > steps.until)) : names);
  const reading = fs.promises.readdir;
  fs.promises.readdir = async (...given) => kept(await reading.apply(fs.promises, given));
  const calling = fs.readdir;
  fs.readdir = (...given) => {
    const done = given.pop();
    return calling.call(fs, ...given, (error, names) => (error ? done(error) : done(null, kept(names))));
  };
}

/** At the end: where the program never came to our server, say why as far as that is known. */
function atTheEnd(status) {
  if (!status || state.came || state.broken) return;
  const likely = module.exports.read().filter((one) => /MONGO|DATABASE|(^|_)DB|UR[IL]|HOST/i.test(one));
  if (state.connected && state.lost) {
    tell("elsewhere", { address: `mongodb://${told.host}:${told.port}/${told.database}`, read: module.exports.read() });
  } else if (!state.connected && likely.length) {
    tell("wanted", { names: likely, read: module.exports.read() });
  }
}

module.exports = { instrument, filter, atTheEnd, steps, read: require("./telling.cjs").read };
