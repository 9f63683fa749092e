/** The packages under test, as they would lie on a company's server: built from this checkout, and signed. */
import { cpSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { buildDeb } from "../../../packaging/deb.ts";
import { targetOf, VERSION } from "../../../packaging/project.ts";
import { makeRepository } from "../../../packaging/repo.ts";
import { buildRpm } from "../../../packaging/rpm.ts";
import { stage } from "../../../packaging/staging.ts";
import { buildBasePackage } from "../../packaging/base-package.ts";
import { throwAwayKey } from "../../packaging/workshop.ts";

export const PACKAGE = "idc-codedeploy-helper";
/** Where a machine finds a repository with this version. */
export const PLACE = "/srv/packages/now";
export const LATER = "99.0.0";
/** Packed loosely: how small they are is another test's. */
const PAYLOAD = "w1.gzdio";

export { VERSION };

/** @returns a directory with two yum repositories: `now`, where the .deb lies, too, and `later`, with {@link LATER} */
export async function makePackages(directory: string): Promise<string> {
  const started = performance.now();
  const target = targetOf("x86_64");
  const work = join(directory, "packages");
  mkdirSync(work);
  const staging = (await stage(join(work, "staging"), target)).directory;
  const [now, later, deb] = await Promise.all([
    buildRpm(target, staging, work, { payload: PAYLOAD }),
    buildRpm(target, staging, work, { payload: PAYLOAD, version: LATER }),
    buildDeb(target, staging, join(work, "repository.deb"), 0),
  ]);
  // Debian's dnf, in a Debian: what RHEL's packages provide is there, under other names.
  const base = await buildBasePackage([now], work, { shell: false });
  const repositories = join(work, "repositories");
  const key = await throwAwayKey(work);
  await key.use(async (ring) => {
    await makeRepository([base, now], join(repositories, "now"), `file://${PLACE}`, ring);
    await makeRepository([base, now, later], join(repositories, "later"), `file:///srv/packages/later`, ring);
  });
  cpSync(deb, join(repositories, "now", basename(deb)));
  console.log(`packages built in ${Math.round((performance.now() - started) / 1_000)} s`);
  return repositories;
}
