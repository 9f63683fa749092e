/**
 * Core files: a process that crashes while it holds a secret may leave its memory on the disk. Both units forbid it
 * (`LimitCORE=0`), and so does the command itself, whatever the shell allows that it is typed in.
 *
 * Honest only where the kernel writes cores as files beside the process: a `core_pattern` with a pipe hands them to a
 * program (systemd-coredump and apport ask the same limit, ABRT does not). There the limits alone are looked at.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../harness/eventually.ts";
import { setOwner } from "../../harness/host-root/layout.ts";
import type { HostScene } from "../../harness/host-scene.ts";
import { COMMAND, type Launched } from "../../harness/launch.ts";
import type { Evidence } from "./evidence.ts";
import { sightingsInFile } from "./file-search.ts";

const PATTERN = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
const UNITS = ["idc-codedeploy-helper.service", "idc-codedeploy-helper-agent.service"];
const IN_SHELL = 'ulimit -c unlimited; cd "$1"; shift; exec "$@"';

export interface CoreFindings {
  /** Whether the kernel writes cores where we look for them. */
  areFiles: boolean;
  unitsWithoutLimit: string[];
  /** The limits of a `refresh` that was typed in a shell without one. */
  typedLimit: string;
  /** Cores that commands of ours left, killed by SIGABRT with secrets in memory. */
  left: string[];
  /** Whether a program without that care left one, with the secret in it. */
  isControlFound: boolean;
}

export async function examineCores(scene: HostScene, evidence: Evidence): Promise<CoreFindings> {
  const { host, emulator } = scene;
  const inside = "/var/tmp/cores";
  const outside = host.path(inside);
  mkdirSync(outside, { recursive: true });
  setOwner(outside, { mode: 0o777 });
  const coresIn = () => readdirSync(outside).filter((name) => name.startsWith("core"));

  emulator.faults.set({ kind: "slow", delayMs: 15_000, match: { action: "AssumeRole" }, times: 1 });
  const typed = host.startProgram("sh", ["-c", IN_SHELL, "sh", inside, COMMAND, "refresh", "--json"], {
    as: "idc-helper",
  });
  await emulator.requests.waitFor(({ fault, status }) => fault === "slow" && status === null);
  const typedLimit = coreLimit(typed.pid);
  await abort(typed);
  emulator.faults.clear();
  evidence.takeResult("a refresh that was aborted", await typed.result);
  const left = coresIn();

  // The same end for a program that holds a secret and lets the shell decide.
  const control = host.startProgram(
    "sh",
    [
      "-c",
      IN_SHELL,
      "sh",
      inside,
      process.execPath,
      "-e",
      HOLDS_SECRET,
      "/var/lib/idc-codedeploy-helper/credentials",
    ],
    { as: "idc-helper" },
  );
  await eventually(
    () => control.output().includes("held"),
    () => `it does not start: ${control.output()}`,
  );
  await abort(control);
  const isControlFound = coresIn().some((name) => sightingsInFile(join(outside, name)).length > 0);
  rmSync(outside, { recursive: true, force: true });
  return {
    areFiles: !PATTERN.startsWith("|") && !PATTERN.includes("/"),
    unitsWithoutLimit: UNITS.filter((unit) => !/^LimitCORE=0$/m.test(readUnit(unit))),
    typedLimit,
    left,
    isControlFound,
  };
}

const HOLDS_SECRET = `const held = require("node:fs").readFileSync(process.argv[1]);
console.log("held", held.length); setInterval(() => held.length, 1000);`;

async function abort(launched: Launched): Promise<void> {
  process.kill(launched.pid, "SIGABRT");
  await launched.result;
}

/** The soft and the hard one. */
function coreLimit(pid: number): string {
  const [, soft = "?", hard = "?"] =
    /^Max core file size\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? [];
  return `${soft} ${hard}`;
}

const readUnit = (name: string) => readFileSync(new URL(`../../../systemd/${name}`, import.meta.url), "utf8");
