/** A host on the old cron pair, with its script run by a real cron's line: moved over with one command. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { BASE_KEY, ROLE_ARN } from "../../aws-emulator/emulator.ts";
import { SERIAL, SESSION_ARN } from "../../harness/scratch-host.ts";
import { AgentOnHost, UNIT } from "../agent-service.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../checks.ts";
import { AGENT_CONFIG, DAEMON, type Host, REGION } from "../host.ts";
import { InstalledHost } from "./installed-host.ts";
import { PACKAGE } from "./repository.ts";

const SCRIPT = "/opt/codedeploy-cron/refresh.sh";
const OLD_FILE = "/opt/codedeploy-cron/session-credentials";
const CRONTAB = "/var/spool/cron/crontabs/root";
const ASSUMER = fileURLToPath(new URL("../../integration/adopt-cron-job.ts", import.meta.url));

export async function checkAdoption(host: Host, check: Check): Promise<void> {
  const it = new InstalledHost(host, new AgentOnHost(host));
  const { agent, operator } = it;
  const { machine, emulator } = host;

  await check("a host on the old cron pair deploys", async () => {
    const instance = emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
    emulator.state.instances.put({ ...instance, tags: [{ Key: "Name", Value: "web" }] });
    await machine.write("/opt/codedeploy-cron/assume.mjs", await bundled(ASSUMER));
    await machine.write(
      SCRIPT,
      `#!/bin/sh\n# Keeps the agent's credentials fresh.\nROLE=${ROLE_ARN}\nAWS_ENDPOINT_URL=${emulator.url} HOME=/root exec /opt/stand-in/node /opt/codedeploy-cron/assume.mjs "$ROLE" ${SERIAL} ${OLD_FILE}\n`,
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
      `---\niam_session_arn: ${SESSION_ARN}\naws_credentials_file: ${OLD_FILE}\nregion: ${REGION}\n`,
    );
    await machine.sh(SCRIPT);
    await agent.place("root");
    await machine.sh(`systemctl start ${UNIT}`);
    await agent.processes();
    await it.deployApplication();
  });

  await check("adopt: one command, with a deployment's application left alone", async () => {
    await it.dnf("install", PACKAGE);
    await operator.pointAtAws();
    const before = await agent.processes();
    const moved = new Date();
    await operator.must(["adopt", "--yes"]);
    await it.pollWithNewerThan(moved);
    expectEqual((await agent.processes()).master, before.master, "the master");
    expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
    expectNoMatch(
      await machine.sh(`cat ${CRONTAB}`),
      /^[^#].*refresh\.sh/m,
      "what is in force in the crontab",
    );
    expectMatch(await machine.sh(`cat ${CRONTAB}`), /^5 4 \* \* \* \/usr\/bin\/true$/m, "the crontab");
    await operator.must(["doctor"]);
    await it.expectNoHarm();
  });

  await check("adopt --undo: the old pair works again, and nothing was hurt", async () => {
    await host.forgetSyncs();
    await operator.must(["adopt", "--undo", "--yes"]);
    expectMatch(await machine.sh("crontab -l"), /^\*\/30 .*refresh\.sh/m, "the crontab");
    expectMatch(await machine.sh(`cat ${AGENT_CONFIG}`), /session-credentials/, "the agent's config");
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    await it.expectNoHarm();
  });
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
