/** What `register` was asked for, checked as a whole before anything else: every mistake at once, by its flag. */
import { parseRoleArn, partitionOf } from "../aws/arn.ts";
import type { Tag } from "../aws/codedeploy.ts";
import type { Config } from "../config/config.ts";
import { isRegion, isSerial, REGION_RULE, ROLE_RULE, SERIAL_RULE } from "../config/schema.ts";
import { Failure } from "../failure.ts";
import { readMachine } from "../host/machine.ts";
import { deriveSerial } from "./serial.ts";

export interface RegisterFlags {
  serial?: string;
  region?: string;
  roleArn?: string;
  tag?: string[];
}

export interface RegisterRequest {
  serial: string;
  /** Where the serial comes from; null where it was given. */
  serialExplanation: string | null;
  region: string;
  roleArn: string;
  tags: Tag[];
}

/** FACTS, AWS. */
const MAX_TAGS = 10;
const MAX_TAG_KEY = 128;
const MAX_TAG_VALUE = 256;

const EXAMPLE =
  "idc-helper register --serial auto --region ap-northeast-2 --role-arn arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile --tag Name=web";

/**
 * @param present the config that is already there, whose values stand in for flags that are not given
 * @throws Failure `usage` with everything that is wrong
 */
export function parseRequest(flags: RegisterFlags, present: Config | null): RegisterRequest {
  const errors: string[] = [];
  const required = (
    flag: string,
    given: string | undefined,
    rule: string,
    isGood: (value: string) => boolean,
  ) => {
    if (given === undefined || given === "") errors.push(`${flag} is missing: ${rule}`);
    else if (!isGood(given)) errors.push(`${flag} ${quoted(given)}: allowed is ${rule}`);
    return given ?? "";
  };
  const region = required("--region", flags.region ?? present?.region, REGION_RULE, isRegion);
  const roleArn = required(
    "--role-arn",
    flags.roleArn ?? present?.roleArn,
    ROLE_RULE,
    (value) => parseRoleArn(value) !== null,
  );
  const derived = flags.serial === "auto" ? deriveSerial(readMachine()) : null;
  const serial =
    derived?.serial ??
    required("--serial", flags.serial ?? present?.serial, `auto, or ${SERIAL_RULE}`, isSerial);
  const role = parseRoleArn(roleArn);
  const partition = partitionOf(region);
  if (role !== null && partition !== null && role.partition !== partition)
    errors.push(
      `--region ${region} is in the partition ${partition}, but --role-arn is in ${role.partition}`,
    );
  const tags = parseTags(flags.tag ?? [], errors);
  if (errors.length > 0) throw usage(errors);
  return { serial, serialExplanation: derived?.explanation ?? null, region, roleArn, tags };
}

export function usage(errors: readonly string[], example: string = EXAMPLE): Failure {
  const summary = errors.length === 1 ? "" : `${errors.length} things are wrong with the arguments:\n`;
  const message = summary + errors.map((error) => (summary === "" ? error : `  ${error}`)).join("\n");
  return new Failure({ kind: "usage", message, nextStep: `Such as: ${example}` });
}

function parseTags(given: readonly string[], errors: string[]): Tag[] {
  const tags = given.map((text) => {
    const at = text.indexOf("=");
    const key = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? "" : text.slice(at + 1);
    const wrong = whatIsWrong(text, key, value);
    if (wrong !== null) errors.push(`--tag ${quoted(text)}: ${wrong}`);
    return { key, value };
  });
  const twice = tags.map(({ key }) => key).filter((key, index, keys) => keys.indexOf(key) < index);
  for (const key of new Set(twice)) errors.push(`--tag ${quoted(key)} is given more than once`);
  if (tags.length > MAX_TAGS)
    errors.push(`${tags.length} tags are given; an on-premises instance has at most ${MAX_TAGS}`);
  return tags;
}

function whatIsWrong(text: string, key: string, value: string): string | null {
  if (!text.includes("=")) return "it has no value; write Key=Value";
  if (key === "") return "it has no key; write Key=Value";
  if (value === "") return `the key ${quoted(key)} has no value; write ${key}=Value`;
  if (key.length > MAX_TAG_KEY)
    return `its key has ${key.length} characters; at most ${MAX_TAG_KEY} are allowed`;
  if (value.length > MAX_TAG_VALUE)
    return `its value has ${value.length} characters; at most ${MAX_TAG_VALUE} are allowed`;
  if (/\p{Cc}/u.test(text)) return "it holds a control character";
  return null;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
