/** rpmlint over the signed packages, with the explained exceptions of packaging/rpm. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT } from "../../packaging/project.ts";
import { type Check, expectMatch } from "../systemd/checks.ts";
import { run, type Workshop } from "./workshop.ts";

export async function checkLint({ directory, x64, arm64, key }: Workshop, check: Check): Promise<void> {
  const place = join(directory, "lint");
  mkdirSync(place);
  const files = [x64, arm64].map(({ rpm }) => join(place, basename(rpm)));
  copyFileSync(x64.rpm, files[0] ?? "");
  copyFileSync(arm64.rpm, files[1] ?? "");
  // The key goes into an rpm database of the test's own, or rpmlint would not know it.
  const database = join(place, "rpmdb");
  const publicKey = join(place, "key.asc");
  await key.use(async (ring) => {
    await ring.signRpms(files);
    writeFileSync(publicKey, await ring.publicKey());
  });
  mkdirSync(database);
  await run("rpm", ["--dbpath", database, "--import", publicKey]);
  writeFileSync(join(place, ".rpmmacros"), `%_dbpath ${database}\n`);
  const config = join(ROOT, "packaging/rpm/idc-codedeploy-helper.rpmlintrc.toml");
  await check("rpmlint finds no error, and no warning that is not explained", async () => {
    const { stdout } = await run("rpmlint", ["--config", config, ...files], {
      env: { ...process.env, HOME: place },
    }).catch((error) => error);
    console.log(`      rpmlint: ${stdout.trim().split("\n").at(-1)}`);
    expectMatch(stdout, /2 packages and 0 specfiles checked; 0 errors, 0 warnings/, "rpmlint's summary");
  });
}
