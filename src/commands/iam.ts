/**
 * `idc-helper iam`: the rights that hosts, their base identity and their operator need, and no more, ready to
 * paste. It calls nothing and changes nothing.
 */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { BASE_CREDENTIALS_FILE, CONFIG_FILE } from "../config/paths.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { cloudFormationTemplate } from "../iam/cloudformation.ts";
import { DOCUMENT_NAMES, type IamOutput, iamOutput } from "../iam/output.ts";
import { pasteable } from "../iam/paste.ts";
import { type IamFlags, type IamReading, misused, readIamInputs, shown } from "../iam/read-inputs.ts";
import { type Answering, type ConfigOption, print, printJson, readConfig } from "./options.ts";

export interface IamOptions extends ConfigOption, Answering, IamFlags {
  format?: string;
  only?: string;
}

const FORMATS = ["json", "cloudformation"];
const PARTS: readonly string[] = [...DOCUMENT_NAMES, "profile"];

export async function iam(options: IamOptions): Promise<number> {
  try {
    const config = await findConfig(options);
    const reading = readIamInputs(options, config, formMisuse(options));
    show(options, reading, config);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof Failure) || !isJson(options)) throw error;
    printJson({ result: "failed", ...error.report() });
    return exitCodeOf(error.kind);
  }
}

/** Where the default config is not there, flags have to say it all: this is often run far from any host. */
async function findConfig({ config = CONFIG_FILE }: IamOptions): Promise<Config | null> {
  const isReadable = await access(config, constants.R_OK).then(
    () => true,
    () => false,
  );
  if (!isReadable && config === CONFIG_FILE) return null;
  return (await readConfig({ config }, { unknownKeys: "warn", requireTrusted: false })).config;
}

function formMisuse({ format, only, json, certificate }: IamOptions): string[] {
  const errors: string[] = [];
  if (format !== undefined && !FORMATS.includes(format))
    errors.push(`--format ${shown(format)} is not known: one of ${FORMATS.join(", ")}`);
  if (only !== undefined && !PARTS.includes(only))
    errors.push(`--only ${shown(only)} is not known: one of ${PARTS.join(", ")}`);
  if (format === "cloudformation" && (json || only !== undefined))
    errors.push(`--format cloudformation is all in one: it does not go with ${json ? "--json" : "--only"}`);
  if ((only === "base-trust" || only === "profile") && !certificate)
    errors.push(`--only ${only} needs --certificate`);
  return errors;
}

function show(options: IamOptions, { inputs, notes }: IamReading, config: Config | null): void {
  const { format, only } = options;
  const output = iamOutput(inputs);
  const asJson = isJson(options);
  if (format === "cloudformation") print(indented(cloudFormationTemplate(inputs)));
  else if (only !== undefined) process.stdout.write(part(output, only));
  else if (asJson) print(indented({ ...output.documents, profile: output.profile, notes }));
  else process.stdout.write(pasteable(output, inputs, config?.baseCredentials.file ?? BASE_CREDENTIALS_FILE));
  // Never among what is piped onwards.
  if (!asJson) for (const note of notes) process.stderr.write(`Note: ${note}.\n`);
}

function isJson({ format, json }: IamOptions): boolean {
  return json === true || format === "json";
}

function part({ documents, profile }: IamOutput, only: string): string {
  if (only === "profile") return profile ?? "";
  const name = DOCUMENT_NAMES.find((each) => each === only);
  const document = name && documents[name];
  if (document === undefined) throw misused([`there is no ${only} here`]);
  return `${indented(document)}\n`;
}

function indented(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
