/**
 * The text of the config file that `register` writes: the three values set, and whatever else an operator or a
 * configuration management has put there kept, comments included.
 */
import { dump } from "js-yaml";
import type { Config } from "../config/config.ts";
import { configFromText } from "../config/load.ts";
import { parseYaml } from "../config/yaml.ts";
import { Failure } from "../failure.ts";

export interface ConfigValues {
  serial: string;
  region: string;
  roleArn: string;
  /** Who else must be able to read the credentials file; null where the config's own say stands. */
  readerGroup?: string | null;
  /** Through which AWS is to be reached; null where the config's own say stands. */
  proxy?: string | null;
}

export interface ComposedConfig {
  text: string;
  config: Config;
}

const HEADER = `# Written by idc-helper register. Everything else has a default; idc-helper check-config shows what it comes to.
# Put a change in force with: systemctl reload idc-codedeploy-helper
`;

/**
 * @param existing the file's present text; null where there is none
 * @throws ConfigError for an existing file that is wrong, Failure `config` for one whose three keys cannot be set
 */
export function composeConfig(
  existing: string | null,
  path: string,
  values: ConfigValues,
  env: NodeJS.ProcessEnv,
): ComposedConfig {
  const { readerGroup = null, proxy = null } = values;
  const entries = { serial: values.serial, region: values.region, role_arn: values.roleArn };
  const named = Object.entries(entries).reduce(
    (before, [key, value]) => setTopLevelKey(before, key, value),
    existing ?? HEADER,
  );
  const grouped =
    readerGroup === null ? named : setInSection(named, "credentials_file", "group", readerGroup);
  const text = proxy === null ? grouped : setInSection(grouped, "network", "proxy", proxy);
  const otherwiseLaidOut = () => {
    const sections = {
      ...(readerGroup === null ? {} : { credentials_file: { group: readerGroup } }),
      ...(proxy === null ? {} : { network: { proxy } }),
    };
    return new Failure({
      kind: "config",
      message: `${path} is laid out in a way in which its keys cannot be set without risk to the rest`,
      nextStep: `Write these into it by hand, each on a line of its own:\n${dump({ ...entries, ...sections }, { lineWidth: -1 }).trim()}`,
    });
  };
  // One that was broken before is told as such, below.
  if (existing !== null && isYaml(existing) && !isYaml(text)) throw otherwiseLaidOut();
  const { config } = configFromText(text, { path, unknownKeys: "warn", env });
  const isSet =
    config.serial === values.serial &&
    config.region === values.region &&
    config.roleArn === values.roleArn &&
    (readerGroup === null || config.credentialsFile.group === readerGroup) &&
    (proxy === null || config.network.proxy === proxy);
  if (!isSet) throw otherwiseLaidOut();
  return { text, config };
}

/** What a config that is there already says; one that is incomplete, or wrong, has nothing to say. */
export function presentConfig(text: string, path: string): Config | null {
  try {
    return configFromText(text, { path, unknownKeys: "warn", env: process.env }).config;
  } catch {
    return null;
  }
}

function isYaml(text: string): boolean {
  try {
    parseYaml(text);
    return true;
  } catch {
    return false;
  }
}

/** Into the section where there is one, laid out as a block; else as a section of its own. */
function setInSection(text: string, section: string, key: string, value: string): string {
  const line = dump({ [key]: value }, { lineWidth: -1 }).trimEnd();
  const block = new RegExp(
    `^${section}:[ \\t]*(?:#.*)?\\r?\\n(?:[ \\t]+\\S.*(?:\\n|$)|[ \\t]*\\r?\\n)*`,
    "m",
  );
  const found = block.exec(text)?.[0];
  const indent = /\n([ \t]+)[^\s#]/.exec(found ?? "")?.[1];
  if (found === undefined || indent === undefined) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return `${before}${section}:\n  ${line}\n`;
  }
  const present = new RegExp(`^${indent}${key}[ \\t]*:.*$`, "m");
  const changed = present.test(found)
    ? found.replace(present, () => indent + line)
    : found.replace("\n", () => `\n${indent}${line}\n`);
  return text.replace(found, () => changed);
}

function setTopLevelKey(text: string, key: string, value: string): string {
  const line = dump({ [key]: value }, { lineWidth: -1 }).trimEnd();
  // A value that begins on the next line, or is a block, goes with the indented lines that it has.
  const pattern = new RegExp(`^${key}\\s*:(?:[ \\t]*(?:[|>].*)?(?:\\n[ \\t]+\\S.*)+|.*)$`, "m");
  const found = pattern.exec(text);
  if (found === null) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return `${before}${line}\n`;
  }
  // A comment on the same line is kept.
  const comment = found[0].includes("\n") ? "" : (/\s+#.*$/.exec(found[0])?.[0] ?? "");
  return text.replace(pattern, () => line + comment);
}
