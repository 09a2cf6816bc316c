// Tasks, uploads, the organization: what the SDK does besides creating.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import RunwayML, { TaskFailedError } from "@runwayml/sdk";
import { startSim } from "./sim.mjs";

let sim, client;
const body = { model: "gen4.5", promptText: "Rain on neon", ratio: "1280:720", duration: 2 };

before(async () => {
  sim = await startSim("--speed", "60", "--tier", "1");
  client = sim.client();
});
after(() => sim.stop());

test("retrieve shows the life of a task", async () => {
  const { id } = await client.textToVideo.create(body);
  const first = await client.tasks.retrieve(id);
  assert.ok(["PENDING", "RUNNING"].includes(first.status));
  assert.equal(first.estimatedCost.credits, 24);
  assert.equal(first.cost, undefined);
  const done = await client.tasks.retrieve(id).waitForTaskOutput();
  assert.equal(done.estimatedCost, undefined);
  assert.equal(done.cost.credits, 24);
  const again = await client.tasks.retrieve(id);
  assert.notEqual(again.output[0], done.output[0], "each reading signs anew");
});

test("a second task of the model is THROTTLED in tier 1, then runs", async () => {
  const one = client.textToVideo.create(body);
  const { id } = await one;
  const two = client.textToVideo.create(body);
  const second = await two;
  assert.equal((await client.tasks.retrieve(second.id)).status, "THROTTLED");
  await client.tasks.retrieve(id).waitForTaskOutput();
  assert.equal((await two.waitForTaskOutput()).status, "SUCCEEDED");
});

test("delete cancels a running task and removes a finished one", async () => {
  const { id } = await client.textToVideo.create(body);
  await client.tasks.delete(id);
  await assert.rejects(client.tasks.retrieve(id), RunwayML.NotFoundError);
  await assert.rejects(client.tasks.delete(id), RunwayML.NotFoundError);
  const done = await client.textToVideo.create(body).waitForTaskOutput();
  await client.tasks.delete(done.id);
  await assert.rejects(client.tasks.retrieve(done.id), RunwayML.NotFoundError);
});

test("a failing task raises TaskFailedError and is refunded by its class", async () => {
  const failed = async (code) => {
    const created = client.textToVideo.create({ ...body, promptText: `x [[fail:${code}]]` });
    try {
      await created.waitForTaskOutput();
    } catch (e) {
      assert.ok(e instanceof TaskFailedError);
      return e.taskDetails;
    }
    assert.fail(`${code} did not fail`);
  };
  const internal = await failed("INTERNAL.BAD_OUTPUT.01");
  assert.equal(internal.failureCode, "INTERNAL.BAD_OUTPUT.01");
  assert.equal(internal.cost.credits, 0);
  const safety = await failed("SAFETY.INPUT.TEXT");
  assert.equal(safety.cost.credits, 24, "moderated inputs are charged");
});

test("an upload is usable as an input and a small one is refused", async () => {
  const png = new Uint8Array(4096).fill(1);
  await assert.rejects(
    client.uploads.createEphemeral({ file: new File([new Uint8Array(100)], "tiny.png") }),
    (e) => e.status >= 400 && e.status < 500);
  const { uri } = await client.uploads.createEphemeral({ file: new File([png], "a.png") });
  assert.match(uri, /^runway:\/\/.{4,}/);
});

test("organization and usage", async () => {
  const organization = await client.organization.retrieve();
  assert.equal(organization.tier.models["gen4.5"].maxConcurrentGenerations, 1);
  assert.ok(Number.isInteger(organization.creditBalance));
  assert.ok(organization.usage.models["gen4.5"].dailyGenerations > 0);
  const usage = await client.organization.retrieveUsage();
  assert.ok(usage.models.includes("gen4.5"));
  assert.ok(usage.results.at(-1).usedCredits.some((row) => row.model === "gen4.5"));
});
