/** The end of a registration: AWS has what was asked for, and the host's own record says so. */
import type { CodeDeploy, Tag } from "../aws/codedeploy.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";
import { describeTags, type Wanted } from "./aws-steps.ts";
import { readRegistration, writeRegistration } from "./record.ts";

/** A registration without its tags must not pass for done. @throws Failure `bad_answer` */
export async function readBack(
  codedeploy: CodeDeploy,
  { serial, sessionArn }: Wanted,
  tags: readonly Tag[],
): Promise<void> {
  const instance = await codedeploy.get(serial);
  const missing = tags.filter(
    ({ key, value }) => !instance?.tags.some((tag) => tag.key === key && tag.value === value),
  );
  const isRegistered =
    instance !== null && instance.deregisteredAt === null && instance.sessionArn === sessionArn;
  if (isRegistered && missing.length === 0) return;
  throw new Failure({
    kind: "bad_answer",
    message: isRegistered
      ? `AWS does not show the tags ${describeTags(missing)} of ${serial}`
      : `AWS does not show ${serial} as registered with ${sessionArn}`,
    nextStep: "Somebody else may be changing it. Run the same command again.",
  });
}

export async function completeRecord({ configFile }: Config): Promise<void> {
  const registration = await readRegistration(configFile);
  if (registration !== null && registration.state !== "complete")
    await writeRegistration(configFile, { ...registration, state: "complete" });
}
