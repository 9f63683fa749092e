/**
 * The account as every emulator starts with it, and the keys that tests and the demo use. The keys are made
 * up and open nothing anywhere.
 */
import { fixedSecret } from "./canary.ts";
import type { Directory } from "./directory.ts";
import { allow, trust } from "./policy/document.ts";

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export const DEFAULT_ACCOUNT = "123456789012";
export const ROLE_NAME = "CodeDeployIDC-Instance-Profile";
export const ROLE_ARN = `arn:aws:iam::${DEFAULT_ACCOUNT}:role/${ROLE_NAME}`;

/** The key of `idc-base`, which may assume the role and nothing else. */
export const BASE_KEY: KeyPair = {
  accessKeyId: "AKIAIDCBASE000000001",
  secretAccessKey: fixedSecret("base"),
};

/** The key of `operator`, who registers and deregisters hosts. */
export const OPERATOR_KEY: KeyPair = {
  accessKeyId: "AKIAIDCOPERATOR00001",
  secretAccessKey: fixedSecret("operator"),
};

const OPERATOR_ACTIONS = [
  "RegisterOnPremisesInstance",
  "GetOnPremisesInstance",
  "BatchGetOnPremisesInstances",
  "ListOnPremisesInstances",
  "AddTagsToOnPremisesInstances",
  "RemoveTagsFromOnPremisesInstances",
  "DeregisterOnPremisesInstance",
];

export function seedDirectory(directory: Directory): void {
  const base = directory.putUser({
    name: "idc-base",
    ...BASE_KEY,
    policies: [allow("sts:AssumeRole", `arn:aws:iam::${directory.account}:role/${ROLE_NAME}`)],
  });
  directory.putUser({
    name: "operator",
    ...OPERATOR_KEY,
    policies: [allow(OPERATOR_ACTIONS.map((action) => `codedeploy:${action}`))],
  });
  directory.putRole({ name: ROLE_NAME, maxSessionDurationSeconds: 3600, trustPolicy: trust(base.arn) });
}
