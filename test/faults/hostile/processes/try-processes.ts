/** Runs the cases with the real commands, and holds what they did against what is promised. */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRubyIni } from "../../../agent/ruby-ini.ts";
import { type AnswerServer, openAnswerServer } from "../answer-server.ts";
import { ANSWER_CORPUS } from "../answers.ts";
import type { Complaint } from "../crew.ts";
import { controlsIn, type Judgement } from "../kind.ts";
import type { Case } from "./case.ts";
import { type Ended, PROGRAM, runMeasured } from "./command.ts";
import { BEFORE, openScratchHost, reset, type ScratchHost } from "./scratch.ts";

export const LARGEST_BYTES = 150 * 1_024 * 1_024;
/** Nothing here may take longer than a refresh's own hard limit; the rest is for a machine with other things to do. */
const LIMIT_SECONDS = 300;

export interface ProcessOutcome {
  groups: Map<string, { ran: number; peakBytes: number }>;
  complaints: Complaint[];
  peak: { bytes: number; name: string };
}

export async function tryProcesses(
  cases: readonly Case[],
  options: { directory: string; slots: number; signal: AbortSignal; onComplaint(complaint: Complaint): void },
): Promise<ProcessOutcome> {
  const outcome: ProcessOutcome = { groups: new Map(), complaints: [], peak: { bytes: 0, name: "" } };
  const queue = [...cases];
  const work = async (slot: number) => {
    const server = await openAnswerServer();
    const host = openScratchHost(join(options.directory, `host-${slot}`), server.port);
    try {
      for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
        options.signal.throwIfAborted();
        const ended = await perform(each, host, server);
        note(outcome, each, ended);
        const what = judge(each, ended, host);
        if (what === null) continue;
        const complaint = { what, input: `${each.group}, ${each.name}` };
        outcome.complaints.push(complaint);
        options.onComplaint(complaint);
      }
    } finally {
      server.close();
    }
  };
  await Promise.all(Array.from({ length: options.slots }, (_, slot) => work(slot)));
  return outcome;
}

async function perform(each: Case, host: ScratchHost, server: AnswerServer): Promise<Ended> {
  reset(host);
  each.arrange?.(host);
  const [good] = ANSWER_CORPUS;
  server.answer = each.answer ?? good ?? server.answer;
  const [name = "", ...rest] = each.argv;
  const config = name === "version" || name === "adopt" ? [] : ["--config", host.files.config];
  const command = [PROGRAM, name, ...config, ...rest];
  const lines = each.inside?.(host);
  const argv =
    lines === undefined
      ? command
      : ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", `${lines}exec "$@"`, "sh", ...command];
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: host.directory,
    AWS_EC2_METADATA_DISABLED: "true",
    ...each.env,
  };
  return runMeasured({ argv, env, cwd: host.directory, input: each.input ?? "", limit: LIMIT_SECONDS });
}

function note({ groups, peak }: ProcessOutcome, { group, name }: Case, { peakBytes }: Ended): void {
  const before = groups.get(group) ?? { ran: 0, peakBytes: 0 };
  groups.set(group, { ran: before.ran + 1, peakBytes: Math.max(before.peakBytes, peakBytes) });
  if (peakBytes > peak.bytes) Object.assign(peak, { bytes: peakBytes, name });
}

/** Where the machine itself is what is wrong: the place is this host. */
const THE_HOST = ["this command must be run as root, on a host with systemd"];
const STACK = /\n\s+at .*:\d+:\d+\)?$/m;

function judge({ argv, places }: Case, ended: Ended, host: ScratchHost): Judgement {
  const { exitCode, signal, wasTooSlow, stdout, stderr, peakBytes } = ended;
  const text = `${stdout}\n${stderr}`;
  if (wasTooSlow) return `no end within ${LIMIT_SECONDS} s`;
  if (signal !== null) return `ended by signal ${signal}: ${stderr.slice(-600)}`;
  if (text.includes("failed unexpectedly") || STACK.test(text))
    return `a stack: ${text.trim().slice(0, 900)}`;
  const isPlugin = argv[0] === "status" || argv[0] === "doctor";
  const allowed = isPlugin ? [0, 1, 2, 3] : [0, 1, 2, 78];
  if (exitCode === null || !allowed.includes(exitCode))
    return `exit status ${exitCode}: ${text.trim().slice(0, 600)}`;
  if (peakBytes > LARGEST_BYTES) return `${Math.round(peakBytes / 1_048_576)} MiB of memory`;
  if (exitCode !== 0) {
    if (text.trim() === "") return `exit status ${exitCode} without a word`;
    const named = [...places(host), ...THE_HOST];
    if (!named.some((place) => text.includes(place)))
      return `no place is named: ${text.trim().slice(0, 500)}`;
  }
  return controlsIn(text) ?? judgeCredentials(host, exitCode === 0 && argv[0] === "refresh");
}

/** As it was, or one that the agent can use. */
function judgeCredentials({ files }: ScratchHost, isWritten: boolean): Judgement {
  const found = lstatSync(files.credentials, { throwIfNoEntry: false });
  if (!isWritten && (found === undefined || !found.isFile() || found.size > 100_000)) return null;
  const text = readFileSync(files.credentials, "utf8");
  if (text === BEFORE && !isWritten) return null;
  if (!isWritten && !text.includes("[default]")) return null;
  const profile = parseRubyIni(text).get("default");
  const keys = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
  const isGood = keys.every((key) => typeof profile?.get(key) === "string");
  return isGood
    ? null
    : `a credentials file that the agent cannot use: ${JSON.stringify(text.slice(0, 300))}`;
}
