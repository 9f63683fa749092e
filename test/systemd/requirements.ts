/** What the tests on a booted host need of this machine; everything that is missing is named at once. */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { COMMAND } from "../harness/launch.ts";

const PROGRAMS: readonly { program: string; debianPackage: string }[] = [
  { program: "debootstrap", debianPackage: "debootstrap" },
  { program: "systemd-nspawn", debianPackage: "systemd-container" },
  { program: "nsenter", debianPackage: "util-linux" },
  { program: "unshare", debianPackage: "util-linux" },
  { program: "setpriv", debianPackage: "util-linux" },
  { program: "mount", debianPackage: "mount" },
];

/** @throws naming all that is missing, and how to get it */
export function checkRequirements(): void {
  const missing = PROGRAMS.filter(({ program }) => !isOnPath(program));
  const faults: string[] = [];
  if (process.geteuid?.() !== 0) faults.push("to be run as root: it boots a container");
  if (missing.length > 0) {
    const packages = new Set(missing.map(({ debianPackage }) => debianPackage));
    const names = missing.map(({ program }) => program).join(", ");
    faults.push(`${names} (on Debian: apt-get install -y ${[...packages].join(" ")})`);
  }
  if (!existsSync(COMMAND)) faults.push(`${COMMAND} (make build makes it)`);
  if (faults.length > 0) throw new Error(`The tests on a booted host need\n- ${faults.join("\n- ")}`);
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
