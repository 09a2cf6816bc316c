// sdk.mjs - the official Node SDK as a client of the benchmark.
//
// --mode shipped: create().waitForTaskOutput(), as its README shows.
// --mode best: create, then our own poll every --every-ms.  Both keep at
// most --window takes begun at once and stream each output to a file.
import RunwayML from '@runwayml/sdk';
import { createWriteStream, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const text = (value) => ({ type: 'string', default: value });
const { values: opt } = parseArgs({
  options: {
    base: text(''), out: text(''), mode: text('best'), jobs: text('1000'),
    window: text('1000'), 'gen-ms': text('500'), 'every-ms': text('500'),
    'submit-only': { type: 'boolean', default: false },
  },
});
if (!opt.base || !opt.out || !['best', 'shipped'].includes(opt.mode)) {
  console.error('usage: sdk.mjs --base URL --out DIR [--mode best|shipped] ' +
    '[--jobs N] [--window W] [--gen-ms N] [--every-ms N] [--submit-only]');
  process.exit(2);
}
const jobs = Number(opt.jobs);
const window = Number(opt.window) || jobs;
const client = new RunwayML({
  baseURL: opt.base,
  apiKey: process.env.RUNWAYML_API_SECRET ?? 'key_bench',
});
const sum = { requests: 0, ok: 0, failed: 0, codes: {} };

function create(n) {
  sum.requests++;
  return client.textToVideo.create({
    model: 'gen4.5',
    promptText: `take ${n}: the heroine walks through the lobby of the old ` +
      'hotel, late sun through tall windows, dust in the light, slow dolly ' +
      'in, 35mm lens, warm grade, she stops at the desk and looks over her ' +
      'shoulder, shallow depth of field, natural motion, no text, no logos',
    ratio: '1280:720',
    duration: 5,
    seed: n,
  });
}

async function finished(created) {
  if (opt.mode === 'shipped') {
    sum.requests++;
    return created.waitForTaskOutput();
  }
  const { id } = await created;
  await sleep(Number(opt['gen-ms']));
  for (;;) {
    sum.requests++;
    const task = await client.tasks.retrieve(id);
    if (task.status === 'SUCCEEDED') return task;
    await sleep(Number(opt['every-ms']));
  }
}

async function download(url, n) {
  const path = `${opt.out}/take-${String(n).padStart(6, '0')}.mp4`;
  sum.requests++;
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`download: ${answer.status}`);
  const file = createWriteStream(`${path}.part`);
  await pipeline(Readable.fromWeb(answer.body), file);
  await rename(`${path}.part`, path);
}

async function take(n) {
  try {
    if (opt['submit-only']) {
      await create(n);
    } else {
      const task = await finished(create(n));
      await download(task.output[0], n);
    }
    sum.ok++;
  } catch (err) {
    sum.failed++;
    const code = err?.cause?.code ?? err?.code ?? err?.constructor?.name;
    sum.codes[code] = (sum.codes[code] ?? 0) + 1;
  }
}

mkdirSync(opt.out, { recursive: true });
const from = process.hrtime.bigint();
let next = 0;
async function worker() {
  while (next < jobs) await take(next++);
}
await Promise.all(Array.from({ length: Math.min(window, jobs) }, worker));
const wall = Number(process.hrtime.bigint() - from) / 1e9;
const used = process.resourceUsage();
const user = used.userCPUTime / 1e6;
const sys = used.systemCPUTime / 1e6;
console.log(JSON.stringify({
  client: `sdk-${opt.mode}`, jobs, ok: sum.ok, failed: sum.failed,
  codes: sum.codes, wall_s: wall, user_s: user, sys_s: sys,
  cpu_us_per_job: (user + sys) / jobs * 1e6, requests: sum.requests,
  peak_rss_mb: used.maxRSS / 1024,
}));
