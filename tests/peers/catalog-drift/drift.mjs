// Lists what the installed official SDK declares and the catalogue does not, and the
// other way round. Exits 1 when something differs, 2 when it cannot look.
// docs/providers.md says what to do with the list.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareFields } from "./compare.mjs";
import { interfaces, variants } from "./dts.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const sdk = join(here, "..", "node_modules", "@runwayml", "sdk");

function fail(text) {
  process.stderr.write(`catalog-drift: ${text}\n`);
  process.exit(2);
}

function catalogue() {
  const dump = join(here, "dump.lua");
  const data = join(root, "lua", "rushes", "catalog", "runway.lua");
  const own = join(root, "build", "rushes");
  const call = existsSync(own) ? [own, ["run", dump, data]] : ["lua5.4", [dump, data]];
  try {
    return JSON.parse(execFileSync(call[0], call[1], { encoding: "utf8" }));
  } catch (e) {
    return fail(`the catalogue could not be read with ${call[0]}: ${e.message}`);
  }
}

// endpoint -> {all, models}, for each resource whose requests name a model.
function declared() {
  const resources = join(sdk, "resources");
  if (!existsSync(resources)) fail("the SDK is not installed; run npm ci in tests/peers");
  const out = new Map();
  for (const file of readdirSync(resources).filter((name) => name.endsWith(".d.ts"))) {
    const all = interfaces(readFileSync(join(resources, file), "utf8"));
    const models = variants(all);
    if (models.size) out.set(file.replace(".d.ts", "").replaceAll("-", "_"), { all, models });
  }
  return out;
}

const ours = catalogue();
const theirs = declared();
const version = JSON.parse(readFileSync(join(sdk, "package.json"), "utf8")).version;
const differences = [];
const known = [];
let compared = 0;
const say = (what, where) => differences.push(`${what.padEnd(15)} ${where}`);

for (const [endpoint, { all, models }] of theirs) {
  const offered = ours.endpoints[endpoint];
  if (!offered) {
    const why = ours.endpoints_left_out?.[endpoint];
    if (why) known.push(`${endpoint}: ${why}`);
    else say("new endpoint", endpoint);
    continue;
  }
  for (const [model, declaration] of models) {
    const why = ours.left_out?.[model] ?? ours.partly_left_out?.[endpoint]?.[model];
    if (offered[model]) {
      compared++;
      const fields = { ...offered[model], model: { enum: [model], required: true } };
      compareFields(`${endpoint}/${model}`, fields, declaration, all, say);
    } else if (why) known.push(`${endpoint}/${model}: ${why}`);
    else say("new model", `${endpoint}/${model}`);
  }
  for (const model of Object.keys(offered)) {
    if (!models.has(model)) say("gone model", `${endpoint}/${model}`);
  }
}
for (const endpoint of Object.keys(ours.endpoints)) {
  if (!theirs.has(endpoint)) say("gone endpoint", endpoint);
}
for (const model of Object.keys(ours.left_out ?? {})) {
  if (![...theirs.values()].some(({ models }) => models.has(model))) say("gone model", `${model} (left out)`);
}

console.log(`catalogue of ${ours.as_of}, SDK ${version}: ${compared} models compared`);
for (const line of known) console.log(`left out        ${line}`);
for (const line of differences) console.log(line);
console.log(differences.length ? `${differences.length} differences` : "no differences");
process.exit(differences.length ? 1 : 0);
