/** What AWS is told: who the instance is, and its tags. Each looks first, and changes only what differs. */
import type { CodeDeploy, Instance, Tag } from "../aws/codedeploy.ts";
import { Failure } from "../failure.ts";
import type { StepOutcome } from "../report/progress.ts";

export interface Wanted {
  serial: string;
  sessionArn: string;
  region: string;
}

/**
 * Looked up before anything is changed: a host that works must not be given a config under which it cannot be
 * registered.
 *
 * @throws Failure `conflict`, `limit_exceeded`
 */
export async function findName(
  codedeploy: CodeDeploy,
  wanted: Wanted & { tags: readonly Tag[] },
): Promise<StepOutcome> {
  const { state, detail } = await registerInstance(codedeploy, wanted, false);
  if (state === "plan") return { state: "ok", detail: `${wanted.serial} is free` };
  await addTags(codedeploy, wanted.serial, wanted.tags, false);
  return { state: "ok", detail };
}

/**
 * @param changes false to say only what would be done
 * @throws Failure `conflict` that says whose the name or the ARN is, and what to do
 */
export async function registerInstance(
  codedeploy: CodeDeploy,
  wanted: Wanted,
  changes: boolean,
): Promise<StepOutcome> {
  const { serial, sessionArn } = wanted;
  const found = await codedeploy.get(serial);
  if (found !== null && found.deregisteredAt !== null) throw nameBlocked(wanted, found.deregisteredAt);
  if (found !== null && found.sessionArn === sessionArn)
    return { state: "kept", detail: `${serial} is registered as ${sessionArn}` };
  if (found !== null) throw nameTaken(wanted, found);
  if (!changes) return { state: "plan", detail: `register ${serial} as ${sessionArn}` };
  try {
    await codedeploy.register(serial, sessionArn);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "conflict") throw error;
    throw await explainConflict(codedeploy, wanted, error);
  }
  return { state: "done", detail: `${serial} registered as ${sessionArn}` };
}

async function explainConflict(codedeploy: CodeDeploy, wanted: Wanted, conflict: Failure): Promise<Failure> {
  const byName = await codedeploy.get(wanted.serial);
  if (byName !== null && byName.deregisteredAt !== null) return nameBlocked(wanted, byName.deregisteredAt);
  if (byName !== null && byName.sessionArn !== wanted.sessionArn) return nameTaken(wanted, byName);
  const holder = await codedeploy.findByArn(wanted.sessionArn).catch(() => null);
  if (holder !== null) return arnTaken(wanted, holder.name);
  return new Failure({
    kind: "conflict",
    message: `CodeDeploy refuses to register ${wanted.serial} as ${wanted.sessionArn}: ${conflict.message}`,
    nextStep: `Find who has the ARN: aws deploy list-on-premises-instances --registration-status Registered --region ${wanted.region}, then aws deploy batch-get-on-premises-instances --instance-names ... Deregister that name (aws deploy deregister-on-premises-instance --instance-name NAME), or use a serial of this host's own.`,
  });
}

const BLOCKED = "AWS keeps a deregistered name taken for hours";

function nameBlocked({ serial, region }: Wanted, since: Date): Failure {
  return new Failure({
    kind: "conflict",
    message: `the name ${serial} was deregistered at ${since.toISOString()}, and ${BLOCKED}`,
    nextStep: `Run the same command again later (the name is free when aws deploy get-on-premises-instance --region ${region} --instance-name ${serial} answers InstanceNotRegisteredException), or register under another serial.`,
  });
}

function nameTaken(
  { serial, sessionArn, region }: Wanted,
  { sessionArn: session, userArn }: Instance,
): Failure {
  const holder = session ?? userArn ?? "another identity";
  const step =
    userArn !== null
      ? "It was registered with an IAM user; if it is this host, idc-helper adopt moves it over."
      : `If that is another host, choose another serial. If it is this host with an old role, deregister it first: aws deploy deregister-on-premises-instance --region ${region} --instance-name ${serial}. ${BLOCKED}.`;
  return new Failure({
    kind: "conflict",
    message: `the name ${serial} is registered with another ARN: ${holder}, not ${sessionArn}`,
    nextStep: step,
  });
}

function arnTaken({ serial, sessionArn, region }: Wanted, name: string): Failure {
  return new Failure({
    kind: "conflict",
    message: `${sessionArn} is registered under another name: ${name}, not ${serial}`,
    nextStep: `An ARN has one name. Deregister that one (aws deploy deregister-on-premises-instance --region ${region} --instance-name ${name}; ${BLOCKED}), then run this again.`,
  });
}

/**
 * The instance as it is registered for this host.
 *
 * @returns null where the name is not registered
 * @throws Failure `conflict` where the name is another's
 */
export async function findOwnInstance(codedeploy: CodeDeploy, wanted: Wanted): Promise<Instance | null> {
  const instance = await codedeploy.get(wanted.serial);
  if (instance === null || instance.deregisteredAt !== null) return null;
  if (instance.sessionArn === wanted.sessionArn) return instance;
  const { message } = nameTaken(wanted, instance);
  throw new Failure({
    kind: "conflict",
    message,
    nextStep:
      "It is not this host's to change. To clean up this host alone: idc-helper deregister --host-only",
  });
}

/** Adds what is missing; tags that others have added stay. @throws Failure `limit_exceeded` */
export async function addTags(
  codedeploy: CodeDeploy,
  serial: string,
  tags: readonly Tag[],
  changes: boolean,
): Promise<StepOutcome> {
  const present = (await codedeploy.get(serial))?.tags ?? [];
  const missing = tags.filter(
    ({ key, value }) => !present.some((tag) => tag.key === key && tag.value === value),
  );
  if (present.length === 0 && tags.length === 0) {
    const note = "No deployment group can select an instance without tags. Add some: --tag Key=Value";
    return { state: "note", detail: "the instance has no tags", notes: [note] };
  }
  if (missing.length === 0) return { state: "kept", detail: `has ${describeTags(present)}` };
  const others = present.filter(({ key }) => !missing.some((tag) => tag.key === key));
  if (others.length + missing.length > 10) {
    throw new Failure({
      kind: "limit_exceeded",
      message: `${serial} has ${describeTags(present)}; with ${describeTags(missing)} there would be more than 10`,
      nextStep: "Remove some in AWS (aws deploy remove-tags-from-on-premises-instances), or give fewer.",
    });
  }
  if (!changes) return { state: "plan", detail: `add ${describeTags(missing)}` };
  await codedeploy.addTags(serial, missing);
  return { state: "done", detail: `added ${describeTags(missing)}` };
}

export function describeTags(tags: readonly Tag[]): string {
  return tags.map(({ key, value }) => `${key}=${value}`).join(", ");
}
