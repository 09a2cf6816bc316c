// The simulator's refusals become the SDK's own error classes, and its retries work.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import RunwayML from "@runwayml/sdk";
import { startSim } from "./sim.mjs";

let sim, client;
const body = { model: "gen4.5", promptText: "Rain on neon", ratio: "1280:720", duration: 2 };
const create = (changes, by = client) => by.textToVideo.create({ ...body, ...changes });
const once = { maxRetries: 0 };

before(async () => {
  sim = await startSim("--speed", "60", "--credits", "1000");
  client = sim.client(once);
});
after(() => sim.stop());

test("a wrong key is AuthenticationError", () => assert.rejects(
  create({}, sim.client({ ...once, apiKey: "key_wrong" })), RunwayML.AuthenticationError));

test("a wrong version is BadRequestError", () => assert.rejects(
  create({}, sim.client({ ...once, runwayVersion: "2020-01-01" })), (e) => {
    assert.ok(e instanceof RunwayML.BadRequestError);
    return /X-Runway-Version/.test(e.error.error);
  }));

const issues = [
  ["an unknown model", { model: "gen9" }, "invalid_union", ["model"]],
  ["a ratio of 16:9", { ratio: "16:9" }, "invalid_value", ["ratio"]],
  ["eleven seconds", { duration: 11 }, "too_big", ["duration"]],
  ["a prompt of 1001 UTF-16 units", { promptText: "😀".repeat(500) + "x" }, "too_big", ["promptText"]],
  ["a missing prompt", { promptText: undefined }, "invalid_type", ["promptText"]],
  ["a seed that is too large", { seed: 4294967296 }, "too_big", ["seed"]],
];
for (const [name, change, code, path] of issues) {
  test(`${name} is BadRequestError with the issue`, () => assert.rejects(create(change), (e) => {
    assert.ok(e instanceof RunwayML.BadRequestError);
    assert.equal(e.error.error, "Validation of body failed");
    assert.ok(e.error.docUrl);
    const issue = e.error.issues.find((row) => row.code === code);
    assert.ok(issue, JSON.stringify(e.error.issues));
    assert.deepEqual(issue.path, path);
    assert.equal(issue.sentence, undefined);
    return true;
  }));
}

test("exactly 1000 UTF-16 units are taken", async () => {
  await create({ promptText: "😀".repeat(500) });
});

test("an unknown task is NotFoundError", () => assert.rejects(
  client.tasks.retrieve("17f20503-6c24-4c16-946b-35dbbce2af2f"), RunwayML.NotFoundError));

test("no credits left is BadRequestError", async () => {
  const poor = await startSim("--speed", "60", "--credits", "10");
  try {
    await assert.rejects(create({}, poor.client(once)), (e) =>
      e instanceof RunwayML.BadRequestError && /enough credits/.test(e.error.error));
  } finally {
    await poor.stop();
  }
});

test("the daily cap is RateLimitError", () => assert.rejects(
  create({ promptText: "x [[http:429]]" }), RunwayML.RateLimitError));

test("503 is InternalServerError, and is retried twice", async () => {
  await assert.rejects(create({ promptText: "x [[http:503]]" }), RunwayML.InternalServerError);
  const before = await sim.control("bill");
  await assert.rejects(create({ promptText: "y [[http:503]]" }, sim.client({ maxRetries: 2 })),
    RunwayML.InternalServerError);
  const bill = await sim.control("bill");
  assert.equal(bill.created, before.created, "a refused call creates no task");
});

test("a reset after the task was created: the SDK's retry buys it again", async () => {
  const before = await sim.control("bill");
  await create({ promptText: "lost [[reset_after_create]]" }, sim.client({ maxRetries: 2 }))
    .catch((e) => assert.ok(e instanceof RunwayML.APIConnectionError));
  const bill = await sim.control("bill");
  assert.equal(bill.created - before.created, 3,
    "this is the double charge that rushes exists to avoid");
});
