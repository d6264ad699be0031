// What an error says of a program that stopped: where, which command, and the server's answer.
"use strict";

const { tell } = require("./telling.cjs");
const { place } = require("./places.cjs");
const { state, shown } = require("./driver.cjs");

/** The facts of an error for dbproof, which puts the server's words into its own. */
function facts(error) {
  const server = (error.writeErrors || [])[0]?.err || error;
  const known = typeof server.code === "number" || error.name?.startsWith("Mongo");
  return {
    said: `${error.name || "Error"}: ${error.message}`,
    server: known ? JSON.parse(JSON.stringify({ code: server.code, errmsg: server.errmsg || server.message, errInfo: server.errInfo })) : null,
  };
}

/** Tell once why the program stopped; `at` is where, if the error does not say it. */
function broke(error, at) {
  if (state.broken) return;
  state.broken = true;
  const last = state.failed && state.failed.failure === error ? state.failed : null;
  const [file, line] = place(error, state.file) || (last?.call && place(last.call, state.file)) || at || [null, null];
  const sent = facts(error).server ? last?.command || (state.last && shown(state.last)) : undefined;
  tell("broke", { revision: state.revision, file, line, command: sent, ...facts(error) });
}

module.exports = { broke };
