/** One host's life as `run` leads it: the product's own schedule and backoff, and its real command as a child. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FailureReport } from "../../src/failure.ts";
import { Attempts } from "../../src/refresher/attempts.ts";
import type { RefreshOutcome } from "../../src/refresher/refresh-child.ts";
import { launch } from "../../test/harness/launch.ts";
import type { ScratchHost } from "../../test/harness/scratch-host.ts";

export interface Call {
  /** Milliseconds since the rehearsal began, when the child had answered. */
  atMs: number;
  kind: string;
}

export interface HostOptions {
  host: ScratchHost;
  startsAtMs: number;
  expiresAtMs: number;
  random: () => number;
  began: number;
  signal: AbortSignal;
  onCall(call: Call): void;
}

/** Calls until it is granted credentials. */
export async function liveUntilFresh(options: HostOptions): Promise<void> {
  const { host, startsAtMs, expiresAtMs, random, began, signal, onCall } = options;
  const attempts = new Attempts(1, random);
  const elapsed = () => performance.now() - began;
  const child = { outcome: new Promise<never>(() => undefined), kill: () => undefined };
  await sleep(Math.max(startsAtMs - elapsed(), 0), null, { signal });
  for (;;) {
    attempts.begin(child, "schedule", instant(elapsed()));
    const outcome = await refresh(host);
    const now = elapsed();
    attempts.end(outcome, instant(now), expiresAtMs);
    onCall({ atMs: now, kind: outcome.result === "issued" ? "granted" : outcome.kind });
    if (outcome.result === "issued") return;
    await sleep(Math.max((attempts.streak?.retryBootMs ?? now) - elapsed(), 0), null, { signal });
  }
}

async function refresh(host: ScratchHost): Promise<RefreshOutcome> {
  const { stdout, stderr } = await launch({
    args: ["refresh", "--json", "--config", host.configFile],
    env: host.env,
  }).result;
  if (stdout === "") throw new Error(`refresh said nothing: ${stderr}`);
  const answer = JSON.parse(stdout) as RefreshOutcome & FailureReport;
  return answer;
}

function instant(ms: number) {
  return { wallMs: ms, bootMs: ms, awakeMs: ms };
}
