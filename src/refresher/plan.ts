/**
 * What `run` must know of its config: the values and the next times of the schedule. A child works them out, so
 * that the resident process holds neither YAML parser nor validation nor cron matcher (FACTS: 12 MB).
 */
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { startChild } from "./child.ts";

export interface Plan {
  config: Config;
  /** Unknown keys, each with its place. */
  warnings: string[];
  /** This is not the machine that was registered: `refresh` will refuse, and say why. */
  isClone: boolean;
  /** The next instants of the schedule, in milliseconds since the epoch, ascending. */
  refreshes: number[];
}

/** About two days of the default schedule; a new plan is made before they run out. */
export const PLANNED_REFRESHES = 96;

const PLAN_LIMIT_MS = 30_000;

/**
 * Reads and checks the config file, and plans by it.
 *
 * @throws Failure `config` with every error, or `crashed`
 */
export async function makePlan(configFile: string, env: NodeJS.ProcessEnv): Promise<Plan> {
  return (await ask(["--config", configFile], "", env)) as Plan;
}

/**
 * The next times of a schedule that is in force, whatever the config file says by now.
 *
 * @returns milliseconds since the epoch, ascending
 * @throws Failure `crashed`
 */
export async function planOn(config: Config, env: NodeJS.ProcessEnv): Promise<number[]> {
  return ((await ask(["--resolved-config"], JSON.stringify(config), env)) as Plan).refreshes;
}

async function ask(args: string[], input: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = startChild({ args: ["check-config", "--plan", ...args], input, limitMs: PLAN_LIMIT_MS, env });
  const { exitCode, output, errors, wasTooSlow } = await child.result;
  if (exitCode === 0) {
    try {
      return JSON.parse(output);
    } catch {
      // Falls through to the report of a crash.
    }
  }
  const message = errors.trim();
  if (exitCode === 78)
    throw new Failure({ kind: "config", message, nextStep: "Run: idc-helper check-config" });
  throw new Failure({
    kind: "crashed",
    message: `the config could not be read: ${wasTooSlow ? "that took too long" : message || `exit status ${exitCode}`}`,
    nextStep: "Run idc-helper check-config by hand.",
  });
}
