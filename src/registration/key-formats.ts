/**
 * The forms in which an operator has a long-lived key: AWS's shared-credentials format, the JSON that
 * `aws iam create-access-key` prints, and the console's CSV. Nothing here says what it has read.
 */
import type { AwsCredentialIdentity } from "@aws-sdk/types";

/** @returns the key in a JSON or CSV text, or null where it is neither */
export function keyFromDocument(text: string): AwsCredentialIdentity | null {
  return keyFromJson(text) ?? keyFromCsv(text);
}

export function renderKey(profile: string, { accessKeyId, secretAccessKey }: AwsCredentialIdentity): string {
  return `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

/**
 * The pair lies in `AccessKey`; in `Credentials` in what STS prints, which is temporary; or outermost, as in what a
 * `credential_process` prints.
 */
function keyFromJson(text: string): AwsCredentialIdentity | null {
  // An editor on Windows begins a file with a byte order mark, which is white space to `trim` and an error to JSON.
  const trimmed = text.trim();
  if (!trimmed.startsWith("{")) return null;
  try {
    const value = JSON.parse(trimmed) as Record<string, unknown>;
    const inner = [value.AccessKey, value.Credentials].find(
      (each) => typeof each === "object" && each !== null,
    );
    const holder = (inner ?? value) as Record<string, unknown>;
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: token } = holder;
    if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") return null;
    const sessionToken = typeof token === "string" && token !== "" ? { sessionToken: token } : {};
    return { accessKeyId, secretAccessKey, ...sessionToken };
  } catch {
    return null;
  }
}

/**
 * Why a text can hold no key at all; null where it may, and its profile decides. Nothing of the text is repeated.
 */
export function whyNoKey(text: string): string | null {
  // Every other byte of an English text in UTF-16 is a zero.
  if (text.includes("\0"))
    return "is not text in UTF-8. PowerShell's > writes UTF-16: use | Out-File -Encoding ascii";
  if (/^[ \t]*\[[^\]\n]+\]/m.test(text)) return null;
  return "holds no key in a form that is known: shared-credentials format, the JSON that aws iam create-access-key prints, or the console's CSV";
}

/** The console has had several layouts; all of them name these two columns so. */
function keyFromCsv(text: string): AwsCredentialIdentity | null {
  const [header = [], row = []] = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
  const cell = (name: string) => row[header.findIndex((title) => title.toLowerCase() === name)];
  const [accessKeyId, secretAccessKey] = [cell("access key id"), cell("secret access key")];
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null;
}

/**
 * The part of a shared-credentials text that one profile needs: its own section, and those that it names as its
 * source. What else an operator keeps in that file is no business of this host.
 */
export function onlyProfile(text: string, profile: string): string {
  const sections = new Map(
    text
      .split(/^(?=[ \t]*\[)/m)
      .map((section) => [/^[ \t]*\[([^\]]*)\]/.exec(section)?.[1]?.trim(), section]),
  );
  const kept: string[] = [];
  for (let name: string | undefined = profile; name !== undefined; ) {
    const section = sections.get(name);
    if (section === undefined) break;
    sections.delete(name);
    kept.push(section.trimEnd());
    name = /^[ \t]*source_profile[ \t]*=[ \t]*(\S+)/m.exec(section)?.[1];
  }
  return `${kept.join("\n\n")}\n`;
}
