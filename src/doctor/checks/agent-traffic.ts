/** The CodeDeploy agent's way to AWS: its proxy, its endpoint, what its log says, and the event in its hands. */
import { type EventsReading, readLifecycleEvents } from "../../agent/lifecycle-events.ts";
import { startedBootMs } from "../../agent/processes.ts";
import type { AgentSettings } from "../../agent/settings.ts";
import { readClock } from "../../host/clock.ts";
import type { LogReading } from "../agent-facts.ts";
import { type LogTroubles, readTroubles } from "../agent-log-lines.ts";
import type { Check } from "../check.ts";
import type { Examination } from "../examination.ts";
import { type Finding, fail, pass, Unmet, unseen, warn } from "../finding.ts";
import { quoted } from "./registration.ts";

export const agentTraffic: readonly Check[] = [
  {
    id: "agent.proxy",
    title: "Its proxy",
    async run({ agent, aws, host }) {
      const config = await host.config();
      const settings = await agent.settings();
      const ours = await aws.agents().catch(() => {
        throw new Unmet("our own proxy cannot be used");
      });
      return judgeProxies(ours.proxy, settings.proxyUri, config.agent.settingsFile, config.agent.service);
    },
  },
  {
    id: "agent.auth-policy",
    title: "Its endpoint",
    async run(examination) {
      const settings = await examination.agent.settings();
      return judgeAuthPolicy(settings, await troublesOf(examination));
    },
  },
  {
    id: "agent.log",
    title: "Its log since the last refresh",
    async run(examination) {
      const { logFile } = await examination.agent.settings();
      const log = await examination.agent.log();
      if ("hidden" in log)
        return unseen(`${log.hidden}: it may not be read by this user`, examination.asRoot);
      const unit = (await examination.host.config()).agent.service;
      return judgeLog(log, await troublesOf(examination), { logFile, unit });
    },
  },
  {
    id: "agent.events",
    title: "Lifecycle events",
    async run(examination) {
      const { trackingDirectory } = await examination.agent.settings();
      const { worker } = await examination.agent.service();
      const { bootMs } = readClock();
      const ageMs = worker === null ? null : bootMs - startedBootMs(worker, bootMs);
      const events = await readLifecycleEvents(trackingDirectory, ageMs);
      if (events.kind === "unknown") return unseen(events.why, examination.asRoot);
      return judgeEvents(events, trackingDirectory);
    },
  },
];

async function troublesOf(examination: Examination): Promise<LogTroubles> {
  const log = await examination.agent.log();
  return readTroubles("text" in log ? log.text : "", await lastRefreshMs(examination));
}

/** @returns 0 where it is not known: then the whole tail counts */
async function lastRefreshMs({ host }: Examination): Promise<number> {
  const reading = await host.record();
  const issuedAt = reading === "hidden" ? undefined : reading.record?.issuedAt;
  if (issuedAt !== undefined) return Date.parse(issuedAt);
  const told = await host.status();
  return Date.parse("status" in told ? (told.status?.credentials?.issued_at ?? "") : "") || 0;
}

export function judgeProxies(
  ours: string | null,
  agents: string | null,
  settingsFile: string,
  unit: string,
): Finding {
  const shown = agents === null ? null : withoutPassword(agents);
  if (ours === shown) return pass(ours ?? "none, like ours");
  const restart = {
    advice: "The agent reads it at a restart only, which also ends what deployments started.",
    mend:
      ours === null
        ? [`sed -i 's|^:proxy_uri:.*|:proxy_uri:|' ${settingsFile}`, `systemctl restart ${unit}`]
        : [
            `sed -i '/^:proxy_uri:/d' ${settingsFile}`,
            `sed -i '$a :proxy_uri: ${ours}' ${settingsFile}`,
            `systemctl restart ${unit}`,
          ],
  };
  if (shown === null) return warn(`we go through ${ours}, but the agent has no :proxy_uri:`, restart);
  if (ours === null) {
    return warn(`the agent goes through ${shown}, but we call AWS directly`, {
      advice: `If this host needs it, add to the configuration: network: { proxy: "${shown}" }`,
      mend: ["systemctl reload idc-codedeploy-helper.service"],
    });
  }
  return warn(`we go through ${ours}, the agent through ${shown}`, restart);
}

function withoutPassword(proxy: string): string {
  const url = URL.parse(proxy);
  return url === null ? "something that is no URL" : `${url.protocol}//${url.host}`;
}

export function judgeAuthPolicy(
  {
    enableAuthPolicy,
    deployControlEndpoint,
  }: Pick<AgentSettings, "enableAuthPolicy" | "deployControlEndpoint">,
  troubles: LogTroubles,
): Finding {
  const where = deployControlEndpoint === null ? "the region's own" : deployControlEndpoint;
  if (!enableAuthPolicy) return pass(`${where}; :enable_auth_policy: is off`);
  if (troubles.secureDenied === null)
    return pass(`${where}; :enable_auth_policy: is on, and the role must allow codedeploy-commands-secure`);
  return fail(`:enable_auth_policy: is on, and the role lacks its rights: ${troubles.secureDenied}`, {
    advice: "This prints the role's policy with them:",
    mend: ["idc-helper iam --auth-policy --only role"],
  });
}

export function judgeLog(
  log: LogReading,
  { expired, denied, recoveredAt }: LogTroubles,
  { logFile, unit }: { logFile: string; unit: string },
): Finding {
  if ("missing" in log) {
    return warn(`there is no ${logFile}: the agent has not written a line yet`, {
      mend: [`systemctl status ${unit}`],
    });
  }
  const worst = expired ?? denied;
  if (worst === null) return pass("no ExpiredTokenException, no AccessDenied");
  if (recoveredAt !== null) return pass(`there was trouble, but it polls again since ${recoveredAt}`);
  if (expired !== null)
    return fail(`it polls with expired credentials: ${expired}`, { mend: [`systemctl reload ${unit}`] });
  return fail(`AWS denies what it asks: ${denied}`, {
    advice: "See whether the host is registered with this role's session, and what the role allows:",
    mend: ["idc-helper doctor --profile OPERATOR", "idc-helper iam --only role"],
  });
}

export function judgeEvents(events: EventsReading, trackingDirectory: string): Finding {
  switch (events.kind) {
    case "none":
    case "unknown":
      return pass("none in progress, none left over");
    case "in_progress":
      return pass(
        `in progress: deployment ${events.deploymentIds.join(", ")}; nothing is restarted meanwhile`,
      );
    case "left_over":
      return warn(`left over by an earlier worker: ${events.deploymentIds.join(", ")}`, {
        advice: "Where no deployment is in progress on this host, they can go:",
        // Named by the agent's user, who may be anybody.
        mend: events.deploymentIds.map((id) => `rm ${quoted(`${trackingDirectory}/${id}`)}`),
      });
  }
}
