/**
 * What refreshes the credentials without a crontab entry: scripts in /etc/cron.hourly and the like, and units that a
 * timer starts. They are only pointed out: switching them off is a person's affair. Reads files, runs nothing.
 */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readBytes } from "../host/read-file.ts";
import { type OldPair, weigh } from "./evidence.ts";
import { findScripts } from "./scripts.ts";

const DIRECTORIES = [
  { path: "/etc/cron.hourly", names: /^[^.]/ },
  { path: "/etc/cron.daily", names: /^[^.]/ },
  { path: "/etc/systemd/system", names: /^(?!idc-codedeploy-helper|codedeploy-agent).*\.service$/ },
];
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
      const mentions = await examine(join(path, name), pair);
      if (mentions !== null)
        found.push(
          `${join(path, name)} may refresh them as well (it mentions ${mentions}): see to it by hand.`,
        );
    }
  }
  return found;
}

async function examine(path: string, pair: OldPair): Promise<string | null> {
  const bytes = await readBytes(path, { maxBytes: MAX_BYTES }).catch(() => null);
  if (bytes === null || bytes.includes(0)) return null;
  const text = bytes.toString("utf8");
  const commands = [...text.matchAll(/^ExecStart\w*=[-@:+!]*(.*)$/gm)].map(([, command = ""]) => command);
  const scripts = await findScripts(commands.join("\n"), { home: dirname(path), searchPath: null });
  const { score, mentions } = weigh([text, ...scripts.map((script) => script.text)], pair);
  return score >= LEAST_SCORE ? mentions.join(", ") : null;
}
