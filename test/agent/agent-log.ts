/**
 * The agent's log, in the layout of the original (`process_manager/log.rb`), so that whoever reads the one can read
 * the other: `2026-01-31T09:00:00 INFO  [codedeploy-agent(4711)]: message`.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type AgentSettings, logFile } from "./agent-settings.ts";
import { appendLine } from "./append-line.ts";

export type Severity = "debug" | "info" | "warn" | "error";
export type Log = (severity: Severity, message: string) => void;

/** A log that names this process; `description` goes before each message, as the original's worker has it. */
export function openLog(settings: AgentSettings, description?: string): Log {
  const path = logFile(settings);
  mkdirSync(dirname(path), { recursive: true });
  return (severity, message) => {
    if (severity === "debug" && !settings.verbose) return;
    const level = severity.toUpperCase().padEnd(5);
    const subject = description === undefined ? message : `${description}: ${message}`;
    appendLine(
      path,
      `${localTime(new Date())} ${level} [${settings.programName}(${process.pid})]: ${subject}`,
    );
  };
}

function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
