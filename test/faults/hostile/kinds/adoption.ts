/** Crontabs, and the scripts that they name: any user of the host may have written them, and root reads them. */
import * as fc from "fast-check";
import { findHints } from "../../../../src/adoption/aws-hints.ts";
import { disableLine, enableLine, parseCrontab } from "../../../../src/adoption/crontab.ts";
import { best, weigh } from "../../../../src/adoption/evidence.ts";
import { redacted } from "../../../../src/adoption/redact.ts";
import { findScripts } from "../../../../src/adoption/scripts.ts";
import { type Judgement, kind } from "../kind.ts";
import { anyText, damaged, word } from "../words.ts";

const LINES = [
  "*/30 * * * * root /usr/local/bin/refresh.sh",
  "*/30 * * * * python3 /opt/x/assume_role.py --profile deploy > /var/log/x 2>&1",
  "@reboot root cd /opt/x && ./get_sts_creds --role-arn arn:aws:iam::123456789012:role/x",
  "-@daily x y",
  'MAILTO=""',
  "PATH=/a:/b:::",
  "AWS_PROFILE = deploy",
  "'A B' = 'c d'",
  '"x"="y" ',
  "0 0 * * * root x % y \\% z",
  "0 0 1-31/2,5 jan-dec mon * x",
  "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "* * * * * AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY x",
  "* * * * * curl --token wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY https://u:p@h/",
];

const crontab = fc
  .array(fc.oneof(fc.constantFrom(...LINES), damaged(fc.constantFrom(...LINES)), word), { maxLength: 14 })
  .chain((lines) => fc.constantFrom("\n", "\r\n", "\n#", "\r").map((joint) => lines.join(joint)));

const MEGABYTE = 1_024 * 1_024;
const full = (piece: string) => piece.repeat(Math.floor((MEGABYTE - 100) / piece.length));

const PAIR = { credentialsFile: "/root/creds", roleName: "Role", serial: "SN-1" };
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

export const crontabs = kind({
  name: "crontab",
  title: "crontabs and the commands in them, as adopt reads them",
  inputs: { quick: 200, full: 20_000 },
  arbitrary: fc.record({
    text: fc.oneof({ arbitrary: crontab, weight: 5 }, anyText),
    isSystem: fc.boolean(),
  }),
  corpus: [
    full("%").concat("\r"),
    `* * * * * x ${full("%").slice(0, 900_000)}\r`,
    `* * * * * ${full("a")}`,
    `* * * * * ${full("secret")}`,
    `* * * * * ${full("--secret-")}`,
    `* * * * * ${full("token=")}`,
    `* * * * * ${full("aA1/")}`,
    `* * * * * ${full("//")}`,
    `* * * * * ${full("//a@")}`,
    `* * * * * ${full("pwd:a ")}`,
    `* * * * * ${full("profile ")}`,
    `* * * * * ${full("profile=")}`,
    `* * * * * ${full("AWS_PROFILE")}`,
    `* * * * * ${full("AWS_PROFILE'\"]")}`,
    `* * * * * profile${full(" ")}`,
    full('"'),
    full('" '),
    full("'="),
    full(" "),
    full("* "),
    full("*,"),
    full("A"),
    full("A=\n"),
    full("* * * * * x\n"),
    Array.from({ length: 90_000 }, (_, index) => `A${index}=`).join("\n"),
    `${Array.from({ length: 60_000 }, (_, index) => `A${index}=`).join("\n")}\n${"* * * * * x\n".repeat(20_000)}`,
    `${Array.from({ length: 2_000 }, (_, index) => `A${index}=1\n* * * * * x`).join("\n")}`,
    `B=${"x".repeat(500_000)}\n${"* * * * * x\n".repeat(20_000)}`,
    `__proto__=x\n* * * * * constructor\n`,
    full("\0"),
    full("\r"),
    full("\u2028".repeat(2)),
  ].flatMap((text) => [true, false].map((isSystem) => ({ text, isSystem }))),
  open: () => judgeCrontab,
});

function judgeCrontab({ text, isSystem }: { text: string; isSystem: boolean }): Judgement {
  const entries = parseCrontab(text, isSystem ? { kind: "system" } : { kind: "user", user: "u" });
  const lines = text.split("\n");
  const weighed = entries.map(({ command }) => ({ evidence: weigh([command], PAIR) }));
  best(weighed);
  for (const { line, command, env } of entries.slice(0, text.length > 100_000 ? 2 : 50)) {
    const content = lines[line - 1] ?? "";
    const disabled = disableLine(text, content, "why", new Date(0));
    if (disabled === null) return `line ${line} cannot be disabled`;
    const isSame = enableLine(disabled, content) === text;
    // A line that stands there twice may be the first of the two that is meant.
    if (!isSame && lines.filter((each) => each === content).length === 1)
      return `line ${line} does not come back`;
    const shown = redacted(command);
    if (shown.length > 301) return `a command is shown in ${shown.length} characters`;
    if (/[^\x20-\x7e…]/.test(shown)) return `shown: ${JSON.stringify(shown)}`;
    if (new RegExp(`(?<![\\w/+.-])${SECRET}(?![\\w/+.=-])`).test(shown)) return `a secret is shown: ${shown}`;
    findHints([...[...env].map(([name, value]) => `${name}=${value}`), command], "/root");
  }
  return null;
}

export const scripts = kind({
  name: "scripts",
  title: "commands of crontabs, whose scripts are looked for",
  inputs: { quick: 20, full: 2_000 },
  arbitrary: fc.record({
    command: fc.oneof(fc.constantFrom(...LINES), word, anyText),
    home: fc.constantFrom("/", "/nonexistent", "/tmp"),
  }),
  corpus: [
    { command: "/dev/zero /dev/random /proc/self/mem /dev/watchdog /sys/kernel/debug", home: "/" },
    { command: "a ".repeat(100_000), home: "/" },
    { command: "../".repeat(2_000).concat("x.sh"), home: "/" },
    { command: "cd / && cd /tmp && cd . ; x.sh".repeat(100), home: "/" },
    { command: `${"x/".repeat(3_000)}y.sh`, home: "/tmp" },
  ],
  open:
    () =>
    async ({ command, home }): Promise<Judgement> => {
      const found = await findScripts(command, { home, searchPath: null });
      return found.length > 12 ? `${found.length} scripts` : null;
    },
});
