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

function keyFromJson(text: string): AwsCredentialIdentity | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const value = JSON.parse(text) as { AccessKey?: Record<string, unknown> };
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = value.AccessKey ?? {};
    const isKey = typeof accessKeyId === "string" && typeof secretAccessKey === "string";
    return isKey ? { accessKeyId, secretAccessKey } : null;
  } catch {
    return null;
  }
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
