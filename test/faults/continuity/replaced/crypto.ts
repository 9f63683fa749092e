/**
 * node:crypto as far as our code uses it: nobody attacks here, and names and fingerprints are made by the million. The
 * names come from the trace's seed, and a fingerprint once taken is remembered.
 */
import { createHash as realHash } from "node:crypto";
import { host } from "../host.ts";

export { constants } from "node:crypto";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function randomBytes(size: number): { toString(encoding: "hex"): string } {
  let hex = "";
  for (let left = size; left > 0; left -= 1) hex += HEX[host.random.integer(0, 255)];
  return { toString: () => hex };
}

export function randomUUID(): string {
  const hex = randomBytes(16).toString("hex");
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join("-");
}

/** The same few files are asked about again and again. */
const known = new Map<string, string>();
const MOST_KNOWN = 1_000;

export function createHash(algorithm: string) {
  return {
    update: (content: string | Buffer) => ({
      digest: (encoding?: "hex") =>
        encoding === undefined
          ? realHash(algorithm).update(content).digest()
          : hexOf(algorithm, content, encoding),
    }),
  };
}

function hexOf(algorithm: string, content: string | Buffer, encoding: "hex"): string {
  const text = typeof content === "string" ? content : content.toString("latin1");
  let hash = known.get(text);
  if (hash === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    hash = realHash(algorithm).update(content).digest(encoding);
    known.set(text, hash);
  }
  return hash;
}
