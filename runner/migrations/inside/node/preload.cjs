// Loaded into the project's Node before its own program (`node --require`): hooks for what it loads later.
"use strict";

const Module = require("node:module");
const path = require("node:path");

/** The first line of what migrate-mongo prints when it is stopped. */
const WORDS = /^ERROR: (.*)/;

function install() {
  const telling = require("./telling.cjs");
  const { HOOKS, state } = require("./driver.cjs");
  const { broke } = require("./failures.cjs");
  const tool = require("./migrate_mongo.cjs");

  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 50);
  state.reading = process.env.DBPROOF_READING === "1";

  const hooks = { ...HOOKS, "migrate-mongo/lib/env/migrationsDir.js": tool.instrument };
  const original = Module.prototype.load;
  Module.prototype.load = function (filename) {
    const result = original.call(this, filename);
    const posix = filename.split(path.sep).join("/");
    const found = Object.keys(hooks).find((one) => posix.endsWith(`node_modules/${one}`));
    if (found) hooks[found](this.exports);
    return result;
  };

  tool.filter();
  telling.watch();

  const print = console.error;
  console.error = (...given) => {
    const words = WORDS.exec(String(given[0]));
    if (words) state.words = words[1];
    print.apply(console, given);
  };
  process.on("uncaughtExceptionMonitor", (error) => {
    if (state.came) broke(error, null);
  });
  process.on("exit", (status) => {
    tool.atTheEnd(status);
    const [file, line] = state.begun || [null, null];
    const unsaid = status && state.words && !state.broken;
    if (unsaid) telling.tell("broke", { revision: state.revision, file, line, said: state.words });
  });
}

// A program may hand NODE_OPTIONS on and nothing else of ours.
if (process.env.DBPROOF_GUARD && process.env.DBPROOF_CHILD) install();
