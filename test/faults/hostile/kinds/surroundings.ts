/** What comes from around us: environment, arguments, and what the firmware says of the machine. */
import * as fc from "fast-check";
import { serviceEndpoint } from "../../../../src/aws/client.ts";
import { openAgents } from "../../../../src/aws/network.ts";
import { configFromText } from "../../../../src/config/load.ts";
import { isSerial } from "../../../../src/config/schema.ts";
import { differenceOf, fingerprint, isJunk, type Machine } from "../../../../src/host/machine.ts";
import { openNotifier } from "../../../../src/host/notify.ts";
import { isSystemdService, timeFactor } from "../../../../src/host/service-environment.ts";
import { readIamInputs } from "../../../../src/iam/read-inputs.ts";
import { parseRequest } from "../../../../src/registration/request.ts";
import { deriveSerial } from "../../../../src/registration/serial.ts";
import { createLog } from "../../../../src/report/log.ts";
import { harmless } from "../../../../src/report/progress.ts";
import { sampleConfig } from "../../../unit/aws/sample-config.ts";
import { controlsIn, type Judgement, kind, wellTold } from "../kind.ts";
import { word } from "../words.ts";
import { GOOD } from "./config.ts";

const VARIABLES = [
  "HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy ALL_PROXY".split(" "),
  "AWS_ENDPOINT_URL AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_CODEDEPLOY AWS_PROFILE AWS_REGION AWS_CA_BUNDLE".split(
    " ",
  ),
  "STATE_DIRECTORY RUNTIME_DIRECTORY CREDENTIALS_DIRECTORY NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID".split(
    " ",
  ),
  "INVOCATION_ID JOURNAL_STREAM LISTEN_FDS LISTEN_PID IDC_HELPER_TIME_FACTOR HOME LANG LC_ALL TZ".split(" "),
].flat();

const proxy = fc
  .tuple(
    fc.constantFrom("http://", "https://", "socks5://", "http:", "", "//", "HTTP://"),
    word,
    fc.constantFrom("", ":3128", ":0", ":99999", ":x", "@host:1", "/path", "?q", "#f", "%"),
  )
  .map((parts) => parts.join(""));

/** An environment cannot hold a NUL. */
const value = fc.oneof(word, proxy).map((text) => text.replaceAll("\0", "").toWellFormed());

export const environments = kind({
  name: "environment",
  title: "environment variables: proxies, endpoints, directories, systemd's",
  inputs: { quick: 100, full: 10_000 },
  arbitrary: fc.dictionary(fc.constantFrom(...VARIABLES), value, { maxKeys: 5 }),
  corpus: [
    { IDC_HELPER_TIME_FACTOR: "1e999" },
    { IDC_HELPER_TIME_FACTOR: "NaN" },
    { IDC_HELPER_TIME_FACTOR: "0x10", NOTIFY_SOCKET: "@" },
    { WATCHDOG_USEC: "1e300" },
    { STATE_DIRECTORY: ":" },
    { STATE_DIRECTORY: "relative" },
    { STATE_DIRECTORY: "/a:/b", RUNTIME_DIRECTORY: "/../x" },
    { NO_PROXY: ",".repeat(100_000), HTTPS_PROXY: "http://127.0.0.1:1" },
    { HTTPS_PROXY: `http://${"a".repeat(100_000)}` },
    { HTTPS_PROXY: "http://[::1" },
    { HTTPS_PROXY: "http://u%:p@h" },
    { HTTPS_PROXY: "http://\n" },
    { AWS_ENDPOINT_URL: "http://127.0.0.1@evil.example" },
    { AWS_ENDPOINT_URL: "http://localhost.evil.example" },
    { AWS_ENDPOINT_URL: "http://0x7f.1" },
  ],
  open: () => judgeEnvironment,
});

async function judgeEnvironment(env: Record<string, string>): Promise<Judgement> {
  const attempts: [string[], () => unknown][] = [
    [["IDC_HELPER_TIME_FACTOR"], () => timeFactor(env)],
    [
      ["proxy", "PROXY"],
      async () => {
        const { http, https } = await openAgents(sampleConfig(), env);
        http.destroy();
        https.destroy();
      },
    ],
    [["AWS_ENDPOINT_URL"], () => serviceEndpoint("sts", sampleConfig(), env)],
    [["AWS_ENDPOINT_URL"], () => serviceEndpoint("codedeploy", sampleConfig(), env)],
    [
      ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "/etc/x/config.yaml"],
      () => {
        const { config } = configFromText(`${GOOD.join("\n")}\n`, {
          path: "/etc/x/config.yaml",
          unknownKeys: "error",
          env,
        });
        const odd = Object.values(config.paths).find((path) => !path.startsWith("/") || /\p{Cc}/u.test(path));
        if (odd !== undefined) throw new Error(`a directory ${JSON.stringify(odd)} was taken`);
      },
    ],
  ];
  for (const [places, attempt] of attempts) {
    try {
      await attempt();
    } catch (error) {
      const wrong = wellTold(error, places);
      if (wrong !== null) return wrong;
    }
  }
  isSystemdService(env, 1);
  const endpoint = settled(() => serviceEndpoint("sts", sampleConfig(), env));
  if (
    endpoint?.startsWith("http:") &&
    !/^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])[:/]?/i.test(new URL(endpoint).href)
  )
    return `credentials would go in the clear to ${endpoint}`;
  const { NOTIFY_SOCKET: _socket, ...rest } = env;
  const { watchdogMs } = openNotifier(
    rest,
    createLog({ level: "error", format: "json", write: () => undefined }),
  );
  return watchdogMs === null || (watchdogMs > 0 && Number.isFinite(watchdogMs))
    ? null
    : `a watchdog of ${watchdogMs} ms`;
}

function settled<T>(attempt: () => T): T | null {
  try {
    return attempt();
  } catch {
    return null;
  }
}

const flags = fc.record(
  {
    serial: word.filter((text) => text !== "auto"),
    region: fc.oneof(word, fc.constant("ap-northeast-2")),
    roleArn: fc.oneof(word, fc.constant("arn:aws:iam::123456789012:role/x")),
    tag: fc.array(
      fc.oneof(
        word,
        fc.tuple(word, word).map(([key, text]) => `${key}=${text}`),
      ),
      { maxLength: 12 },
    ),
    bucket: word,
    account: word,
    serialPattern: word,
    baseArn: word,
    certificate: fc.boolean(),
    trustAnchorArn: word,
    profileArn: word,
  },
  { requiredKeys: [] },
);

export const argumentValues = kind({
  name: "arguments",
  title: "values of the arguments of register and iam",
  inputs: { quick: 100, full: 10_000 },
  arbitrary: flags,
  corpus: [
    { tag: Array(50_000).fill("a=b") },
    { roleArn: `arn:aws:iam::123456789012:role/${"a/".repeat(50_000)}` },
    { baseArn: `arn:aws${"-a".repeat(50_000)}` },
  ],
  open:
    () =>
    (given): Judgement => {
      const misused = (attempt: () => unknown) => {
        try {
          attempt();
          return null;
        } catch (error) {
          return wellTold(error, ["--"]);
        }
      };
      return misused(() => parseRequest(given, null)) ?? misused(() => readIamInputs(given, null));
    },
});

const dmi = fc.oneof(
  { arbitrary: fc.constant(null), weight: 1 },
  { arbitrary: word.map((text) => text.trim() || null), weight: 4 },
  fc.constantFrom("VMware-42 3f", "0000", "To be filled by O.E.M.", "i-abc", "A/B C", "-", "é"),
);

export const machines = kind({
  name: "machine",
  title: "what the firmware says of the machine (DMI)",
  inputs: { quick: 100, full: 10_000 },
  arbitrary: fc.record({
    productSerial: dmi,
    rejectedSerial: dmi,
    productUuid: dmi,
    machineId: fc.constantFrom(null, "0123456789abcdef0123456789abcdef"),
  }),
  corpus: [
    "a".repeat(60_000),
    "-".repeat(60_000),
    "ab".repeat(30_000),
    " ".repeat(60_000),
    "\x1b[2J",
    "\0",
  ].map((text) => {
    return { productSerial: text, rejectedSerial: text, productUuid: text, machineId: null };
  }),
  open:
    () =>
    (found: Machine): Judgement => {
      for (const text of [found.productSerial, found.rejectedSerial]) if (text !== null) isJunk(text);
      const print = fingerprint(found);
      if (differenceOf(print, print) !== null) return "it is not the same as itself";
      try {
        const { serial, explanation } = deriveSerial(found);
        return isSerial(serial) ? controlsIn(harmless(explanation)) : `a serial ${JSON.stringify(serial)}`;
      } catch (error) {
        return wellTold(error, ["/sys/class/dmi/id", "product serial"]);
      }
    },
});
