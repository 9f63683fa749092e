/** A root of dnf's own: nearly empty, with the one repository that a test gives it. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NAME } from "../../packaging/project.ts";
import { run } from "./workshop.ts";

/** As systemd has it: whether it is running is asked by this state, or by is-active, which says no of `activating`. */
export type ActiveState = "active" | "activating" | "inactive";

export class Root {
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

  /** A systemctl that writes down what it is told, and for which our service is in this state. */
  pretendSystemd(state: ActiveState): void {
    mkdirSync(join(this.path, "run/systemd/system"), { recursive: true });
    this.write("systemctl.state", `${state}\n`);
    this.write(
      "bin/systemctl",
      `#!/bin/sh
echo "$*" >>/systemctl.log
read -r state </systemctl.state
case $* in
  "show --property=ActiveState --value ${NAME}.service") echo "$state" ;;
  "is-active "*) [ "$state" = active ] ;;
esac
`,
    );
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
