/** The agent's processes, told from all others; looked at with real ones. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import {
  children,
  identify,
  isAlive,
  masterFromPidFile,
  type ProcessIdentity,
  startedBootMs,
  title,
} from "../../../src/agent/processes.ts";
import { readClock } from "../../../src/host/clock.ts";
import { eventually } from "../../harness/eventually.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** A process with a title of its choice, which Ruby's agent sets as we do here: by its arguments. */
async function startProcess(name: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn("sleep", ["1000"], { argv0: name, stdio: "ignore" });
  running.push(child);
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error("it has no pid");
  // Between fork and exec it still has our own title.
  await eventually(
    () => title(pid)?.startsWith(name),
    () => `title: ${title(pid)}`,
  );
  return Object.assign(child, { pid });
}

function identityOf(pid: number): ProcessIdentity {
  const identity = identify(pid);
  if (identity === null) throw new Error(`there is no process ${pid}`);
  return identity;
}

describe("a process", () => {
  test("is known by its number and its start, and dead once it has ended", async () => {
    const child = await startProcess("x");
    const identity = identityOf(child.pid);
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
    expect(identify(child.pid)).toBeNull();
  });

  test("is known although its name is made to look like the end of the line", async () => {
    execFileSync("cp", ["/bin/sleep", scratch(") R 1 1 (")]);
    const child = spawn(scratch(") R 1 1 ("), ["1000"], { stdio: "ignore" });
    running.push(child);
    await once(child, "spawn");
    const started = startedBootMs(identityOf(child.pid ?? 0), readClock().bootMs);
    expect(Math.abs(started - readClock().bootMs)).toBeLessThan(60_000);
  });

  test("that is a zombie is none", async () => {
    const parent = spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 1000"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    running.push(parent);
    const [said] = await once(parent.stdout, "data");
    await eventually(
      () => identify(Number(said)) === null,
      () => "it is still there",
    );
    // Gone altogether if the shell reaped it before it became `sleep`.
    expect(title(Number(said)) ?? "").toBe("");
  });

  test("started after we did, and before now, on the boot clock", async () => {
    const own = startedBootMs(identityOf(process.pid), readClock().bootMs);
    const child = await startProcess("x");
    const { bootMs } = readClock();
    const started = startedBootMs(identityOf(child.pid), bootMs);
    // The kernel counts in hundredths of a second.
    expect(started).toBeGreaterThanOrEqual(own - 20);
    expect(started).toBeLessThanOrEqual(bootMs + 20);
  });

  test("that does not exist has neither identity, title nor children", () => {
    for (const pid of [0, -1, 4_194_305, Number.NaN]) {
      expect([identify(pid), title(pid), children(pid)]).toEqual([null, null, null]);
    }
  });
});

test("the children of a process are its own only, oldest first", async () => {
  const script = "sleep 1000 & echo $!; sleep 0.05; (sleep 1000 & wait) & echo $!; exec sleep 1000";
  const parent = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  running.push(parent);
  let said = "";
  for await (const chunk of parent.stdout) {
    said += chunk;
    if (said.trim().split("\n").length === 2) break;
  }
  const found = children(parent.pid ?? 0)?.map(({ pid }) => pid);
  expect(found).toEqual(said.trim().split("\n").map(Number));
  process.kill(-(parent.pid ?? 0), "SIGKILL");
});

describe("the master by its pid file", () => {
  const pidFile = () => scratch("agent.pid");
  const found = (text: string) => {
    writeFileSync(pidFile(), text);
    return masterFromPidFile(pidFile(), "codedeploy-agent");
  };

  test("is found by its number and its title", async () => {
    const { pid } = await startProcess("codedeploy-agent: master 812");
    expect([found(`${pid}`), found(`${pid}\n`), found(` ${pid} `)]).toEqual([pid, pid, pid]);
  });

  test("is not another process that was given its number", async () => {
    for (const name of [
      "sshd",
      "codedeploy-agent: InstanceAgent::Plugins",
      "my codedeploy-agent: master 1",
      "codedeploy-agent2: master 1",
    ]) {
      const { pid } = await startProcess(name);
      expect(found(`${pid}`)).toBeNull();
    }
  });

  test("is not one of a program with another name", async () => {
    const { pid } = await startProcess("codedeploy-agent: master 812");
    writeFileSync(pidFile(), `${pid}`);
    expect(masterFromPidFile(pidFile(), "my-agent")).toBeNull();
  });

  test.each(["", "x", "-1", "0", "1e3", "0x10", "12 34", "99999999999", "4194305"])(
    "is nobody when the file says %j",
    (text) => {
      expect(found(text)).toBeNull();
    },
  );

  test("is nobody when the file is missing, a directory, a link, or a FIFO without a writer", async () => {
    const { pid } = await startProcess("codedeploy-agent: master 812");
    writeFileSync(scratch("real"), `${pid}`);
    symlinkSync("real", scratch("link"));
    mkdirSync(scratch("directory"));
    execFileSync("mkfifo", [scratch("fifo")]);
    for (const name of ["none", "link", "directory", "fifo"]) {
      expect(masterFromPidFile(scratch(name), "codedeploy-agent")).toBeNull();
    }
    expect(masterFromPidFile(scratch("real"), "codedeploy-agent")).toBe(pid);
  });
});
