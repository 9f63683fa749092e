/** An upgrade that breaks off because the disk is full: every file of the old version is where it was. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { NAME } from "../../packaging/project.ts";
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { buildBasePackage } from "./base-package.ts";
import { run, type Workshop } from "./workshop.ts";

/** Room for one Node of more than 90 MB, and not for two. */
const DISK = "160m";

/** The disk is a mount of this script's own: it goes with it, however it ends. $1: where; then base, old and new. */
const BREAK_OFF = `set -eu
mount -t tmpfs -o size=${DISK} tmpfs "$1"
rpm --root "$1" --nosignature -i "$2" "$3"
rpm --root "$1" --nosignature --ignoresize -U "$4" && echo "it went through" || echo "it broke off"
echo "now $(rpm --root "$1" -q ${NAME})"
rpm --root "$1" -V ${NAME} || :
echo "left over: $(find "$1" -name '*;*')"`;

export async function checkFullDisk({ directory, x64, later }: Workshop, check: Check): Promise<void> {
  const place = join(directory, "full-disk");
  mkdirSync(join(place, "disk"), { recursive: true });
  const base = await buildBasePackage([x64.rpm], place, { shell: true });
  await check(
    "an upgrade that breaks off on a full disk takes no file of the old version along",
    async () => {
      const script = ["sh", "-c", BREAK_OFF, "sh", join(place, "disk"), base, x64.rpm, later];
      const { stdout, stderr } = await run("unshare", ["--mount", "--propagation=private", ...script]);
      expectMatch(stderr, /unpacking of archive failed on file \S+\/node;/, "what rpm said");
      const [, version = "", changed] =
        /^it broke off\nnow \S+?-(\d\S*)-1\.x86_64\n([\s\S]*?)left over: $/m.exec(stdout) ?? [];
      expectEqual(changed, "", "what differs from the package", stdout);
      expectMatch(x64.rpm, new RegExp(`-${version.replaceAll(".", "\\.")}-`), "the version that is there");
    },
  );
}
