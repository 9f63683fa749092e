/** A small RPM that provides the names of what our packages require of a host. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./workshop.ts";

/** Versions that satisfy every floor that we state. */
const VERSIONS: Readonly<Record<string, string>> = { glibc: "2.28", systemd: "239" };
const APPLETS = ["sh", "rm", "echo", "cat"];

/**
 * @param shell brings a shell, too (a static busybox), for a root that has none
 * @returns the file
 */
export async function buildBasePackage(
  rpms: readonly string[],
  directory: string,
  { shell }: { shell: boolean },
): Promise<string> {
  const needs = new Set<string>();
  for (const rpm of rpms) {
    for (const line of (await run("rpm", ["-qp", "--requires", rpm])).stdout.trim().split("\n")) {
      const [name = ""] = line.split(" ");
      if (name.startsWith("rpmlib(") || name.startsWith("config(")) continue;
      if (!shell || !name.startsWith("/")) needs.add(name);
    }
  }
  const provides = [...needs].map((name) => (name in VERSIONS ? `${name} = ${VERSIONS[name]}` : name));
  const top = join(directory, "base");
  mkdirSync(join(top, shell ? "tree/bin" : "tree"), { recursive: true });
  if (shell) {
    const busybox = execFileSync("/bin/sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
    for (const applet of APPLETS) copyFileSync(busybox, join(top, "tree/bin", applet));
  }
  const spec = join(top, "base.spec");
  const text = SPEC.replace("@PROVIDES@", provides.map((each) => `Provides: ${each}`).join("\n"));
  writeFileSync(spec, `${text}${shell ? "/bin/*\n" : ""}`);
  const defines = ["--define", `_topdir ${top}`, "--define", `tree ${join(top, "tree")}`];
  await run("rpmbuild", ["-bb", "--quiet", "--target", "noarch", ...defines, spec]);
  return join(top, "RPMS/noarch/idc-test-base-1-1.noarch.rpm");
}

const SPEC = `%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binaries_in_noarch_packages_terminate_build 0
AutoReqProv: no
Name: idc-test-base
Version: 1
Release: 1
Summary: What the RHEL family provides, for a test
License: Apache-2.0
@PROVIDES@

%description
The names that a test needs.

%install
cp -a %{tree}/. %{buildroot}/

%files
`;
