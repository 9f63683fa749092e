/**
 * What `register` keeps on the host about its registration: root's file beside the config, world-readable, no secret
 * in it. It is written before AWS is told anything, so that a registration that was cut short is never unnoticed.
 */
import { dirname } from "node:path";
import type { Tag } from "../aws/codedeploy.ts";
import { registrationFile } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { replaceFile } from "../host/atomic-file.ts";
import type { MachineFingerprint } from "../host/machine.ts";
import { readTextIfPresent } from "../host/read-file.ts";

export interface Registration {
  schema: 1;
  /** `started` until AWS has the instance with all its tags and the agent has its config. */
  state: "started" | "complete";
  serial: string;
  region: string;
  sessionArn: string;
  /** As asked for; an operator may have added others in AWS. */
  tags: Tag[];
  /** Of the machine that was registered. */
  machine: MachineFingerprint;
  startedAt: string;
}

const MAX_BYTES = 64 * 1_024;

/**
 * @returns null where there is none: a host that was set up by other means
 * @throws the system error or SyntaxError for one that cannot be used
 */
export async function readRegistration(configFile: string): Promise<Registration | null> {
  const path = registrationFile(configFile);
  const text = await readTextIfPresent(path, { maxBytes: MAX_BYTES });
  if (text === null) return null;
  const value = parse(text, path);
  if (!isRegistration(value)) throw new SyntaxError(`${path} was written by another version of idc-helper`);
  return value;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the parser's own words, which name no file and repeat what is in it.
    throw new SyntaxError(`${path} is not JSON`);
  }
}

/** As {@link readRegistration}, for who writes it anew where it is unreadable, or another version's. */
export function readUsableRegistration(configFile: string): Promise<Registration | null> {
  return readRegistration(configFile).catch(() => null);
}

/** @throws Failure `cannot_write` */
export async function writeRegistration(configFile: string, registration: Registration): Promise<void> {
  const path = registrationFile(configFile);
  try {
    await replaceFile(path, renderRegistration(registration), { mode: 0o644 });
  } catch (error) {
    throw new Failure({
      kind: "cannot_write",
      message: `${path} could not be written: ${errorCode(error) ?? errorText(error)}`,
      nextStep: `See its directory: ls -ld ${dirname(path)}; df -h ${dirname(path)}`,
    });
  }
}

export function renderRegistration(registration: Registration): string {
  return `${JSON.stringify(registration, null, 2)}\n`;
}

function isRegistration(value: unknown): value is Registration {
  if (typeof value !== "object" || value === null) return false;
  const { schema, serial, region, sessionArn, tags, machine } = value as Partial<Registration>;
  const isNamed = [serial, region, sessionArn].every((field) => typeof field === "string");
  const isTagged = Array.isArray(tags) && tags.every(isTag);
  return schema === 1 && isNamed && isTagged && isMachine(machine);
}

function isTag(value: unknown): value is Tag {
  if (typeof value !== "object" || value === null) return false;
  const { key, value: text } = value as Partial<Tag>;
  return typeof key === "string" && typeof text === "string";
}

/** What is missing could not be compared, and what is no text would be another machine. */
function isMachine(value: unknown): value is MachineFingerprint {
  if (typeof value !== "object" || value === null) return false;
  const { productUuid, productSerial, machineId } = value as Partial<MachineFingerprint>;
  return [productUuid, productSerial, machineId].every((part) => part === null || typeof part === "string");
}
