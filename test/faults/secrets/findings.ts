/** A promise that something does not occur. */
import type { Finding } from "../campaign.ts";

const MOST_SHOWN = 20;

export function none(what: string, faults: readonly string[]): Finding {
  const [target, found] = ["0", String(faults.length)];
  return {
    what,
    target,
    found,
    isMet: faults.length === 0,
    detail: faults.slice(0, MOST_SHOWN).join("\n  "),
  };
}
