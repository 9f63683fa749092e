/** What is in the packages: the documented files, the declared needs, a size that downloads, binaries of one kind. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../packaging/project.ts";
import { filesBelow, isElf } from "../../packaging/staging.ts";
import { type Check, expectEqual } from "../systemd/checks.ts";
import { type Built, run, sameBytes, type Workshop } from "./workshop.ts";

const MIB = 1_048_576;
const LIMIT_BYTES = 32 * MIB;
/** RHEL 8's. */
const GLIBC_FLOOR = [2, 28] as const;
/** RHEL 8's libstdc++, of gcc 8. */
const GLIBCXX_FLOOR = 25;
/** Kernels of RHEL 8 for aarch64 have pages of 64 kB, and map nothing that is aligned to less. */
const LARGE_PAGE = 0x10000;
const NEEDS = ["ca-certificates", "coreutils", "glibc >= 2.28", "sed", "systemd >= 239", "util-linux"];

export async function checkFiles(workshop: Workshop, check: Check): Promise<void> {
  await check("two builds of one commit are the same file, wherever and however they are built", async () => {
    if (!sameBytes(workshop.x64.rpm, workshop.again)) {
      throw new Error(`${workshop.x64.rpm} and ${workshop.again} differ`);
    }
  });
  for (const built of [workshop.x64, workshop.arm64]) await checkOne(built, check);
}

async function checkOne({ target, staging, rpm }: Built, check: Check): Promise<void> {
  const of = target.rpm;
  const bytes = statSync(rpm).size;
  await check(`the ${of} RPM is at most 32 MB to download (${(bytes / MIB).toFixed(1)} MiB)`, async () => {
    if (bytes > LIMIT_BYTES) throw new Error(`it has ${bytes} bytes`);
  });
  await check(`the ${of} RPM holds the files that docs/package.md lists, and no other`, async () => {
    const { stdout } = await run("rpm", ["-qlp", rpm]);
    console.log(`      rpm -qlp:\n${stdout.trim().replace(/^/gm, "        ")}`);
    expectEqual(stdout.trim(), documentedFiles(target.node).join("\n"), "the list of files");
  });
  await check(`the ${of} RPM belongs to root, and nobody else may write to it`, async () => {
    const format = "[%{FILENAMES} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMODES:perms}\n]";
    const { stdout } = await run("rpm", ["-qp", "--qf", format, rpm]);
    const odd = stdout
      .trim()
      .split("\n")
      .filter(
        (line) => !/ root:root (d|-|l)rwxr-xr-x$| root:root -rw-r--r--$| root:root lrwxrwxrwx$/.test(line),
      );
    expectEqual(odd.join("\n"), "", "what is not root's alone to write");
  });
  await check(`the ${of} RPM says what it needs of a host, and recommends nothing`, async () => {
    const needed = (await run("rpm", ["-qp", "--requires", rpm])).stdout.split("\n");
    const missing = NEEDS.filter((need) => !needed.includes(need));
    expectEqual(missing.join(", "), "", "what is not required");
    expectEqual((await run("rpm", ["-qp", "--recommends", rpm])).stdout.trim(), "", "what it recommends");
    const provided = (await run("rpm", ["-qp", "--provides", rpm])).stdout;
    if (/\.so|\.node/.test(provided))
      throw new Error(`it offers its insides to other packages:\n${provided}`);
  });
  await check(`the ${of} RPM keeps an edited example`, async () => {
    const { stdout } = await run("rpm", ["-qp", "--configfiles", rpm]);
    expectEqual(stdout.trim(), "/etc/idc-codedeploy-helper/config.yaml.example", "its config files");
  });
  const tree = staging.directory;
  const binaries = filesBelow(tree).filter((path) => isElf(join(tree, path)));
  await check(
    `all ${binaries.length} binaries of the ${of} RPM are for ${of}, and run on glibc 2.28`,
    async () => {
      expectEqual(binaries.length, 2, "the number of binaries");
      for (const path of binaries) await checkBinary(join(tree, path), target.elfMachine);
    },
  );
}

async function checkBinary(path: string, machine: string): Promise<void> {
  const header = (await run("readelf", ["--file-header", path])).stdout;
  expectEqual(/Machine: +(.*)/.exec(header)?.[1], machine, `the machine of ${path}`);
  const versions = (await run("readelf", ["--version-info", "--wide", path], { maxBuffer: 64 * MIB })).stdout;
  const tooNew = [...versions.matchAll(/GLIBC_(\d+)\.(\d+)/g)]
    .filter(([, major, minor]) => Number(major) !== GLIBC_FLOOR[0] || Number(minor) > GLIBC_FLOOR[1])
    .map(([name]) => name);
  expectEqual([...new Set(tooNew)].join(", "), "", `what ${path} needs of a newer glibc`);
  const newest = Math.max(
    0,
    ...[...versions.matchAll(/GLIBCXX_3\.4\.(\d+)/g)].map(([, minor]) => Number(minor)),
  );
  if (newest > GLIBCXX_FLOOR) throw new Error(`${path} needs GLIBCXX_3.4.${newest}, of a newer libstdc++`);
  const segments = (await run("readelf", ["--program-headers", "--wide", path])).stdout;
  const alignments = [...segments.matchAll(/^ *LOAD .* (0x[0-9a-f]+)$/gm)].map(([, align]) => Number(align));
  expectEqual(alignments.length > 0, true, "whether readelf is understood", segments);
  const needed = machine === "AArch64" ? LARGE_PAGE : 0x1000;
  expectEqual(Math.min(...alignments) >= needed, true, `whether ${path} can be mapped`, segments);
}

/** The fenced list of docs/package.md. */
export function documentedFiles(arch: string): string[] {
  const page = readFileSync(join(ROOT, "docs/package.md"), "utf8");
  const list = /^```\n(\/etc\/[\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
  return list.trim().replaceAll("linux-x64", `linux-${arch}`).split("\n");
}
