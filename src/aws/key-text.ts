/**
 * Whether a key can be sent at all. What holds other characters was cut off, copied with its quotes, or is no key: the
 * call would fail within Node, with words that sound as if AWS had answered amiss.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";

/** A session token has 400 to 2,000 characters, and a server takes 8 to 16 kB of headers. */
const LONGEST = 8_192;

/** @returns the name of the part that cannot be right, or null */
export function oddPart({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: AwsCredentialIdentity): string | null {
  const parts = Object.entries({
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    aws_session_token: sessionToken ?? "x",
  });
  const [name] = parts.find(([, value]) => value.length > LONGEST || !/^[\x21-\x7e]+$/.test(value)) ?? [];
  return name ?? null;
}
