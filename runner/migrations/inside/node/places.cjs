// Which file of the repository is at work, and its line: the migration under way, else the innermost file of the repository.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { fileURLToPath } = require("node:url");

const told = JSON.parse(process.env.DBPROOF_GUARD);
const root = fs.realpathSync(told.root);
const FRAME = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*?):(\d+):\d+\)?$/;
const INSTALLED = `${path.sep}node_modules${path.sep}`;

/** A file's name as events carry it: relative to the root where it lies under it. */
function name(file) {
  let whole = file;
  try {
    whole = fs.realpathSync(file);
  } catch {
    // gone since
  }
  return whole.startsWith(root + path.sep) ? path.relative(root, whole) : whole;
}

function* frames(stack) {
  for (const line of String(stack || "").split("\n")) {
    const found = FRAME.exec(line);
    if (found) {
      const file = found[1].startsWith("file://") ? fileURLToPath(found[1]) : found[1];
      yield [name(file), Number(found[2])];
    }
  }
}

const isOwn = (file) => !path.isAbsolute(file) && !`${path.sep}${file}`.includes(INSTALLED);

/** The place in an error's stack: the innermost frame of `migration`, else of the repository's own files; null for none. */
function place(error, migration) {
  let own = null;
  for (const frame of frames(error && error.stack)) {
    if (frame[0] === migration) return frame;
    own = own || (isOwn(frame[0]) ? frame : null);
  }
  return own;
}

/** The line on which a file defines a function, 1 where that cannot be seen. */
function lineOf(file, way) {
  const define = new RegExp(`(^|[\\s.,{*(])(${way})\\s*([:=(]|$)`);
  let lines = [];
  try {
    lines = fs.readFileSync(file, "utf8").split("\n");
  } catch {
    // loaded in a way of its own
  }
  const at = lines.findIndex((line) => define.test(line) && !/^\s*(\/\/|\*)/.test(line));
  return at < 0 ? 1 : at + 1;
}

module.exports = { told, name, place, lineOf };
