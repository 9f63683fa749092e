/**
 * `node packaging/repo.ts`: a yum repository in build/repo from the RPMs in build/packages, signed with
 * $IDC_SIGNING_KEY: the RPMs, their index, the public key, and the .repo file that hosts get. Serve the directory
 * under $IDC_REPO_URL; without one, the .repo file points at the directory itself.
 */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { BUILD, NAME, PACKAGES, sourceDateEpoch, TARGETS } from "./project.ts";
import { rpmFile } from "./rpm.ts";
import { type KeyRing, SigningKey } from "./signing.ts";
import { orSay, requireTools } from "./tools.ts";

const run = promisify(execFile);

const KEY_FILE = `RPM-GPG-KEY-${NAME}`;

/** @param url where hosts will find `directory`, which is made anew */
export async function makeRepository(
  files: readonly string[],
  directory: string,
  url: string,
  ring: KeyRing,
): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const copies = files.map((file) => join(directory, file.slice(file.lastIndexOf("/") + 1)));
  for (const [index, copy] of copies.entries()) copyFileSync(files[index] ?? "", copy);
  await ring.signRpms(copies);
  const moment = String(sourceDateEpoch());
  await run("createrepo_c", [
    "--quiet",
    "--no-database",
    "--set-timestamp-to-revision",
    "--revision",
    moment,
    directory,
  ]);
  // What the packages' own signatures do not say: which of them belong together. Without it a mirror could make up an
  // index of its own from what was signed at one time or another, old and vulnerable versions among it.
  await ring.signDetached(join(directory, "repodata/repomd.xml"));
  writeFileSync(join(directory, KEY_FILE), await ring.publicKey());
  writeFileSync(join(directory, `${NAME}.repo`), repoFile(url.replace(/\/$/, "")));
}

function repoFile(url: string): string {
  return `[${NAME}]
name=${NAME}
baseurl=${url}
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=${url}/${KEY_FILE}
`;
}

async function main(): Promise<void> {
  requireTools("make repo", ["createrepo_c", "rpmsign", "gpg"]);
  const key = SigningKey.fromEnvironment(process.env);
  if (key === null) {
    throw new Error(
      "make repo needs IDC_SIGNING_KEY: a file with the secret key, or the id of a key in your ring",
    );
  }
  const files = TARGETS.map((target) => join(PACKAGES, rpmFile(target))).filter((file) => existsSync(file));
  if (files.length === 0)
    throw new Error(`there is no RPM of this version in ${PACKAGES}: make rpm makes them`);
  const directory = join(BUILD, "repo");
  const url = process.env.IDC_REPO_URL ?? pathToFileURL(directory).href;
  await key.use((ring) => makeRepository(files, directory, url, ring));
  console.log(`${directory}: ${files.length} packages, for ${url}`);
}

if (import.meta.main) await orSay(main());
