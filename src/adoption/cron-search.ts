/** Finds the crontab entry that keeps the agent's credentials fresh today, and what it is made of. Runs nothing. */
import { findUser } from "../host/accounts.ts";
import { type CronEntry, parseCrontab } from "./crontab.ts";
import { type CrontabFile, readCrontabs } from "./crontab-files.ts";
import { best, type Evidence, type OldPair, weigh } from "./evidence.ts";
import { findOtherSchedulers } from "./other-schedulers.ts";
import { findScripts } from "./scripts.ts";

export interface CronJob {
  file: string;
  /** As it stands in the file. */
  content: string;
  entry: CronEntry;
  /** Paths of the scripts that it runs, as far as they were found. */
  scripts: string[];
  evidence: Evidence;
  /** Settings, command and scripts, as text. Secrets may be in it: never shown. */
  texts: string[];
}

export interface CronSearch {
  /** What refreshes the credentials: to be disabled. */
  jobs: CronJob[];
  /** What has to do with them, but is something else, as far as can be judged: left alone. */
  related: CronJob[];
  /** Crontabs that could not be read. */
  unread: string[];
  /** What else may refresh them, one sentence each. */
  elsewhere: string[];
}

/** With the crontab's own settings in place of their names: `DIR=/opt/x`, `$DIR/refresh.sh`. */
function expanded({ command, env }: CronEntry): string {
  return command.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    return env.get(braced ?? bare ?? "") ?? whole;
  });
}

const OURS = /\bidc-helper\b/;

export async function findCronJobs(pair: OldPair): Promise<CronSearch> {
  const { files, unread } = await readCrontabs();
  const found: CronJob[] = [];
  for (const file of files) {
    for (const entry of parseCrontab(file.text, file.format)) {
      if (OURS.test(entry.command)) continue;
      found.push(await examine(file, entry, pair));
    }
  }
  const { refreshers, related } = best(found);
  return { jobs: refreshers, related, unread, elsewhere: await findOtherSchedulers(pair) };
}

async function examine({ path, text }: CrontabFile, entry: CronEntry, pair: OldPair): Promise<CronJob> {
  const home = entry.env.get("HOME") ?? findUser(entry.user)?.home ?? "/";
  const scripts = await findScripts(expanded(entry), { home, searchPath: entry.env.get("PATH") ?? null });
  const parts = [entry.command, ...scripts.map((script) => script.text)];
  const settings = [...entry.env].map(([name, value]) => `${name}=${value}`);
  return {
    file: path,
    content: text.split("\n")[entry.line - 1] ?? "",
    entry,
    scripts: scripts.map((script) => script.path),
    evidence: weigh(parts, pair),
    texts: [...settings, ...parts],
  };
}
