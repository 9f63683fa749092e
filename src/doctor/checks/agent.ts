/** The CodeDeploy agent: installed, running with a worker that has loaded what it must, and reloadable. */
import { statSync } from "node:fs";
import { desiredConfig } from "../../agent/desired-config.ts";
import { readAnswer } from "../../agent/exchange.ts";
import { readOnPremisesConfig } from "../../agent/on-premises-config.ts";
import { type ProcessIdentity, startedBootMs } from "../../agent/processes.ts";
import { readClock } from "../../host/clock.ts";
import { isFlapping } from "../agent-log-lines.ts";
import { installedVersion } from "../agent-version.ts";
import type { Check } from "../check.ts";
import { fail, pass, Unmet, unseen } from "../finding.ts";
import { judgeConfig, judgeDropIn, judgeLoaded, judgeRunning, judgeVersion } from "../judgements/agent.ts";
import { registerCommand } from "./registration.ts";

export const agentProcess: readonly Check[] = [
  {
    id: "agent.installed",
    title: "Installed",
    async run({ agent, host }) {
      const config = await host.config();
      const version = await installedVersion();
      const { state } = await agent.service();
      return judgeVersion(version, state === "absent", registerCommand(config));
    },
  },
  {
    id: "agent.settings",
    title: "Its own settings",
    async run(examination) {
      const { settingsFile } = (await examination.host.config()).agent;
      const reading = await examination.agent.settingsReading();
      if ("settings" in reading) return pass(settingsFile);
      if (reading.unreadable.includes("permission denied"))
        return unseen(reading.unreadable, examination.asRoot);
      return fail(reading.unreadable, {
        advice: "The agent does not start with such settings either. Correct the file.",
        mend: [`vi ${settingsFile}`],
      });
    },
  },
  {
    id: "agent.running",
    title: "Running, with a worker",
    async run({ agent, host }) {
      const unit = (await host.config()).agent.service;
      const { logFile } = await agent.settings();
      const log = await agent.log();
      const flaps = "text" in log && isFlapping(log.text, Date.now());
      return judgeRunning(await agent.service(), { unit, logFile, flaps });
    },
  },
  {
    id: "agent.loaded",
    title: "Has loaded what is in force",
    async run({ agent, host }) {
      const config = await host.config();
      const { worker } = await agent.service();
      if (worker === null) throw new Unmet("the agent has no worker");
      const { onPremisesConfigFile } = await agent.settings();
      const reading = await host.status();
      return judgeLoaded({
        worker,
        workerStartedMs: startedWallMs(worker),
        configChangedMs: statSync(onPremisesConfigFile, { throwIfNoEntry: false })?.ctimeMs ?? null,
        answer: await readAnswer(config.paths),
        agent: "status" in reading ? (reading.status?.agent ?? null) : null,
        unit: config.agent.service,
      });
    },
  },
  {
    id: "agent.drop-in",
    title: "Can be reloaded gracefully",
    run: async ({ host }) => judgeDropIn(await host.agentUnit(), (await host.config()).agent.service),
  },
  {
    id: "agent.config",
    title: "On-premises config",
    async run(examination) {
      const { onPremisesConfigFile: file } = await examination.agent.settings();
      const reading = await readOnPremisesConfig(file, desiredConfig(await examination.host.config()));
      if (reading.kind === "unreadable" && reading.why === "permission denied")
        return unseen(`${file} may not be read by this user`, examination.asRoot);
      return judgeConfig(file, reading, examination.own("sync-agent"));
    },
  },
];

function startedWallMs(worker: ProcessIdentity): number {
  const { wallMs, bootMs } = readClock();
  return wallMs - (bootMs - startedBootMs(worker, bootMs));
}
