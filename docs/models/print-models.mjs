// Prints what an application's Mongoose models say of its collections, for `models` in dbproof.toml. It needs Mongoose 8.12 or later
// and no connection. Copy it into the repository and name the files that define the models:
//
//     models = "node scripts/print-models.mjs src/models/index.js"

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import mongoose from "mongoose";

mongoose.set("autoIndex", false);
mongoose.set("autoCreate", false);
for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)).href);

const found = {};
for (const model of Object.values(mongoose.models)) {
  if (model.baseModelName) continue; // a discriminator lies in its base's collection
  const schema = model.schema.toJSONSchema({ useBsonType: true });
  const references = [];
  refine(schema, model.schema, "", references);
  const indexes = Object.fromEntries(model.schema.indexes().map(index));
  found[model.collection.collectionName] = { schema, indexes, references };
}
process.stdout.write(JSON.stringify(found), () => process.exit(0));

// Mongoose's own export leaves out bounds and patterns; what refers to another model is told on the way.
function refine(node, schema, prefix, references) {
  schema.eachPath((path, type) => {
    const at = path.split(".").reduce((below, name) => below?.properties?.[name], node);
    if (!at) return;
    bounds(at, type.options ?? {});
    const each = type.embeddedSchemaType ?? type.$embeddedSchemaType ?? type.caster;
    const label = prefix + path + (type.instance === "Array" ? "[]" : "");
    if (each?.options && at.items) bounds(at.items, each.options);
    refer(label, type.options?.ref ?? each?.options?.ref, references);
    if (type.schema) refine(at.items ?? at, type.schema, `${label}.`, references);
  });
}

function bounds(at, options) {
  const words = { min: "minimum", max: "maximum", minlength: "minLength", minLength: "minLength", maxlength: "maxLength", maxLength: "maxLength" };
  for (const [word, keyword] of Object.entries(words)) {
    const limit = plain(options[word]);
    if (typeof limit === "number") at[keyword] = limit;
  }
  const match = plain(options.match);
  if (match instanceof RegExp) at.pattern = (match.flags.includes("i") ? "(?i)" : "") + match.source;
}

// `min: 1`, `min: [1, "too few"]`, `min: { value: 1, message: "too few" }`
function plain(given) {
  if (Array.isArray(given)) return given[0];
  return given && typeof given === "object" && "value" in given ? given.value : given;
}

function refer(label, ref, references) {
  const model = typeof ref === "string" ? mongoose.models[ref] : ref?.collection ? ref : null;
  if (model) references.push(`${label} -> ${model.collection.collectionName}._id`);
}

function index([fields, options]) {
  const keys = Object.entries(fields).map(([name, kind]) => (Number(kind) === 1 ? name : Number(kind) === -1 ? `-${name}` : `${name} ${kind}`));
  const name = options.name ?? Object.entries(fields).flat().join("_");
  const said = { keys };
  for (const word of ["unique", "sparse", "hidden"]) if (options[word]) said[word] = true;
  if (options.partialFilterExpression) said.partial = options.partialFilterExpression;
  if (options.expireAfterSeconds !== undefined) said.expire_after = `${options.expireAfterSeconds}s`;
  if (options.collation) said.collation = options.collation;
  return [name, said];
}
