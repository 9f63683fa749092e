/**
 * The checks that AWS makes on a signed request before it looks at what is asked: scope, headers covered,
 * clock, signature (which covers the payload). Messages are AWS's own wherever one is on record.
 */
import { AwsError } from "../aws-error.ts";
import { plusMs } from "../clock.ts";
import type { ReceivedRequest } from "../http/received.ts";
import type { SignatureClaim } from "./authorization-header.ts";
import { formatTimestamp } from "./authorization-header.ts";
import { computeSignature } from "./signature.ts";

const REGION = /^[a-z]{2,3}(-[a-z]+)+-\d$/;

export interface SigningExpectation {
  readonly service: string;
  /** Null accepts every well-formed region. */
  readonly regions: readonly string[] | null;
  readonly allowedClockSkewMs: number;
}

export function checkScope(claim: SignatureClaim, expected: SigningExpectation): void {
  const { date, region, service, terminator } = claim.scope;
  const complaints: string[] = [];
  if (expected.regions === null ? !REGION.test(region) : !expected.regions.includes(region))
    complaints.push(`Credential should be scoped to a valid region, not '${region}'. `);
  if (service !== expected.service)
    complaints.push(`Credential should be scoped to correct service: '${expected.service}'. `);
  if (terminator !== "aws4_request")
    complaints.push(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'. `,
    );
  const day = claim.timestamp.slice(0, 8);
  if (date !== day)
    complaints.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${date}' != '${day}', from '${claim.timestamp}'. `,
    );
  if (complaints.length > 0) throw mismatch(complaints.join("").trimEnd());
}

/** The host, the date and every `x-amz-` header must be under the signature. */
export function checkSignedHeaders(request: ReceivedRequest, claim: SignatureClaim): void {
  const sent = [...request.headers.keys()].filter((name) => name.startsWith("x-amz-"));
  for (const name of new Set(["host", "x-amz-date", ...sent])) {
    if (!claim.signedHeaders.includes(name))
      throw mismatch(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  }
  const sorted = claim.signedHeaders.toSorted();
  if (sorted.join() !== claim.signedHeaders.join())
    throw new AwsError("IncompleteSignature", "SignedHeaders must be sorted and in lower case.");
}

export function checkClock(claim: SignatureClaim, now: Date, expected: SigningExpectation): void {
  const oldest = plusMs(now, -expected.allowedClockSkewMs);
  const newest = plusMs(now, expected.allowedClockSkewMs);
  const at = formatTimestamp(now);
  if (claim.signedAt < oldest)
    throw mismatch(
      `Signature expired: ${claim.timestamp} is now earlier than ${formatTimestamp(oldest)} (${at} - 5 min.)`,
    );
  if (claim.signedAt > newest)
    throw mismatch(
      `Signature not yet current: ${claim.timestamp} is still later than ${formatTimestamp(newest)} (${at} + 5 min.)`,
    );
}

export function checkSignature(request: ReceivedRequest, claim: SignatureClaim, secret: string): void {
  if (computeSignature(request, claim, secret) === claim.signature) return;
  throw mismatch(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret " +
      "Access Key and signing method. Consult the service documentation for details.",
  );
}

function mismatch(message: string): AwsError {
  return new AwsError("SignatureDoesNotMatch", message);
}
