/**
 * `systemctl` as systemd 252 answers it: verbs, exit codes and messages, for the few units of a scratch host.
 *
 * What it does not know it refuses, so that a test notices a verb nobody has thought of.
 */
import { parseArgs } from "node:util";
import { type Answer, changeFiles, FILE_VERBS, failed, JOBS, runJob, type Systemd, said } from "./jobs.ts";
import { propertiesOf } from "./properties.ts";

export interface Request {
  userId: number;
  args: readonly string[];
}

const OPTIONS = {
  property: { type: "string", short: "p", multiple: true },
  value: { type: "boolean" },
  now: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  version: { type: "boolean" },
  full: { type: "boolean", short: "l" },
  system: { type: "boolean" },
  "no-ask-password": { type: "boolean" },
  "no-pager": { type: "boolean" },
  "no-block": { type: "boolean" },
  "no-reload": { type: "boolean" },
  "no-legend": { type: "boolean" },
  "kill-who": { type: "string" },
  "kill-whom": { type: "string" },
  signal: { type: "string", short: "s" },
  lines: { type: "string", short: "n" },
} as const;

const VERSION = "systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT +SELINUX default-hierarchy=unified\n";
const CHANGING: readonly string[] = [...JOBS, ...FILE_VERBS, "reset-failed", "daemon-reload", "kill"];

type Values = ReturnType<typeof parse>["values"];

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

export async function systemctl(systemd: Systemd, { args, userId }: Request): Promise<Answer> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return failed(`systemctl: ${error instanceof Error ? error.message : error}`);
  }
  const { values, positionals } = parsed;
  if (values.version) return said(VERSION);
  const [verb = "list-units", ...names] = positionals;
  const units = names.map((name) => (/\.(service|path)$/.test(name) ? name : `${name}.service`));
  const planted = (units.length === 0 ? [""] : units).map((unit) => systemd.before(verb, unit));
  const instead = planted.find((answer) => answer !== undefined);
  if (instead) return instead;
  if (userId !== 0 && CHANGING.includes(verb)) {
    return failed(`Failed to ${verb} ${units.join(" ")}: Interactive authentication required.`);
  }
  if (verb === "daemon-reload") return said("");
  if (verb === "is-system-running") return said("running\n");
  if (units.length === 0 && verb !== "reset-failed") return failed("Too few arguments.");
  const answers: Answer[] = [];
  for (const unit of units) answers.push(await perform(systemd, verb, unit, values));
  return joined(verb, values.quiet ? answers.map((answer) => ({ ...answer, stdout: "" })) : answers);
}

/** `is-active` of several is true when one of them is, as the others are when all are. */
function joined(verb: string, answers: Answer[]): Answer {
  const codes = answers.map(({ code }) => code);
  const isAny = verb === "is-active" || verb === "is-failed" || verb === "is-enabled";
  const code = isAny && codes.includes(0) ? 0 : Math.max(0, ...codes);
  const separator = verb === "show" ? "\n" : "";
  return {
    code,
    stdout: answers.map(({ stdout }) => stdout).join(separator),
    stderr: answers.map(({ stderr }) => stderr).join(""),
  };
}

async function perform(systemd: Systemd, verb: string, name: string, values: Values): Promise<Answer> {
  if (isOne(JOBS, verb)) return runJob(systemd, verb, name);
  if (isOne(FILE_VERBS, verb)) return changeFiles(systemd, verb, name, values.now === true);
  const properties = () =>
    new Map([...propertiesOf(name, systemd.find(name), systemd.files), ...systemd.overrides(name)]);
  const value = (key: string) => properties().get(key) ?? "";
  switch (verb) {
    case "show":
      return said(show(properties(), values));
    case "is-active":
      return said(`${value("ActiveState")}\n`, value("ActiveState") === "active" ? 0 : 3);
    case "is-failed":
      return said(`${value("ActiveState")}\n`, value("ActiveState") === "failed" ? 0 : 1);
    case "is-enabled":
      if (value("UnitFileState") === "") {
        return failed(`Failed to get unit file state for ${name}: No such file or directory`);
      }
      return said(`${value("UnitFileState")}\n`, value("UnitFileState") === "enabled" ? 0 : 1);
    case "status":
      if (value("LoadState") === "not-found") return failed(`Unit ${name} could not be found.`, 4);
      return said(
        `${name}\n     Loaded: ${value("LoadState")} (${value("FragmentPath")}; ${value("UnitFileState")})\n     Active: ${value("ActiveState")} (${value("SubState")})\n`,
        value("ActiveState") === "active" ? 0 : 3,
      );
    case "cat":
      if (value("LoadState") === "not-found") return failed(`No files found for ${name}.`);
      return said(
        [value("FragmentPath"), ...value("DropInPaths").split(" ")].map((path) => `# ${path}\n`).join(""),
      );
    case "reset-failed":
      systemd.find(name)?.resetFailed();
      return said("");
    case "kill":
      // Only for the control process of a reload that hangs, which there never is here.
      return said("");
    default:
      return failed(`Unknown command verb ${verb}.`);
  }
}

function show(properties: ReadonlyMap<string, string>, { property, value: isBare }: Values): string {
  const keys = property === undefined ? [...properties.keys()] : property.flatMap((each) => each.split(","));
  return keys
    .flatMap((key) => {
      const value = properties.get(key);
      if (value === undefined) return [];
      return [isBare ? `${value}\n` : `${key}=${value}\n`];
    })
    .join("");
}

function isOne<const T extends readonly string[]>(list: T, value: string): value is T[number] {
  return list.includes(value);
}
