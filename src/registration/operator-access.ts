/** The operator at work: whose credentials, and the CodeDeploy that they open. Nothing of it is kept. */
import { CodeDeploy } from "../aws/codedeploy.ts";
import { loadOperatorCredentials, type OperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import type { Failure } from "../failure.ts";
import { operatorConnection, type World, whoAmI } from "./identities.ts";

export interface OperatorAccess {
  operator: OperatorCredentials;
  caller: CallerIdentity;
  codedeploy: CodeDeploy;
}

/** @param profile `--profile`; @throws Failure `operator_credentials_…` */
export async function openOperator(world: World, profile: string | undefined): Promise<OperatorAccess> {
  const { region } = world.config;
  const { requestHandler } = world.network;
  const operator = await loadOperatorCredentials({ profile: profile ?? null, region, requestHandler });
  const caller = await whoAmI(world, operator);
  const codedeploy = new CodeDeploy(operatorConnection("codedeploy", world, operator));
  return { operator, caller, codedeploy };
}

/** Whether it is for want of an operator, or of an operator's rights. */
export function isAboutOperator({ kind }: Failure): boolean {
  return kind === "denied" || kind.startsWith("operator_credentials");
}
