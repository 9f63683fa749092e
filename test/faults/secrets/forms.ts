/**
 * Finds secrets by their marks (`canary.ts`) in anything: as they are, in base64 at any alignment (with either
 * alphabet), in hexadecimal, and in two-byte text. What escapes text (JSON, URLs, shells) leaves a mark as it is.
 */
import {
  kindAt,
  markOf,
  SECRET_KINDS,
  SECRET_STEM,
  type SecretKind,
} from "../../aws-emulator/identity/canary.ts";

export interface Sighting {
  /** Null where only the stem was left of the mark. */
  kind: SecretKind | null;
  form: string;
  /** Offset of its first byte. */
  at: number;
}

interface Form {
  name: string;
  encode(text: string): Buffer;
}

const FORMS: readonly Form[] = [
  { name: "plain", encode: (text) => Buffer.from(text, "latin1") },
  { name: "two-byte", encode: (text) => Buffer.from(text, "utf16le") },
  { name: "hexadecimal", encode: (text) => Buffer.from(Buffer.from(text).toString("hex")) },
  { name: "hexadecimal", encode: (text) => Buffer.from(Buffer.from(text).toString("hex").toUpperCase()) },
  ...[0, 1, 2].flatMap((before) => [
    { name: "base64", encode: (text: string) => inBase64(text, before, "base64") },
    { name: "base64", encode: (text: string) => inBase64(text, before, "base64url") },
  ]),
];

/** What base64 makes of it wherever it stands, without the characters that its neighbours have a part in. */
function inBase64(text: string, before: number, alphabet: "base64" | "base64url"): Buffer {
  const whole = Buffer.from("\0".repeat(before) + text).toString(alphabet);
  const bits = (before + text.length) * 8;
  return Buffer.from(whole.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6)));
}

/** Each form of the stem once: where the two alphabets agree, one search does for both. */
const NEEDLES = [
  ...new Map(
    FORMS.map(({ name, encode }) => {
      const bytes = encode(SECRET_STEM);
      const kinds = SECRET_KINDS.map((kind) => ({ kind, bytes: encode(markOf(kind)) }));
      return [bytes.toString("latin1"), { name, bytes, kinds }];
    }),
  ).values(),
];

/** For a reader that only tells where something may be: no sighting is without one of these. */
export const NEEDLE_BYTES: readonly Buffer[] = NEEDLES.map(({ bytes }) => bytes);
/** How much of a stream must be kept for what begins in one part and ends in the next. */
export const LONGEST_FORM = Math.max(
  ...NEEDLES.flatMap(({ kinds }) => kinds.map(({ bytes }) => bytes.length)),
);

export function sightingsIn(content: Buffer | string): Sighting[] {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return NEEDLES.flatMap(({ name, bytes: needle, kinds }) => {
    const found: Sighting[] = [];
    for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) {
      const rest = bytes.subarray(at, at + LONGEST_FORM);
      const kind = kinds.find((each) => rest.subarray(0, each.bytes.length).equals(each.bytes))?.kind ?? null;
      found.push({ kind, form: name, at });
    }
    return found;
  });
}

/** `session token (base64)`, each once. */
export function described(sightings: readonly Pick<Sighting, "kind" | "form">[]): string {
  const names = sightings.map(({ kind, form }) => {
    return `${kind ?? "a secret cut short"}${form === "plain" ? "" : ` (${form})`}`;
  });
  return [...new Set(names)].join(", ");
}

/** The same text with every secret in it unreadable, for messages. */
export function masked(text: string): string {
  return text.replace(new RegExp(`${SECRET_STEM}\\S*`, "g"), (secret) => `<${kindAt(secret) ?? "secret"}>`);
}
