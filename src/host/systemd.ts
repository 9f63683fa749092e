/** systemd, through systemctl(1), each call with a bound. Never asks for a password, never shows a pager. */
import { existsSync } from "node:fs";
import { SYSTEMD_MARK } from "../config/paths.ts";
import { errorCode, errorText, Failure } from "../failure.ts";
import { outputOf } from "./program.ts";

/** For what only asks. */
const LOOK_LIMIT_MS = 10_000;

/** sd_booted(3): whether systemd is this host's init. */
export function isBootedWithSystemd(): boolean {
  return existsSync(SYSTEMD_MARK);
}

export type UnitProperties = ReadonlyMap<string, string>;

/** @throws the error of outputOf */
export async function showUnit(unit: string, properties: readonly string[]): Promise<UnitProperties> {
  return parseProperties(
    await systemctl(LOOK_LIMIT_MS, "show", "--property", properties.join(","), "--", unit),
  );
}

export function parseProperties(text: string): UnitProperties {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

export async function systemctl(limitMs: number, ...args: string[]): Promise<string> {
  const said = await outputOf("systemctl", ["--no-ask-password", "--no-pager", ...args], {
    timeout: limitMs,
  });
  return said.trim();
}

/** What systemctl said, without the line that only repeats the command. */
export function systemctlMessage(error: unknown): string {
  const [first = "", said = first] = errorText(error).trim().split("\n");
  return said;
}

/**
 * Starts, stops, enables or disables units, and waits for the end of it.
 *
 * @throws Failure `host_not_ready` with systemctl's own words
 */
export async function changeUnits(
  limitMs: number,
  args: readonly string[],
  units: readonly string[],
): Promise<void> {
  try {
    await systemctl(limitMs, ...args, ...(units.length === 0 ? [] : ["--", ...units]));
  } catch (error) {
    const isLate = error instanceof Error && "killed" in error && error.killed === true;
    const why =
      errorCode(error) === "ENOENT"
        ? "there is no systemctl"
        : isLate
          ? `it did not end within ${limitMs / 1_000} s`
          : systemctlMessage(error);
    throw new Failure({
      kind: "host_not_ready",
      message: `systemctl ${[...args, ...units].join(" ")} failed: ${why}`,
      nextStep:
        units.length === 0
          ? "See: journalctl -b"
          : `See: systemctl status ${units[0]}; journalctl -u ${units[0]}`,
    });
  }
}
