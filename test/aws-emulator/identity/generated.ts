/** What AWS makes up: identifiers, secrets and session tokens that look like its own. */
import { randomInt } from "node:crypto";
import type { Settings } from "../settings.ts";

export const BASE64_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** What real tokens begin with: base64 of a fixed header. */
const PREFIX = "IQoJb3JpZ2luX2Vj";

/**
 * A session token as STS gives it: opaque, base64 in looks, hundreds of characters long. AWS promises neither
 * length nor alphabet, so tests ask for every shape.
 */
export function createSessionToken(shape: Settings["sessionToken"]): string {
  const { length, ending, contains } = shape;
  const randomLength = length - PREFIX.length - contains.length - ending.length;
  return PREFIX + randomCharacters(BASE64_ALPHABET, randomLength) + contains + ending;
}

/** An identifier of 20 characters, such as AWS gives: a four-letter prefix, then A-Z and 2-7. */
export function randomId(prefix: string): string {
  return prefix + randomCharacters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 20 - prefix.length);
}

export function randomCharacters(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}
