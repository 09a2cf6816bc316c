// Reads the request types out of the official SDK's declaration files. It knows the
// shape that their generator writes (interfaces and namespaces of them), not TypeScript.

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");

// Index of the bracket that closes the one at `open`.
function closing(text, open) {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    if (text[i] === "}" && --depth === 0) return i;
  }
  throw new Error(`a bracket at ${open} is never closed`);
}

// `name?: type;` of an interface's body.
function membersOf(body) {
  const members = {};
  let depth = 0;
  let start = 0;
  for (let i = 0; i < body.length; i++) {
    if ("{(<[".includes(body[i])) depth++;
    if ("})]".includes(body[i]) || (body[i] === ">" && body[i - 1] !== "=")) depth--;
    if (body[i] !== ";" || depth > 0) continue;
    const found = body.slice(start, i).match(/^\s*['"]?([\w.]+)['"]?(\?)?:\s*([\s\S]*)$/);
    if (found) {
      members[found[1]] = { required: !found[2], type: found[3].trim() };
    }
    start = i + 1;
  }
  return members;
}

// Every interface of a text, by its full name: "ImageToVideoCreateParams.Gen4_5".
export function interfaces(text, prefix = "", out = new Map()) {
  const head = /(?:export\s+)?(?:declare\s+)?(interface|namespace)\s+([\w$]+)\s*\{/g;
  const source = prefix ? text : withoutComments(text);
  for (let m; (m = head.exec(source)); ) {
    const open = head.lastIndex - 1;
    const end = closing(source, open);
    const body = source.slice(open + 1, end);
    if (m[1] === "interface") out.set(prefix + m[2], membersOf(body));
    else interfaces(body, `${prefix}${m[2]}.`, out);
    head.lastIndex = end + 1;
  }
  return out;
}

// Parts of a union, as far as it is one.
function parts(type) {
  const list = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= type.length; i++) {
    if ("{(<[".includes(type[i] ?? " ")) depth++;
    if ("})]>".includes(type[i] ?? " ")) depth--;
    if ((type[i] === "|" && depth === 0) || i === type.length) {
      const part = type.slice(start, i).trim();
      if (part) list.push(part);
      start = i + 1;
    }
  }
  return list;
}

// A type as {literals, kinds, arrays, refs}; refs and arrays are names of interfaces.
export function describe(type) {
  const seen = { literals: new Set(), kinds: new Set(), arrays: [], refs: [] };
  for (const part of parts(type)) {
    const literal = part.match(/^'(.*)'$/) ?? part.match(/^"(.*)"$/);
    const array = part.match(/^Array<([\s\S]*)>$/);
    if (literal) seen.literals.add(literal[1]);
    else if (/^-?[\d.]+$/.test(part)) seen.literals.add(part);
    else if (array) seen.arrays.push(...parts(array[1]));
    else if (/^(string|number|boolean|unknown)$/.test(part)) seen.kinds.add(part);
    else if (/^[A-Z][\w$.]*$/.test(part)) seen.refs.push(part);
    else seen.kinds.add(part);
  }
  return seen;
}

// The request variants of one resource: model -> {scope, members}.
export function variants(all) {
  const out = new Map();
  for (const [name, members] of all) {
    if (!/^\w+CreateParams(\.[\w$]+)?$/.test(name) || !members.model) continue;
    for (const model of describe(members.model.type).literals) {
      out.set(model, { scope: name, members });
    }
  }
  return out;
}

// An interface named inside the declaration of another one.
export function resolve(all, scope, name) {
  for (let at = scope; ; at = at.slice(0, at.lastIndexOf("."))) {
    const found = [at + "." + name, at.slice(0, at.lastIndexOf(".") + 1) + name];
    for (const full of found) {
      if (all.has(full)) return { scope: full, members: all.get(full) };
    }
    if (!at.includes(".")) break;
  }
  return all.has(name) ? { scope: name, members: all.get(name) } : undefined;
}
