/**
 * A stand-in for the AWS CodeDeploy agent, for the demo and the tests: `start` runs its master in the foreground.
 *
 * It imitates what the product depends on (FACTS): processes and titles, config, credentials and when they are read
 * again, polls, lifecycle events with their tracking files, graceful stops. It installs no application: a lifecycle
 * event is a shell script that the emulator hands out.
 */
import { parseArgs } from "node:util";
import { Master } from "./master.ts";

const USAGE = `usage: codedeploy-agent.ts start --settings FILE [--endpoint URL] [--time-factor N]

  --settings FILE     codedeployagent.yml
  --endpoint URL      the command service (or IDC_AGENT_ENDPOINT; default: AWS's for the configured region)
  --time-factor N     live N times as fast (or IDC_AGENT_TIME_FACTOR; default: 1)

IDC_AGENT_TRACE names a file that is given a JSON line for everything that happens.`;

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      settings: { type: "string" },
      endpoint: { type: "string" },
      "time-factor": { type: "string" },
    },
  });
  if (positionals.length !== 1 || positionals[0] !== "start" || values.settings === undefined) {
    throw new Error(USAGE);
  }
  const { IDC_AGENT_ENDPOINT, IDC_AGENT_TIME_FACTOR, IDC_AGENT_TRACE } = process.env;
  new Master({
    settingsFile: values.settings,
    endpoint: values.endpoint ?? IDC_AGENT_ENDPOINT,
    timeFactor: Number(values["time-factor"] ?? IDC_AGENT_TIME_FACTOR ?? "1"),
    traceFile: IDC_AGENT_TRACE,
  }).start();
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
