/**
 * The one list of the secrets that tests use. Each carries a mark at both ends that occurs nowhere else, so that a
 * watcher that knows none of them finds any of them, in whatever file, stream or memory: whole, in part, or encoded.
 *
 * The mark is letters and digits only: escaping for a URL, a shell or JSON leaves it as it is.
 */
import { BASE64_ALPHABET, randomCharacters } from "./generated.ts";

/** Put together here, so that this file does not hold it either. */
const STEM = ["C4nary", "Of"].join("");

/** What kind of secret it is, from the two characters after the stem. */
const KINDS = {
  base: "Ba",
  operator: "Op",
  "session key": "Sk",
  "session token": "St",
  /** Of an IAM user whose key lies in the agent's own config. */
  "IAM user": "Us",
  "proxy password": "Px",
  /** Keys that are none of ours: other profiles of a file, an administrator's. */
  foreign: "Fo",
} as const;

export type SecretKind = keyof typeof KINDS;

export const SECRET_KINDS = Object.keys(KINDS) as readonly SecretKind[];
export const MARK_LENGTH = STEM.length + 2;
/** Where it appears, a secret is. */
export const SECRET_STEM = STEM;

/** As long as AWS's secret access keys are. */
const KEY_LENGTH = 40;

export function markOf(kind: SecretKind): string {
  return STEM + KINDS[kind];
}

/** The kind of the secret whose mark begins at the start of this text; null where none does. */
export function kindAt(text: string): SecretKind | null {
  return SECRET_KINDS.find((kind) => text.startsWith(markOf(kind))) ?? null;
}

/** A key's secret that is the same in every run, for what is written down somewhere. */
export function fixedSecret(kind: SecretKind, inner = ""): string {
  return framed(kind, `/+${inner}`.padEnd(KEY_LENGTH - 2 * MARK_LENGTH, "0123456789"));
}

/** A secret access key such as AWS makes up. */
export function randomSecret(kind: SecretKind): string {
  return framed(kind, randomCharacters(BASE64_ALPHABET, KEY_LENGTH - 2 * MARK_LENGTH));
}

/** Random characters between two marks, `length` in all. */
export function randomBetweenMarks(kind: SecretKind, length: number): string {
  return framed(kind, randomCharacters(BASE64_ALPHABET, length - 2 * MARK_LENGTH));
}

/** Letters and digits only, as far as whoever wants it in a URL must care. */
export function fixedPassword(): string {
  return framed("proxy password", "of-the-proxy");
}

const framed = (kind: SecretKind, inner: string) => markOf(kind) + inner + markOf(kind);
