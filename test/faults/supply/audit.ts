/** `npm audit`: what the registry knows of weaknesses in what the lock file names. */
import { execFile } from "node:child_process";
import { ROOT } from "../../../packaging/project.ts";

const LIMIT_MS = 120_000;

export type Audit =
  | { kind: "answered"; vulnerable: string[]; asked: number }
  | { kind: "no_answer"; why: string };

interface Answer {
  error?: { summary?: string };
  message?: string;
  statusCode?: number;
  vulnerabilities?: Record<string, { severity: string }>;
  metadata?: { dependencies?: { total?: number } };
}

export function audit(signal: AbortSignal): Promise<Audit> {
  const options = { cwd: ROOT, timeout: LIMIT_MS, maxBuffer: 16 * 1_048_576, signal };
  return new Promise((resolve) => {
    // Its exit status is 1 for a weakness and for a registry that does not answer alike: the JSON tells.
    execFile("npm", ["audit", "--json", "--loglevel=silent"], options, (error, stdout) => {
      resolve(interpret(stdout, error));
    });
  });
}

function interpret(stdout: string, error: Error | null): Audit {
  let answer: Answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return { kind: "no_answer", why: error?.message.split("\n")[0] ?? "no JSON" };
  }
  const asked = answer.metadata?.dependencies?.total ?? 0;
  if (answer.vulnerabilities === undefined || asked === 0) {
    const status = answer.statusCode === undefined ? "" : `HTTP ${answer.statusCode}`;
    return { kind: "no_answer", why: status || answer.error?.summary || "no answer" };
  }
  const vulnerable = Object.entries(answer.vulnerabilities).map(
    ([name, { severity }]) => `${name} (${severity})`,
  );
  return { kind: "answered", vulnerable, asked };
}
