/**
 * The native addon behind `node-unix-socket`. The packages have ours (addon/unix-datagram.c), compiled for each
 * architecture, which answers to the same name and does the one thing that we use: send a datagram. That package's own
 * prebuilt file is some crates of Rust, of which it says neither versions nor licences, and its arm64 sibling is not
 * pinned by the lock file. A build from a checkout, which must need no compiler, takes it where it is there.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, type Target } from "./project.ts";
import { crossTool } from "./tools.ts";

export function layDownAddon(nodeModules: string, target: Target, forPackage: boolean): void {
  const name = `node-unix-socket-linux-${target.node}-gnu`;
  const to = join(nodeModules, name);
  const prebuilt = join(ROOT, "node_modules", name);
  if (!forPackage && existsSync(prebuilt)) {
    cpSync(prebuilt, to, { recursive: true });
    return;
  }
  mkdirSync(to, { recursive: true });
  const file = `node-unix-socket.linux-${target.node}-gnu.node`;
  compileAddon(join(to, file), target);
  const manifest = { name, version: "0.0.0", license: "Apache-2.0", main: file, private: true };
  writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Node-API is stable, and its headers are those of the Node that we ship: any architecture's will do. */
export function compileAddon(output: string, target: Target): void {
  const headers = ["x64", "arm64"]
    .map((each) => join(ROOT, `node_modules/node-linux-${each}/include/node`))
    .find(existsSync);
  if (headers === undefined) throw new Error("no node-linux-* package is installed: npm ci does that");
  execFileSync(
    crossTool("gcc", target),
    [
      ...["-O2", "-Wall", "-Wextra", "-Werror", "-std=c11", "-fPIC", "-shared", "-fvisibility=hidden"],
      ...["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro,-z,now", "-Wl,--build-id=none"],
      ...["-I", headers, "-o", output, "unix-datagram.c"],
    ],
    { cwd: join(ROOT, "packaging/addon"), stdio: ["ignore", "inherit", "inherit"] },
  );
}
