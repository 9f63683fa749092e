/** Every hostile input for the real commands: made by hand, and drawn from the seed. */
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { sampleStatus } from "../../../unit/report/sample-status.ts";
import type { Answer } from "../answer-server.ts";
import { ANSWER_CORPUS, SESSION, sessionXml, stsAnswers } from "../answers.ts";
import { hostileJson } from "../json.ts";
import { configInput } from "../kinds/config.ts";
import { CONFIG_CORPUS } from "../kinds/config-corpus.ts";
import { word } from "../words.ts";
import type { Case } from "./case.ts";
import { MACHINE_CASES } from "./machine-cases.ts";
import type { FileName, ScratchHost } from "./scratch.ts";
import { SPECIAL_FILES } from "./special-files.ts";

const configCase = (text: string, name: string, command: readonly string[] = ["check-config"]): Case => ({
  group: "config file",
  name,
  argv: command,
  arrange: ({ files }) => writeFileSync(files.config, text),
  places: ({ files }) => [files.config],
});

const answerCase = (answer: Answer, name: string): Case => ({
  group: "answer of STS",
  name,
  argv: ["refresh", "--json"],
  answer,
  places: ({ port }) => [
    `127.0.0.1:${port}`,
    "AssumeRole",
    "arn:aws:iam::123456789012:role/Role",
    "the answer of STS",
    "clock is off",
    "base-credentials",
  ],
});

const bytes = (text: string) => Buffer.from(text);
const gzip = [["Content-Encoding", "gzip"]] as const;
const MEGABYTES_100 = 100 * 1_024 * 1_024;

/** What only a whole process can be asked: these take time, or would take all its memory. */
const heavyAnswers = (): Case[] => [
  answerCase(
    { status: "200 OK", headers: [], body: Buffer.alloc(65_536, "x"), delivery: "endless" },
    "a chunked body without an end",
  ),
  answerCase(
    { status: "200 OK", headers: [], body: bytes("x"), delivery: "drip" },
    "a byte every tenth of a second",
  ),
  answerCase(
    { status: "200 OK", headers: [], body: Buffer.alloc(MEGABYTES_100, "<a>"), delivery: "whole" },
    "100 MB of XML",
  ),
  answerCase(
    { status: "403 X", headers: [], body: Buffer.alloc(MEGABYTES_100), delivery: "chunked" },
    "100 MB of zeros as an error",
  ),
  answerCase(
    { status: "200 OK", headers: gzip, body: gzipSync(Buffer.alloc(MEGABYTES_100)), delivery: "whole" },
    "a gzip bomb of 100 MB",
  ),
  answerCase(
    { status: "200 OK", headers: gzip, body: gzipSync(bytes(sessionXml(SESSION))), delivery: "whole" },
    "gzip that nobody asked for",
  ),
];

const corpusAnswers = ANSWER_CORPUS.map((answer, index) =>
  answerCase(answer, `answer ${index} of the corpus`),
);

const environment = (
  env: Record<string, string>,
  command: readonly string[],
  places: readonly string[],
): Case => ({
  group: "environment",
  name: `${JSON.stringify(env).slice(0, 200)}: ${command[0]}`,
  argv: command,
  env,
  places: ({ files, port, directory }) => [
    ...places,
    ...Object.keys(env),
    files.config,
    `127.0.0.1:${port}`,
    directory,
  ],
});

const NASTY = [
  "",
  " ",
  "x",
  "-1",
  "/dev/zero",
  "/",
  "relative/x",
  "\x1b[2J",
  "é\u202e",
  "9".repeat(400),
  "%s%n",
  "a".repeat(100_000),
];
const HOME_LIKE = "HOME LANG LC_ALL TZ TMPDIR PATH NO_COLOR TERM COLUMNS USER XDG_CONFIG_HOME".split(" ");
const AWS_LIKE = [
  "AWS_PROFILE AWS_REGION AWS_ACCESS_KEY_ID AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_CA_BUNDLE".split(
    " ",
  ),
  "AWS_ENDPOINT_URL AWS_ENDPOINT_URL_STS AWS_MAX_ATTEMPTS AWS_USE_FIPS_ENDPOINT AWS_STS_REGIONAL_ENDPOINTS".split(
    " ",
  ),
  "HTTPS_PROXY HTTP_PROXY NO_PROXY ALL_PROXY https_proxy".split(" "),
].flat();
const SYSTEMD_LIKE =
  "STATE_DIRECTORY RUNTIME_DIRECTORY CREDENTIALS_DIRECTORY NOTIFY_SOCKET WATCHDOG_USEC INVOCATION_ID JOURNAL_STREAM LISTEN_FDS LISTEN_PID IDC_HELPER_TIME_FACTOR".split(
    " ",
  );
/** Node's own; NODE_OPTIONS can make a program run anything, and is left out (see the section on neighbours). */
const NODE_LIKE =
  "NODE_EXTRA_CA_CERTS NODE_PATH NODE_DEBUG NODE_ENV NODE_TLS_REJECT_UNAUTHORIZED NODE_V8_COVERAGE NODE_REPL_HISTORY UV_THREADPOOL_SIZE NODE_USE_ENV_PROXY SSL_CERT_FILE OPENSSL_CONF".split(
    " ",
  );

const environments = [...HOME_LIKE, ...AWS_LIKE, ...SYSTEMD_LIKE, ...NODE_LIKE].flatMap((variable, index) =>
  NASTY.filter((_, at) => (at + index) % 3 === 0).map((value) =>
    environment({ [variable]: value }, index % 2 === 0 ? ["refresh", "--json"] : ["check-config"], [
      "environment",
      "proxy",
    ]),
  ),
);

const COMMANDS = [
  "check-config",
  "status",
  "refresh",
  "sync-agent",
  "iam",
  "version",
  "register --dry-run",
  "adopt --dry-run",
  "deregister --dry-run",
];
const ARGUMENTS: readonly (readonly string[])[] = [
  ["--"],
  ["--config"],
  ["--config", ""],
  ["--config", "/dev/zero"],
  ["--config", "\x1b[2J"],
  ["--config", "a".repeat(100_000)],
  ["--json=x"],
  ["--no-such-option"],
  ["-\x1b[2J"],
  ["x".repeat(100_000)],
  ["--__proto__", "x"],
  ["--serial", "\u202e", "--region", "x\ny", "--role-arn", "\x9b"],
  ["--tag", "=", "--tag", "a=\x07", "--tag", "__proto__=x"],
  Array.from({ length: 5_000 }, () => "--tag=a=b"),
  ["--profile", "\x1b]0;x\x07"],
  ["--base-credentials", "/dev/zero"],
];
const argumentCases = COMMANDS.flatMap((command) =>
  ARGUMENTS.map((given): Case => {
    return {
      group: "arguments",
      name: `${command} ${given.join(" ").slice(0, 60)}`,
      argv: [...command.split(" "), ...given],
      places: ({ files, port }) => [
        "-",
        "argument",
        "option",
        files.config,
        "configuration",
        `127.0.0.1:${port}`,
        "root",
      ],
    };
  }),
);

const record = (file: FileName, text: string, argv: readonly string[], name: string): Case => ({
  group: "records and requests",
  name,
  argv,
  arrange: ({ files }) => writeFileSync(files[file], text),
  places: (host: ScratchHost) => [host.files[file], host.directory],
});

/** @param count of generated cases of each group */
export function allCases(seed: number, count: number): Case[] {
  const drawn = <T>(arbitrary: fc.Arbitrary<T>, by: number) =>
    fc.sample(arbitrary, { seed: (seed + by) | 0, numRuns: count });
  const json = hostileJson([
    { ...sampleStatus() },
    { id: "x", credentialsSince: { bootId: "b", bootMs: 1 }, inForce: null },
  ]);
  const variable = fc.tuple(
    fc.constantFrom(...AWS_LIKE, ...SYSTEMD_LIKE, ...HOME_LIKE),
    word.map((text) => text.replaceAll("\0", "").toWellFormed()),
  );
  return [
    ...SPECIAL_FILES,
    ...CONFIG_CORPUS.map((text, index) => configCase(text, `config ${index} of the corpus`)),
    configCase("a: b\n".repeat(2_000_000), "10 MB of config", ["status"]),
    ...heavyAnswers(),
    ...corpusAnswers,
    ...environments,
    ...argumentCases,
    ...MACHINE_CASES,
    ...drawn(configInput, 1).map(({ text }, index) =>
      configCase(text, `config ${index} of the seed`, index % 2 === 0 ? ["check-config"] : ["status"]),
    ),
    ...drawn(stsAnswers, 2).map((answer, index) => answerCase(answer, `answer ${index} of the seed`)),
    ...drawn(variable, 3).map(([name, value]) =>
      environment({ [name]: value }, ["refresh", "--json"], ["environment", "proxy"]),
    ),
    ...drawn(json, 4).flatMap((text, index) => {
      const files = (["status", "request", "refreshRecord", "syncRecord"] as const)[index % 4] ?? "status";
      const argv = {
        status: ["status"],
        request: ["sync-agent"],
        refreshRecord: ["refresh"],
        syncRecord: ["sync-agent"],
      }[files];
      return [record(files, text, argv, `record ${index} of the seed in place of ${files}`)];
    }),
  ];
}
