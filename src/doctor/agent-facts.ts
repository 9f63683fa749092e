/** Facts of the CodeDeploy agent: its settings, its processes, whom it runs as and with what environment. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readTail } from "../agent/agent-log.ts";
import { type AgentService, inspectService } from "../agent/service.ts";
import { type AgentSettings, readAgentSettings, type SettingsReading } from "../agent/settings.ts";
import { errorCode } from "../failure.ts";
import { findUser } from "../host/accounts.ts";
import { processEnvironment } from "../host/process-environment.ts";
import { Unmet } from "./finding.ts";
import type { HostFacts } from "./host-facts.ts";
import { once } from "./once.ts";
import { parseEnvironment } from "./unit-environment.ts";

/** Its master replaces a worker after 5 s: longer than that without one is not a change of workers. */
const WORKER_WAIT_MS = 9_000;
const LOOK_EVERY_MS = 250;

export interface AgentUser {
  name: string;
  userId: number;
  /** All of its groups. */
  groupIds: readonly number[];
  home: string | null;
  /** How this is known. */
  from: string;
}

export type LogReading = { text: string } | { missing: true } | { hidden: string };

export class AgentFacts {
  readonly #host: HostFacts;

  constructor(host: HostFacts) {
    this.#host = host;
  }

  readonly settingsReading = once(async (): Promise<SettingsReading> => {
    return readAgentSettings((await this.#host.config()).agent.settingsFile);
  });

  /** @throws Unmet */
  readonly settings = once(async (): Promise<AgentSettings> => {
    const reading = await this.settingsReading();
    if ("settings" in reading) return reading.settings;
    throw new Unmet("the agent's settings cannot be read");
  });

  /** With its worker, for which a moment is waited where it is just being replaced. */
  readonly service = once(async (): Promise<AgentService> => {
    const { agent } = await this.#host.config();
    const settings = await this.settings();
    const deadline = performance.now() + WORKER_WAIT_MS;
    for (;;) {
      const service = await inspectService(agent.service, settings);
      const isBetween =
        service.state === "starting" || (service.state === "running" && service.worker === null);
      if (!isBetween || performance.now() >= deadline) return service;
      await sleep(LOOK_EVERY_MS);
    }
  });

  /** Whom it runs as: the running master's user, else the unit's, else root. @throws Unmet */
  readonly user = once(async (): Promise<AgentUser> => {
    const { master } = await this.service();
    const running = master === null ? null : await processUser(master.pid);
    if (running !== null) return running;
    const unit = await this.#host.agentUnit().catch(() => null);
    const name = unit?.get("User") || "root";
    const user = findUser(name);
    if (user === null) throw new Unmet(`the agent's user ${name} does not exist on this host`);
    const from = unit?.get("User") ? "User= of its unit" : "its unit names no User=";
    return { ...named(user.userId, name), groupIds: [user.groupId], from };
  });

  /** What the agent has in its environment; null where that is not to be seen. */
  readonly environment = once(async (): Promise<ReadonlyMap<string, string> | null> => {
    const { master } = await this.service();
    if (master !== null) return processEnvironment(master.pid);
    const unit = await this.#host.agentUnit().catch(() => null);
    return unit === null ? null : parseEnvironment(unit.get("Environment") ?? "");
  });

  /** The last part of its log. */
  readonly log = once(async (): Promise<LogReading> => {
    const { logFile } = await this.settings();
    try {
      return { text: await readTail(logFile) };
    } catch (error) {
      const code = errorCode(error);
      return code === "ENOENT" ? { missing: true } : { hidden: `${logFile}: ${code ?? "unreadable"}` };
    }
  });
}

/** proc(5): effective ids, and the supplementary groups. */
async function processUser(pid: number): Promise<AgentUser | null> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const ids = (key: string) =>
    new RegExp(`^${key}:\\s*(.*)$`, "m").exec(text)?.[1]?.trim().split(/\s+/).filter(Boolean).map(Number) ??
    [];
  const userId = ids("Uid")[1];
  const groupId = ids("Gid")[1];
  if (userId === undefined || groupId === undefined) return null;
  const groupIds = [...new Set([groupId, ...ids("Groups")])];
  return { ...named(userId, String(userId)), groupIds, from: `its master is process ${pid}` };
}

function named(userId: number, fallback: string): Pick<AgentUser, "name" | "userId" | "home"> {
  const user = findUser(String(userId));
  return { name: user?.name ?? fallback, userId, home: user?.home ?? null };
}
