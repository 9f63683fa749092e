/**
 * A minimal Debian 12 with systemd 252, made once by debootstrap and kept: every test boots it under an overlay and
 * never writes to it.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findMirror } from "./apt-sources.ts";
import { runToEnd } from "./process.ts";

const SUITE = "bookworm";
/** Part of the directory's name: raise it when the packages below change. */
const EDITION = 2;
const PACKAGES = "systemd,systemd-sysv,dbus,cron,dnf,rpm,libfaketime,ca-certificates,bash-completion,man-db";
/** Some 200 packages from a far mirror, onto a disk that others use: a hang is ended, slowness is not. */
const LIMIT_MS = 3_600_000;

export function cacheDirectory(): string {
  return process.env.IDC_TEST_CACHE ?? "/var/cache/idc-helper-test";
}

/** @returns the root's directory */
export async function baseRoot(signal: AbortSignal): Promise<string> {
  const directory = join(cacheDirectory(), `debian-12-${EDITION}`);
  if (existsSync(directory)) return directory;
  const mirror = findMirror(SUITE);
  if (mirror === null) {
    throw new Error(
      `no source in /etc/apt has ${SUITE} main; add one, or put a root made elsewhere by debootstrap --variant=minbase --include=${PACKAGES} at ${directory}`,
    );
  }
  console.log(`making ${directory} (once): debootstrap ${SUITE} from ${mirror.url}`);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const keyring = mirror.keyring === null ? [] : [`--keyring=${mirror.keyring}`];
  // In namespaces of its own: what debootstrap mounts and starts ends with it, also when it is interrupted.
  const { code, output } = await runToEnd(
    "unshare",
    [
      ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...[
        "debootstrap",
        "--variant=minbase",
        `--include=${PACKAGES}`,
        ...keyring,
        SUITE,
        partial,
        mirror.url,
      ],
    ],
    { signal, limitMs: LIMIT_MS },
  );
  if (code !== 0) throw new Error(`debootstrap ended with status ${code}:\n${output.slice(-2_000)}`);
  rmSync(join(partial, "var/cache/apt/archives"), { recursive: true, force: true });
  renameSync(partial, directory);
  return directory;
}
