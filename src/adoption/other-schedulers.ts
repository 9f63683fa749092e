/**
 * What refreshes the credentials without a crontab entry: anacron's jobs, scripts in /etc/cron.hourly and the like, and
 * units that a timer starts. They are only pointed out: switching them off is a person's affair. Reads files, runs nothing.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readBytes } from "../host/read-file.ts";
import { type OldPair, weigh } from "./evidence.ts";
import { findScripts } from "./scripts.ts";

const DIRECTORIES = [
  { path: "/etc/cron.hourly", names: /^[^.]/ },
  { path: "/etc/cron.daily", names: /^[^.]/ },
  { path: "/etc/cron.weekly", names: /^[^.]/ },
  ...["/etc/systemd/system", "/usr/local/lib/systemd/system"].map((path) => {
    return { path, names: /^(?!idc-codedeploy-helper|codedeploy-agent).*\.service$/ };
  }),
];
const ANACRONTAB = "/etc/anacrontab";
const MAX_FILES = 200;
const MAX_BYTES = 256 * 1_024;
/** That it assumes a role, or names the credentials file; the name of a config alone is in many scripts. */
const LEAST_SCORE = 4;

/** @returns one sentence for each */
export async function findOtherSchedulers(pair: OldPair): Promise<string[]> {
  const found: string[] = [];
  for (const { path, names } of DIRECTORIES) {
    const files = (await readdir(path).catch(() => [])).filter((name) => names.test(name)).sort();
    for (const name of files.slice(0, MAX_FILES)) {
      const text = await readScript(join(path, name));
      // Of a unit what it starts, which begins with marks of systemd's; a script is a command as a whole.
      const commands = name.endsWith(".service")
        ? [...(text ?? "").matchAll(/^ExecStart\w*=[-@:+!]*(.*)$/gm)].map(([, command = ""]) => command)
        : [text ?? ""];
      const mentions = await examine(text ?? "", commands.join("\n"), path, pair);
      if (mentions !== null) found.push(sentence(join(path, name), mentions));
    }
  }
  for (const { line, command } of anacronJobs((await readScript(ANACRONTAB)) ?? "")) {
    const mentions = await examine(command, command, "/", pair);
    if (mentions !== null) found.push(sentence(`${ANACRONTAB}:${line}`, mentions));
  }
  return found;
}

function sentence(place: string, mentions: string): string {
  return `${place} may refresh them as well (it mentions ${mentions}): see to it by hand.`;
}

/** `7  25  cron.weekly  nice run-parts /etc/cron.weekly`, the period in days or a word such as @monthly (anacrontab(5)). */
function anacronJobs(text: string): { line: number; command: string }[] {
  return text.split("\n").flatMap((content, index) => {
    const [, command] = /^\s*(?:\d+|@[a-z]+)\s+\d+\s+\S+\s+(\S.*)$/.exec(content) ?? [];
    return command === undefined ? [] : [{ line: index + 1, command }];
  });
}

async function readScript(path: string): Promise<string | null> {
  const bytes = await readBytes(path, { maxBytes: MAX_BYTES }).catch(() => null);
  return bytes === null || bytes.includes(0) ? null : bytes.toString("utf8");
}

async function examine(text: string, commands: string, home: string, pair: OldPair): Promise<string | null> {
  const scripts = await findScripts(commands, { home, searchPath: null });
  const { score, mentions } = weigh([text, ...scripts.map((script) => script.text)], pair);
  return score >= LEAST_SCORE ? mentions.join(", ") : null;
}
