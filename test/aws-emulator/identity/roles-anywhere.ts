/**
 * IAM Roles Anywhere, as far as it concerns policies: a certificate's common name for a session of a role that
 * trusts the service. No certificate is looked at; the control API vouches for it.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { AwsError } from "../aws-error.ts";
import type { World } from "../world.ts";
import { requestContext } from "./authorization.ts";
import { openSession } from "./open-session.ts";
import { decideTrust } from "./policy/evaluate.ts";
import type { Session } from "./principals.ts";

export const rolesAnywhereSpecSchema = z.strictObject({
  roleArn: z.string(),
  trustAnchorArn: z.string(),
  /** Of the certificate's subject. */
  commonName: z.string().min(1),
});

export type RolesAnywhereSpec = z.infer<typeof rolesAnywhereSpecSchema>;

const SERVICE = "rolesanywhere.amazonaws.com";
/** What CreateSession does as the role's trust policy sees it (user guide, "The IAM Roles Anywhere trust model"). */
const ACTIONS = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];

export function createRolesAnywhereSession(world: World, spec: RolesAnywhereSpec): Session {
  const { roleArn, trustAnchorArn, commonName } = spec;
  const role = world.directory.roleByArn(roleArn);
  const tags = { "x509Subject/CN": commonName };
  const context = requestContext({
    "aws:SourceArn": trustAnchorArn,
    "aws:PrincipalTag/x509Subject/CN": commonName,
    "sts:SourceIdentity": commonName,
  });
  const caller = { arns: [], service: SERVICE };
  const isTrusted = (action: string) =>
    role !== undefined && decideTrust(role.trustPolicy, caller, { action, context }) === "allowed";
  if (role === undefined || !ACTIONS.every(isTrusted))
    throw new AwsError("AccessDenied", `Unable to assume role for arn ${roleArn}`);
  const session = openSession(world, {
    role,
    now: world.clock.now(),
    // The certificate's serial number, in hexadecimal.
    name: randomBytes(16).toString("hex"),
    durationSeconds: 3600,
    tags,
    sourceIdentity: commonName,
  });
  world.directory.addSession(session);
  return session;
}
