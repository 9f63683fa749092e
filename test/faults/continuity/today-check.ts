/**
 * Are the models of today's programs like the programs? Under each fault, the real boto3 and Ruby scripts against the
 * AWS emulator, and their models on a virtual host: both must ask as often, and leave the same file behind.
 */
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BASE_KEY, startEmulator } from "../../aws-emulator/emulator.ts";
import type { FaultSpec } from "../../aws-emulator/faults/fault.ts";
import { cleanEnvironment, run } from "../../readers/external-process.ts";
import { VirtualHost } from "./host.ts";
import { Random } from "./random.ts";
import { BOTOCORE, RUBY_SDK, type SdkHabits } from "./sdk-habits.ts";
import type { Nonsense, StsFault } from "./sts.ts";
import { type TinyDisk, withTinyDisk } from "./tiny-disk.ts";
import { FILE, makeToday, type Today } from "./today.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Seven minutes past an hour: the next run of either cron job is the only one within the minutes after it. */
const START = Date.UTC(2027, 0, 4, 0, 7);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** For cases in which each attempt runs into its limit; what the limit is without it is a case of its own. */
const SHORT_LIMIT_S = 1;
const SIDE_BY_SIDE = 4;
const OLD = "[default]\naws_session_token = old\n";

interface RealProgram {
  model: Today;
  interpreter: string;
  script: string;
  habits: SdkHabits;
  runsUntilMs: number;
}

const PROGRAMS: readonly RealProgram[] = [
  { model: "cron-script", interpreter: "python3", script: "assume.py", habits: BOTOCORE, runsUntilMs: 40 },
  { model: "get-sts-creds", interpreter: "ruby", script: "assume.rb", habits: RUBY_SDK, runsUntilMs: 20 },
].map((program) => ({ ...program, runsUntilMs: program.runsUntilMs * MINUTE_MS }) as RealProgram);

interface Case {
  name: string;
  isQuick?: boolean;
  real: Pick<FaultSpec, "kind" | "code" | "field" | "clockAheadSeconds" | "delayMs"> | "refused" | null;
  model: StsFault | null;
  nonsense?: Nonsense;
  clockStepMs?: number;
  disk?: "full" | "filling";
}

const CASES: readonly Case[] = [
  { name: "nothing wrong", real: null, model: null, isQuick: true },
  { name: "refused connections", real: "refused", model: "refused" },
  { name: "no answer", real: { kind: "hang" }, model: "silent" },
  { name: "slow answers", real: { kind: "slow", delayMs: 500 }, model: "slow" },
  { name: "HTTP 500", real: { kind: "error-500" }, model: "server-error" },
  { name: "HTTP 503 with a page", real: { kind: "error-503-html" }, model: "server-error" },
  { name: "throttled", real: { kind: "throttle" }, model: "throttled" },
  { name: "denied", real: { kind: "deny" }, model: "denied", isQuick: true },
  {
    name: "a key that is gone",
    real: { kind: "exception", code: "InvalidClientTokenId" },
    model: "expired-key",
  },
  { name: "a reset in the answer", real: { kind: "reset-mid-body" }, model: "partial" },
  ...(
    [
      ["without credentials", { kind: "missing-field", field: "Credentials" }, "empty"],
      ["without a token", { kind: "missing-field", field: "SessionToken" }, "no-token"],
      ["without an expiry", { kind: "missing-field", field: "Expiration" }, "no-expiration"],
      ["for another session", { kind: "wrong-session-arn" }, "other-session"],
      ["expired", { kind: "expired-answer" }, "expired"],
    ] as const
  ).map(
    ([name, real, nonsense]): Case => ({ name: `an answer ${name}`, real, model: "bad-answer", nonsense }),
  ),
  { name: "clock an hour ahead", ...clockOff(HOUR_MS), isQuick: true },
  { name: "clock an hour behind", ...clockOff(-HOUR_MS) },
  { name: "clock two minutes behind", ...clockOff(-2 * MINUTE_MS) },
  { name: "a full disk", real: null, model: null, disk: "full", isQuick: true },
  { name: "a disk that fills on", real: null, model: null, disk: "filling", isQuick: true },
];

/** For the emulator it is AWS's clock that is off. */
function clockOff(aheadMs: number): Pick<Case, "real" | "model" | "clockStepMs"> {
  const clockAheadSeconds = -aheadMs / 1_000;
  return { real: { kind: "clock-wrong", clockAheadSeconds }, model: null, clockStepMs: aheadMs };
}

type Left = "old" | "new" | "worthless" | "empty";

interface Behaviour {
  /** How often AWS was asked; null where that cannot be seen. */
  calls: number | null;
  left: Left;
}

export interface TodayCheck {
  cases: number;
  /** Each with what the one and the other did. */
  differing: string[];
  /** Else the cases with a full disk could not be tried. */
  hadTinyDisk: boolean;
}

/** @param directory for the files */
export async function compareToday(directory: string, isQuick: boolean): Promise<TodayCheck> {
  const hadTinyDisk = await withTinyDisk(directory, async (tiny) => tiny !== null);
  const wanted = CASES.filter(
    (each) => (!isQuick || each.isQuick) && (each.disk === undefined || hadTinyDisk),
  );
  const left = PROGRAMS.flatMap((program) => wanted.map((each) => ({ program, each })));
  const check: TodayCheck = { cases: 0, differing: [], hadTinyDisk };
  const thread = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { program, each } = next;
      const found =
        each.disk === undefined
          ? await compare(program, each, { directory })
          : await withTinyDisk(directory, async (tiny) => compare(program, each, tiny ?? { directory }));
      check.cases += found.length;
      check.differing.push(...found.filter((difference) => difference !== null));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, thread));
  return check;
}

/** Where the credentials file lies. */
type Place = Pick<TinyDisk, "directory"> & Partial<TinyDisk>;

/** @returns for each thing that was compared the difference, or null */
async function compare(program: RealProgram, each: Case, place: Place) {
  const model = await modelBehaviour(program, each);
  const { behaviour, limits } = await realBehaviour(program, each, place);
  const calls = each.real === "refused" ? null : model.calls;
  const told = (what: string, said: unknown, did: unknown) => {
    const [one, other] = [JSON.stringify(said), JSON.stringify(did)];
    return one === other ? null : `${program.script}, ${what}: model ${one}, program ${other}`;
  };
  const { connectLimitMs, readLimitMs } = program.habits;
  const found = [told(each.name, { ...model, calls }, behaviour)];
  const isPlain = each.real === null && each.disk === undefined;
  return isPlain ? [...found, told("limits", [connectLimitMs, readLimitMs], limits)] : found;
}

async function modelBehaviour({ model, runsUntilMs }: RealProgram, each: Case): Promise<Behaviour> {
  const ignore = () => undefined;
  const host = new VirtualHost(START, new Random(1), 0, {
    polled: ignore,
    eventEnded: ignore,
    processesKilled: ignore,
    agentTouched: ignore,
    fileChanged: ignore,
    steppedBack: ignore,
  });
  const program = makeToday(model, host);
  host.disk.put(FILE, OLD);
  if (each.nonsense !== undefined) host.sts.nonsense = [each.nonsense];
  if (each.model !== null) host.sts.begin(each.model);
  if (each.clockStepMs !== undefined) host.stepClock(each.clockStepMs);
  host.disk.isFull = each.disk !== undefined;
  host.disk.isFilling = each.disk === "filling";
  let calls = 0;
  host.sts.onCall = () => {
    calls += 1;
  };
  host.boot();
  program.boot(ignore);
  await host.time.runUntil(START + runsUntilMs);
  program.lose();
  const text = host.disk.find(FILE)?.content.toString("utf8") ?? "";
  const token = /^aws_session_token = (\S+)$/m.exec(text)?.[1];
  const isSession = token !== undefined && host.sts.session(token) !== undefined;
  const left = text === OLD ? "old" : text === "" ? "empty" : isSession ? "new" : "worthless";
  return { calls, left };
}

async function realBehaviour(
  { interpreter, script }: RealProgram,
  each: Case,
  { directory, fill }: Place,
): Promise<{ behaviour: Behaviour; limits: [number, number] }> {
  const emulator = await startEmulator();
  const file = join(directory, `${script}-${each.name.replaceAll(" ", "-")}`);
  writeFileSync(file, OLD);
  const makeRoom = each.disk === "full" ? fill?.() : undefined;
  try {
    const fault = each.real === "refused" ? null : each.real;
    if (fault !== null) emulator.faults.set({ match: { service: "sts" }, ...fault });
    const endpoint = each.real === "refused" ? await closedPort() : emulator.url;
    const limit = fault?.kind === "hang" ? String(SHORT_LIMIT_S) : "default";
    const command = [interpreter, join(HERE, "real-programs", script), endpoint, file, limit];
    const [program = "", ...rest] = each.disk === "filling" ? [...refusingWrites(file), ...command] : command;
    const { stdout, stderr } = await run(program, rest, {
      ...cleanEnvironment(directory),
      AWS_ACCESS_KEY_ID: BASE_KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: BASE_KEY.secretAccessKey,
    });
    const said = /\{.*\}/.exec(stdout)?.[0];
    if (said === undefined) throw new Error(`${script} did not start: ${stderr.trim()}`);
    const { connectTimeoutS, readTimeoutS } = JSON.parse(said) as Record<string, number>;
    const calls = each.real === "refused" ? null : emulator.requests.list().length;
    return {
      behaviour: { calls, left: leftBy(await readFile(file, "utf8"), each) },
      limits: [Number(connectTimeoutS) * 1_000, Number(readTimeoutS) * 1_000],
    };
  } finally {
    makeRoom?.();
    await emulator.close();
  }
}

/** What fills the disk comes between truncating and writing, so that the write of these few bytes is refused. */
function refusingWrites(file: string): string[] {
  const injection = ["-e", "trace=write", "-e", "inject=write:error=ENOSPC"];
  return ["strace", "-f", "-o", "/dev/null", "-P", file, ...injection];
}

/** What was granted for nobody, or has expired, opens nothing, though it is well-formed. */
function leftBy(text: string, { real }: Case): Left {
  if (text === OLD) return "old";
  if (text === "") return "empty";
  const isGranted = /^aws_session_token = \S+$/m.test(text);
  const isLie = real !== null && real !== "refused" && LIES.has(real.kind);
  return isGranted && !isLie ? "new" : "worthless";
}

const LIES: ReadonlySet<string> = new Set(["missing-field", "wrong-session-arn", "expired-answer"]);

async function closedPort(): Promise<string> {
  const emulator = await startEmulator();
  await emulator.close();
  return emulator.url;
}
