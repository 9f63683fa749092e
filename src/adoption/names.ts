/** Serial and role of the host to be: derived where they can be, else asked for on a terminal, or demanded. */
import { parseRoleArn } from "../aws/arn.ts";
import type { Config } from "../config/config.ts";
import { isSerial, ROLE_RULE, SERIAL_RULE } from "../config/schema.ts";
import { Failure } from "../failure.ts";
import { readMachine } from "../host/machine.ts";
import { askText, isInteractive } from "../host/terminal.ts";
import { usage } from "../registration/request.ts";
import { deriveSerial } from "../registration/serial.ts";
import { SERVICE } from "../registration/service-step.ts";
import type { Manifest } from "./manifest.ts";
import { findOldProxy } from "./old-proxy.ts";
import type { SessionSetup, UserSetup } from "./old-setup.ts";
import type { AdoptFlags } from "./request.ts";
import { findRole } from "./role.ts";

export interface Names {
  serial: string;
  roleArn: string;
  /** False where the role's path is only taken to be empty. */
  isRoleKnown: boolean;
  /** Through which the old cron job reaches AWS, where ours does not say; null for none. */
  proxy: string | null;
  /** For a person: where they come from. */
  explanation: string;
  /** What could not be derived, and has to be seen to. */
  notes: string[];
}

export interface NameSources {
  flags: AdoptFlags;
  manifest: Manifest | null;
  present: Config | null;
  mayAsk: boolean;
}

const EXAMPLE =
  "idc-helper adopt --serial auto --role-arn arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile";

/** @param texts crontab lines and scripts, which may hold the role's ARN */
export function namesOfSession(
  setup: SessionSetup,
  { flags, manifest, present }: NameSources,
  texts: readonly string[],
): Names {
  const { serial } = setup;
  if (flags.serial !== undefined && flags.serial !== serial) {
    throw new Failure({
      kind: "conflict",
      message: `this host polls as ${serial} (the session's name in ${setup.sessionArn}), not as ${flags.serial}`,
      nextStep: "adopt keeps the identity that the host has: leave --serial out.",
    });
  }
  if (!isSerial(serial)) {
    throw new Failure({
      kind: "host_not_ready",
      message: `this host polls as ${serial}, which cannot be kept: allowed is ${SERIAL_RULE}`,
      nextStep: "Register it anew under a serial of its own: idc-helper register",
    });
  }
  const { roleArn, source, isKnown } = findRole(setup, {
    given: flags.roleArn,
    present: manifest?.roleArn ?? present?.roleArn ?? null,
    texts,
  });
  const role = { serial, roleArn, isRoleKnown: isKnown };
  const { proxy, explanation, notes } = carriedProxy(present, texts);
  return { ...role, proxy, explanation: `role from ${source}${explanation}`, notes };
}

/** Our own config's say comes first. */
function carriedProxy(
  present: Config | null,
  texts: readonly string[],
): Pick<Names, "proxy" | "explanation" | "notes"> {
  const nothing = { proxy: null, explanation: "", notes: [] };
  if (present !== null && present.network.proxy !== null) return nothing;
  const old = findOldProxy(texts);
  if (old.kind === "found")
    return {
      ...nothing,
      proxy: old.url,
      explanation: `; the old cron job's proxy ${old.url} becomes network.proxy`,
    };
  if (old.kind === "none") return nothing;
  const note = `The old cron job goes through a proxy, which is not carried over: ${old.why}. Our service needs it, too: network.proxy, or HTTPS_PROXY in a drop-in of ${SERVICE}.`;
  return { ...nothing, notes: [note] };
}

/** A user's registration tells neither. */
export async function namesOfUser(setup: UserSetup, sources: NameSources): Promise<Names> {
  const { flags, manifest, present, mayAsk } = sources;
  const derived = flags.serial === "auto" ? deriveSerial(readMachine()) : null;
  let serial = derived?.serial ?? flags.serial ?? manifest?.serial ?? present?.serial;
  let roleArn = flags.roleArn ?? manifest?.roleArn ?? present?.roleArn;
  if (mayAsk && isInteractive()) {
    serial ??= await askSerial();
    roleArn ??= await askText({
      message: "ARN of the role that the host is to assume, in place of its IAM user:",
      validate: (answer) => parseRoleArn(answer.trim()) !== null || `Allowed is ${ROLE_RULE}`,
    });
  }
  const errors = [
    ...(serial === undefined
      ? ["--serial is missing: this host is registered with an IAM user, and gets a name of its own"]
      : isSerial(serial)
        ? []
        : [`--serial ${JSON.stringify(serial)}: allowed is auto, or ${SERIAL_RULE}`]),
    ...(roleArn === undefined
      ? ["--role-arn is missing: the role that the host is to assume in place of its IAM user"]
      : parseRoleArn(roleArn) === null
        ? [`--role-arn ${JSON.stringify(roleArn)}: allowed is ${ROLE_RULE}`]
        : []),
  ];
  if (errors.length > 0 || serial === undefined || roleArn === undefined) throw usage(errors, EXAMPLE);
  const role = parseRoleArn(roleArn.trim());
  if (role !== null && role.account !== setup.account) {
    throw usage(
      [`--role-arn ${roleArn} is of another account than this host's IAM user (${setup.account})`],
      EXAMPLE,
    );
  }
  if (manifest !== null) refuseChange(manifest, serial, roleArn.trim());
  const explanation = derived === null ? "" : `the serial is ${derived.explanation}`;
  return { serial, roleArn: roleArn.trim(), isRoleKnown: true, proxy: null, explanation, notes: [] };
}

/** AWS may have the name already, and the manifest is what an undo goes back from. */
function refuseChange(manifest: Manifest, serial: string, roleArn: string): void {
  if (serial === manifest.serial && roleArn === manifest.roleArn) return;
  throw new Failure({
    kind: "conflict",
    message: `this host's adoption has begun as ${manifest.serial} with ${manifest.roleArn}, not as ${serial} with ${roleArn}`,
    nextStep:
      "Go on with it: idc-helper adopt. To give it other names, undo it first: idc-helper adopt --undo",
  });
}

async function askSerial(): Promise<string> {
  const answer = await askText({
    message: "Serial that names this host to AWS from now on (auto: from its hardware):",
    validate: (text) =>
      text.trim() === "auto" || isSerial(text.trim()) || `Allowed is auto, or ${SERIAL_RULE}`,
  });
  return answer.trim() === "auto" ? deriveSerial(readMachine()).serial : answer.trim();
}
