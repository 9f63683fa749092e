/**
 * What each key of the config file may hold. Every check names what is allowed; what was found and where is
 * added by the caller, which has the file at hand.
 */
import { isAbsolute, normalize } from "node:path";
import * as z from "zod/mini";
import { parseRoleArn } from "../aws/arn.ts";
import { parseCron } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import { isSafeEndpoint } from "./endpoint.ts";
import { AGENT_DEFAULTS, BASE_CREDENTIALS_FILE } from "./paths.ts";

// One file is read once: to compile a validator first takes longer than to do without.
z.config({ jitless: true });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Linux (limits.h), the NUL byte at the end included. */
const PATH_MAX = 4_096;

const text = (allowed: string, isAllowed: (value: string) => boolean) =>
  z.string({ error: allowed }).check(z.refine(isAllowed, { error: allowed }));

const matching = (allowed: string, pattern: RegExp) => text(allowed, (value) => pattern.test(value));

const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(", ")}` });

const duration = (allowed: string, fromMs: number, toMs: number) =>
  z.pipe(
    text(allowed, (value) => {
      const ms = parseDuration(value);
      return ms !== null && ms >= fromMs && ms <= toMs;
    }),
    z.transform((value) => parseDuration(value) ?? 0),
  );

const absolutePath = (of: string) =>
  text(`the absolute path of ${of}, without "." or ".." in it`, (value) => {
    if (Buffer.byteLength(value) >= PATH_MAX) return false;
    return isAbsolute(value) && normalize(value) === value && !value.endsWith("/") && !/\p{Cc}/u.test(value);
  });

const metricsFile = absolutePath("the metrics file").check(
  z.refine((value) => value.endsWith(".prom"), {
    error: "the absolute path of the metrics file, ending in .prom: node exporter reads no other",
  }),
);

const section = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.pipe(
    // A section whose keys are all commented out is null in YAML, and means its defaults.
    z.transform((value) => value ?? {}),
    z.strictObject(shape, {
      error: (issue) => (issue.code === "invalid_type" ? "keys and values below it" : undefined),
    }),
  );

/** What is read where the key is missing, as a file would say it. */
const preset = z.prefault;
/** Null, as if the key were missing, where nothing else is said. */
const optional = <T extends z.core.$ZodType>(schema: T) => z._default(z.nullable(schema), null);

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

const cron = z.string({ error: CRON }).check((context) => {
  const parsed = parseCron(context.value);
  if ("error" in parsed)
    context.issues.push({ code: "custom", message: `${CRON}: ${parsed.error}`, input: context.value });
});

const service = z.pipe(
  matching("the name of a systemd service, such as codedeploy-agent.service", /^[\w:.@\\][\w:.@\\-]*$/),
  z.transform((value) => (value.endsWith(".service") ? value : `${value}.service`)),
);

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
    session_duration: preset(
      duration("a duration from 15m to 12h, such as 1h", 15 * MINUTE_MS, 12 * HOUR_MS),
      "1h",
    ),
    schedule: preset(cron, "*/30 * * * *"),
    splay: preset(
      z.union([z.literal("auto"), duration("", 0, 12 * HOUR_MS)], {
        error: "auto, or a duration up to 12h, such as 10m; 0 for none",
      }),
      "auto",
    ),
    base_credentials: section({
      file: preset(absolutePath("the base credentials file"), BASE_CREDENTIALS_FILE),
      profile: preset(profile, "default"),
    }),
    credentials_file: section({
      path: optional(absolutePath("the file that the agent reads")),
      profile: preset(profile, "default"),
      group: optional(matching("the name of a group", /^[A-Za-z_][\w.-]{0,31}\$?$/)),
    }),
    agent: section({
      service: preset(service, "codedeploy-agent.service"),
      settings_file: preset(absolutePath("codedeployagent.yml"), AGENT_DEFAULTS.settingsFile),
      on_drift: preset(choice(["repair", "report"]), "repair"),
      reload: preset(choice(["auto", "never"]), "auto"),
    }),
    network: section({
      proxy: optional(proxy),
      ca_bundle: optional(absolutePath("a file of CA certificates in PEM form")),
      connect_timeout: preset(duration("a duration from 100ms to 60s", 100, MINUTE_MS), "5s"),
      request_timeout: preset(duration("a duration from 100ms to 55s", 100, 55_000), "15s"),
    }),
    endpoints: section({
      sts: optional(endpoint),
      codedeploy: optional(endpoint),
    }),
    metrics: section({ textfile: optional(metricsFile) }),
    paths: section({
      state_dir: optional(absolutePath("a directory")),
      runtime_dir: optional(absolutePath("a directory")),
      agent_runtime_dir: optional(absolutePath("a directory")),
    }),
    log: section({
      level: preset(choice(["debug", "info", "warn", "error"]), "info"),
      format: preset(choice(["auto", "human", "json", "journal"]), "auto"),
    }),
  },
  { error: (issue) => (issue.code === "invalid_type" ? WHOLE_FILE : undefined) },
);

export type ConfigFile = z.output<typeof configSchema>;
