/** What lies in the agent's own places: its settings, its config on the host, its log, what systemd says of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { interpretOldConfig } from "../../../../src/adoption/old-setup.ts";
import { parsePolls } from "../../../../src/agent/agent-log.ts";
import { desiredConfig } from "../../../../src/agent/desired-config.ts";
import { readOnPremisesConfig, repairOnPremisesConfig } from "../../../../src/agent/on-premises-config.ts";
import { interpretUnit } from "../../../../src/agent/service.ts";
import { readAgentSettings } from "../../../../src/agent/settings.ts";
import { isFlapping, readTroubles } from "../../../../src/doctor/agent-log-lines.ts";
import { findDenials } from "../../../../src/doctor/audit-log.ts";
import { parseEnvironment } from "../../../../src/doctor/unit-environment.ts";
import { parseProperties } from "../../../../src/host/systemd.ts";
import { readOnPremisesConfig as readAsAgent } from "../../../agent/on-premises-config.ts";
import { sampleConfig } from "../../../unit/aws/sample-config.ts";
import { controlsIn, type Judgement, kind } from "../kind.ts";
import { anyText, damaged, word } from "../words.ts";
import { AUDIT_LINES, LOG_CORPUS, LOG_LINES, UNIT_LINES } from "./log-lines.ts";
import { YAML_CORPUS, yamlOf } from "./yaml-text.ts";

const SETTINGS = [
  ":log_dir :pid_dir :program_name :root_dir :on_premises_config_file :ongoing_deployment_tracking".split(
    " ",
  ),
  ":http_read_timeout :wait_between_runs :wait_after_error :proxy_uri :enable_auth_policy".split(" "),
  [":deploy_control_endpoint", "log_dir", "root_dir"],
].flat();

/** A year: an agent that reads later than that does not read. */
const LONGEST_WINDOW_MS = 366 * 86_400_000;

export const agentSettings = kind({
  name: "agent-settings",
  title: "the agent's settings, codedeployagent.yml",
  inputs: { quick: 150, full: 15_000 },
  arbitrary: yamlOf(SETTINGS),
  corpus: [
    ...YAML_CORPUS,
    ":http_read_timeout: 1e300",
    ":wait_after_error: 9999999999999999",
    ':root_dir: "a\\0b"',
  ],
  open: (directory) => {
    const path = join(directory, "codedeployagent.yml");
    return async (text): Promise<Judgement> => {
      writeFileSync(path, text);
      const reading = await readAgentSettings(path);
      if ("unreadable" in reading)
        return reading.unreadable.includes(path)
          ? controlsIn(reading.unreadable)
          : `no place: ${reading.unreadable}`;
      const { pickupWindowMs, logFile, pidFile, trackingDirectory, onPremisesConfigFile } = reading.settings;
      if (!(pickupWindowMs >= 1_500_000 && pickupWindowMs <= LONGEST_WINDOW_MS))
        return `a pickup window of ${pickupWindowMs} ms`;
      const odd = [logFile, pidFile, trackingDirectory, onPremisesConfigFile].find((file) =>
        file.includes("\0"),
      );
      return odd === undefined ? null : `a path that cannot be: ${JSON.stringify(odd)}`;
    };
  },
});

const CONFIG_KEYS = [
  "iam_session_arn iam_user_arn aws_credentials_file region aws_access_key_id aws_secret_access_key".split(
    " ",
  ),
  [":region", ":iam_session_arn", "Region"],
].flat();

/** Paths and serials that the schema lets pass and YAML takes for something else. */
const desired = fc.record({
  serial: fc.constantFrom("SN-1", "==", "0x10", "1e5", "no", "=,", "@@", "--", "..", "2026-11-28"),
  path: fc.oneof(
    fc.constantFrom(
      "/a: b #c",
      "/x's",
      '/"',
      "/- x",
      "/{a}",
      "/[a]",
      "/%x",
      "/é\u2028x",
      "/\u0085",
      "/&a *b",
      "/ ",
      "/a\u00a0",
    ),
    word.map(
      (text) =>
        `/x${text
          .slice(0, 1_000)
          .replaceAll(/\p{Cc}/gu, "")
          .replaceAll(/\/|\.+$/g, "_")}`,
    ),
  ),
});

export const agentConfig = kind({
  name: "agent-config",
  title: "the agent's config, codedeploy.onpremises.yml, and its repair",
  inputs: { quick: 150, full: 15_000 },
  arbitrary: fc.record({ text: yamlOf(CONFIG_KEYS), desired }),
  corpus: YAML_CORPUS.map((text) => ({ text, desired: { serial: "SN-1", path: "/var/lib/x/credentials" } })),
  open: (directory) => {
    const file = join(directory, "codedeploy.onpremises.yml");
    return async ({ text, desired: { serial, path } }): Promise<Judgement> => {
      writeFileSync(file, text);
      const config = sampleConfig({ serial, credentialsFile: { path, profile: "default", group: null } });
      const wanted = desiredConfig(config);
      const reading = await readOnPremisesConfig(file, wanted);
      if (reading.kind === "missing") return "it is not there";
      if (reading.kind === "unreadable") return text.length > 60_000 ? null : `unreadable: ${reading.why}`;
      if (reading.differences.length > 0) {
        const backup = await repairOnPremisesConfig(file, wanted, reading, new Date());
        if (backup === null || readFileSync(backup, "utf8") !== readText(text))
          return "the backup is another file";
      }
      const after = await readOnPremisesConfig(file, wanted);
      if (after.kind !== "read" || after.differences.length > 0)
        return `repaired, it differs still: ${JSON.stringify(after)}`;
      if (reading.differences.length === 0) return null;
      const seen = readAsAgent(file);
      const isSame = seen.sessionArn === wanted.iam_session_arn && seen.credentialsFile === path;
      return isSame && seen.region === wanted.region ? null : `the agent reads ${JSON.stringify(seen)}`;
    };
  },
});

/** Half a surrogate pair has no bytes of its own in a file. */
function readText(text: string): string {
  return Buffer.from(text).toString("utf8");
}

export const oldConfig = kind({
  name: "old-config",
  title: "the agent's config, as adopt reads it",
  inputs: { quick: 100, full: 8_000 },
  arbitrary: yamlOf(CONFIG_KEYS),
  corpus: YAML_CORPUS,
  open:
    () =>
    (text): Judgement => {
      const reading = interpretOldConfig(text);
      if ("unusable" in reading)
        return reading.unusable.trim() === "" ? "no reason" : controlsIn(reading.unusable);
      const { setup } = reading;
      return /^aws(?:-[a-z]+)*$/.test(setup.partition) ? null : `a partition ${setup.partition}`;
    },
});

const lines = (known: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...known), damaged(fc.constantFrom(...known)), word), { maxLength: 12 })
    .chain((parts) => fc.constantFrom("\n", "\r\n", "\n\n", " ", "").map((joint) => parts.join(joint)));

export const agentLog = kind({
  name: "agent-log",
  title: "the agent's log and the audit log, as doctor and adopt read them",
  inputs: { quick: 100, full: 8_000 },
  arbitrary: fc.oneof(lines([...LOG_LINES, ...AUDIT_LINES]), anyText),
  corpus: LOG_CORPUS,
  open:
    () =>
    (text): Judgement => {
      const odd = parsePolls(text).find(
        ({ pid, status }) => !Number.isInteger(pid) || !Number.isInteger(status),
      );
      if (odd !== undefined) return `a poll ${JSON.stringify(odd)}`;
      const { expired, denied } = readTroubles(text, 0);
      isFlapping(text, Date.parse("2026-11-28T03:00:00Z"));
      findDenials(text, 0);
      const shown = [expired, denied].find((line) => line !== null && line.length > 240);
      return shown === undefined ? null : "a line that is not shortened";
    },
});

export const unitProperties = kind({
  name: "unit",
  title: "what systemctl says of a unit",
  inputs: { quick: 75, full: 6_000 },
  arbitrary: fc.oneof(lines(UNIT_LINES), anyText),
  corpus: ["", "=", "MainPID=99999999999999999999", `Environment=${'"'.repeat(60_000)}`, "ActiveState=\0"],
  open:
    () =>
    (text): Judgement => {
      const properties = parseProperties(text);
      const { state, detail } = interpretUnit(properties, "codedeploy-agent.service");
      parseEnvironment(properties.get("Environment") ?? text);
      return state === "running" || detail !== "" ? null : `the state ${state} without a word`;
    },
});
