/**
 * Who signed a request, and whether the credentials still hold. It answers with a value, not an exception: a
 * request that meets a fault is recorded with what its credentials were worth all the same.
 */
import { AwsError } from "../aws-error.ts";
import type { ReceivedRequest } from "../http/received.ts";
import type { SignatureClaim } from "../signing/authorization-header.ts";
import { parseSignatureClaim } from "../signing/authorization-header.ts";
import type { SigningExpectation } from "../signing/verify.ts";
import { checkClock, checkScope, checkSignature, checkSignedHeaders } from "../signing/verify.ts";
import type { Directory } from "./directory.ts";
import type { Principal } from "./principals.ts";

export type CredentialsVerdict = "valid" | "expired" | "rejected" | "missing";

export interface Authentication {
  readonly verdict: CredentialsVerdict;
  readonly accessKeyId: string | null;
  readonly region: string;
  /** Known as soon as the key is, even where the signature is then refused. */
  readonly principal: Principal | null;
  readonly expiresAt: Date | null;
  /** What to answer with; null if and only if the verdict is "valid". */
  readonly error: AwsError | null;
}

interface Credentials {
  readonly principal: Principal;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly expired: boolean;
  readonly revoked: boolean;
}

export function authenticate(
  request: ReceivedRequest,
  expected: SigningExpectation,
  directory: Directory,
  now: Date,
): Authentication {
  let claim: SignatureClaim | null = null;
  let credentials: Credentials | null = null;
  try {
    claim = parseSignatureClaim(request);
    credentials = findCredentials(directory, claim.accessKeyId, now);
    checkScope(claim, expected);
    checkSignedHeaders(request, claim);
    if (credentials === null || credentials.revoked || credentials.sessionToken !== claim.sessionToken)
      throw new AwsError("InvalidClientTokenId", "The security token included in the request is invalid.");
    if (credentials.expired)
      throw new AwsError("ExpiredToken", "The security token included in the request is expired");
    checkClock(claim, now, expected);
    checkSignature(request, claim, credentials.secretAccessKey);
    return outcome("valid", claim, credentials.principal, null);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return outcome(verdictOn(error), claim, credentials?.principal ?? null, error);
  }
}

function findCredentials(directory: Directory, accessKeyId: string, now: Date): Credentials | null {
  const session = directory.session(accessKeyId);
  if (session !== undefined) {
    const { secretAccessKey, sessionToken, expiresAt } = session;
    return { principal: session, secretAccessKey, sessionToken, expired: expiresAt <= now, revoked: false };
  }
  const key = directory.key(accessKeyId);
  const user = key === undefined ? undefined : directory.user(key.userName);
  if (key === undefined || user === undefined) return null;
  return {
    principal: user,
    secretAccessKey: key.secretAccessKey,
    sessionToken: null,
    expired: key.state === "expired",
    revoked: key.state === "invalid",
  };
}

function verdictOn(error: AwsError): CredentialsVerdict {
  if (error.code === "ExpiredToken") return "expired";
  return error.code === "MissingAuthenticationToken" ? "missing" : "rejected";
}

function outcome(
  verdict: CredentialsVerdict,
  claim: SignatureClaim | null,
  principal: Principal | null,
  error: AwsError | null,
): Authentication {
  const expiresAt = principal?.kind === "session" ? principal.expiresAt : null;
  const accessKeyId = claim?.accessKeyId ?? null;
  return { verdict, accessKeyId, region: claim?.scope.region ?? "", principal, expiresAt, error };
}
