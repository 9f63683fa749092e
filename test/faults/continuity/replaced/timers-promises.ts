/** node:timers/promises on virtual time. */
import { setTimeout as callLater } from "../globals.ts";

export function setTimeout(delayMs: number): Promise<void> {
  return new Promise((resolve) => void callLater(resolve, delayMs));
}
