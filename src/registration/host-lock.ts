/** One command at a time changes what this host is: `register`, `adopt` or `deregister`. */
import { HOST_LOCK } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { acquireLock, type Lock } from "../host/lock.ts";

/**
 * Two at once would each undo what the other does.
 *
 * @returns null for who is not root, who is told so by the first step
 * @throws Failure `busy`
 */
export function lockHost(): Lock | null {
  if (process.geteuid?.() !== 0) return null;
  const lock = acquireLock(HOST_LOCK, { keepHolder: true });
  if (lock !== null) return lock;
  throw new Failure({
    kind: "busy",
    message: "another idc-helper register, adopt or deregister is changing this host",
    nextStep: `Wait for its end, or see what it does: fuser -v ${HOST_LOCK}`,
  });
}
