/**
 * dnf on a root that is nearly empty: no systemd, no bash, only what the scriptlets of any RPM may count on. From a
 * signed repository with `gpgcheck=1`: installed, upgraded, downgraded and removed; from an unsigned one: refused.
 *
 * The names that RHEL's packages provide come from a small RPM of the test's own.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { NAME } from "../../packaging/project.ts";
import { makeRepository } from "../../packaging/repo.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../systemd/checks.ts";
import { buildBasePackage } from "./base-package.ts";
import { LATER, run, type Workshop } from "./workshop.ts";

/** Said by rpm and dnf when a scriptlet failed or a file could not be put right. */
const TROUBLE = /scriptlet failed|non-fatal|error:|warning:|rpm-tmp\./i;
const IS_ACTIVE = `is-active --quiet ${NAME}.service`;

/** Units are read anew when the new version's files have come, and when the old one's have gone. */
const UPGRADE = ["daemon-reload", "daemon-reload", IS_ACTIVE];

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
  await check("an upgrade without systemd goes through, and so does a downgrade", async () => {
    expectNoMatch(await root.dnf("upgrade", NAME), TROUBLE, "what dnf said");
    expectMatch(await root.rpm("-q", NAME), new RegExp(LATER.replaceAll(".", "\\.")), "the version");
    expectNoMatch(await root.dnf("downgrade", NAME), TROUBLE, "what dnf said");
    expectEqual((await root.rpm("-V", NAME)).trim(), "", "what differs from the package");
  });
  root.pretendSystemd();
  await check(
    "an upgrade to a version that refuses the configuration leaves the old process running",
    async () => {
      // On this root its Node does not even start, for want of glibc.
      const said = await root.dnf("upgrade", NAME);
      expectMatch(said, /so the old process was left running/, "what dnf said");
      expectEqual(root.systemctlCalls().join("\n"), UPGRADE.join("\n"), "what systemd was told");
    },
  );
  await check(
    "one whose configuration is right is restarted, path unit first, and only if it runs",
    async () => {
      root.write(`usr/libexec/${NAME}/idc-helper`, "#!/bin/sh\nexit 0\n");
      const { stdout: script } = await run("rpm", ["-qp", "--qf", "%{POSTTRANS}", x64.rpm]);
      await run("chroot", [root.path, "/bin/sh", "-c", script]);
      const calls = [IS_ACTIVE, `try-restart ${NAME}-agent.path`, `try-restart ${NAME}.service`];
      expectEqual(root.systemctlCalls().join("\n"), calls.join("\n"), "what systemd was told");
    },
  );
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
    await copyUnsigned(signed, unsigned, [base, x64.rpm]);
    const other = await Root.make(join(place, "other-root"), unsigned);
    const said = await other.dnf("install", NAME).then(
      () => "it was installed",
      (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
    );
    expectMatch(said, /not signed|GPG check FAILED/, "what dnf said");
    expectEqual(await other.owns("/usr/bin/idc-helper"), false, "whether the command is there");
  });
  await check("dnf for aarch64 takes the aarch64 package from the same repository", async () => {
    const other = await Root.make(join(place, "arm-root"), signed, ["--forcearch=aarch64"]);
    await other.dnf("install", NAME, "--exclude=*-99*");
    expectMatch(await other.rpm("-q", "--qf", "%{ARCH}", NAME), /^aarch64$/, "the architecture");
  });
}

async function versionOf(rpm: string): Promise<string> {
  return (await run("rpm", ["-qp", "--qf", "%{VERSION}", rpm])).stdout;
}

/** The same index rules and .repo file, but packages as they were before signing. */
async function copyUnsigned(signed: string, unsigned: string, files: readonly string[]): Promise<void> {
  mkdirSync(unsigned);
  for (const file of files) copyFileSync(file, join(unsigned, basename(file)));
  await run("createrepo_c", ["--quiet", unsigned]);
  for (const name of [`RPM-GPG-KEY-${NAME}`]) copyFileSync(join(signed, name), join(unsigned, name));
  const repo = readFileSync(join(signed, `${NAME}.repo`), "utf8");
  const moved = repo.replaceAll(pathToFileURL(signed).href, pathToFileURL(unsigned).href);
  writeFileSync(join(unsigned, `${NAME}.repo`), moved);
}

class Root {
  readonly path: string;
  readonly #options: readonly string[];

  private constructor(path: string, options: readonly string[]) {
    this.path = path;
    this.#options = options;
  }

  /** @param repository whose .repo file is the only one that dnf sees */
  static async make(path: string, repository: string, more: readonly string[] = []): Promise<Root> {
    const repos = join(path, "etc/yum.repos.d");
    mkdirSync(repos, { recursive: true });
    mkdirSync(join(path, "var/log"), { recursive: true });
    mkdirSync(join(path, "dev"));
    await run("mknod", ["--mode=666", join(path, "dev/null"), "c", "1", "3"]);
    copyFileSync(join(repository, `${NAME}.repo`), join(repos, `${NAME}.repo`));
    const settings = {
      reposdir: repos,
      cachedir: join(path, "var/cache/dnf"),
      logdir: "/var/log",
      keepcache: "0",
    };
    const options = Object.entries(settings).map(([name, value]) => `--setopt=${name}=${value}`);
    return new Root(path, [...options, "--setopt=install_weak_deps=0", ...more]);
  }

  async dnf(command: string, ...args: string[]): Promise<string> {
    const options = ["-y", `--installroot=${this.path}`, "--releasever=9", ...this.#options];
    const { stdout, stderr } = await run("dnf", [...options, command, ...args], {
      maxBuffer: 16 * 1_048_576,
    });
    return stdout + stderr;
  }

  async rpm(...args: string[]): Promise<string> {
    return (await run("rpm", ["--root", this.path, ...args]).catch((error) => error)).stdout;
  }

  async owns(path: string): Promise<boolean> {
    return existsSync(join(this.path, path, "..")) && (await this.rpm("-qf", path)).startsWith(NAME);
  }

  /** A systemctl that writes down what it is told, and for which everything runs. */
  pretendSystemd(): void {
    mkdirSync(join(this.path, "run/systemd/system"), { recursive: true });
    this.write("bin/systemctl", '#!/bin/sh\necho "$*" >> /systemctl.log\n');
    chmodSync(join(this.path, "bin/systemctl"), 0o755);
  }

  /** Since the last call of this. */
  systemctlCalls(): string[] {
    const log = join(this.path, "systemctl.log");
    const calls = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    rmSync(log, { force: true });
    return calls;
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.path, path, ".."), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }
}
