/**
 * Starts a stand-in agent in a scratch directory, for tests and the demo, and watches it.
 *
 * What it started it stops, by process id; what scripts left behind belongs to whoever handed out the scripts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readTrace, type TraceEvent } from "./trace.ts";

const AGENT_ENTRY = fileURLToPath(new URL("codedeploy-agent.ts", import.meta.url));
const WATCH_EVERY_MS = 20;
const DEFAULT_LIMIT_MS = 150_000;
const STOP_LIMIT_MS = 10_000;

export interface AgentPaths {
  settings: string;
  onPremisesConfig: string;
  rootDir: string;
  trackingDir: string;
  log: string;
  pidFile: string;
  trace: string;
}

export interface LaunchOptions {
  /** A directory of the test's own; everything of the agent lies in it. */
  directory: string;
  /** Base address of the emulator. */
  endpoint: string;
  timeFactor: number;
  /** Added to this process's environment, without its AWS settings. */
  env?: Record<string, string>;
  /** Added to `codedeployagent.yml`; keys without the colon. */
  settings?: Record<string, string | number | boolean>;
}

export interface RunningAgent {
  masterPid: number;
  paths: AgentPaths;
  /** The worker at this moment; undefined while the master waits to replace one. */
  workerPid(): number | undefined;
  trace(): TraceEvent[];
  /** The first event that fits, waiting for it if need be. @throws after `limitMs` (150 s), with the last events */
  waitForTrace<Event extends TraceEvent>(
    fits: (event: TraceEvent) => event is Event,
    limitMs?: number,
  ): Promise<Event>;
  waitForTrace(fits: (event: TraceEvent) => boolean, limitMs?: number): Promise<TraceEvent>;
  /** Ends master and worker; by force if they do not end by themselves. */
  stop(): Promise<void>;
}

/** Where everything of an agent in this directory lies, also before it is started. */
export function agentPaths(directory: string): AgentPaths {
  const rootDir = join(directory, "deployment-root");
  return {
    settings: join(directory, "codedeployagent.yml"),
    onPremisesConfig: join(directory, "codedeploy.onpremises.yml"),
    rootDir,
    trackingDir: join(rootDir, "ongoing-deployment"),
    log: join(directory, "log", "codedeploy-agent.log"),
    pidFile: join(directory, "state", ".pid", "codedeploy-agent.pid"),
    trace: join(directory, "agent-trace.jsonl"),
  };
}

/** What an installed agent leaves on a host before its first start: its settings, but no on-premises config. */
export function installAgent({
  directory,
  settings = {},
}: Pick<LaunchOptions, "directory" | "settings">): AgentPaths {
  const paths = agentPaths(directory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(paths.settings, settingsYaml(paths, settings));
  return paths;
}

/** Starts the agent; it is up when this returns, its worker perhaps not yet. */
export async function startAgent(options: LaunchOptions): Promise<RunningAgent> {
  const paths = installAgent(options);
  // An agent that ran here before has left its trace; the caller asks for this one's.
  const before = readTrace(paths.trace).length;
  const trace = () => readTrace(paths.trace).slice(before);
  const master = spawn(
    process.execPath,
    [AGENT_ENTRY, "start", "--settings", paths.settings, "--endpoint", options.endpoint],
    { env: environment(paths, options), stdio: ["ignore", "inherit", "inherit"] },
  );
  await once(master, "spawn");
  const masterPid = master.pid ?? 0;

  async function waitForTrace<Event extends TraceEvent>(
    fits: (event: TraceEvent) => event is Event,
    limitMs?: number,
  ): Promise<Event>;
  async function waitForTrace(fits: (event: TraceEvent) => boolean, limitMs?: number): Promise<TraceEvent>;
  async function waitForTrace(
    fits: (event: TraceEvent) => boolean,
    limitMs = DEFAULT_LIMIT_MS,
  ): Promise<TraceEvent> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = trace().find(fits);
      if (found) return found;
      if (performance.now() > deadline) throw new Error(nothingFits(trace(), limitMs));
      await pause(WATCH_EVERY_MS);
    }
  }

  return {
    masterPid,
    paths,
    workerPid: () => onlyChild(masterPid),
    trace,
    waitForTrace,
    stop: () => stop(master),
  };
}

function settingsYaml(paths: AgentPaths, settings: NonNullable<LaunchOptions["settings"]>): string {
  const values = {
    program_name: "codedeploy-agent",
    log_dir: dirname(paths.log),
    pid_dir: dirname(paths.pidFile),
    root_dir: paths.rootDir,
    on_premises_config_file: paths.onPremisesConfig,
    wait_between_runs: 1,
    verbose: false,
    ...settings,
  };
  return Object.entries(values)
    .map(([key, value]) => `:${key}: ${JSON.stringify(value)}\n`)
    .join("");
}

/** The agent must find nothing of AWS in its environment but what the test puts there. */
function environment(paths: AgentPaths, { env, timeFactor }: LaunchOptions): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(own),
    IDC_AGENT_TIME_FACTOR: String(timeFactor),
    IDC_AGENT_TRACE: paths.trace,
    ...env,
  };
}

function onlyChild(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

async function stop(master: ChildProcess): Promise<void> {
  if (master.exitCode !== null || master.signalCode !== null || master.pid === undefined) return;
  const workerPid = onlyChild(master.pid);
  const ended = once(master, "exit");
  master.kill("SIGTERM");
  const limit = setTimeout(() => {
    master.kill("SIGKILL");
    // The worker is still the one that was seen: its master, which alone could have reaped it, had not ended.
    if (workerPid !== undefined) killIfThere(workerPid);
  }, STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It had ended by itself.
  }
}

function nothingFits(events: TraceEvent[], limitMs: number): string {
  const last = events.slice(-10).map((event) => `  ${JSON.stringify(event)}`);
  return [`no fitting event of the stand-in agent within ${limitMs} ms; its last ones:`, ...last].join("\n");
}
