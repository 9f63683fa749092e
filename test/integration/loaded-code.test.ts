/**
 * What each process of ours loads, by its own account. `run` holds what it loads for as long as the host is up, and a
 * refresh pays for it every time: a library that slips in is noticed here, without measuring megabytes.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "vitest";
import { COMMAND } from "../harness/launch.ts";
import { openScene, type TestContext } from "../harness/scene.ts";

/**
 * Loaded by every process before anything else; at its end it tells the files that it has loaded as modules, and the
 * flags that its Node was started with.
 */
const WITNESS = `process.on("exit", () => require("node:fs").writeFileSync(
  __dirname + "/loaded." + (process.argv[2] ?? "nothing") + "." + process.pid,
  JSON.stringify({ files: Object.keys(require.cache).filter((file) => file !== __filename), flags: process.execArgv })));`;

interface Account {
  files: string[];
  flags: string[];
}

async function openWatchedScene(test: TestContext) {
  const scene = await openScene(test);
  const witness = join(scene.host.directory, "witness.cjs");
  writeFileSync(witness, WITNESS);
  return { ...scene, env: { NODE_OPTIONS: `--require ${witness}` } };
}

function accountsOf(command: string, directory: string): Account[] {
  const names = readdirSync(directory).filter((name) => name.startsWith(`loaded.${command}.`));
  if (names.length === 0) throw new Error(`no process has told what ${command} loads`);
  return names.map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")));
}

/** The names of the files that the processes of a command have loaded, sorted, each once. */
function loadedBy(command: string, directory: string): string[] {
  const files = accountsOf(command, directory).flatMap((account) => account.files);
  return [...new Set(files.map((file) => basename(file)))].sort();
}

/** The npm packages in a part of the program, by the headings that the build leaves in it. */
function packagesIn(part: string): string[] {
  const text = readFileSync(join(dirname(COMMAND), part), "utf8");
  const headings = text.matchAll(/^\s*\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm);
  return [...new Set([...headings].map(([, name]) => name ?? ""))].sort();
}

describe.concurrent("what a process loads", () => {
  it("run holds nothing but its own code, and each refresh it starts no parser, no validation, no chain", async (test) => {
    const { host, env } = await openWatchedScene(test);
    const run = host.startRun(env);
    await run.waitForLog("refresh_succeeded");
    test.expect(await run.stop()).toBe(0);
    test.expect(loadedBy("run", host.directory)).toEqual(["failure.cjs", "idc-helper.cjs", "run.cjs"]);
    test
      .expect(loadedBy("refresh", host.directory))
      .toEqual(["failure.cjs", "idc-helper.cjs", "refresh.cjs"]);
    test.expect(packagesIn("idc-helper.cjs")).toEqual([]);
    test.expect(packagesIn("failure.cjs")).toEqual([]);
    // Datagrams for systemd and the journal.
    test.expect(packagesIn("run.cjs")).toEqual(["node-unix-socket"]);
    const refreshed = packagesIn("refresh.cjs");
    test.expect(refreshed).toContain("@aws-sdk/client-sts");
    test
      .expect(refreshed.filter((name) => /^(zod|js-yaml|node-cron|commander|diff|@inquirer)/.test(name)))
      .toEqual([]);
  });

  it("run is started so that it stays small and can collect; what it starts is started as ever", async (test) => {
    const { host, env } = await openWatchedScene(test);
    const run = host.startRun(env);
    await run.waitForLog("refresh_succeeded");
    await run.stop();
    const flagsOf = (command: string) => accountsOf(command, host.directory).map(({ flags }) => flags);
    test.expect(flagsOf("run")).toEqual([["--max-semi-space-size=1", "--optimize-for-size", "--expose-gc"]]);
    test.expect(flagsOf("refresh")).toEqual([[]]);
    test.expect(flagsOf("check-config")).toEqual([[]]);
  });

  it("status loads neither the AWS SDK nor the parser of command lines", async (test) => {
    const { host, env } = await openWatchedScene(test);
    await host.start(["status"], { env }).result;
    const loaded = loadedBy("status", host.directory);
    test.expect(loaded).toEqual(["config.cjs", "failure.cjs", "idc-helper.cjs", "status.cjs"]);
    test.expect(loaded.flatMap(packagesIn).filter((name) => name.startsWith("@"))).toEqual([]);
  });

  it("an operator's refresh is told apart from the service's by what it was asked, and works", async (test) => {
    const { host, env } = await openWatchedScene(test);
    const { code } = await host.start(["refresh", "--json"], { env }).result;
    test.expect(code).toBe(0);
    test.expect(loadedBy("refresh", host.directory)).toContain("config.cjs");
  });
});
