/** Our config file on the virtual host: what is in it, how an operator edits it, and what our commands read in it. */
import type { Config } from "../../../src/config/config.ts";
import { ConfigError } from "../../../src/config/config-error.ts";
import { configFromText } from "../../../src/config/load.ts";
import { CONFIG_FILE } from "../../../src/config/paths.ts";
import type { Disk } from "./disk.ts";

export const OUR_CONFIG = `serial: serial-ABCDEFG
region: ap-northeast-2
role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile
`;

/** Each is right in itself, and means something else than the one before. */
export const RIGHT_EDITS: readonly string[] = [
  `${OUR_CONFIG}schedule: "*/20 * * * *"\n`,
  `${OUR_CONFIG}session_duration: 4h\nschedule: "10 */2 * * *"\n`,
  `${OUR_CONFIG}session_duration: 2h\n`,
  OUR_CONFIG.replace("CodeDeployIDC-Instance-Profile", "Other-Profile"),
  `# one line more\n${OUR_CONFIG}`,
];

export const WRONG_EDITS: readonly string[] = [
  `${OUR_CONFIG}session_duration: soon\n`,
  `${OUR_CONFIG}schedule: "0 * * * *"\n`,
  `${OUR_CONFIG}  log: [\n`,
  "",
];

const known = new Map<string, Config | ConfigError>();

/** @throws ConfigError */
export function readOurConfig(disk: Disk): Config {
  const text = disk.find(CONFIG_FILE)?.content.toString("utf8") ?? "";
  let read = known.get(text);
  if (read === undefined) {
    read = interpret(text);
    known.set(text, read);
  }
  if (read instanceof ConfigError) throw read;
  return read;
}

function interpret(text: string): Config | ConfigError {
  try {
    return configFromText(text, { path: CONFIG_FILE, unknownKeys: "warn", env: {} }).config;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}
