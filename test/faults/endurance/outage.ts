/** One hour in which every refresh fails, with real children: how much `run` says of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../aws-emulator/emulator.ts";
import { eventually } from "../../harness/eventually.ts";
import { openJournalSocket } from "../../harness/journal-socket.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import { FAULT_CASES, type FaultCase, SHORT_TIMEOUTS } from "../../integration/fault-table.ts";
import { Random } from "../continuity/random.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface Outage {
  what: string;
  /** In force in the minute of that number. */
  faultAt(minute: number, random: Random): FaultCase;
}

const named = (fault: string): FaultCase => {
  const found = FAULT_CASES.find((one) => one.fault === fault);
  if (found === undefined) throw new Error(`there is no fault ${fault}`);
  return found;
};
const always = (fault: string): Outage => ({ what: fault, faultAt: () => named(fault) });

export const OUTAGES: readonly Outage[] = [
  always("STS down"),
  always("throttle"),
  always("deny"),
  { what: "another fault each minute", faultAt: (_, random) => random.oneOf(FAULT_CASES) },
];

export interface OutageCount {
  what: string;
  failures: number;
  lines: string[];
}

/**
 * Without a moment in which AWS answers. The emulator forgets all its orders at once, so the new one comes after the old
 * one's end and before any request does; only its ports take time.
 */
async function exchange(last: FaultCase, next: FaultCase, emulator: Emulator): Promise<void> {
  const isDown = last.fault === "STS down";
  if (isDown || next.fault === "STS down") {
    await next.begin(emulator);
    await last.end(emulator);
  } else {
    void last.end(emulator);
    void next.begin(emulator);
  }
}

/** @param factor by how much the hour is shortened */
export async function countOutageLines(
  { what, faultAt }: Outage,
  factor: number,
  seed: number,
  directory: string,
): Promise<OutageCount> {
  const random = new Random(seed);
  const emulator = await startEmulator({ timeFactor: factor });
  const config = `${SHORT_TIMEOUTS}log: { format: journal }\nschedule: "*/30 * * * *"\n`;
  const host = new ScratchHost({ endpoint: emulator.url, timeFactor: factor, config, parent: directory });
  const journal = openJournalSocket(host.directory);
  try {
    host.startRun({}, { prefix: journal.prefix });
    await journal.waitFor("refresh_succeeded");
    let fault = faultAt(0, random);
    await fault.begin(emulator);
    // An attempt that was under way when it began may still succeed; what counts begins with the first failure.
    const first = await eventually(
      () => journal.entries().findIndex(({ IDC_EVENT }) => IDC_EVENT === "refresh_failed") + 1 || null,
      () => `no failure in the outage "${what}"`,
    );
    const until = performance.now() + HOUR_MS / factor;
    for (let minute = 1; performance.now() < until; minute += 1) {
      await sleep(MINUTE_MS / factor);
      const next = faultAt(minute, random);
      if (next === fault) continue;
      await exchange(fault, next, emulator);
      fault = next;
    }
    const lines = journal.entries().slice(first - 1);
    const failures = host.status()?.failures_in_a_row ?? 0;
    if (failures === 0) throw new Error(`the outage "${what}" was over before its hour`);
    return { what, failures, lines: lines.map(({ MESSAGE = "" }) => MESSAGE) };
  } finally {
    await host.close();
    journal.close();
    await emulator.close();
  }
}
