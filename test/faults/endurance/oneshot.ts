/** In place of the root oneshot, whose start for each refresh would be most of the work: takes requests and answers. */
import { existsSync } from "node:fs";
import { type SyncAnswer, takeRequest } from "../../../src/agent/exchange.ts";
import { agentRuntimeFiles, DEFAULT_PATHS } from "../../../src/config/paths.ts";
import { replaceFile } from "../../../src/host/atomic-file.ts";
import { readBootId, readClock } from "../../../src/host/clock.ts";
import type { Random } from "../continuity/random.ts";

const EVERY_MS = 25;
/** The answers that make `run` ask again, or be silent, one in ten. */
const RELOADS = ["deferred", "failed", "under_way"] as const;

export class Oneshot {
  answers = 0;
  readonly #random: Random;
  readonly #paths;
  readonly #timer: NodeJS.Timeout;
  #isAtWork = false;

  constructor(agentRuntimeDir: string, random: Random) {
    this.#random = random;
    this.#paths = { ...DEFAULT_PATHS, agentRuntimeDir };
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { request, answer } = agentRuntimeFiles(this.#paths);
    if (this.#isAtWork || !existsSync(request)) return;
    this.#isAtWork = true;
    const taken = await takeRequest(this.#paths);
    if (taken !== null) {
      await replaceFile(answer, `${JSON.stringify(this.#answerTo(taken.id))}\n`, { mode: 0o644 });
      this.answers += 1;
    }
    this.#isAtWork = false;
  }

  #answerTo(id: string): SyncAnswer {
    const { bootMs } = readClock();
    const isWrong = this.#random.chance(0.1);
    return {
      id,
      at: new Date().toISOString(),
      bootId: readBootId(),
      bootMs,
      pickupWindowMs: 1_680_000,
      agent: {
        state: "running",
        detail: "",
        masterPid: 1,
        workerPid: 2,
        workerStartedBootMs: bootMs,
        invocationId: null,
      },
      config: {
        state: "matches",
        file: "/codedeploy.onpremises.yml",
        detail: "",
        differences: [],
        backup: null,
      },
      reload: {
        state: isWrong ? this.#random.oneOf(RELOADS) : "not_needed",
        causes: isWrong ? ["credentials"] : [],
        detail: isWrong ? "an event is in progress" : "",
        nextStep: "",
      },
    };
  }
}
