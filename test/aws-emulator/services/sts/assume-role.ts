/**
 * AssumeRole: the constraints of the service model (`sts` 2011-06-15), the trust, the longest session that the
 * role allows, and credentials that really expire.
 */
import { AwsError } from "../../aws-error.ts";
import { plusMs } from "../../clock.ts";
import { ConstraintCheck } from "../../constraints.ts";
import { accessDenied, isAllowed, isTrusted } from "../../identity/authorization.ts";
import { BASE64_ALPHABET, createSessionToken, randomCharacters, randomId } from "../../identity/generated.ts";
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
    permission: () => null,
    run(call) {
      const input = readInput(call.parameters);
      const role = authorizedRole(world, call, input.roleArn);
      const durationSeconds = grantedDuration(call, role, input.durationSeconds);
      const session = openSession(world, call.now, role, input.sessionName, durationSeconds);
      world.directory.addSession(session);
      return {
        Credentials: {
          AccessKeyId: session.accessKeyId,
          SecretAccessKey: session.secretAccessKey,
          SessionToken: session.sessionToken,
          Expiration: formatExpiration(session.expiresAt, hasFractions(world)),
        },
        AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
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
  return { roleArn: roleArn ?? "", sessionName: sessionName ?? "", durationSeconds };
}

function readInteger(parameters: JsonObject, name: string): number | undefined {
  const text = optionalString(parameters, name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,10}$/.test(text))
    throw new AwsError("MalformedInput", `'${text}' is not an integer: ${name}`);
  return Number(text);
}

function authorizedRole(world: World, { principal }: Call, roleArn: string): Role {
  if (!ROLE_ARN.test(roleArn)) throw new AwsError("ValidationError", "Request ARN is invalid");
  const permission = { action: "sts:AssumeRole", resource: roleArn };
  const role = world.directory.roleByArn(roleArn);
  if (
    role === undefined ||
    !isAllowed(principal, permission) ||
    !isTrusted(principal, role, world.directory.account)
  )
    throw accessDenied(principal, permission);
  return role;
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

/** The role's path is not part of the session's ARN (FACTS, AWS). */
function openSession(world: World, now: Date, role: Role, name: string, durationSeconds: number): Session {
  return {
    kind: "session",
    arn: `arn:aws:sts::${world.directory.account}:assumed-role/${role.name}/${name}`,
    roleArn: role.arn,
    userId: `${role.roleId}:${name}`,
    accessKeyId: randomId("ASIA"),
    secretAccessKey: randomCharacters(BASE64_ALPHABET, 40),
    sessionToken: createSessionToken(world.settings.sessionToken),
    issuedAt: now,
    expiresAt: expiry(plusMs(now, world.clock.realMs(durationSeconds * 1000)), world),
    grants: role.grants,
  };
}

/** Rounded to what Expiration can say, so that the session ends exactly then. */
function expiry(instant: Date, world: World): Date {
  if (hasFractions(world)) return instant;
  return new Date(Math.ceil(instant.getTime() / 1000) * 1000);
}

/** Under a time factor a second is minutes long, so whole seconds would distort the session's length. */
function hasFractions({ settings, clock }: World): boolean {
  return settings.fractionalExpiration || clock.factor !== 1;
}

function formatExpiration(instant: Date, fractional: boolean): string {
  const text = instant.toISOString();
  return fractional ? text : text.replace(/\.\d{3}Z$/, "Z");
}
