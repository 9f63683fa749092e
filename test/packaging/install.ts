/**
 * dnf on a root that is nearly empty: no systemd, no bash, only what the scriptlets of any RPM may count on. From a
 * signed repository with `gpgcheck=1`: installed, upgraded, downgraded and removed; from an unsigned one: refused.
 *
 * The names that RHEL's packages provide come from a small RPM of the test's own.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { NAME } from "../../packaging/project.ts";
import { makeRepository } from "../../packaging/repo.ts";
import type { KeyRing } from "../../packaging/signing.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../systemd/checks.ts";
import { buildBasePackage } from "./base-package.ts";
import { Root } from "./root.ts";
import { LATER, run, type Workshop } from "./workshop.ts";

/** Said by rpm and dnf when a scriptlet failed or a file could not be put right. */
const TROUBLE = /scriptlet failed|non-fatal|error:|warning:|rpm-tmp\./i;
const ASKED = `show --property=ActiveState --value ${NAME}.service`;
const RESTARTED = [ASKED, `try-restart ${NAME}-agent.path`, `try-restart ${NAME}.service`];

/** Units are read anew when the new version's files have come, and when the old one's have gone. */
const UPGRADE = ["daemon-reload", "daemon-reload", ASKED];

export async function checkInstall(workshop: Workshop, check: Check): Promise<void> {
  const { directory, x64, later, key } = workshop;
  const place = join(directory, "install");
  mkdirSync(place);
  const base = await buildBasePackage([x64.rpm, workshop.arm64.rpm], place, { shell: true });
  const signed = join(place, "signed");
  const files = [base, x64.rpm, later, workshop.arm64.rpm];
  await key.use((ring) => makeRepository(files, signed, pathToFileURL(signed).href, ring));
  const root = await Root.make(join(place, "root"), signed);

  await check(
    "dnf with gpgcheck=1 installs the signed package on a root with nothing else in it",
    async () => {
      const said = await root.dnf("install", `${NAME}-${await versionOf(x64.rpm)}`);
      expectNoMatch(said, TROUBLE, "what dnf said");
      expectEqual((await root.rpm("-V", NAME)).trim(), "", "what differs from the package");
      expectEqual(await root.owns("/usr/bin/idc-helper"), true, "whether the command is there");
    },
  );
  await check("a reinstallation goes through, and the example is there afterwards", async () => {
    expectNoMatch(await root.dnf("reinstall", NAME), TROUBLE, "what dnf said");
    expectEqual((await root.rpm("-V", NAME)).trim(), "", "what differs from the package");
  });
  await check("an upgrade without systemd goes through, and so does a downgrade", async () => {
    expectNoMatch(await root.dnf("upgrade", NAME), TROUBLE, "what dnf said");
    expectMatch(await root.rpm("-q", NAME), new RegExp(LATER.replaceAll(".", "\\.")), "the version");
    expectNoMatch(await root.dnf("downgrade", NAME), TROUBLE, "what dnf said");
    expectEqual((await root.rpm("-V", NAME)).trim(), "", "what differs from the package");
  });
  await check("an upgrade on a host that is not registered starts nothing", async () => {
    root.pretendSystemd("inactive");
    expectNoMatch(await root.dnf("upgrade", NAME), TROUBLE, "what dnf said");
    expectEqual(root.systemctlCalls().join("\n"), UPGRADE.join("\n"), "what systemd was told");
    await root.dnf("downgrade", NAME);
    root.systemctlCalls();
  });
  root.pretendSystemd("active");
  await check(
    "an upgrade to a version that refuses the configuration leaves the old process running",
    async () => {
      // On this root its Node does not even start, for want of glibc.
      const said = await root.dnf("upgrade", NAME);
      expectMatch(said, /so the old process was left running/, "what dnf said");
      expectEqual(root.systemctlCalls().join("\n"), UPGRADE.join("\n"), "what systemd was told");
    },
  );
  for (const [state, calls, what] of [
    ["active", RESTARTED, "one that runs is restarted, path unit first, when its configuration is right"],
    ["activating", RESTARTED, "one that is still starting, as at a boot without network, is restarted, too"],
    ["inactive", [ASKED], "one that does not run stays so"],
  ] as const) {
    await check(`at the end of an upgrade, ${what}`, async () => {
      root.pretendSystemd(state);
      root.write(`usr/libexec/${NAME}/idc-helper`, "#!/bin/sh\nexit 0\n");
      const { stdout: script } = await run("rpm", ["-qp", "--qf", "%{POSTTRANS}", x64.rpm]);
      await run("chroot", [root.path, "/bin/sh", "-c", script]);
      expectEqual(root.systemctlCalls().join("\n"), calls.join("\n"), "what systemd was told");
    });
  }
  await check("a removal keeps configuration and credentials, and leaves nothing else", async () => {
    root.write(`etc/${NAME}/config.yaml`, "serial: mine\n");
    root.write(`var/lib/${NAME}/credentials`, "[default]\n");
    root.write(`run/${NAME}/status.json`, "{}\n");
    expectNoMatch(await root.dnf("remove", NAME, "--noautoremove"), TROUBLE, "what dnf said");
    const left = (await run("find", [root.path, "-path", `*${NAME}*`, "-not", "-path", "*/var/cache/*"]))
      .stdout;
    const kept = [
      `/etc/${NAME}`,
      `/etc/${NAME}/config.yaml`,
      `/var/lib/${NAME}`,
      `/var/lib/${NAME}/credentials`,
    ];
    const found = left
      .trim()
      .split("\n")
      .filter((path) => !/\/(dnf|yum|rpm)\b/.test(path.slice(root.path.length)));
    const [disable = "", ...stops] = root.systemctlCalls();
    expectMatch(disable, /^--no-reload disable /, "what systemd was told first");
    expectMatch(
      stops.join("\n"),
      /^stop \S+\.path\nstop \S+\.service \S+\.service\ndaemon-reload/,
      "and then",
    );
    expectEqual(
      found
        .map((path) => path.slice(root.path.length))
        .sort()
        .join("\n"),
      kept.join("\n"),
      "what is left",
    );
  });
  await check("dnf refuses the same package unsigned", async () => {
    const unsigned = join(place, "unsigned");
    await key.use((ring) => copyUnsigned(signed, unsigned, [base, x64.rpm], ring));
    const other = await Root.make(join(place, "other-root"), unsigned);
    expectMatch(await expectRefusal(other), /not signed|GPG check FAILED/, "what dnf said");
  });
  await check("dnf refuses a repository whose index was made up by others, of signed packages", async () => {
    const forged = join(place, "forged");
    cpSync(signed, forged, { recursive: true });
    await run("createrepo_c", ["--quiet", "--update", "--excludes", basename(later), forged]);
    pointAt(signed, forged);
    const said = await expectRefusal(await Root.make(join(place, "forged-root"), forged));
    expectMatch(said, /repomd\.xml GPG signature verification error|Bad GPG signature/, "what dnf said");
  });
  await check("dnf for aarch64 takes the aarch64 package from the same repository", async () => {
    const other = await Root.make(join(place, "arm-root"), signed, ["--forcearch=aarch64"]);
    await other.dnf("install", NAME, "--exclude=*-99*");
    expectMatch(await other.rpm("-q", "--qf", "%{ARCH}", NAME), /^aarch64$/, "the architecture");
  });
}

/** @returns what dnf said */
async function expectRefusal(root: Root): Promise<string> {
  const said = await root.dnf("install", NAME).then(
    () => "it was installed",
    (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
  );
  expectEqual(await root.owns("/usr/bin/idc-helper"), false, "whether the command is there", said);
  return said;
}

async function versionOf(rpm: string): Promise<string> {
  return (await run("rpm", ["-qp", "--qf", "%{VERSION}", rpm])).stdout;
}

/** Packages as they were before signing; the index is signed. */
async function copyUnsigned(
  signed: string,
  unsigned: string,
  files: readonly string[],
  ring: KeyRing,
): Promise<void> {
  mkdirSync(unsigned);
  for (const file of files) copyFileSync(file, join(unsigned, basename(file)));
  await run("createrepo_c", ["--quiet", unsigned]);
  await ring.signDetached(join(unsigned, "repodata/repomd.xml"));
  const key = `RPM-GPG-KEY-${NAME}`;
  copyFileSync(join(signed, key), join(unsigned, key));
  pointAt(signed, unsigned);
}

/** The .repo file of one directory, for another. */
function pointAt(from: string, to: string): void {
  const repo = readFileSync(join(from, `${NAME}.repo`), "utf8");
  writeFileSync(join(to, `${NAME}.repo`), repo.replaceAll(pathToFileURL(from).href, pathToFileURL(to).href));
}
