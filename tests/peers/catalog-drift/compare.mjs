// Compares the catalogue's description of a request with the SDK's declaration of it.
import { describe, resolve } from "./dts.mjs";

const TS = { string: "string", uri: "string", integer: "number", number: "number", boolean: "boolean" };

const strings = (list) => new Set((Array.isArray(list) ? list : []).map(String));
const missing = (from, other) => [...from].filter((v) => !other.has(v));

function compareValues(where, field, declared, say) {
  const ours = strings(field.enum ?? field.also);
  const fresh = missing(declared.literals, ours);
  const gone = missing(ours, declared.literals);
  if (fresh.length) say("new value", `${where}: ${fresh.join(" ")}`);
  if (gone.length) say("gone value", `${where}: ${gone.join(" ")}`);
}

function compareKind(where, field, declared, say) {
  const want = field.enum ? undefined : TS[field.type];
  if (want && !declared.kinds.has(want)) {
    say("different type", `${where}: the catalogue has ${field.type}, the SDK ${[...declared.kinds].join(" | ") || "something else"}`);
  }
  const lists = field.type === "array" || field.type === "frames";
  if (lists !== declared.arrays.length > 0) {
    say("different type", `${where}: ${lists ? "a list only in the catalogue" : "a list only in the SDK"}`);
  }
}

// The fields inside a field: of an object, of a list's items, of a variant.
function inner(field) {
  if (field.type === "object") return field.fields;
  if (field.type === "array") return field.items && inner(field.items);
  if (field.type === "frames") {
    return { uri: { type: "uri", required: true }, position: { enum: field.positions, required: !field.unplaced } };
  }
  if (field.type !== "variant") return undefined;
  const all = { [field.by]: { enum: Object.keys(field.of), required: true } };
  for (const fields of Object.values(field.of)) Object.assign(all, fields);
  return all;
}

// Members of several interfaces as one: a variant's, or a list's of several shapes.
function merged(found) {
  const out = {};
  for (const one of found) {
    for (const [name, member] of Object.entries(one.members)) {
      const seen = out[name];
      out[name] = {
        required: member.required && (!seen || seen.required),
        type: seen && seen.type !== member.type ? `${seen.type} | ${member.type}` : member.type,
      };
    }
  }
  for (const [name, member] of Object.entries(out)) {
    if (found.some((one) => !(name in one.members))) member.required = false;
  }
  return out;
}

export function compareFields(where, fields, declaration, all, say) {
  const { scope, members } = declaration;
  for (const name of Object.keys(members)) {
    if (!(name in fields)) say("new field", `${where}.${name}: ${members[name].type}`);
  }
  for (const [name, field] of Object.entries(fields)) {
    const path = `${where}.${name}`;
    const member = members[name];
    if (!member) {
      say("gone field", path);
      continue;
    }
    if (Boolean(field.required) !== member.required) {
      say("different need", `${path}: ${member.required ? "required" : "optional"} in the SDK`);
    }
    const declared = describe(member.type);
    compareValues(path, field, declared, say);
    compareKind(path, field, declared, say);
    const nested = inner(field);
    const found = [...declared.refs, ...declared.arrays].map((ref) => resolve(all, scope, ref)).filter(Boolean);
    if (nested && found.length) {
      compareFields(path, nested, { scope: found[0].scope, members: merged(found) }, all, say);
    }
  }
}
