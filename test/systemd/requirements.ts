/** What the tests on a booted host need of this machine. */
import { existsSync } from "node:fs";
import { targetOf } from "../../packaging/project.ts";
import { requireTools, stagingTools } from "../../packaging/tools.ts";
import { COMMAND } from "../harness/launch.ts";

const BOOTING = ["debootstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv", "mount"];
const PACKING = ["rpmbuild", "rpmsign", "rpm", "createrepo_c", "gpg", "dpkg-deb"];

/** @throws saying what is missing, and how to get it */
export function checkRequirements(): void {
  if (process.geteuid?.() !== 0) {
    throw new Error("The tests on a booted host need to be run as root: they boot containers");
  }
  requireTools("The tests on a booted host", [...BOOTING, ...PACKING, ...stagingTools([targetOf("x86_64")])]);
  if (!existsSync(COMMAND)) throw new Error(`There is no ${COMMAND}: make build makes it`);
}
