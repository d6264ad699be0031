// Loaded into the project's Node before a tool that migrates PostgreSQL: leads its driver to our database, and follows the files.
"use strict";

const Module = require("node:module");
const path = require("node:path");

/** Drivers of other databases: whoever loads one is on its way elsewhere. */
const OTHERS = /node_modules\/(mysql2?|mariadb|sqlite3|better-sqlite3|tedious|oracledb)\/[^]*\.js$/;
const BOOKS = /^\s*insert\s+into\s+\S*(knex_migrations|pgmigrations|sequelizemeta|migrations)["`]?[\s(]/i;
/** PostgreSQL's code for a statement in a transaction in which one before it was refused. */
const ABORTED = "25P02";
const BOOKS_BACK = /^\s*delete\s+from\s+\S*(knex_migrations|pgmigrations|sequelizemeta|migrations)["`]?\s/i;
/** What of TypeORM finds the migrations that are pending. */
const TYPEORM = "node_modules/typeorm/migration/MigrationExecutor.js";

function install() {
  const { tell, refuse, watch } = require("./telling.cjs");
  const { told, name, place, lineOf } = require("./places.cjs");
  const ours = JSON.parse(process.env.DBPROOF_LEAD);
  const reading = process.env.DBPROOF_READING === "1";
  const step = process.env.DBPROOF_UNDOING || process.env.DBPROOF_STEP;
  const state = { revision: null, at: null, since: performance.now(), own: null, broken: false, open: false, refused: null, words: "", done: null };

  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 50);

  const stem = (file) => path.basename(file).replace(/(\.up)?\.[cm]?[jt]s$|\.sql$/, "");

  function began(file, line) {
    ended();
    Object.assign(state, { revision: stem(file), at: [name(file), line], since: performance.now(), open: true });
    tell("began", { revision: state.revision, file: state.at[0], line });
  }

  function ended() {
    if (!state.open) return;
    state.open = false;
    tell("ended", { revision: state.revision, seconds: (performance.now() - state.since) / 1000 });
  }

  /** The tool writes down that a migration is done; where its file was not seen to begin, this is all that is known of it. */
  function wroteDown(values) {
    const [said] = (values || []).filter((one) => typeof one === "string" && /\D/.test(one));
    if (!state.open && said && stem(said) !== state.revision) {
      const [id, file, line] = ours.order.find(([one]) => one === stem(said)) || [stem(said), null, null];
      Object.assign(state, { revision: id, open: true });
      tell("began", { revision: id, file, line });
    }
    ended();
    state.done = state.revision;
    state.at = null;
    state.since = performance.now();
  }

  function broke(given) {
    const error = given?.code === ABORTED && state.refused ? state.refused : given;
    const at = error === state.refused && state.sentAt;
    if (!state.broken && state.open) say(error, state.revision, place(error, state.at?.[0]) || at || state.at);
  }

  function say(error, revision, at) {
    state.broken = true;
    const [file, line] = at || [null, null];
    const server = typeof error.severity === "string" ? { code: error.code, detail: error.detail || "" } : {};
    const words = error === state.refused ? state.words : error.message;
    const sent = error === state.refused ? state.sent : state.last;
    const said = server.code ? words : `${error.name || "Error"}: ${error.message}`;
    tell("broke", { revision, file, line, said, statement: server.code ? sent || "" : "", ...server });
  }

  /** The tool gave up over what the server refused, in a file that was not seen to begin: the first that is not done. */
  function gaveUp() {
    if (state.broken || !state.refused) return;
    const at = ours.order.findIndex(([one]) => one === state.done);
    const next = at >= 0 ? ours.order[at + 1] : ours.order.find(([one]) => !ours.applied.includes(one));
    const told = step ? ours.order.find(([one]) => one === step) : next;
    const [id, file, line] = told || [null, null, null];
    if (state.open) broke(state.refused);
    else say(state.refused, id, file && [file, line]);
  }

  function followed(run, file, way) {
    if (run.dbproof) return run;
    const line = lineOf(file, way);
    const following = { [run.name || way](...given) {
      began(file, line);
      let result;
      try {
        result = run.apply(this, given);
      } catch (error) {
        broke(error);
        throw error;
      }
      if (typeof result?.then !== "function") return result;
      // A query builder runs whenever it is waited for: what is handed on is its one promise.
      const promise = result instanceof Promise ? result : Promise.resolve(result);
      promise.then(null, broke);
      return promise;
    } }[run.name || way];
    Object.defineProperty(following, "length", { value: run.length });
    following.dbproof = true;
    return following;
  }

  /** What a file exports with `up` and `down` followed, where a compiler (esbuild, tsx, swc) made them getters that take no other. */
  function replaced(exported, file) {
    const own = exported && typeof exported === "object" ? Object.getOwnPropertyDescriptors(exported) : {};
    const fixed = ["up", "down"].filter((way) => own[way]?.get && typeof exported[way] === "function");
    if (!fixed.length) return exported;
    for (const way of fixed) own[way] = { value: followed(exported[way], file, way), enumerable: true };
    return Object.create(Object.getPrototypeOf(exported), own);
  }

  /** A migration's own file: its functions `up` and `down`, exported as they are, within `default`, or of a class. */
  function follow(exported, file) {
    const classes = [exported, ...Object.values(exported && typeof exported === "object" ? exported : {})];
    const prototypes = classes.filter((one) => typeof one === "function").map((one) => one.prototype);
    for (const one of [exported, exported?.default, ...prototypes]) {
      if (!one || typeof one !== "object" || typeof one.up !== "function") continue;
      for (const way of ["up", "down"]) {
        if (typeof one[way] === "function" && Object.getOwnPropertyDescriptor(one, way)?.writable) one[way] = followed(one[way], file, way);
      }
    }
  }

  /** TypeORM has no way to run one migration: the second one that is pending, and those after it, are not there for it. */
  function single(MigrationExecutor) {
    const { loadExecutedMigrations, getMigrations } = MigrationExecutor.prototype;
    let done = null;
    MigrationExecutor.prototype.loadExecutedMigrations = async function (...given) {
      const found = await loadExecutedMigrations.apply(this, given);
      done = new Set(found.map((one) => one.name));
      return found;
    };
    MigrationExecutor.prototype.getMigrations = function (...given) {
      const all = getMigrations.apply(this, given);
      if (!done) return all;
      const next = all.find((one) => !done.has(one.name));
      return all.filter((one) => done.has(one.name) || one === next);
    };
  }

  const same = (one, other) => one.every((part, number) => String(part ?? "") === String(other[number] ?? ""));

  /** The address that the tool itself goes to is the project's, and becomes ours; another one is refused. */
  function lead(client) {
    if (client.dbproof) return;
    client.dbproof = true;
    const wanted = [client.host, client.port, client.database];
    const isOurs = same(wanted, [ours.host, ours.port, ours.database]);
    if (!isOurs && state.own && !same(wanted, state.own)) refuse(`postgresql://${wanted[0]}:${wanted[1]}/${wanted[2]}`);
    if (!isOurs) state.own = wanted;
    for (const one of [client, client.connectionParameters]) {
      Object.assign(one, { host: ours.host, port: ours.port, user: ours.user, database: ours.database, ssl: false, isDomainSocket: false });
      Object.defineProperty(one, "password", { value: ours.password, configurable: true, enumerable: false, writable: true });
    }
    if (client.connection) client.connection.ssl = false;
  }

  const encode = (file) =>
    [...Buffer.from(file)].map((byte) => {
      const one = String.fromCharCode(byte);
      return /[A-Za-z0-9_./-]/.test(one) ? one : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join("");

  function stamped(text) {
    const at = state.at && (place(new Error("sent"), state.at[0]) || state.at);
    state.lastAt = at;
    return at && at[0] === state.at[0] ? `/*dbproof:${encode(at[0])}:${at[1]}*/${text}` : text;
  }

  function driver(Client) {
    const { connect, query, _handleErrorMessage: refused } = Client.prototype;
    if (refused) {
      Client.prototype._handleErrorMessage = function (error) {
        // Knex puts the statement with its values before them later. What only follows from a refusal is not why it stopped.
        if (error.code !== ABORTED || !state.refused) Object.assign(state, { refused: error, words: error.message, sent: state.last, sentAt: state.lastAt });
        return refused.call(this, error);
      };
    }
    Client.prototype.connect = function (...given) {
      lead(this);
      if (reading) this.once("connect", () => process.exit(0));
      return connect.apply(this, given);
    };
    Client.prototype.query = function (config, values, ...rest) {
      const text = typeof config === "string" ? config : config?.text;
      if (typeof text !== "string") return query.call(this, config, values, ...rest);
      const books = BOOKS.test(text);
      const back = BOOKS_BACK.test(text);
      if (!books && !back && !/^\s*(rollback|commit|select pg_advisory_unlock)/i.test(text)) state.last = text;
      const sent = books || back ? text : stamped(text);
      if (typeof config === "string") config = sent;
      else if (sent !== text) config.text = sent;
      const done = query.call(this, config, values, ...rest);
      if (back) ended();
      if (books) wroteDown(Array.isArray(values) ? values : config?.values || [...text.matchAll(/'((?:[^']|'')*)'/g)].map((one) => one[1]));
      return done;
    };
  }

  const folders = ours.folders.map((one) => one + path.sep);
  const original = Module.prototype.load;
  Module.prototype.load = function (filename) {
    const result = original.call(this, filename);
    const posix = filename.split(path.sep).join("/");
    if (posix.endsWith("node_modules/pg/lib/client.js")) driver(this.exports);
    else if (process.env.DBPROOF_ONE === "1" && posix.endsWith(TYPEORM)) single(this.exports.MigrationExecutor);
    else if (OTHERS.test(posix)) refuse(`${OTHERS.exec(posix)[1]}://`);
    else if (folders.some((one) => filename.startsWith(one))) {
      follow(this.exports, filename);
      this.exports = replaced(this.exports, filename);
    }
    return result;
  };

  watch();
  process.on("uncaughtExceptionMonitor", broke);
  process.on("exit", (status) => {
    if (status) gaveUp();
    else ended();
  });
}

// A program may hand NODE_OPTIONS on and nothing else of ours.
if (process.env.DBPROOF_GUARD && process.env.DBPROOF_CHILD && process.env.DBPROOF_LEAD) install();
