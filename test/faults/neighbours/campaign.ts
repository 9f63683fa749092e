/**
 * Attacks from the neighbours: a stolen idc-helper user and another local user on a really booted systemd, and whoever
 * sits on the way to AWS.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../../src/host/lock.ts";
import { baseRoot, cacheDirectory } from "../../systemd/base-root.ts";
import { checkBootingRequirements } from "../../systemd/requirements.ts";
import type { Campaign, CampaignOptions, CampaignOutcome } from "../campaign.ts";
import { checkFalseStatus } from "./false-status.ts";
import { checkFlood } from "./flood.ts";
import { Ledger } from "./ledger.ts";
import { checkOtherUser } from "./other-user.ts";
import { checkPlanting } from "./planting.ts";
import { checkRace, checkRaceOfSetUp } from "./race.ts";
import { RegisteredHost } from "./registered-host.ts";
import { checkStolenUser } from "./stolen-user.ts";
import { checkTls } from "./tls.ts";

export const campaign: Campaign = { title: "Attacks from the neighbours", run };

/** Another run of the tests on a booted machine ends at some time. */
const LOCK_WAIT_MS = 20 * 60_000;

async function run(options: CampaignOptions): Promise<CampaignOutcome> {
  const ledger = new Ledger();
  const isFull = options.scale === "full";
  // Side by side: the machine mostly waits.
  const onTheWay = new Ledger();
  await Promise.all([onMachine(options, ledger), checkTls(onTheWay, options.directory, isFull)]);
  return {
    tried: `${ledger.tried}, ${onTheWay.tried}`,
    findings: [...ledger.findings, ...onTheWay.findings],
    more: `${ledger.lists}\n\n${onTheWay.lists}`,
  };
}

async function onMachine(options: CampaignOptions, ledger: Ledger): Promise<void> {
  const { signal } = options;
  checkBootingRequirements("Attacks from the neighbours");
  process.umask(0o022);
  mkdirSync(cacheDirectory(), { recursive: true });
  const lock = acquireLock(join(cacheDirectory(), "lock"), { waitMs: LOCK_WAIT_MS });
  if (lock === null) throw new Error(`another run of the tests on a booted machine uses ${cacheDirectory()}`);
  const ends: (() => Promise<void>)[] = [];
  try {
    // An interruption does not wait for what is in hand: its machine is taken away below.
    await Promise.race([attackAll(options, ledger, (end) => ends.push(end)), interruption(signal)]);
  } finally {
    for (const end of ends.reverse()) await end();
    lock.release();
  }
}

async function attackAll(
  { scale, seed, directory, signal }: CampaignOptions,
  ledger: Ledger,
  started: (end: () => Promise<void>) => void,
): Promise<void> {
  const it = await RegisteredHost.start(await baseRoot(signal), directory, started);
  const isFull = scale === "full";
  const flood = isFull
    ? { duringEvent: 20, afterwards: 330, pauseMs: 100, seed }
    : { duringEvent: 1.5, afterwards: 2.5, pauseMs: 2, seed };
  await checkFlood(it, ledger, flood);
  await checkStolenUser(it, ledger);
  await checkOtherUser(it, ledger);
  await checkFalseStatus(it, ledger, isFull);
  await checkRace(it, ledger, { seconds: isFull ? 60 : 3, seed });
  await checkPlanting(it, ledger, isFull);
  if (isFull) await checkRaceOfSetUp(it, ledger, seed, 3);
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error("interrupted"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
}
