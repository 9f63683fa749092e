/**
 * AssumeRole: the constraints of the service model (`sts` 2011-06-15), the trust, the longest session that the
 * role allows, and credentials that really expire.
 */
import { AwsError } from "../../aws-error.ts";
import { ConstraintCheck } from "../../constraints.ts";
import { accessDenied, isAllowed, isTrusted } from "../../identity/authorization.ts";
import { hasFractions, openSession } from "../../identity/open-session.ts";
import type { Role, Session } from "../../identity/principals.ts";
import type { JsonObject } from "../../json.ts";
import type { World } from "../../world.ts";
import type { Call, Operation } from "../operation.ts";
import { optionalString } from "../parameters.ts";

/** Printable characters; the model's pattern, less what no ARN holds. */
const ARN_CHARACTERS = "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD]+";
const ROLE_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role(\/[!-~]*)?\/[\w+=,.@-]{1,64}$/;
const ROLE_CHAINING_LIMIT_SECONDS = 3600;
const DEFAULT_DURATION_SECONDS = 3600;

interface AssumeRoleInput {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number | undefined;
  readonly sourceIdentity: string | null;
  readonly hasTags: boolean;
}

export function assumeRoleOperation(world: World): Operation {
  return {
    parameters: [
      "RoleArn",
      "RoleSessionName",
      "DurationSeconds",
      "ExternalId",
      "Policy",
      "PolicyArns",
      "ProvidedContexts",
      "SerialNumber",
      "SourceIdentity",
      "Tags",
      "TokenCode",
      "TransitiveTagKeys",
    ],
    // The trust policy has a say, so the operation itself decides.
    permissions: () => [],
    run(call) {
      const input = readInput(call.parameters);
      const role = authorizedRole(world, call, input);
      const durationSeconds = grantedDuration(call, role, input.durationSeconds);
      const session = openSession(world, {
        role,
        now: call.now,
        name: input.sessionName,
        durationSeconds,
        ...inherited(call, input),
      });
      world.directory.addSession(session);
      return {
        Credentials: {
          AccessKeyId: session.accessKeyId,
          SecretAccessKey: session.secretAccessKey,
          SessionToken: session.sessionToken,
          Expiration: formatExpiration(session.expiresAt, hasFractions(world)),
        },
        AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
        ...(session.sourceIdentity === null ? {} : { SourceIdentity: session.sourceIdentity }),
      };
    },
  };
}

function readInput(parameters: JsonObject): AssumeRoleInput {
  const roleArn = optionalString(parameters, "RoleArn");
  const sessionName = optionalString(parameters, "RoleSessionName");
  const durationSeconds = readInteger(parameters, "DurationSeconds");
  const check = new ConstraintCheck();
  check.required("roleArn", roleArn);
  check.string("roleArn", roleArn, { minLength: 20, maxLength: 2048, pattern: ARN_CHARACTERS });
  check.required("roleSessionName", sessionName);
  check.string("roleSessionName", sessionName, { minLength: 2, maxLength: 64, pattern: "[\\w+=,.@-]*" });
  check.range("durationSeconds", durationSeconds, 900, 43_200);
  const externalId = optionalString(parameters, "ExternalId");
  check.string("externalId", externalId, { minLength: 2, maxLength: 1224, pattern: "[\\w+=,.@:\\/-]*" });
  check.string("policy", optionalString(parameters, "Policy"), { minLength: 1, maxLength: 2048 });
  const sourceIdentity = optionalString(parameters, "SourceIdentity");
  check.string("sourceIdentity", sourceIdentity, { minLength: 2, maxLength: 64, pattern: "[\\w+=,.@-]*" });
  check.throwIfViolated();
  const hasTags = Object.keys(parameters).some((name) => name.startsWith("Tags."));
  return {
    roleArn: roleArn ?? "",
    sessionName: sessionName ?? "",
    durationSeconds,
    sourceIdentity: sourceIdentity ?? null,
    hasTags,
  };
}

function readInteger(parameters: JsonObject, name: string): number | undefined {
  const text = optionalString(parameters, name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,10}$/.test(text))
    throw new AwsError("MalformedInput", `'${text}' is not an integer: ${name}`);
  return Number(text);
}

function authorizedRole({ directory }: World, call: Call, input: AssumeRoleInput): Role {
  const { roleArn, sessionName } = input;
  const { principal, region } = call;
  if (!ROLE_ARN.test(roleArn)) throw new AwsError("ValidationError", "Request ARN is invalid");
  const role = directory.roleByArn(roleArn);
  const { tags, sourceIdentity } = inherited(call, input);
  const keys = {
    "sts:RoleSessionName": sessionName,
    "aws:RequestedRegion": region,
    ...(sourceIdentity === null ? {} : { "sts:SourceIdentity": sourceIdentity }),
  };
  // What a session carries over into the next one needs a right of its own, on both sides (IAM user guide,
  // "Monitor and control actions taken with assumed roles").
  const actions = ["sts:AssumeRole"];
  if (sourceIdentity !== null) actions.push("sts:SetSourceIdentity");
  if (input.hasTags || Object.keys(tags).length > 0) actions.push("sts:TagSession");
  for (const action of actions) {
    const permission = { action, resource: roleArn };
    if (
      role === undefined ||
      !isAllowed(directory, principal, permission, keys) ||
      !isTrusted(directory, principal, role, action, keys)
    )
      throw accessDenied(principal, permission);
  }
  if (role === undefined) throw new Error("authorized for a role that is not there");
  return role;
}

/** What of the caller's session, or of the request, the new session carries. */
function inherited(
  { principal }: Call,
  { sourceIdentity }: AssumeRoleInput,
): Pick<Session, "tags" | "sourceIdentity"> {
  if (principal.kind === "user") return { tags: {}, sourceIdentity };
  return { tags: principal.tags, sourceIdentity: principal.sourceIdentity ?? sourceIdentity };
}

function grantedDuration({ principal }: Call, role: Role, requested: number | undefined): number {
  const seconds = requested ?? DEFAULT_DURATION_SECONDS;
  if (principal.kind === "session" && seconds > ROLE_CHAINING_LIMIT_SECONDS)
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  if (seconds > role.maxSessionDurationSeconds)
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  return seconds;
}

function formatExpiration(instant: Date, fractional: boolean): string {
  const text = instant.toISOString();
  return fractional ? text : text.replace(/\.\d{3}Z$/, "Z");
}
