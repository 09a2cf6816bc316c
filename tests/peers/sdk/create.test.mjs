// Every creating endpoint takes what the SDK sends, and the outputs can be fetched.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { startSim } from "./sim.mjs";

let sim, client, picture;

before(async () => {
  sim = await startSim("--speed", "60");
  client = sim.client();
  const png = await readFile(new URL("../../../scripts/refs/protagonist.png", import.meta.url));
  picture = `data:image/png;base64,${png.toString("base64")}`;
});
after(() => sim.stop());

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function createsAnd(create, credits, type) {
  const created = create();
  const { id, estimatedCost } = await created;
  assert.match(id, UUID);
  assert.equal(estimatedCost.credits, credits);
  const task = await created.waitForTaskOutput();
  assert.equal(task.status, "SUCCEEDED");
  assert.equal(task.cost.credits, credits);
  const output = await fetch(task.output[0]);
  assert.equal(output.status, 200);
  assert.equal(output.headers.get("content-type"), type);
  const bytes = new Uint8Array(await output.arrayBuffer());
  assert.equal(bytes.length, Number(output.headers.get("content-length")));
  return { task, bytes };
}

// Side by side, because the SDK waits 4.5 to 7.5 s before it first looks.
describe("every creating endpoint", { concurrency: true }, () => {
  test("image_to_video gen4_turbo", async () => {
    const { bytes } = await createsAnd(() => client.imageToVideo.create({
      model: "gen4_turbo", promptImage: picture, promptText: "She walks", ratio: "1280:720", duration: 5,
    }), 25, "video/mp4");
    assert.equal(Buffer.from(bytes.slice(4, 8)).toString(), "ftyp");
  });

  test("image_to_video gen4.5 with the first frame in a list", () => createsAnd(() =>
    client.imageToVideo.create({
      model: "gen4.5", promptImage: [{ uri: picture, position: "first" }], promptText: "She walks",
      ratio: "720:1280", duration: 2, seed: 7,
    }), 24, "video/mp4"));

  test("text_to_video gen4.5", () => createsAnd(() => client.textToVideo.create({
    model: "gen4.5", promptText: "Rain on neon", ratio: "1280:720", duration: 2,
  }), 24, "video/mp4"));

  test("text_to_image gen4_image with tagged references", async () => {
    const { bytes } = await createsAnd(() => client.textToImage.create({
      model: "gen4_image", promptText: "@hero on a rooftop", ratio: "1280:720",
      referenceImages: [{ uri: picture, tag: "hero" }],
    }), 5, "image/png");
    assert.equal(Buffer.from(bytes.slice(1, 4)).toString(), "PNG");
  });

  test("text_to_image gen4_image_turbo", () => createsAnd(() => client.textToImage.create({
    model: "gen4_image_turbo", promptText: "@hero again", ratio: "1280:720",
    referenceImages: [{ uri: picture, tag: "hero" }],
  }), 2, "image/png"));

  test("video_to_video aleph2 and character_performance act_two take an uploaded clip", async () => {
    const made = await client.textToVideo.create({
      model: "gen4.5", promptText: "A face", ratio: "1280:720", duration: 4,
    }).waitForTaskOutput();
    const clip = await (await fetch(made.output[0])).blob();
    const { uri } = await client.uploads.createEphemeral({ file: new File([clip], "clip.mp4") });
    assert.match(uri, /^runway:\/\//);
    const edited = await client.videoToVideo.create({
      model: "aleph2", videoUri: uri, promptText: "Make it night",
    }).waitForTaskOutput();
    assert.equal(edited.status, "SUCCEEDED");
    const acted = await client.characterPerformance.create({
      model: "act_two", character: { type: "image", uri: picture },
      reference: { type: "video", uri }, ratio: "1280:720",
    }).waitForTaskOutput();
    assert.equal(acted.status, "SUCCEEDED");
    assert.equal(acted.cost.credits, 20, "5 credits for each of 4 seconds");
  });

  test("veo3.1_fast with first and last frame", () => createsAnd(() => client.imageToVideo.create({
    model: "veo3.1_fast", ratio: "1280:720", duration: 4, promptText: "From day to night",
    promptImage: [{ uri: picture, position: "first" }, { uri: picture, position: "last" }],
  }), 60, "video/mp4"));

  test("seedance2 with references", () => createsAnd(() => client.textToVideo.create({
    model: "seedance2", promptText: "She runs", ratio: "1280:720", duration: 4,
    references: [{ uri: picture }],
  }), 144, "video/mp4"));
});
