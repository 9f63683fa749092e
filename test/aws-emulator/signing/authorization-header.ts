/** The `Authorization` header of Signature Version 4, taken apart, with AWS's complaints when parts miss. */
import { AwsError } from "../aws-error.ts";
import type { ReceivedRequest } from "../http/received.ts";
import { header } from "../http/received.ts";

export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, as sent in X-Amz-Date. */
  readonly timestamp: string;
  readonly signedAt: Date;
  readonly sessionToken: string | null;
}

export interface CredentialScope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** What the request claims about its signer; throws MissingAuthenticationToken or IncompleteSignature. */
export function parseSignatureClaim(request: ReceivedRequest): SignatureClaim {
  const authorization = header(request, "authorization");
  if (authorization === undefined)
    throw new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token");
  if (!authorization.startsWith(`${ALGORITHM} `))
    throw incomplete(`Unsupported AWS 'algorithm': '${authorization.split(" ")[0]}'.`);

  const parts = parseParts(authorization.slice(ALGORITHM.length + 1));
  const missing = ["Credential", "Signature", "SignedHeaders"].filter((name) => !parts.has(name));
  const timestamp = header(request, "x-amz-date");
  const complaints = missing.map((name) => `Authorization header requires '${name}' parameter.`);
  if (timestamp === undefined)
    complaints.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (complaints.length > 0 || timestamp === undefined)
    throw incomplete(`${complaints.join(" ")} Authorization=${authorization}`);

  const credential = parts.get("Credential") ?? "";
  const [accessKeyId = "", date = "", region = "", service = "", terminator = "", ...rest] =
    credential.split("/");
  if (terminator === "" || rest.length > 0)
    throw incomplete(`Credential must have exactly 5 slash-delimited elements, got '${credential}'.`);

  return {
    accessKeyId,
    scope: { date, region, service, terminator },
    signedHeaders: (parts.get("SignedHeaders") ?? "").split(";"),
    signature: parts.get("Signature") ?? "",
    timestamp,
    signedAt: parseTimestamp(timestamp),
    sessionToken: header(request, "x-amz-security-token") ?? null,
  };
}

function parseParts(text: string): Map<string, string> {
  const parts = text.split(",").map((part) => part.trim());
  return new Map(
    parts.map((part): [string, string] => {
      const equals = part.indexOf("=");
      return [part.slice(0, equals), part.slice(equals + 1)];
    }),
  );
}

function parseTimestamp(timestamp: string): Date {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  const [, year, month, day, hours, minutes, seconds] = match ?? [];
  const date = new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  if (Number.isNaN(date.getTime()))
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${timestamp}'.`);
  return date;
}

export function formatTimestamp(instant: Date): string {
  return instant.toISOString().replace(/[-:]|\.\d+/g, "");
}

function incomplete(message: string): AwsError {
  return new AwsError("IncompleteSignature", message);
}
