/** The end of a process that a test started, whatever it may have left behind with its output still open. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

export async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

export async function killNow(child: ChildProcess): Promise<void> {
  const exit = exitOf(child);
  child.kill("SIGKILL");
  await exit;
}
