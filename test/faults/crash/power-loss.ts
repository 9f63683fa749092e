/** A command during which the power fails: at every write that reaches its disk, on ext4 and on XFS. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../../src/credentials/record.ts";
import { startEmulator } from "../../aws-emulator/emulator.ts";
import type { CommandResult } from "../../harness/launch.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import type { Broken } from "./attempts.ts";
import {
  copyImage,
  countCuts,
  cutsOf,
  type FileSystem,
  makeFileSystem,
  onMounted,
  recordWrites,
} from "./disk.ts";
import { leftovers, sessionFiles } from "./invariants.ts";
import type { Journal } from "./journal.ts";
import { DRIFTED } from "./sync-bench.ts";

export interface PowerSubject {
  command: "refresh" | "sync-agent";
  situation: string;
  /** The directory of the host that is on the disk. */
  onDisk(host: ScratchHost): string;
  /** What is there before the command. */
  prepare(host: ScratchHost): Promise<unknown>;
  /** @returns what is not as it must be, while the disk is mounted */
  judge(state: Judged): string[];
}

export interface Judged {
  host: ScratchHost;
  sessions: readonly string[];
  /** What the file held before the command; null where it was not there. */
  before: string | null;
  /** Whether the command had ended, having done its work. */
  isDone: boolean;
}

const configOf = (host: ScratchHost) => join(host.agentDirectory, "codedeploy.onpremises.yml");
const contentOf = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : null);

function judgeRefresh({ host, sessions, before, isDone }: Judged): string[] {
  const file = contentOf(host.credentialsFile);
  const isWhole = file === null ? before === null : file === before || sessions.includes(file);
  const faults = isWhole
    ? []
    : [`the credentials file is not whole: ${JSON.stringify(file?.slice(0, 40) ?? null)}`];
  const recordFile = join(host.stateDir, "refresh.json");
  if (existsSync(recordFile) && host.record() === null) faults.push("the record is not whole");
  if (!isDone) return faults;
  if (file === before) faults.push("it had said that it was done, and the old file is back");
  if (file !== null && host.record()?.sha256 !== sha256(file))
    faults.push("it was done, and is not recorded");
  return faults;
}

function judgeSync({ host, before, isDone }: Judged): string[] {
  const config = contentOf(configOf(host));
  const isNew = config?.includes("iam_session_arn:") === true && config.endsWith("region: ap-northeast-2\n");
  if (config !== before && !isNew) return [`the agent's config is not whole: ${JSON.stringify(config)}`];
  return isDone && !isNew ? ["it had said that it was done, and the old config is back"] : [];
}

const onState = (host: ScratchHost) => host.stateDir;

export const POWER_SUBJECTS: readonly PowerSubject[] = [
  {
    command: "refresh",
    situation: "credentials are there",
    onDisk: onState,
    prepare: (host) => host.command("refresh"),
    judge: judgeRefresh,
  },
  {
    command: "refresh",
    situation: "the first on its host",
    onDisk: onState,
    prepare: async () => {},
    judge: judgeRefresh,
  },
  {
    command: "sync-agent",
    situation: "the agent's config has drifted",
    onDisk: (host) => host.agentDirectory,
    prepare: async (host) => writeFileSync(configOf(host), DRIFTED, { mode: 0o600 }),
    judge: judgeSync,
  },
];

export interface PowerOutcome {
  cuts: number;
  /** How many there are. */
  of: number;
  broken: Broken[];
}

export async function cutPower(
  subject: PowerSubject,
  kind: FileSystem,
  { directory, journal, signal }: { directory: string; journal: Journal; signal: AbortSignal },
): Promise<PowerOutcome> {
  const scope = `${subject.command}, ${subject.situation}, ${kind}`;
  const earlier = journal.wholeOf(scope);
  if (earlier !== null) return { cuts: earlier, of: earlier, broken: [] };
  const emulator = await startEmulator();
  const host = new ScratchHost({ endpoint: emulator.url });
  try {
    const at = subject.onDisk(host);
    const [base, image] = [join(directory, "base"), join(directory, "image")];
    makeFileSystem(kind, base);
    // What lies there already goes with it.
    const settings = contentOf(join(at, "codedeployagent.yml"));
    const before = await onMounted(base, at, async () => {
      if (settings !== null) writeFileSync(join(at, "codedeployagent.yml"), settings);
      await subject.prepare(host);
      return contentOf(subject.command === "refresh" ? host.credentialsFile : configOf(host));
    });
    copyImage(base, image);
    const run = () => host.command(subject.command);
    const recorded = await recordWrites(kind, image, at, run);
    mustPass(recorded.result);
    const outcome: PowerOutcome = { cuts: 0, of: countCuts(recorded), broken: [] };
    for (const cut of cutsOf(recorded, base, join(directory, "cut"))) {
      if (signal.aborted) break;
      // What lies on a tmpfs is gone.
      rmSync(host.agentRuntimeDir, { recursive: true });
      mkdirSync(join(host.agentRuntimeDir, "requests"), { recursive: true });
      const faults = await onMounted(cut.image, at, async () => {
        const state = { host, before, sessions: sessionFiles(emulator) };
        const found = subject.judge({ ...state, isDone: cut.isAfterEnd });
        const next = await run();
        if (next.code !== 0) found.push(`the next ${subject.command} failed: ${next.stderr}`);
        const after = { ...state, sessions: sessionFiles(emulator) };
        return [...found, ...subject.judge({ ...after, isDone: true }), ...leftovers(at)];
      });
      outcome.cuts += 1;
      if (faults.length > 0) outcome.broken.push({ point: `${kind}, ${cut.what}`, faults });
    }
    if (outcome.cuts === outcome.of && outcome.broken.length === 0) journal.whole(scope, outcome.cuts);
    return outcome;
  } finally {
    await host.close();
    await emulator.close();
  }
}

function mustPass({ code, stdout, stderr }: CommandResult): void {
  if (code !== 0) throw new Error(`exit ${code}:\n${stdout}${stderr}`);
}
