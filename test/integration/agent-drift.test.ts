/** The agent's on-premises config changed by hand: mended by meaning, kept beside, and loaded once. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { runSync } from "../../src/agent/run-sync.ts";
import { loadConfig } from "../../src/config/load.ts";
import { openLog } from "../../src/report/log.ts";
import { fixedSecret } from "../aws-emulator/identity/canary.ts";
import {
  AGENT_FACTOR,
  type AgentScene,
  breakRegion,
  editConfig,
  newWorkerPolls,
  openAgentScene,
  reloads,
  syncOnce,
  syncUntilDone,
} from "../harness/agent-scene.ts";
import { SESSION_ARN } from "../harness/scratch-host.ts";

const DRIFTS: { what: string; keys: string[]; edit: (text: string) => string }[] = [
  {
    what: "another region",
    keys: ["region"],
    edit: (text) => text.replace(/^region: .*$/m, "region: us-east-1"),
  },
  {
    what: "another session",
    keys: ["iam_session_arn"],
    edit: (text) => text.replace("serial-ABCDEFG", "serial-OTHER"),
  },
  {
    what: "another credentials file",
    keys: ["aws_credentials_file"],
    edit: (text) =>
      text.replace(/^aws_credentials_file: .*$/m, "aws_credentials_file: /root/.aws/credentials"),
  },
  {
    what: "a key left out",
    keys: ["aws_credentials_file"],
    edit: (text) => text.replace(/^aws_credentials_file: .*\n/m, ""),
  },
  {
    what: "iam_user_arn beside iam_session_arn",
    keys: ["iam_user_arn"],
    edit: (text) => `${text}iam_user_arn: arn:aws:iam::123456789012:user/old\n`,
  },
  {
    what: "the secret key of an old registration",
    keys: ["aws_access_key_id", "aws_secret_access_key"],
    edit: (text) => `${text}aws_access_key_id: AKIAOLD\naws_secret_access_key: ${fixedSecret("IAM user")}\n`,
  },
  { what: "no YAML at all", keys: ["(whole file)"], edit: () => "region: [ap-northeast-2\n" },
  { what: "an empty file", keys: ["(whole file)"], edit: () => "" },
];

/** Agents that run, each in a scene of its own; a test takes one and gives it back. */
const idle: AgentScene[] = [];
const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

async function takeScene(): Promise<AgentScene> {
  const context = { onTestFinished: (end: () => Promise<void>) => void ends.push(end) };
  return idle.pop() ?? openAgentScene(context);
}

const backupsOf = (path: string) => readdirSync(dirname(path)).filter((name) => name.endsWith(".bak"));

describe.concurrent("the agent's config edited by hand", () => {
  it.for(DRIFTS)(
    "$what: mended, the old file kept, the agent reloaded once",
    async ({ edit, keys }, test) => {
      const scene = await takeScene();
      const { agent, host } = scene;
      const path = agent.paths.onPremisesConfig;
      const [before, backups, worker] = [reloads(scene).length, backupsOf(path), agent.workerPid()];
      editConfig(scene, edit);
      const broken = readFileSync(path, "utf8");

      const answer = await syncOnce(scene);
      test.expect(answer.config.state).toBe("repaired");
      const found = answer.config.differences.map(({ key }) => key);
      test.expect(found).toEqual(keys[0] === "(whole file)" && broken === "" ? found : keys);
      test.expect(JSON.stringify(answer)).not.toContain("oldSecretKey");
      const [backup = ""] = backupsOf(path).filter((name) => !backups.includes(name));
      test.expect(answer.config.backup).toBe(join(dirname(path), backup));
      test.expect(readFileSync(join(dirname(path), backup), "utf8")).toBe(broken);
      test.expect(statSync(join(dirname(path), backup)).mode & 0o777).toBe(0o600);

      if (answer.reload.state !== "done") await syncUntilDone(scene);
      const pid = await newWorkerPolls(scene, worker);
      const read = agent.trace().findLast((event) => event.kind === "config_read" && event.pid === pid);
      test.expect(read).toMatchObject({
        sessionArn: SESSION_ARN,
        credentialsFile: host.credentialsFile,
        region: "ap-northeast-2",
      });
      test
        .expect(await syncOnce(scene))
        .toMatchObject({ config: { state: "matches" }, reload: { state: "not_needed" } });
      test.expect(reloads(scene)).toHaveLength(before + 1);
      idle.push(scene);
    },
  );

  it("the file deleted: made anew, and the agent reloaded once", async (test) => {
    const scene = await takeScene();
    const [before, worker] = [reloads(scene).length, scene.agent.workerPid()];
    rmSync(scene.agent.paths.onPremisesConfig);
    const answer = await syncOnce(scene);
    test.expect(answer.config).toMatchObject({ state: "repaired", backup: null });
    if (answer.reload.state !== "done") await syncUntilDone(scene);
    await newWorkerPolls(scene, worker);
    test.expect(reloads(scene)).toHaveLength(before + 1);
  });

  it("and once more while the agent is reloaded for it: mended in the same run, for systemd does not look then", async (test) => {
    const scene = await openAgentScene(test);
    const path = scene.agent.paths.onPremisesConfig;
    const { config } = await loadConfig({
      ...{ path: scene.host.configFile, unknownKeys: "error", requireTrusted: false, env: {} },
    });
    const log = await openLog({ level: "info", format: "human", write: () => undefined });
    const { info } = log;
    let edits = 0;
    log.info = (event, fields) => {
      if (event === "agent_reloaded") {
        edits += 1;
        breakRegion(scene);
      }
      info(event, fields);
    };
    breakRegion(scene);
    const { answer } = await runSync({ config, factor: AGENT_FACTOR, log });
    test.expect(edits).toBe(1);
    test.expect(answer).toMatchObject({
      config: { state: "repaired" },
      reload: { state: "deferred", causes: ["config"] },
    });
    test.expect(readFileSync(path, "utf8")).toContain("region: ap-northeast-2");
  });

  it("rewritten with other comments, order and quotes: the same config, so nothing happens", async (test) => {
    const scene = await takeScene();
    const { agent, host } = scene;
    const before = reloads(scene).length;
    const other = `# by hand\n"region": 'ap-northeast-2'\naws_credentials_file: "${host.credentialsFile}"\n\niam_session_arn: ${SESSION_ARN}\n`;
    writeFileSync(agent.paths.onPremisesConfig, other);
    test
      .expect(await syncOnce(scene))
      .toMatchObject({ config: { state: "matches" }, reload: { state: "not_needed" } });
    test.expect(readFileSync(agent.paths.onPremisesConfig, "utf8")).toBe(other);
    test.expect(reloads(scene)).toHaveLength(before);
    idle.push(scene);
  });
});
