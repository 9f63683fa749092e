/** The old way: a script that a real cron's line runs, and an agent that reads what it writes. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { BASE_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { SERIAL, SESSION_ARN } from "../harness/scratch-host.ts";
import { AGENT_CONFIG, type Host, REGION } from "./host.ts";

const SCRIPT = "/opt/codedeploy-cron/refresh.sh";
export const OLD_FILE = "/opt/codedeploy-cron/session-credentials";
const ASSUMER = fileURLToPath(new URL("../integration/adopt-cron-job.ts", import.meta.url));

/** Lays it all down, but for the agent itself, and runs the script once. */
export async function layCronPair({ machine, emulator }: Host, serial = SERIAL): Promise<void> {
  const sessionArn = SESSION_ARN.replace(SERIAL, serial);
  const instance = emulator.instances.put({ name: serial, region: REGION, iamSessionArn: sessionArn });
  emulator.state.instances.put({ ...instance, tags: [{ Key: "Name", Value: "web" }] });
  await machine.write("/opt/codedeploy-cron/assume.mjs", await bundled(ASSUMER));
  await machine.write(
    SCRIPT,
    `#!/bin/sh\n# Keeps the agent's credentials fresh.\nROLE=${ROLE_ARN}\nAWS_ENDPOINT_URL=${emulator.url} HOME=/root exec /opt/stand-in/node /opt/codedeploy-cron/assume.mjs "$ROLE" ${serial} ${OLD_FILE}\n`,
    "0755",
  );
  const { accessKeyId, secretAccessKey } = BASE_KEY;
  await machine.write(
    "/root/.aws/credentials",
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    "0600",
  );
  await machine.sh("crontab -", `*/30 * * * * ${SCRIPT} >/dev/null 2>&1\n5 4 * * * /usr/bin/true\n`);
  await machine.write(
    AGENT_CONFIG,
    `---\niam_session_arn: ${sessionArn}\naws_credentials_file: ${OLD_FILE}\nregion: ${REGION}\n`,
  );
  await machine.sh(SCRIPT);
}

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "warning",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  return outputFiles[0]?.text ?? "";
}
