/** Exit codes of every command but `status` and `doctor`, which follow the monitoring-plugin convention. */
import type { FailureKind } from "./failure.ts";

export const EXIT = {
  done: 0,
  /** It failed and may work later. */
  failed: 1,
  usage: 2,
  /** sysexits.h EX_CONFIG: systemd does not restart on it (RestartPreventExitStatus=78). */
  config: 78,
} as const;

export function exitCodeOf(kind: FailureKind): number {
  if (kind === "config") return EXIT.config;
  return kind === "usage" ? EXIT.usage : EXIT.failed;
}
