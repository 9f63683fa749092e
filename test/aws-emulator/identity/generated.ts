/** What AWS makes up: identifiers that look like its own, and the characters that all else is made of. */
import { randomInt } from "node:crypto";

export const BASE64_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** An identifier of 20 characters, such as AWS gives: a four-letter prefix, then A-Z and 2-7. */
export function randomId(prefix: string): string {
  return prefix + randomCharacters("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 20 - prefix.length);
}

export function randomCharacters(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}
