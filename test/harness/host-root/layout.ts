/** What a fresh host has on its disk: accounts, name service, DMI, cron, the helper's packaged directories. */
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ACCOUNTS, type Account, type AccountName, groupFile, passwdFile } from "./accounts.ts";

export interface FileOptions {
  mode?: number;
  owner?: AccountName;
  /** The owner's own by default. */
  group?: AccountName;
}

export const DMI = {
  product_serial: "VMware-42 1c 5e 0d 9a 77 31 c4-8f 02 6b d5 10 e3 aa 94",
  product_uuid: "0d5e1c42-779a-c431-8f02-6bd510e3aa94",
  product_name: "VMware Virtual Platform",
  sys_vendor: "VMware, Inc.",
  board_serial: "None",
};

const MACHINE_ID = "4c1f7b0e9d3a45f1a6e2c8d05b7f9e13";

/**
 * Copied from the machine where it has them: the dynamic loader, TLS, DNS and the clock's zone. Two scratch hosts need
 * not have the same, as a package may be installed on the machine in between.
 */
const FROM_THE_MACHINE = [
  "etc/ld.so.cache",
  "etc/ld.so.conf",
  "etc/ld.so.conf.d",
  "etc/alternatives",
  "etc/localtime",
  "etc/os-release",
  "etc/resolv.conf",
  "etc/host.conf",
  "etc/gai.conf",
  "etc/services",
  "etc/protocols",
  "etc/terminfo",
  "etc/ssl/openssl.cnf",
  "etc/ssl/certs/ca-certificates.crt",
  "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/** @param path on the scratch host, as in `/etc/ld.so.cache` */
export function isFromTheMachine(path: string): boolean {
  return FROM_THE_MACHINE.some((top) => path === `/${top}` || path.startsWith(`/${top}/`));
}

const DIRECTORIES: [path: string, mode: number, owner?: AccountName, group?: AccountName][] = [
  ["etc/cron.d", 0o755],
  ["etc/idc-codedeploy-helper", 0o755],
  ["etc/systemd/system", 0o755],
  ["home/deploy", 0o755, "deploy"],
  ["opt", 0o755],
  // 0711: the project itself may lie in there.
  ["root", 0o711],
  ["run/lock", 0o1777],
  ["run/systemd/system", 0o755],
  ["run/idc-codedeploy-helper", 0o755, "idc-helper"],
  ["run/idc-codedeploy-helper-agent", 0o755],
  ["run/idc-codedeploy-helper-agent/requests", 0o730, "root", "idc-helper"],
  ["sys/class/dmi/id", 0o755],
  ["tmp", 0o1777],
  ["var/cache", 0o755],
  ["var/lib/idc-codedeploy-helper", 0o750, "idc-helper"],
  ["var/log", 0o755],
  ["var/spool/cron", 0o755],
  ["var/spool/cron/crontabs", 0o1730],
  ["var/tmp", 0o1777],
];

export function layOut(directory: string): void {
  chmodSync(directory, 0o755);
  for (const [path, mode, owner, group] of DIRECTORIES) {
    mkdirSync(join(directory, path), { recursive: true });
    setOwner(join(directory, path), { mode, ...(owner && { owner }), ...(group && { group }) });
  }
  for (const path of FROM_THE_MACHINE) {
    const from = join("/", path);
    if (!existsSync(from)) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    const dereference = !path.endsWith("alternatives");
    cpSync(from, join(directory, path), { recursive: true, dereference, verbatimSymlinks: !dereference });
  }
  symlinkSync("../run", join(directory, "var/run"));
  symlinkSync("../run/lock", join(directory, "var/lock"));
  symlinkSync("../proc/self/mounts", join(directory, "etc/mtab"));
  const file = (path: string, text: string, mode = 0o644) =>
    writeOwned(join(directory, path), text, { mode });
  file("etc/passwd", passwdFile());
  file("etc/group", groupFile());
  file("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
  file("etc/hosts", "127.0.0.1 localhost idc-host\n");
  file("etc/hostname", "idc-host\n");
  file("etc/machine-id", `${MACHINE_ID}\n`, 0o444);
  file("etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n");
  for (const [name, value] of Object.entries(DMI)) {
    // The kernel shows serial numbers and the UUID to root only.
    file(`sys/class/dmi/id/${name}`, `${value}\n`, /serial|uuid/.test(name) ? 0o400 : 0o444);
  }
}

export function writeOwned(path: string, text: string | Uint8Array, options: FileOptions = {}): void {
  mkdirSync(dirname(path), { recursive: true });
  // Some are read-only, which stops everyone but root.
  if (existsSync(path)) chmodSync(path, 0o600);
  writeFileSync(path, text);
  setOwner(path, { mode: 0o644, ...options });
}

export function setOwner(path: string, { mode = 0o644, owner = "root", group = owner }: FileOptions): void {
  const accounts: Record<AccountName, Account> = ACCOUNTS;
  // In a user namespace everything is of the one user there is.
  if (process.getuid?.() === 0) chownSync(path, accounts[owner].userId, accounts[group].groupId);
  chmodSync(path, mode);
}
