// Hears every command of MongoDB's driver, and lets it connect to our server only.
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const { tell, refuse } = require("./telling.cjs");
const { told, place } = require("./places.cjs");

const WRITES = new Set(["insert", "update", "findAndModify", "delete"]);
const SCHEMA = new Set(["create", "collMod", "createIndexes", "dropIndexes", "drop", "renameCollection", "dropDatabase"]);
const SERVERS_OWN = new Set(["admin", "config", "local"]);
const LOOPBACK = new Set(["127.0.0.1", "localhost", "::1", "[::1]"]);
/** What of a command holds documents, and is of no use here. */
const DOCUMENTS = ["documents", "updates", "deletes", "query", "update", "lsid", "$clusterTime"];

/** So many updates of one command are looked into. */
const FEW = 20;

const calls = new AsyncLocalStorage();

/** What is known of this process: which migration is under way, the last command that writes, and what went wrong. */
const state = { file: null, begun: null, revision: null, came: false, connected: false, last: null };

const sent = new Map();
const written = new Set();
const changed = new Set();

/** A value as JSON that keeps the order of keys; what is no plain value is text. */
function plain(value) {
  if (value === null || ["string", "number", "boolean", "undefined"].includes(typeof value)) return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, part]) => [key, plain(part)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date || value instanceof RegExp) return String(value);
  if (value._bsontype === "Long" || value._bsontype === "Int32" || value._bsontype === "Double") return Number(value);
  if (value._bsontype || Buffer.isBuffer(value)) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

function shown(command) {
  const kept = Object.entries(command).filter(([key], number) => number === 0 || !DOCUMENTS.includes(key));
  const updates = (command.updates || (command.findAndModify && command.update ? [{ u: command.update }] : [])).slice(0, FEW);
  const told = updates.map((one) => ({ u: Array.isArray(one.u) ? one.u.map(fields) : fields(one.u) }));
  const named = command.findAndModify ? { update: told[0]?.u } : { updates: told };
  return plain({ ...Object.fromEntries(kept.map(([key, part]) => [key, key === "pipeline" ? stages(part) : part])), ...(told.length ? named : {}) });
}

/** The operators of an update with the names of the fields, and no value. */
function fields(change) {
  const operators = Object.entries(change || {}).filter(([operator]) => operator.startsWith("$"));
  const names = (said) => (said && typeof said === "object" && !Array.isArray(said) ? Object.keys(said) : [said].flat());
  return Object.fromEntries(operators.map(([operator, said]) => [operator, Object.fromEntries(names(said).map((name) => [name, 1]))]));
}

/** The stages by name; only those that write are told in full. */
function stages(pipeline) {
  const writes = (stage) => "$out" in stage || "$merge" in stage;
  return (pipeline || []).map((stage) => (writes(stage) ? stage : Object.fromEntries(Object.keys(stage).map((key) => [key, 1]))));
}

function started(event) {
  const command = event.command || {};
  const database = event.databaseName;
  if (state.reading && database !== told.database && !SERVERS_OWN.has(database)) {
    refuse(`mongodb://${told.host}:${told.port}/${database}`);
  }
  if (SCHEMA.has(event.commandName) || WRITES.has(event.commandName) || event.commandName === "aggregate") {
    sent.set(event.requestId, { database, command, call: calls.getStore() });
    state.last = command;
  }
}

function succeeded(event) {
  if (!state.came) {
    state.came = true;
    tell("came");
  }
  const heard = sent.get(event.requestId);
  sent.delete(event.requestId);
  if (!heard || !isOurs(event.commandName, heard)) return;
  const here = heard.call && place(heard.call, state.file);
  const [command, answer] = [heard.command, event.reply || {}];
  if (isWorthTelling(event.commandName, command, answer) || (here && isFirstChange(event.commandName, command, answer, here))) {
    const [file, line] = here || state.begun || [null, null];
    const { numIndexesBefore, numIndexesAfter, n, nModified, upserted, lastErrorObject } = answer;
    const counts = { numIndexesBefore, numIndexesAfter, n, nModified, upserted: upserted && upserted.length };
    const reply = plain({ ...counts, lastErrorObject });
    tell("sent", { name: event.commandName, command: shown(heard.command), reply, file, line, seconds: event.duration / 1000 });
  }
}

function failed(event) {
  const heard = sent.get(event.requestId);
  sent.delete(event.requestId);
  if (/^sasl/.test(event.commandName)) state.lost = event.failure;
  if (heard) state.failed = { command: shown(heard.command), call: heard.call, failure: event.failure };
}

function isOurs(name, heard) {
  if (name === "renameCollection") return String(heard.command.renameCollection).startsWith(`${told.database}.`);
  return heard.database === told.database;
}

/** A write matters only where it makes its collection, which the first one does. */
function isWorthTelling(name, command, reply) {
  if (SCHEMA.has(name)) {
    if (name.startsWith("drop") || name === "renameCollection") written.clear();
    return true;
  }
  if (name === "aggregate") return (command.pipeline || []).some((stage) => "$out" in stage || "$merge" in stage);
  const made = name === "insert" ? reply.n : name === "update" ? reply.upserted : reply.lastErrorObject?.upserted;
  const first = Boolean(made) && !written.has(command[name]);
  if (first) written.add(command[name]);
  return first;
}

/** Documents that were there were changed or deleted, which this line has not told of this collection yet. */
function isFirstChange(name, command, reply, here) {
  const documents = { update: reply.nModified, delete: reply.n, findAndModify: reply.lastErrorObject?.n };
  const known = JSON.stringify([name, command[name], here]);
  if (!documents[name] || changed.has(known)) return false;
  changed.add(known);
  return true;
}

function isOurServer(host, port) {
  const same = host === told.host || (LOOPBACK.has(host) && LOOPBACK.has(told.host));
  return same && Number(port) === Number(told.port);
}

/** Look at the address of a client before it connects. */
function check(client, url) {
  const options = client.options || {};
  const database = (options.dbName && options.dbName !== "test" ? options.dbName : "") || "";
  if (options.srvHost) refuse(`mongodb+srv://${options.srvHost}/${database}`);
  for (const one of options.hosts || []) {
    const port = one.port || 27017;
    if (one.socketPath) refuse(`mongodb://${encodeURIComponent(one.socketPath)}/${database}`);
    if (!isOurServer(one.host, port)) refuse(`mongodb://${one.host}:${port}/${database}`);
  }
  if (!(options.hosts || []).length && url) refuse("mongodb://");
}

/** The class of clients, whose instances are looked at and heard. */
function client(MongoClient) {
  return new Proxy(MongoClient, {
    construct(target, given, called) {
      const [url, options, ...rest] = given;
      const made = Reflect.construct(target, [url, { ...options, monitorCommands: true }, ...rest], called === proxied ? target : called);
      check(made, url);
      state.connected = true;
      made.on("commandStarted", started);
      made.on("commandSucceeded", succeeded);
      made.on("commandFailed", failed);
      return made;
    },
  });
}
let proxied = null;

/** Let every method of a class remember who called it, also for the commands that are sent later on. */
function remember(prototype) {
  for (const key of Object.getOwnPropertyNames(prototype)) {
    const { value: original, configurable, writable } = Object.getOwnPropertyDescriptor(prototype, key);
    if (typeof original !== "function" || key === "constructor" || key.startsWith("_") || !configurable || !writable) continue;
    const remembering = function (...given) {
      if (calls.getStore()) return original.apply(this, given);
      return calls.run(new Error("called from"), () => original.apply(this, given));
    };
    Object.defineProperty(remembering, "length", { value: original.length });
    Object.defineProperty(remembering, "name", { value: original.name });
    prototype[key] = remembering;
  }
}

/** The files of the driver, by the end of their names, and what is done to each once it is loaded. */
const HOOKS = {
  "mongodb/lib/mongo_client.js": (loaded) => {
    proxied = client(loaded.MongoClient);
    loaded.MongoClient = proxied;
  },
  "mongodb/lib/db.js": (loaded) => remember(loaded.Db.prototype),
  "mongodb/lib/collection.js": (loaded) => remember(loaded.Collection.prototype),
  "mongodb/lib/admin.js": (loaded) => remember(loaded.Admin.prototype),
  "mongodb/lib/bulk/common.js": (loaded) => remember(loaded.BulkOperationBase.prototype),
  "mongodb/lib/cursor/abstract_cursor.js": (loaded) => remember(loaded.AbstractCursor.prototype),
};

module.exports = { HOOKS, state, calls, shown };
