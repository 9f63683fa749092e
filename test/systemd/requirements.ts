/** What the tests on a booted host need of this machine. */
import { existsSync } from "node:fs";
import { targetOf } from "../../packaging/project.ts";
import { requireTools, stagingTools } from "../../packaging/tools.ts";
import { COMMAND } from "../harness/launch.ts";

const BOOTING = ["debootstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv", "mount"];
const PACKING = ["rpmbuild", "rpmsign", "rpm", "createrepo_c", "gpg", "dpkg-deb"];

/** @throws saying what is missing, and how to get it */
export function checkRequirements(): void {
  const what = "The tests on a booted host";
  checkBootingRequirements(what);
  requireTools(what, [...PACKING, ...stagingTools([targetOf("x86_64")])]);
}

/** Of a machine with the product from dist/ on it, without packages. @throws as {@link checkRequirements} */
export function checkBootingRequirements(what: string): void {
  if (process.geteuid?.() !== 0) throw new Error(`${what}: it boots containers, and must be run as root`);
  requireTools(what, BOOTING);
  if (!existsSync(COMMAND)) throw new Error(`There is no ${COMMAND}: make build makes it`);
}
