/** Session tokens as STS gives them. */
import type { Settings } from "../settings.ts";
import { randomBetweenMarks } from "./canary.ts";

/** What real tokens begin with: base64 of a fixed header. */
const PREFIX = "IQoJb3JpZ2luX2Vj";

/**
 * Opaque, base64 in looks, hundreds of characters long. AWS promises neither length nor alphabet, so tests ask for
 * every shape.
 */
export function createSessionToken(shape: Settings["sessionToken"]): string {
  const { length, ending, contains } = shape;
  const randomLength = length - PREFIX.length - contains.length - ending.length;
  return PREFIX + randomBetweenMarks("session token", randomLength) + contains + ending;
}
