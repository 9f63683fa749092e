/** What goes wrong on a host in a week, drawn from a seed: the same for every program that is tried on it. */
import { BASE_CREDENTIALS_FILE } from "../../../src/config/paths.ts";
import { AGENT_CONFIG } from "./agent.ts";
import type { VirtualHost } from "./host.ts";
import { OUR_CONFIG, RIGHT_EDITS, WRONG_EDITS } from "./our-config.ts";
import type { Program } from "./program.ts";
import type { Random } from "./random.ts";
import type { StsFault } from "./sts.ts";

const S = 1_000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

export interface Happening {
  /** From the start of the trace, in milliseconds. */
  at: number;
  what: string;
  happen(host: VirtualHost, program: Program): void;
}

export interface Trace {
  seed: number;
  /** MaxSessionDuration of the role, in milliseconds. */
  longestSessionMs: number;
  days: number;
  /** The host's oscillator over true time. */
  drift: number;
  happenings: Happening[];
  isQuiet: boolean;
}

type Add = (what: string, at: number, happen: Happening["happen"]) => void;

const STS_FAULTS: readonly StsFault[] = [
  "network",
  "refused",
  "silent",
  "server-error",
  "throttled",
  "denied",
  "expired-key",
  "bad-answer",
  "partial",
  "slow",
  "too-slow",
];

/** One in ten is quiet: deployments, but no faults. */
export function drawTrace(random: Random, seed: number, days: number): Trace {
  const isQuiet = random.chance(0.1);
  const week = days * DAY;
  const happenings: Happening[] = [];
  const add: Add = (what, at, happen) => void happenings.push({ at, what, happen });
  const during = (mean: number, draw: (at: number) => void) => {
    for (let left = random.count((mean * days) / 7); left > 0; left -= 1)
      draw(random.between(10 * MIN, week));
  };

  during(7, (at) => {
    const lastsMs = random.logBetween(MIN, 5 * HOUR);
    const background = random.chance(0.7) ? random.integer(1, 3) : 0;
    add("deployment", at, ({ agent }) => agent.deploy(lastsMs, background));
  });
  if (!isQuiet) addFaults(random, during, add);
  happenings.sort((one, other) => one.at - other.at);
  return {
    seed,
    days,
    longestSessionMs: random.oneOf([HOUR, 12 * HOUR]),
    drift: isQuiet ? 0 : random.between(-200e-6, 200e-6),
    happenings,
    isQuiet,
  };
}

function addFaults(
  random: Random,
  during: (mean: number, draw: (at: number) => void) => void,
  add: Add,
): void {
  during(4, (at) => stsFault(random, at, random.logBetween(5 * S, 4 * HOUR), add));
  // The long ones are rare: a host in one does the same again and again.
  during(0.1, (at) => stsFault(random, at, random.logBetween(4 * HOUR, 3 * DAY), add));
  during(2, (at) => {
    const byMs = random.logBetween(2 * S, 9 * HOUR) * (random.chance(0.5) ? 1 : -1);
    add(`clock steps by ${Math.round(byMs / S)} s`, at, (host) => host.stepClock(byMs));
    // Somebody, or chrony, puts it right again.
    add("clock corrected", at + random.logBetween(MIN, DAY), (host) => host.correctClock());
  });
  during(1, (at) => {
    add("suspended", at, (host) => host.suspend());
    add("woken", at + random.logBetween(MIN, 12 * HOUR), (host) => host.resume());
  });
  during(1, (at) => {
    add("power off", at, (host, program) => {
      if (host.power === "off") return;
      program.lose();
      host.powerOff();
    });
    const clockErrorMs = random.chance(0.2) ? random.oneOf([-9 * HOUR, 9 * HOUR, -2 * MIN]) : 0;
    const bootsAt = at + random.logBetween(30 * S, 8 * HOUR);
    add("power on", bootsAt, (host, program) => {
      if (host.power !== "off") return;
      // The hardware clock may be local time; the network's comes a while later.
      if (clockErrorMs !== 0) host.stepClock(clockErrorMs);
      host.boot();
      program.boot(() => host.agent.start());
    });
    if (clockErrorMs !== 0)
      add("clock corrected", bootsAt + random.logBetween(10 * S, HOUR), (host) => host.correctClock());
  });
  for (const who of ["killDaemon", "killChild", "killOneshot"] as const) {
    during(4, (at) => {
      const call = random.chance(0.3) ? undefined : random.integer(1, 60);
      add(`${who} at call ${call ?? "now"}`, at, (_, program) => program[who](call));
    });
  }
  during(1, (at) => {
    const isFilling = random.chance(0.5);
    add("disk full", at, ({ disk }) => {
      disk.isFull = true;
      disk.isFilling = isFilling;
    });
    add("disk has room", at + random.logBetween(MIN, 6 * HOUR), ({ disk }) => {
      disk.isFull = false;
    });
  });
  during(2, (at) => add("worker crashes", at, ({ agent }) => agent.crashWorker()));
  during(0.5, (at) => {
    add("master crashes", at, ({ agent }) => agent.stop("failed"));
    add("agent started", at + random.logBetween(MIN, 10 * HOUR), ({ agent, power }) => {
      if (power === "on") agent.start();
    });
  });
  during(1, (at) => {
    // Whoever stops it in the middle of a lifecycle event fails that himself.
    const isRude = random.chance(0.2);
    add("agent stopped by hand", at, ({ agent }) => {
      if (isRude || !agent.hasEvent) agent.stop();
    });
    add("agent started", at + random.logBetween(MIN, 10 * HOUR), ({ agent, power }) => {
      if (power === "on") agent.start();
    });
  });
  during(2, (at) => {
    const edit = random.oneOf(["region: us-east-1\n", "not: [yaml", ""]);
    add("agent's config edited", at, ({ disk }) => {
      const found = disk.find(AGENT_CONFIG)?.content.toString("utf8") ?? "";
      disk.put(AGENT_CONFIG, edit === "" ? "" : found.replace(/^region: .*\n/m, edit));
    });
  });
  during(1, (at) => editOurConfig(random, at, add));
}

/** An operator edits our config, right or wrong, and has the service take it up at once, later, or never. */
function editOurConfig(random: Random, at: number, add: Add): void {
  const isWrong = random.chance(0.4);
  const text = random.oneOf(isWrong ? WRONG_EDITS : RIGHT_EDITS);
  const takenUpAt = at + random.logBetween(S, 4 * HOUR);
  add(`our config edited${isWrong ? ", wrongly" : ""}`, at, (host, program) => {
    program.editConfig(text);
    host.isConfigWrong = isWrong;
  });
  if (random.chance(0.7)) add("our config taken up", takenUpAt, (_, program) => program.takeUpConfig());
  add("our config as before", at + random.logBetween(MIN, DAY), (host, program) => {
    program.editConfig(OUR_CONFIG);
    host.isConfigWrong = false;
    program.takeUpConfig();
  });
}

function stsFault(random: Random, at: number, lastsMs: number, add: Add): void {
  const fault = random.oneOf(STS_FAULTS);
  // A key that has expired is replaced in its file, or AWS's side is mended.
  const hasNewKey = fault === "expired-key" && random.chance(0.5);
  let key: symbol;
  add(`${fault} for ${Math.round(lastsMs / S)} s`, at, ({ sts }) => {
    key = sts.begin(fault);
  });
  add(`${fault} ends`, at + lastsMs, ({ sts, disk }) => {
    sts.end(key);
    if (hasNewKey) disk.put(BASE_CREDENTIALS_FILE, `[default]\naws_access_key_id = AKIA${at}\n`);
  });
}
