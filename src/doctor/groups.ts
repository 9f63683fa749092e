/** Every check, in the order in which they are shown. */
import type { CheckGroup } from "./check.ts";
import { agentProcess } from "./checks/agent.ts";
import { agentTraffic } from "./checks/agent-traffic.ts";
import { baseCredentials } from "./checks/base-credentials.ts";
import { configuration } from "./checks/configuration.ts";
import { credentialsFile } from "./checks/credentials-file.ts";
import { host } from "./checks/host.ts";
import { network } from "./checks/network.ts";
import { registration } from "./checks/registration.ts";
import { service } from "./checks/service.ts";

export const CHECK_GROUPS: readonly CheckGroup[] = [
  configuration,
  service,
  network,
  baseCredentials,
  credentialsFile,
  { group: "Agent", checks: [...agentProcess, ...agentTraffic] },
  registration,
  host,
];
