/** The programs that the build needs of this machine; what is missing is named at once, with the Debian package. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Target } from "./project.ts";

const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  "ansible-playbook": "ansible-core python3-boto3",
  "ansible-lint": "ansible-lint",
  promtool: "prometheus",
  rsyslogd: "rsyslog",
  rpmbuild: "rpm",
  rpmsign: "rpm",
  rpm: "rpm",
  rpmlint: "rpmlint",
  createrepo_c: "createrepo-c",
  dnf: "dnf",
  "dpkg-deb": "dpkg",
  pandoc: "pandoc",
  mandoc: "mandoc",
  groff: "groff-base",
  gpg: "gnupg",
  strip: "binutils",
  readelf: "binutils",
  "aarch64-linux-gnu-strip": "binutils-aarch64-linux-gnu",
  "x86_64-linux-gnu-strip": "binutils-x86-64-linux-gnu",
  gcc: "gcc libc6-dev",
  "x86_64-linux-gnu-gcc": "gcc-x86-64-linux-gnu libc6-dev-amd64-cross",
  "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  nsenter: "util-linux",
  unshare: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  bash: "bash",
  dash: "dash",
  man: "man-db",
  script: "bsdutils",
  zsh: "zsh",
  busybox: "busybox-static",
  "qemu-aarch64": "qemu-user libc6-arm64-cross libstdc++6-arm64-cross",
};

/** @throws naming all that is missing, and how to get it */
export function requireTools(what: string, programs: readonly string[]): void {
  const missing = [...new Set(programs)].filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  const packages = new Set(missing.flatMap((program) => (DEBIAN_PACKAGES[program] ?? program).split(" ")));
  throw new Error(
    `${what} needs ${missing.join(", ")}. On Debian 12: apt-get install -y --no-install-recommends ${[...packages].join(" ")}`,
  );
}

/** The end of a build that failed: what was wrong, without a stack. */
export async function orSay(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
}

/** The plain tool on a machine of the target's own kind, else the cross one. */
export function crossTool(tool: "gcc" | "strip", target: Target): string {
  return target.node === process.arch ? tool : `${target.gnu}-${tool}`;
}

/** What a staging tree for these targets takes. */
export function stagingTools(targets: readonly Target[]): string[] {
  return targets.flatMap((target) => [crossTool("strip", target), crossTool("gcc", target), "pandoc"]);
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
