/**
 * The native addon behind `node-unix-socket`. For x64 it is that package's own prebuilt file, which the lock file
 * pins. Its arm64 sibling is not to be had everywhere and is not pinned, so the arm64 package gets ours
 * (addon/unix-datagram.c), which answers to the same name and does the one thing that we use: send a datagram.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, type Target } from "./project.ts";
import { crossTool } from "./tools.ts";

export function addonName({ node }: Target): string {
  return `node-unix-socket-linux-${node}-gnu`;
}

/** Whether the addon is our own, compiled here. */
export function isOwnAddon(target: Target, forPackage: boolean): boolean {
  if (target.node === "x64") return false;
  return forPackage || !existsSync(join(ROOT, "node_modules", addonName(target)));
}

export function layDownAddon(nodeModules: string, target: Target, forPackage: boolean): void {
  const name = addonName(target);
  const to = join(nodeModules, name);
  const file = `node-unix-socket.linux-${target.node}-gnu.node`;
  mkdirSync(to, { recursive: true });
  if (isOwnAddon(target, forPackage)) {
    compileAddon(join(to, file), target);
    const manifest = { name, version: "0.0.0", license: "Apache-2.0", main: file, private: true };
    writeFileSync(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return;
  }
  const from = join(ROOT, "node_modules", name);
  if (!forPackage) {
    cpSync(from, to, { recursive: true });
    return;
  }
  for (const each of ["package.json", file]) copyFileSync(join(from, each), join(to, each));
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
