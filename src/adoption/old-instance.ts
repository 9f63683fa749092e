/** The registration as AWS has it: under the same session, or under the IAM user that is to be replaced. */
import type { CodeDeploy, Instance } from "../aws/codedeploy.ts";
import { Failure } from "../failure.ts";
import { describeTags } from "../registration/aws-steps.ts";
import type { StepOutcome } from "../report/progress.ts";
import type { Manifest } from "./manifest.ts";
import type { SessionSetup, UserSetup } from "./old-setup.ts";

export interface FoundInstance {
  instance: Instance | null;
  outcome: StepOutcome;
}

/** @throws Failure `conflict` where AWS knows the name by another ARN, `not_registered` where nobody has the ARN */
export async function findSameInstance(codedeploy: CodeDeploy, setup: SessionSetup): Promise<FoundInstance> {
  const { serial, sessionArn } = setup;
  const named = await codedeploy.get(serial);
  if (named !== null && named.deregisteredAt === null) {
    if (named.sessionArn === sessionArn) return { instance: named, outcome: asExpected(named) };
    throw new Failure({
      kind: "conflict",
      message: `AWS has ${serial} registered with ${named.sessionArn ?? named.userArn ?? "another identity"}, but this host is configured as ${sessionArn}: it is not the same identity`,
      nextStep: `See which host is which: aws deploy get-on-premises-instance --region ${setup.region} --instance-name ${serial}`,
    });
  }
  const other = await codedeploy.findByArn(sessionArn);
  if (other !== null) {
    const note = `AWS has this session under the name ${other.name}, not ${serial}. Deployments go on as before; deregister and doctor ask for ${serial}.`;
    return { instance: other, outcome: { ...asExpected(other), state: "note", notes: [note] } };
  }
  throw new Failure({
    kind: "not_registered",
    message: `${sessionArn} is not registered with CodeDeploy in ${setup.region}: there is nothing to take over`,
    nextStep: `Set the host up anew: idc-helper register --serial ${serial} --region ${setup.region} --role-arn ARN`,
  });
}

function asExpected({ name, sessionArn, tags }: Instance): StepOutcome {
  const tagged = tags.length === 0 ? "without tags" : `with ${describeTags(tags)}`;
  return { state: "ok", detail: `AWS has ${name} as ${sessionArn}, ${tagged}` };
}

/** `aws deploy register` names both alike, and to get one takes fewer rights, and calls, than to look through all. */
async function findByUserName(
  codedeploy: CodeDeploy,
  { userName, userArn }: UserSetup,
): Promise<Instance | null> {
  const named = await codedeploy.get(userName);
  return named?.userArn === userArn && named.deregisteredAt === null ? named : null;
}

/** @throws Failure `not_registered` where no registered instance has the user's ARN, and none had */
export async function findOldInstance(
  codedeploy: CodeDeploy,
  setup: UserSetup,
  manifest: Manifest | null,
): Promise<FoundInstance> {
  const instance = (await findByUserName(codedeploy, setup)) ?? (await codedeploy.findByArn(setup.userArn));
  if (instance !== null) {
    const tagged = instance.tags.length === 0 ? "without tags" : `with ${describeTags(instance.tags)}`;
    return { instance, outcome: { state: "ok", detail: `${instance.name}, of ${setup.userArn}, ${tagged}` } };
  }
  if (manifest?.old.kind === "user") {
    const { instanceName } = manifest.old;
    return { instance: null, outcome: { state: "ok", detail: `${instanceName} is deregistered already` } };
  }
  throw new Failure({
    kind: "not_registered",
    message: `no on-premises instance in ${setup.region} is registered with ${setup.userArn}`,
    nextStep: `There is nothing to move over. Set the host up anew: idc-helper register --serial auto --region ${setup.region} --role-arn ARN`,
  });
}
