// node --test tests/peers/catalog-drift
import assert from "node:assert/strict";
import test from "node:test";
import { compareFields } from "./compare.mjs";
import { describe, interfaces, variants } from "./dts.mjs";

const DECLARATION = `
/** A comment with { brackets; and 'quotes'. */
export type ThingCreateParams = ThingCreateParams.A2 | ThingCreateParams.B;
export declare namespace ThingCreateParams {
    interface A2 {
        model: 'a.2';
        promptImage: string | Array<A2.PromptImage>;
        ratio: '1:1' | '16:9';
        duration?: number | 'auto';
        audio?: boolean;
        keyframes?: Array<A2.UnionMember0 | A2.UnionMember1>;
        free?: '2:1' | (string & {});
    }
    namespace A2 {
        interface PromptImage { uri: string; position: 'first' | 'last'; }
        interface UnionMember0 { uri: string; seconds: number; range?: UnionMember0.Range; }
        namespace UnionMember0 { interface Range { start: number; end: number; } }
        interface UnionMember1 { uri: string; at: number; }
    }
    interface B { model: 'b'; }
}
`;

const FIELDS = {
  model: { enum: ["a.2"], required: true },
  promptImage: { type: "frames", positions: ["first", "last"], required: true },
  ratio: { enum: ["1:1", "16:9"], required: true },
  duration: { type: "integer", also: ["auto"] },
  audio: { type: "boolean" },
  keyframes: {
    type: "array",
    items: {
      type: "object",
      fields: {
        uri: { type: "uri", required: true },
        seconds: { type: "number" },
        at: { type: "number" },
        range: {
          type: "object",
          fields: { start: { type: "integer", required: true }, end: { type: "integer", required: true } },
        },
      },
    },
  },
  free: { type: "string", enum: ["2:1"] },
};

const all = interfaces(DECLARATION);

function differences(change) {
  const fields = structuredClone(FIELDS);
  change(fields);
  const said = [];
  compareFields("thing/a.2", fields, variants(all).get("a.2"), all, (what, where) => said.push(`${what} ${where}`));
  return said;
}

test("every variant is found", () => {
  assert.deepEqual([...variants(all).keys()], ["a.2", "b"]);
});

test("a type is taken apart", () => {
  const type = describe("string | 4 | 'a b' | Array<X.Y | X.Z> | X.Q");
  assert.deepEqual([...type.kinds], ["string"]);
  assert.deepEqual([...type.literals], ["4", "a b"]);
  assert.deepEqual(type.arrays, ["X.Y", "X.Z"]);
  assert.deepEqual(type.refs, ["X.Q"]);
});

test("the same request has no differences", () => {
  assert.deepEqual(differences(() => {}), []);
});

const CHANGES = [
  ["a value the SDK has and we do not", (f) => (f.ratio.enum = ["1:1"]), "new value thing/a.2.ratio: 16:9"],
  ["a value we have and the SDK does not", (f) => f.ratio.enum.push("2:3"), "gone value thing/a.2.ratio: 2:3"],
  ["a word beside numbers", (f) => delete f.duration.also, "new value thing/a.2.duration: auto"],
  ["a field we do not have", (f) => delete f.audio, "new field thing/a.2.audio: boolean"],
  ["a field the SDK does not have", (f) => (f.seed = { type: "integer" }), "gone field thing/a.2.seed"],
  ["a need", (f) => (f.audio.required = true), "different need thing/a.2.audio: optional in the SDK"],
  ["a type", (f) => (f.audio.type = "string"), "different type thing/a.2.audio: the catalogue has string, the SDK boolean"],
  ["a list", (f) => (f.promptImage = { type: "uri", required: true }), "different type thing/a.2.promptImage: a list only in the SDK"],
  ["a value inside a list", (f) => (f.promptImage.positions = ["first"]), "new value thing/a.2.promptImage.position: last"],
  ["a field inside one shape of a list", (f) => delete f.keyframes.items.fields.at, "new field thing/a.2.keyframes.at: number"],
  [
    "a field two levels down",
    (f) => delete f.keyframes.items.fields.range.fields.end,
    "new field thing/a.2.keyframes.range.end: number",
  ],
];

for (const [name, change, expected] of CHANGES) {
  test(`a difference is seen: ${name}`, () => assert.deepEqual(differences(change), [expected]));
}
