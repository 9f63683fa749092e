/**
 * `node test/faults/secrets/watch.ts -- COMMAND [ARGUMENT…]`: runs any command, such as `make test`, and says whether a
 * secret of the tests was to be seen anywhere meanwhile: in arguments or environment of any process of the machine, in
 * what the command printed, or in the temporary files, core files and packages that it left.
 *
 * Keeps the command's exit status; 1 where that is 0 and a secret was seen.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { ROOT } from "../../../packaging/project.ts";
import { Tally } from "../../readers/tally.ts";
import { filesBelow, secretFiles } from "./file-search.ts";
import { described } from "./forms.ts";
import { isOnPurpose, ProcessWatch, toldExposure } from "./process-watch.ts";
import { StreamSearch } from "./stream-search.ts";

/** Where things may stay behind besides the command's own temporary directory. */
const BUILT = ["build", "dist", "coverage"].map((name) => join(ROOT, name));
const SHARED = ["/dev/shm", "/var/tmp"];

async function main(command: readonly string[]): Promise<number> {
  const started = Date.now();
  const watch = await ProcessWatch.start();
  const temporary = mkdtempSync(join(tmpdir(), "idc-w-"));
  chmodSync(temporary, 0o1777);
  try {
    const output = { stdout: new StreamSearch(), stderr: new StreamSearch() };
    const status = await run(command, temporary, output);
    const { exposures, counts, isTold } = await watch.stop();
    const seconds = (Date.now() - started) / 1_000;
    const tally = new Tally();
    console.log(
      `\nSecrets: ${counts.started} programs started (${isTold ? "told by the kernel" : "found by looking"}; ` +
        `${counts.missed} had ended before they could be looked at), ${counts.looks} looks in ` +
        `${seconds.toFixed(0)} s, which took ${((counts.cpuSeconds / seconds) * 100).toFixed(1)} % of one core`,
    );
    const shown = exposures.filter((each) => !isOnPurpose(each));
    for (const where of ["argv", "environ"] as const) {
      const what = where === "argv" ? "arguments" : "environment";
      const found = shown.filter((each) => each.where === where).map(toldExposure);
      tally.record(`no secret in the ${what} of any process`, listed(found));
    }
    const printed = [...output.stdout.seen, ...output.stderr.seen];
    const said = printed.map((each) => `${described([each])} in: ${each.around}`);
    tally.record("no secret in what was printed", listed(said));
    tally.record("no secret in what was left behind", listed(leftBehind(temporary, started)));
    console.log(tally.summary());
    return status === 0 ? tally.exitCode : status;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function listed(faults: readonly string[]): string | undefined {
  return faults.length === 0 ? undefined : faults.map((each) => `\n  ${each}`).join("");
}

/** @returns the exit status, as a shell has it */
function run(
  [program = "", ...args]: readonly string[],
  temporary: string,
  output: { stdout: StreamSearch; stderr: StreamSearch },
): Promise<number> {
  const child = spawn(program, args, {
    stdio: ["inherit", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
  });
  for (const name of ["stdout", "stderr"] as const) {
    const onward: Writable = process[name];
    child[name].on("data", (part: Buffer) => {
      output[name].take(part);
      if (!onward.write(part)) child[name].pause();
    });
    onward.on("drain", () => child[name].resume());
  }
  // A terminal's Ctrl-C reaches the command by itself; we stay to say what was seen.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

/** Nobody but the command writes into the first; elsewhere only what has come meanwhile counts. */
function leftBehind(temporary: string, since: number): string[] {
  const isNew = (path: string) => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;
  const cores = readdirSync(ROOT).filter((name) => /^core(?:\.\d+)?$/.test(name));
  const others = [...BUILT, ...SHARED].flatMap((directory) => filesBelow(directory));
  const files = [
    ...filesBelow(temporary),
    ...cores.map((name) => join(ROOT, name)),
    ...others.filter((path) => isNew(path) >= since),
  ];
  return secretFiles(files).map(({ path, sightings }) => `${described(sightings)} in ${path}`);
}

const [separator, ...command] = process.argv.slice(2);
if (separator !== "--" || command.length === 0) {
  console.error("Usage: node test/faults/secrets/watch.ts -- COMMAND [ARGUMENT…]");
  process.exit(2);
}
process.exitCode = await main(command);
