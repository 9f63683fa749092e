/** The config file's text: whatever stands in it, a whole config comes of it, or every fault with its place. */
import * as fc from "fast-check";
import { desiredConfig } from "../../../../src/agent/desired-config.ts";
import { sessionArn } from "../../../../src/aws/arn.ts";
import { ConfigError } from "../../../../src/config/config-error.ts";
import { parseCron } from "../../../../src/config/cron.ts";
import { configFromText } from "../../../../src/config/load.ts";
import { nextRefreshes } from "../../../../src/refresher/schedule.ts";
import { type Judgement, kind, wellTold } from "../kind.ts";
import { anyText, damaged, word } from "../words.ts";
import { CONFIG_CORPUS } from "./config-corpus.ts";
import { cronText } from "./cron-text.ts";

const PATH = "/etc/idc-codedeploy-helper/config.yaml";
const NOW_MS = Date.parse("2026-11-28T03:00:00Z");

const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  "": ["serial", "region", "role_arn", "session_duration", "schedule", "splay"],
  base_credentials: ["file", "profile"],
  credentials_file: ["path", "profile", "group"],
  agent: ["service", "settings_file", "on_drift", "reload"],
  network: ["proxy", "ca_bundle", "connect_timeout", "request_timeout"],
  endpoints: ["sts", "codedeploy"],
  metrics: ["textfile"],
  paths: ["state_dir", "runtime_dir", "agent_runtime_dir"],
  log: ["level", "format"],
};

export const GOOD = [
  "serial: SN-1",
  "region: ap-northeast-2",
  "role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
];

/** A value as some hand writes it: bare, quoted either way, in a block, in brackets. */
const written = fc
  .oneof(word, cronText)
  .chain((text) =>
    fc.constantFrom(
      text,
      JSON.stringify(text),
      `'${text.replaceAll("'", "''")}'`,
      `|\n    ${text}`,
      `[${text}]`,
      `{a: ${text}}`,
      `&x ${text}`,
      `!!str ${text}`,
      `${text} # ${text}`,
    ),
  );

const line = fc
  .constantFrom(...Object.keys(SECTIONS))
  .chain((section) =>
    fc
      .tuple(fc.oneof(fc.constantFrom(...(SECTIONS[section] ?? [])), word), written)
      .map(([key, value]) => (section === "" ? `${key}: ${value}` : `${section}:\n  ${key}: ${value}`)),
  );

const config = fc
  .tuple(fc.shuffledSubarray(GOOD, { minLength: 1 }), fc.array(line, { minLength: 1, maxLength: 4 }))
  .map(([good, lines]) => `${[...good, ...lines].join("\n")}\n`);

export const configInput = fc.record({
  text: fc.oneof(
    { arbitrary: config, weight: 6 },
    { arbitrary: damaged(config), weight: 3 },
    { arbitrary: anyText, weight: 1 },
  ),
  unknownKeys: fc.constantFrom("error" as const, "warn" as const),
});

export const configText = kind({
  name: "config-text",
  title: "config file, its text",
  inputs: { quick: 375, full: 40_000 },
  arbitrary: configInput,
  corpus: CONFIG_CORPUS.flatMap((text) => [
    { text, unknownKeys: "error" as const },
    { text, unknownKeys: "warn" as const },
  ]),
  open: () => judgeConfig,
});

function judgeConfig({ text, unknownKeys }: { text: string; unknownKeys: "error" | "warn" }): Judgement {
  const lineCount = text.split(/\r\n|\r|\n/).length;
  try {
    const { config, warnings } = configFromText(text, { path: PATH, unknownKeys, env: {} });
    const outside = warnings.find((issue) => issue.line < 1 || issue.line > lineCount);
    if (outside !== undefined) return `a warning of line ${outside.line} of ${lineCount}`;
    const times = nextRefreshes(config, NOW_MS, 96, 1);
    if (times.length === 0 || times.some((time, index) => time <= (times[index - 1] ?? NOW_MS)))
      return "a schedule was accepted that does not go forward";
    if (sessionArn(config.roleArn, config.serial) === null)
      return "a role was accepted that makes no session";
    desiredConfig(config);
    const places = [config.credentialsFile.path, config.baseCredentials.file, config.agent.settingsFile];
    const odd = places.find((path) => !path.startsWith("/") || /\p{Cc}/u.test(path));
    return odd === undefined ? null : `a path was accepted: ${JSON.stringify(odd)}`;
  } catch (error) {
    if (!(error instanceof ConfigError)) return wellTold(error, [PATH]) ?? "not a ConfigError";
    const outside = error.issues.find((issue) => issue.line < 1 || issue.line > lineCount);
    if (outside !== undefined) return `an error of line ${outside.line} of ${lineCount}: ${outside.message}`;
    const silent = error.issues.find((issue) => issue.message.trim() === "");
    return silent === undefined ? wellTold(error, [PATH]) : `no message for ${silent.key}`;
  }
}

export const cronExpression = kind({
  name: "cron",
  title: "cron expressions",
  inputs: { quick: 200, full: 20_000 },
  arbitrary: cronText,
  corpus: [
    "0-99999999999 * * * *",
    "0-4294967296 * * * *",
    "*/0 * * * *",
    "*/99999999999999999999 * * * *",
    "0-59/0.0000001 * * * *",
    "1e9 * * * *",
    "-1 * * * *",
    "59-0 * * * *",
    "0 0 31 2 *",
    "0 0 29 2 *",
    "* * * * * *",
    "@daily",
    "* * * * mon-sun",
    "0-59,".repeat(5_000).concat("1 * * * *"),
    `${"*/1,".repeat(50_000)}1 * * * *`,
    "* * * 99999999-1 *",
    "* * 1-999999999 * *",
    "* * * * 0-999999999",
    "0-999999999 * * * * *",
    "* 0-999999999 * * * *",
  ],
  open:
    () =>
    (expression): Judgement => {
      const cron = parseCron(expression);
      if ("error" in cron) return cron.error.trim() === "" ? "refused without a word" : null;
      const next = cron.nextAfter(NOW_MS);
      if (next !== null && !(next > NOW_MS)) return `the next time is ${next}`;
      return cron.shortestGapMs > 0 && cron.longestGapMs >= cron.shortestGapMs ? null : "gaps that cannot be";
    },
});
