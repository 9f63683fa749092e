/**
 * Any command, watched for secrets for as long as it runs: arguments and environment of every process of the machine,
 * what the command prints, and what it leaves in temporary files, core files and the directories that it builds in.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { ROOT } from "../../../packaging/project.ts";
import { filesBelow, secretFiles } from "./file-search.ts";
import { described } from "./forms.ts";
import { type Counts, isOnPurpose, ProcessWatch, toldExposure } from "./process-watch.ts";
import { StreamSearch } from "./stream-search.ts";

/** Where things may stay behind besides the command's own temporary directory. */
const BUILT = ["build", "dist", "coverage"].map((name) => join(ROOT, name));
const SHARED = ["/dev/shm", "/var/tmp"];

export interface WatchedCommand {
  /** As a shell has it. */
  status: number;
  inArguments: string[];
  inEnvironments: string[];
  printed: string[];
  leftBehind: string[];
  counts: Counts;
  isTold: boolean;
  seconds: number;
}

/** @param passOn where its output goes besides; nowhere for null */
export async function watchCommand(
  command: readonly string[],
  passOn: { stdout: Writable; stderr: Writable } | null,
): Promise<WatchedCommand> {
  const started = Date.now();
  const watch = await ProcessWatch.start();
  const temporary = mkdtempSync(join(tmpdir(), "idc-w-"));
  chmodSync(temporary, 0o1777);
  try {
    const output = { stdout: new StreamSearch(), stderr: new StreamSearch() };
    const status = await run(command, temporary, output, passOn);
    const { exposures, counts, isTold } = await watch.stop();
    const shown = exposures.filter((each) => !isOnPurpose(each));
    const isArgument = ({ where }: { where: string }) => where === "argv";
    return {
      status,
      inArguments: shown.filter(isArgument).map(toldExposure),
      inEnvironments: shown.filter((each) => !isArgument(each)).map(toldExposure),
      printed: [...output.stdout.seen, ...output.stderr.seen].map(
        (each) => `${described([each])} in: ${each.around}`,
      ),
      leftBehind: leftBehind(temporary, started),
      counts,
      isTold,
      seconds: (Date.now() - started) / 1_000,
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What the watching itself was, for people. */
export function toldWatch({ counts, isTold, seconds }: WatchedCommand): string {
  const share = (counts.cpuSeconds / seconds) * 100;
  const missed = `${counts.missed} had ended before they could be looked at`;
  return (
    `${counts.started} programs started in ${seconds.toFixed(0)} s (${isTold ? "told by the kernel" : "found by looking"}; ` +
    `${missed}), ${counts.looks} looks, which took ${share.toFixed(1)} % of one core`
  );
}

function run(
  [program = "", ...args]: readonly string[],
  temporary: string,
  output: { stdout: StreamSearch; stderr: StreamSearch },
  passOn: { stdout: Writable; stderr: Writable } | null,
): Promise<number> {
  const child = spawn(program, args, {
    stdio: ["inherit", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
  });
  for (const name of ["stdout", "stderr"] as const) {
    const onward = passOn?.[name];
    child[name].on("data", (part: Buffer) => {
      output[name].take(part);
      if (onward?.write(part) === false) child[name].pause();
    });
    onward?.on("drain", () => child[name].resume());
  }
  // A terminal's Ctrl-C reaches the command by itself; we stay to say what was seen.
  const wait = () => undefined;
  const pass = () => child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", pass);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  }).finally(() => process.off("SIGINT", wait).off("SIGTERM", pass));
}

/** Nobody but the command writes into the first; elsewhere only what has come meanwhile counts. */
function leftBehind(temporary: string, since: number): string[] {
  const isNew = (path: string) => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) >= since;
  const cores = readdirSync(ROOT).filter((name) => /^core(?:\.\d+)?$/.test(name));
  const others = [...BUILT, ...SHARED].flatMap((directory) => filesBelow(directory));
  const files = [...filesBelow(temporary), ...cores.map((name) => join(ROOT, name)), ...others.filter(isNew)];
  return secretFiles(files).map(({ path, sightings }) => `${described(sightings)} in ${path}`);
}
