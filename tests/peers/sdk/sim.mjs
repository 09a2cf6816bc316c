// Starts `rushes sim` as a user would and hands out SDK clients for it.
import { spawn } from "node:child_process";
import { File } from "node:buffer";
import { createInterface } from "node:readline";
import RunwayML from "@runwayml/sdk";

globalThis.File ??= File; // Debian's Node.js 18 lacks it; the SDK's own advice

export const KEY = "key_" + "5a".repeat(64);
const RUSHES = process.env.RUSHES ?? new URL("../../../build/rushes", import.meta.url).pathname;

/** Starts a simulator with the given flags; resolves when it listens. */
export async function startSim(...flags) {
  const child = spawn(RUSHES, ["sim", "--port", "0", "--child", ...flags], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => { log += chunk; });
  const lines = createInterface({ input: child.stdout });
  const base = await new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      const found = /^listening (http:\/\/\S+)$/.exec(line);
      found ? resolve(found[1]) : reject(new Error(`unexpected first line: ${line}`));
    });
    child.once("exit", (code) => reject(new Error(`rushes sim ended with ${code}: ${log}`)));
  });
  let stopping = false;
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => {
    if (!stopping) console.error(`rushes sim ended with ${code ?? signal}: ${log}`);
    resolve(code);
  }));
  return {
    base,
    client: (options = {}) => new RunwayML({ apiKey: KEY, baseURL: base, ...options }),
    control: async (path, body) => {
      const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
      const answer = await fetch(`${base}/_sim/${path}`, init);
      if (!answer.ok) throw new Error(`/_sim/${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    stop: async () => {
      stopping = true;
      child.stdin.end();
      return ended;
    },
  };
}
