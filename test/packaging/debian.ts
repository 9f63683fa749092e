/** The .deb: the same files as the RPM where Debian wants them, and fit to be installed here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildDeb } from "../../packaging/deb.ts";
import { NAME, VERSION } from "../../packaging/project.ts";
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { documentedFiles } from "./files.ts";
import { run, sameBytes, type Workshop, X64 } from "./workshop.ts";

const DOC = `/usr/share/doc/${NAME}`;
/** What Debian keeps elsewhere, and what only Debian wants. */
const MOVED: Readonly<Record<string, string>> = {
  "/usr/share/zsh/site-functions/_idc-helper": "/usr/share/zsh/vendor-completions/_idc-helper",
  [`/usr/share/licenses/${NAME}/LICENSE`]: `${DOC}/LICENSE`,
  [`/usr/share/licenses/${NAME}/third-party-licenses.txt`]: `${DOC}/third-party-licenses.txt`,
};
const ADDED = [`${DOC}/changelog.gz`, `${DOC}/copyright`];

export async function checkDebian({ directory, x64, deb }: Workshop, check: Check): Promise<void> {
  await check("the .deb holds the RPM's files, where Debian wants them", async () => {
    const listed = (await run("dpkg-deb", ["--contents", deb])).stdout.trim().split("\n");
    const found = listed
      .filter((line) => !line.startsWith("d"))
      .map((line) => / \.(\/\S+)/.exec(line)?.[1] ?? line);
    const directories = listed
      .filter((line) => line.startsWith("d"))
      .map((line) => / \.(\/.*)\/$/.exec(line)?.[1]);
    const wanted = documentedFiles("x64")
      .filter(
        (path) =>
          !directories.includes(path) &&
          !path.endsWith("/site-functions") &&
          !path.endsWith(`licenses/${NAME}`),
      )
      .map((path) => MOVED[path] ?? path);
    expectEqual(found.sort().join("\n"), [...wanted, ...ADDED].sort().join("\n"), "the list of files");
    const foreign = listed.filter((line) => !/^\S+ root\/root /.test(line));
    expectEqual(foreign.join("\n"), "", "what is not root's");
  });
  await check("the .deb says what it is and what it needs", async () => {
    const { stdout } = await run("dpkg-deb", ["--field", deb]);
    for (const line of [`Package: ${NAME}`, `Version: ${VERSION}`, "Architecture: amd64"]) {
      expectMatch(stdout, new RegExp(`^${line.replaceAll(".", "\\.")}$`, "m"), "its fields");
    }
    expectMatch(stdout, /^Depends: .*libc6 \(>= 2\.28\).*systemd/m, "its fields");
  });
  await check("two builds of the .deb are the same file", async () => {
    const [one, other] = [join(directory, "deb-1"), join(directory, "deb-2")];
    const first = await buildDeb(X64, x64.staging.directory, one, 0);
    const second = await buildDeb(X64, x64.staging.directory, other, 0);
    if (!sameBytes(first, second)) throw new Error(`${first} and ${second} differ`);
  });
  if (!existsSync("/etc/debian_version")) return;
  await check(
    `apt on Debian ${readFileSync("/etc/debian_version", "utf8").trim()} would install it`,
    async () => {
      const { stdout } = await run("apt-get", ["--simulate", "--no-install-recommends", "install", deb]);
      expectMatch(stdout, new RegExp(`^Inst ${NAME} `, "m"), "apt's plan");
    },
  );
}
