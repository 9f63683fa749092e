/** What the services of a scratch host need to know of it. */
import type { AccountName } from "./accounts.ts";

export interface HostInside {
  /** The scratch directory, seen from outside. */
  directory: string;
  timeFactor: number;
  agentTimeFactor: number;
  /** Where the agent's command service is. */
  agentEndpoint: string;
  /** Put before a command, it runs in there as that user. */
  enter(as: AccountName): readonly string[];
  /** The environment that a unit's process gets. */
  serviceEnv(): NodeJS.ProcessEnv;
}

/** Where the harness keeps its own things on the host. */
export const HARNESS_DIRECTORY = "/opt/test-harness";
