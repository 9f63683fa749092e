/**
 * What each key of the config file may hold. Every check names what is allowed; what was found and where is
 * added by the caller, which has the file at hand.
 */
import { isAbsolute, normalize } from "node:path";
import * as z from "zod";
import { parseRoleArn } from "../aws/arn.ts";
import { parseCron } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import { isSafeEndpoint } from "./endpoint.ts";
import { AGENT_DEFAULTS, BASE_CREDENTIALS_FILE } from "./paths.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Linux (limits.h), the NUL byte at the end included. */
const PATH_MAX = 4_096;

const text = (allowed: string, isAllowed: (value: string) => boolean) =>
  z.string({ error: allowed }).refine(isAllowed, { error: allowed });

const matching = (allowed: string, pattern: RegExp) => text(allowed, (value) => pattern.test(value));

const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(", ")}` });

const duration = (allowed: string, fromMs: number, toMs: number) =>
  text(allowed, (value) => {
    const ms = parseDuration(value);
    return ms !== null && ms >= fromMs && ms <= toMs;
  }).transform((value) => parseDuration(value) ?? 0);

const absolutePath = (of: string) =>
  text(`the absolute path of ${of}, without "." or ".." in it`, (value) => {
    if (Buffer.byteLength(value) >= PATH_MAX) return false;
    return isAbsolute(value) && normalize(value) === value && !value.endsWith("/") && !/\p{Cc}/u.test(value);
  });

const metricsFile = absolutePath("the metrics file").refine((value) => value.endsWith(".prom"), {
  error: "the absolute path of the metrics file, ending in .prom: node exporter reads no other",
});

const section = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.preprocess(
    // A section whose keys are all commented out is null in YAML, and means its defaults.
    (value) => value ?? {},
    z.strictObject(shape, {
      error: (issue) => (issue.code === "invalid_type" ? "keys and values below it" : undefined),
    }),
  );

/**
 * The serial is the role session name (2 to 64 characters) and the instance name (no leading `i-`) at once; the
 * sources are in FACTS.
 */
export const SERIAL_RULE =
  "2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ - and not starting with i- (it is both the role session name and the CodeDeploy instance name)";

export function isSerial(value: string): boolean {
  return /^[\w+=,.@-]{2,64}$/.test(value) && !value.startsWith("i-");
}

export const REGION_RULE = "an AWS region, such as ap-northeast-2";

export function isRegion(value: string): boolean {
  return /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/.test(value);
}

export const ROLE_RULE =
  "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile";

const serial = text(SERIAL_RULE, isSerial);

const CRON = "a cron expression of five fields, or six with seconds";

const cron = z.string({ error: CRON }).superRefine((value, context) => {
  const parsed = parseCron(value);
  if ("error" in parsed) context.addIssue({ code: "custom", message: `${CRON}: ${parsed.error}` });
});

const service = matching(
  "the name of a systemd service, such as codedeploy-agent.service",
  /^[\w:.@\\][\w:.@\\-]*$/,
).transform((value) => (value.endsWith(".service") ? value : `${value}.service`));

const profile = matching("a profile name of the characters A-Z a-z 0-9 _ . @ / + -", /^[\w.@/+-]{1,128}$/);

const proxy = text(
  "an http:// or https:// URL without user, password and path (this file is readable by everyone: a proxy that wants a password goes into HTTPS_PROXY, in a drop-in of the service)",
  (value) => {
    const url = URL.parse(value);
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return false;
    return url.hostname !== "" && url.pathname === "/" && url.search === "" && url.hash === "";
  },
);

const endpoint = text(
  "an https:// URL; http:// only for a loopback address, because session credentials travel in the answer",
  isSafeEndpoint,
);

const WHOLE_FILE = "keys and values, at least serial, region and role_arn";

export const configSchema = z.strictObject(
  {
    serial,
    region: text(REGION_RULE, isRegion),
    role_arn: text(ROLE_RULE, (value) => parseRoleArn(value) !== null),
    session_duration: duration(
      "a duration from 15m to 12h, such as 1h",
      15 * MINUTE_MS,
      12 * HOUR_MS,
    ).prefault("1h"),
    schedule: cron.prefault("*/30 * * * *"),
    splay: z
      .union([z.literal("auto"), duration("", 0, 12 * HOUR_MS)], {
        error: "auto, or a duration up to 12h, such as 10m; 0 for none",
      })
      .prefault("auto"),
    base_credentials: section({
      file: absolutePath("the base credentials file").prefault(BASE_CREDENTIALS_FILE),
      profile: profile.prefault("default"),
    }),
    credentials_file: section({
      path: absolutePath("the file that the agent reads").nullable().prefault(null),
      profile: profile.prefault("default"),
      group: matching("the name of a group", /^[A-Za-z_][\w.-]{0,31}\$?$/)
        .nullable()
        .prefault(null),
    }),
    agent: section({
      service: service.prefault("codedeploy-agent.service"),
      settings_file: absolutePath("codedeployagent.yml").prefault(AGENT_DEFAULTS.settingsFile),
      on_drift: choice(["repair", "report"]).prefault("repair"),
      reload: choice(["auto", "never"]).prefault("auto"),
    }),
    network: section({
      proxy: proxy.nullable().prefault(null),
      ca_bundle: absolutePath("a file of CA certificates in PEM form").nullable().prefault(null),
      connect_timeout: duration("a duration from 100ms to 60s", 100, MINUTE_MS).prefault("5s"),
      request_timeout: duration("a duration from 100ms to 55s", 100, 55_000).prefault("15s"),
    }),
    endpoints: section({
      sts: endpoint.nullable().prefault(null),
      codedeploy: endpoint.nullable().prefault(null),
    }),
    metrics: section({ textfile: metricsFile.nullable().prefault(null) }),
    paths: section({
      state_dir: absolutePath("a directory").nullable().prefault(null),
      runtime_dir: absolutePath("a directory").nullable().prefault(null),
      agent_runtime_dir: absolutePath("a directory").nullable().prefault(null),
    }),
    log: section({
      level: choice(["debug", "info", "warn", "error"]).prefault("info"),
      format: choice(["auto", "human", "json", "journal"]).prefault("auto"),
    }),
  },
  { error: (issue) => (issue.code === "invalid_type" ? WHOLE_FILE : undefined) },
);

export type ConfigFile = z.output<typeof configSchema>;
