/**
 * `node packaging/rpm.ts [x86_64|aarch64 …]`: the RPMs, into build/packages/; both by default. Signed where a key is
 * given (packaging/signing.ts); before signing, two builds of one commit are the same file.
 */
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { changes, rpmChangelog } from "./changelog.ts";
import {
  MAINTAINER,
  NAME,
  PACKAGES,
  ROOT,
  sourceDateEpoch,
  type Target,
  targetsFrom,
  VERSION,
} from "./project.ts";
import { SigningKey } from "./signing.ts";
import { stage, stagingDirectory } from "./staging.ts";
import { orSay, requireTools, stagingTools } from "./tools.ts";

const run = promisify(execFile);

/** A pre-release sorts before its release: 1.0.0-rc.1 is 1.0.0~rc.1 to rpm. */
export const RPM_VERSION = VERSION.replace("-", "~");

export function rpmFile({ rpm }: Target, version = RPM_VERSION): string {
  return `${NAME}-${version}-1.${rpm}.rpm`;
}

/** What a test may want otherwise: another version to upgrade to, and not to wait a minute for it. */
export interface RpmOptions {
  version?: string;
  /** As rpm's _binary_payload. */
  payload?: string;
}

/** @param output the directory that the file is put into. @returns its path */
export async function buildRpm(
  target: Target,
  staging: string,
  output: string,
  { version = RPM_VERSION, payload = "w9.xzdio" }: RpmOptions = {},
): Promise<string> {
  const top = mkdtempSync(join(tmpdir(), "idc-rpm-"));
  try {
    const scripts = join(top, "scriptlets");
    cpSync(join(ROOT, "packaging/scriptlets"), scripts, { recursive: true });
    writeFileSync(join(scripts, "sysusers.sh"), sysusersScript(staging));
    const changelog = join(top, "changelog");
    writeFileSync(
      changelog,
      rpmChangelog(changes(readFileSync(join(ROOT, "CHANGELOG.md"), "utf8")), MAINTAINER),
    );
    const macros: Readonly<Record<string, string>> = {
      _topdir: top,
      _rpmdir: join(top, "RPMS"),
      idc_version: version,
      idc_payload: payload,
      idc_staging: staging,
      idc_scripts: scripts,
      idc_changelog: changelog,
      idc_packager: MAINTAINER,
    };
    const defines = Object.entries(macros).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
    const spec = join(ROOT, "packaging/rpm", `${NAME}.spec`);
    await run("rpmbuild", ["-bb", "--quiet", "--target", `${target.rpm}-redhat-linux`, ...defines, spec], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(sourceDateEpoch()), TZ: "UTC", LC_ALL: "C" },
      maxBuffer: 16 * 1_048_576,
    });
    mkdirSync(output, { recursive: true });
    copyFileSync(
      join(top, "RPMS", target.rpm, rpmFile(target, version)),
      join(output, rpmFile(target, version)),
    );
    return join(output, rpmFile(target, version));
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

/** Fedora's own way: the user is there before the files are, from the very text that the package installs. */
function sysusersScript(staging: string): string {
  const file = `/usr/lib/sysusers.d/${NAME}.conf`;
  const text = readFileSync(join(staging, file), "utf8").trim();
  return `if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers --replace=${file} - <<'SYSUSERS' || :
${text}
SYSUSERS
fi
exit 0
`;
}

async function main(names: readonly string[]): Promise<void> {
  const targets = targetsFrom(names);
  const key = SigningKey.fromEnvironment(process.env);
  requireTools("make rpm", [
    "rpmbuild",
    ...(key === null ? [] : ["rpmsign", "gpg"]),
    ...stagingTools(targets),
  ]);
  // xz takes a minute for each: side by side.
  const built = await Promise.all(
    targets.map(async (target) => {
      const { directory } = await stage(stagingDirectory(target), target);
      return buildRpm(target, directory, PACKAGES);
    }),
  );
  await key?.use((ring) => ring.signRpms(built));
  for (const file of built)
    console.log(`${file}${key === null ? " (unsigned: IDC_SIGNING_KEY names no key)" : ""}`);
}

if (import.meta.main) await orSay(main(process.argv.slice(2)));
