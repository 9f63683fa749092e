/** The credentials file cannot be written: a clear failure, before AWS is asked where that can be known, the old
 * file intact. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { isRoot, unprivileged, withOwnMounts } from "../harness/identity.ts";
import { openScene, type TestContext } from "../harness/scene.ts";

/** A host whose credentials file lies in a directory of its own; an old one is in it. */
async function open(test: TestContext, owner = unprivileged) {
  const scene = await openScene(test, { owner });
  const { host } = scene;
  const directory = join(host.directory, "place");
  const file = join(directory, "credentials");
  mkdirSync(directory);
  writeFileSync(file, "[other]\nkey = old\n");
  host.addConfig(`credentials_file: { path: ${file} }\n`);
  return { ...scene, directory, file };
}

/**
 * Runs a refresh in a mount namespace of its own, where the file's directory is another file system.
 *
 * @param prepare shell commands; `$DIR` is the directory
 */
async function refreshOnOtherMount(test: TestContext, prepare: string) {
  const scene = await openScene(test);
  const { host } = scene;
  const directory = join(host.directory, "place");
  mkdirSync(directory);
  host.addConfig(`credentials_file: { path: ${directory}/credentials }\n`);
  const kept = join(host.directory, "kept");
  const script = `${prepare} && cp "$DIR/credentials" "$KEPT.before" && { "$@"; code=$?; cp "$DIR/credentials" "$KEPT.after"; ls -A "$DIR" > "$KEPT.ls"; exit $code; }`;
  const { code, stdout } = await host.start(["refresh", "--json"], {
    env: { DIR: directory, KEPT: kept },
    prefix: [...withOwnMounts, "sh", "-c", script, "sh"],
  }).result;
  return {
    ...scene,
    code,
    answer: JSON.parse(stdout),
    before: readFileSync(`${kept}.before`, "utf8"),
    after: readFileSync(`${kept}.after`, "utf8"),
    names: readFileSync(`${kept}.ls`, "utf8")
      .split("\n")
      .filter((name) => name.startsWith(".")),
  };
}

describe.concurrent("a credentials file that cannot be written", () => {
  it("disk full: the old file is intact, nothing half-written is left", async (test) => {
    const found = await refreshOnOtherMount(
      test,
      `mount -t tmpfs -o size=16k tmpfs "$DIR" && printf '[other]\\nkey = old\\n' > "$DIR/credentials" && { dd if=/dev/zero of="$DIR/filler" bs=1k 2>/dev/null; true; }`,
    );
    test.expect(found.answer).toMatchObject({ result: "failed", kind: "cannot_write" });
    test.expect(found.answer.message).toContain("the disk is full");
    test.expect(found.answer.nextStep).toContain("df -h");
    test.expect(found.code).toBe(1);
    test.expect(found.after).toBe(found.before);
    test.expect(found.names).toEqual([]);
  });

  it("no inode left: AWS is not asked", async (test) => {
    const found = await refreshOnOtherMount(
      test,
      `mount -t tmpfs -o nr_inodes=2 tmpfs "$DIR" && printf '[other]\\nkey = old\\n' > "$DIR/credentials"`,
    );
    test.expect(found.answer).toMatchObject({ result: "failed", kind: "cannot_write" });
    test.expect(found.answer.message).toContain("the disk is full");
    test.expect(found.after).toBe(found.before);
    test.expect(found.emulator.requests.list()).toEqual([]);
  });

  it("read-only file system: named as such, AWS is not asked", async (test) => {
    const found = await refreshOnOtherMount(
      test,
      `mount -t tmpfs tmpfs "$DIR" && printf '[other]\\nkey = old\\n' > "$DIR/credentials" && mount -o remount,bind,ro "$DIR"`,
    );
    test.expect(found.answer).toMatchObject({ result: "failed", kind: "cannot_write" });
    test.expect(found.answer.message).toContain("read-only");
    test.expect(found.after).toBe(found.before);
    test.expect(found.emulator.requests.list()).toEqual([]);
  });

  it("directory missing: it is named, and AWS is not asked", async (test) => {
    const { host, emulator } = await openScene(test, { owner: unprivileged });
    host.addConfig(`credentials_file: { path: ${host.directory}/nowhere/credentials }\n`);
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(1);
    test.expect(JSON.parse(stdout)).toMatchObject({ kind: "cannot_write" });
    test.expect(stdout).toContain(`${host.directory}/nowhere does not exist`);
    test.expect(emulator.requests.list()).toEqual([]);
  });

  it(`directory of ${isRoot ? "another user" : "one's own, without the right to write"}: who must own it is said`, async (test) => {
    const { host, emulator, directory, file } = await open(test);
    // Made by root after the host was handed over, it is root's.
    if (!isRoot) chmodSync(directory, 0o555);
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(1);
    test.expect(JSON.parse(stdout)).toMatchObject({ kind: "cannot_write" });
    test.expect(stdout).toContain(`must own ${directory}`);
    test.expect(readFileSync(file, "utf8")).toBe("[other]\nkey = old\n");
    test.expect(emulator.requests.list()).toEqual([]);
    if (!isRoot) chmodSync(directory, 0o755);
  });

  it("a directory in the file's place is left alone", async (test) => {
    const { host, emulator } = await openScene(test);
    mkdirSync(host.credentialsFile);
    const { code, stdout } = await host.command("refresh", "--json");
    test.expect(code).toBe(1);
    test.expect(JSON.parse(stdout)).toMatchObject({ kind: "cannot_write" });
    test.expect(emulator.requests.list()).toEqual([]);
  });

  it("the service keeps the old file, warns once, and goes on as soon as it can be written again", async (test) => {
    const { host } = await openScene(test, { owner: unprivileged, timeFactor: 60 });
    const run = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "good credentials");
    const good = readFileSync(host.credentialsFile, "utf8");
    chmodSync(host.stateDir, 0o555);
    process.kill(run.pid, "SIGUSR2");
    const status = await host.waitForStatus(
      ({ failures_in_a_row }) => failures_in_a_row >= 2,
      "two failures",
    );
    test.expect(status).toMatchObject({ state: "retrying", failure: { kind: "cannot_write" } });
    test.expect(readFileSync(host.credentialsFile, "utf8")).toBe(good);
    chmodSync(host.stateDir, 0o755);
    await run.waitForLog("refresh_recovered");
    test.expect(run.lines("refresh_failed")).toHaveLength(1);
    test.expect(readFileSync(host.credentialsFile, "utf8")).not.toBe(good);
  });
});
