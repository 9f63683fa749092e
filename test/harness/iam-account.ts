/** The emulated account with nothing but what `idc-helper iam` printed, and the host that goes with it. */
import type { DocumentName } from "../../src/iam/output.ts";
import {
  BASE_KEY,
  type Emulator,
  OPERATOR_KEY,
  ROLE_ARN,
  ROLE_NAME,
  startEmulator,
  trust,
} from "../aws-emulator/emulator.ts";
import {
  type PermissionPolicy,
  permissionPolicySchema,
  type TrustPolicy,
  trustPolicySchema,
} from "../aws-emulator/identity/policy/document.ts";
import { GIVEN_BASE_FILE, REVISIONS } from "./host-life.ts";
import { type HostScene, openHostScene } from "./host-scene.ts";
import { launch } from "./launch.ts";
import type { TestContext } from "./scene.ts";
import { SERIAL } from "./scratch-host.ts";

/** As `idc-helper iam --json` prints them. */
export interface PrintedPolicies {
  documents: Partial<Record<DocumentName, PrintedDocument>>;
  profile: string | null;
}

export interface PrintedDocument {
  Version: string;
  Statement: { Sid: string; Action: string[] }[];
}

export const TRUST_ANCHOR =
  "arn:aws:rolesanywhere:ap-northeast-2:123456789012:trust-anchor/11111111-2222-3333-4444-555555555555";
export const BASE_ROLE = "idc-base-role";
export const BASE_ROLE_ARN = `arn:aws:iam::123456789012:role/${BASE_ROLE}`;

/** /usr, where it is on a real host, is the real one's here. */
const HELPER_PROGRAM = "/opt/aws_signing_helper";
const AGENT_SETTINGS = "/etc/codedeploy-agent/conf/codedeployagent.yml";
const KEY_PROFILE = `[default]
aws_access_key_id = ${BASE_KEY.accessKeyId}
aws_secret_access_key = ${BASE_KEY.secretAccessKey}
`;

const FLAGS = {
  key: ["--base-arn", "arn:aws:iam::123456789012:user/idc-base"],
  certificate: [
    ...["--certificate", "--base-arn", BASE_ROLE_ARN, "--trust-anchor-arn", TRUST_ANCHOR],
    ...["--profile-arn", TRUST_ANCHOR.replace("trust-anchor", "profile")],
  ],
};

export async function printPolicies(
  variant: keyof typeof FLAGS,
  ...more: string[]
): Promise<PrintedPolicies> {
  const common = ["--role-arn", ROLE_ARN, "--region", "ap-northeast-2", "--bucket", REVISIONS];
  const args = ["iam", ...common, "--serial-pattern", "serial-*", ...FLAGS[variant], "--json", ...more];
  const { code, stdout, stderr } = await launch({ args, env: process.env }).result;
  if (code !== 0) throw new Error(stdout + stderr);
  const { notes: _, profile, ...documents } = JSON.parse(stdout);
  return { documents, profile };
}

/** An account in which every right is one that was printed. */
export async function openIamAccount(test: TestContext, printed: PrintedPolicies): Promise<Emulator> {
  const emulator = await startEmulator();
  test.onTestFinished(() => emulator.close());
  grant(emulator, printed);
  return emulator;
}

/** A host that is to be registered there, with its base credentials where the operator has put them. */
export async function openIamHost(
  test: TestContext,
  printed: PrintedPolicies,
  { authPolicy }: { authPolicy: boolean },
): Promise<HostScene> {
  const scene = await openHostScene(test, { agent: "stopped", agentTimeFactor: 60 });
  const { emulator, host } = scene;
  grant(emulator, printed);
  const profile = printed.profile?.replace("/usr/local/bin/aws_signing_helper", writeHelper(scene));
  host.write(GIVEN_BASE_FILE, profile ?? KEY_PROFILE, { mode: 0o600 });
  if (authPolicy) host.write(AGENT_SETTINGS, `${host.read(AGENT_SETTINGS)}:enable_auth_policy: true\n`);
  return scene;
}

function grant(emulator: Emulator, { documents, profile }: PrintedPolicies): void {
  const policies = (name: DocumentName) => permissionPolicies(documents[name]);
  emulator.users.put({ name: "operator", ...OPERATOR_KEY, policies: policies("operator") });
  const hostRole = { trustPolicy: trustPolicyOf(documents.trust), policies: policies("role") };
  emulator.roles.put({ name: ROLE_NAME, ...hostRole });
  if (profile === null) {
    emulator.users.put({ name: "idc-base", ...BASE_KEY, policies: policies("base") });
    return;
  }
  emulator.users.remove("idc-base");
  const baseRole = { trustPolicy: trustPolicyOf(documents["base-trust"]), policies: policies("base") };
  emulator.roles.put({ name: BASE_ROLE, ...baseRole });
}

/** A document whose last statement was taken out is none. */
function permissionPolicies(document: PrintedDocument | undefined): PermissionPolicy[] {
  return document?.Statement.length ? [permissionPolicySchema.parse(document)] : [];
}

/** A role cannot be without a trust policy. */
function trustPolicyOf(document: PrintedDocument | undefined): TrustPolicy {
  const nobody = trust("arn:aws:iam::123456789012:user/nobody");
  return trustPolicySchema.parse(document?.Statement.length ? document : nobody);
}

/** Stands in for AWS's credential helper, with a certificate in this host's name: same flags, same answer. */
function writeHelper({ emulator, host }: HostScene): string {
  host.write(
    HELPER_PROGRAM,
    `#!${process.execPath}
const { parseArgs } = require("node:util");
const type = "string";
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    certificate: { type }, "private-key": { type }, "trust-anchor-arn": { type }, "profile-arn": { type },
    "role-arn": { type }, region: { type },
  },
});
const spec = {
  roleArn: values["role-arn"],
  trustAnchorArn: values["trust-anchor-arn"],
  commonName: ${JSON.stringify(SERIAL)},
};
fetch("${emulator.controlUrl}/_emulator/roles-anywhere", { method: "POST", body: JSON.stringify(spec) })
  .then((response) => response.ok ? response.json() : Promise.reject(response.status))
  .then(({ accessKeyId, secretAccessKey, sessionToken, expiresAt }) => console.log(JSON.stringify({
    Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken,
    Expiration: expiresAt,
  })));
`,
    { mode: 0o755 },
  );
  return HELPER_PROGRAM;
}
