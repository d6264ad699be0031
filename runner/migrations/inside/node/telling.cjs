// Tells dbproof what happens: one JSON object a line, through the named pipe of the child (as inside/telling.py does).
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { openSync, writeSync, closeSync, constants } = fs;
const pipe = path.join(process.env.DBPROOF_CHILD || "", "events");

/** Seconds that a program which went elsewhere waits to be ended by whom it told, and the status that it then ends with. */
const UNTIL_ENDED = 30;
const REFUSED = 77;

/** Sleep without letting anything else of the program run. */
function pause(seconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}

/** Send one event. Where nobody listens any more, the program goes on. */
function tell(event, facts = {}) {
  const line = Buffer.from(`${JSON.stringify({ event, ...facts })}\n`);
  let opened;
  try {
    opened = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    for (let at = 0; at < line.length; ) {
      try {
        at += writeSync(opened, line, at);
      } catch (error) {
        if (error.code !== "EAGAIN") return;
        pause(0.001);
      }
    }
  } finally {
    closeSync(opened);
  }
}

/** Tell that the program wanted to go to another database, and do not let it. */
function refuse(address) {
  tell("elsewhere", { address, read: read() });
  pause(UNTIL_ENDED);
  process.exit(REFUSED);
}

const handed = new Set(Object.keys(process.env));
const looked = new Set();
const MOST = 500;
/** Who looks for variables of their own: what they are says nothing of the project. */
const TOOLS = /node:|node_modules[\\/](mongodb|bson|migrate-mongo|commander|cli-table3|@colors|debug|supports-color|graceful-fs|npm)[\\/]/;

/** Note from here on which variables are looked for that the program did not get at its start. */
function watch() {
  const note = (name) => {
    if (typeof name !== "string" || handed.has(name) || looked.has(name) || looked.size >= MOST) return;
    const caller = (new Error("looked up").stack || "").split("\n").find((line, number) => number > 0 && !line.includes(__filename));
    if (!TOOLS.test(caller || "")) looked.add(name);
  };
  process.env = new Proxy(process.env, {
    get: (target, name) => (note(name), target[name]),
    has: (target, name) => (note(name), name in target),
    // Through the proxy itself the value would come as half a description, which process.env does not take.
    set: (target, name, value) => ((target[name] = value), true),
  });
}

/** The names that were looked for, in order. */
function read() {
  return [...looked];
}

module.exports = { tell, pause, refuse, watch, read };
