/** What else befalls `run` in its life: files touched behind its back, signals, another configuration. */
import { appendFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import type { ScratchHost } from "../../harness/scratch-host.ts";
import type { Random } from "../continuity/random.ts";

interface Situation {
  host: ScratchHost;
  pid: number;
}

const DISTURBANCES: Readonly<Record<string, (situation: Situation) => void>> = {
  "the credentials file removed": ({ host }) => rmSync(host.credentialsFile, { force: true }),
  "the credentials file written by somebody else": ({ host }) =>
    writeFileSync(host.credentialsFile, "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"),
  "the base credentials touched": ({ host }) => utimesSync(host.baseFile, new Date(), new Date()),
  "a refresh asked for": ({ pid }) => void process.kill(pid, "SIGUSR2"),
  "the answer of root's oneshot spoilt": ({ host }) =>
    appendFileSync(`${host.agentRuntimeDir}/agent.json`, "rubbish"),
  "the configuration changed and reloaded": ({ host, pid }) => {
    const text = readFileSync(host.configFile, "utf8");
    const isLonger = text.includes("session_duration: 1h");
    host.writeConfig(
      isLonger
        ? text.replace("duration: 1h", "duration: 55m")
        : text.replace("duration: 55m", "duration: 1h"),
    );
    process.kill(pid, "SIGHUP");
  },
  "a wrong configuration reloaded": ({ host, pid }) => {
    const text = readFileSync(host.configFile, "utf8");
    host.writeConfig(`${text}\nregion: [`);
    process.kill(pid, "SIGHUP");
    // Read by a child within that time, or right again when it is.
    setTimeout(() => host.writeConfig(text), 2_000);
  },
};

export class Disturbances {
  /** How often each came. */
  readonly counts = new Map<string, number>();
  readonly #random: Random;
  readonly #situation: Situation;

  constructor(situation: Situation, random: Random) {
    this.#situation = situation;
    this.#random = random;
  }

  get count(): number {
    return [...this.counts.values()].reduce((sum, each) => sum + each, 0);
  }

  /** @param chance from 0 to 1 */
  perhaps(chance: number): void {
    if (!this.#random.chance(chance)) return;
    const name = this.#random.oneOf(Object.keys(DISTURBANCES));
    DISTURBANCES[name]?.(this.#situation);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
