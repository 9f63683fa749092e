/**
 * Whether systemd started us, and the test-only time factor that must never act there.
 */
import { Failure } from "../failure.ts";

const TIME_FACTOR = "IDC_HELPER_TIME_FACTOR";

/** Process work has real costs, however fast the test's clock runs: limits on it never shrink below this. */
const SHORTEST_LIMIT_MS = 10_000;

/**
 * True in a systemd service and in its children.
 *
 * `INVOCATION_ID` alone is no proof: a desktop terminal started by the user's systemd passes it on to every
 * shell. The directories are set by our units only, and a service's own parent is PID 1.
 */
export function isSystemdService(env: NodeJS.ProcessEnv = process.env, parentPid = process.ppid): boolean {
  if (env.NOTIFY_SOCKET || env.STATE_DIRECTORY || env.RUNTIME_DIRECTORY) return true;
  return Boolean(env.INVOCATION_ID) && parentPid === 1;
}

/**
 * By how much every duration is shortened: 1 in production, more in tests and in the demo.
 *
 * @throws Failure `config` when it is set to nonsense or under systemd
 */
export function timeFactor(env: NodeJS.ProcessEnv = process.env): number {
  const text = env[TIME_FACTOR];
  if (text === undefined || text === "") return 1;
  const factor = Number(text);
  if (isSystemdService(env)) {
    throw new Failure({
      kind: "config",
      message: `${TIME_FACTOR} is set, but it is for tests only and is refused in a systemd service`,
      nextStep: `Remove ${TIME_FACTOR} from the unit's environment.`,
    });
  }
  if (!(factor >= 1 && factor <= 4_000)) {
    throw new Failure({
      kind: "config",
      message: `${TIME_FACTOR} is "${text}"; a number from 1 to 4000 is allowed`,
      nextStep: `Unset ${TIME_FACTOR}: it is for tests only.`,
    });
  }
  return factor;
}

/** A duration as the test's clock has it. */
export function scaled(durationMs: number, factor: number): number {
  return durationMs / factor;
}

/** A limit on what a real process or socket must do in that time: scaled, but never impossibly short. */
export function scaledLimit(durationMs: number, factor: number): number {
  return Math.max(durationMs / factor, Math.min(durationMs, SHORTEST_LIMIT_MS));
}
