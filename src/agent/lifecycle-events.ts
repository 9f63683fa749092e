/**
 * Is a lifecycle event in progress? The agent keeps a file for each while it runs.
 *
 * A file older than the worker is a left-over of an earlier one and must not block us for a day. What cannot be
 * read is unknown, not empty (FACTS; agent, deployment_command_tracker.rb).
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, errorText } from "../failure.ts";

export type EventsReading =
  | { kind: "none" }
  | { kind: "left_over"; deploymentIds: string[] }
  | { kind: "in_progress"; deploymentIds: string[] }
  | { kind: "unknown"; why: string };

/** @param workerAgeMs how long the agent's worker has been running; null when there is none */
export async function readLifecycleEvents(
  trackingDirectory: string,
  workerAgeMs: number | null,
): Promise<EventsReading> {
  try {
    const names = await readdir(trackingDirectory);
    const ages = await Promise.all(names.map((name) => fileAge(join(trackingDirectory, name))));
    const found = names
      .map((name, index) => ({ name, ageMs: ages[index] ?? null }))
      .filter(({ ageMs }) => ageMs !== null);
    // A file from the future (the clock was stepped back) has a negative age: younger than any worker.
    const running = found.filter(
      ({ ageMs }) => workerAgeMs !== null && ageMs !== null && ageMs <= workerAgeMs,
    );
    if (running.length > 0) return { kind: "in_progress", deploymentIds: running.map(({ name }) => name) };
    if (found.length > 0) return { kind: "left_over", deploymentIds: found.map(({ name }) => name) };
    return { kind: "none" };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return { kind: "none" };
    return {
      kind: "unknown",
      why: `${trackingDirectory}: ${code === "EACCES" ? "permission denied" : errorText(error)}`,
    };
  }
}

async function fileAge(path: string): Promise<number | null> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    // It ended between the listing and now.
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}
