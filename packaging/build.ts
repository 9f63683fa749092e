/** `node packaging/build.ts`: makes `dist/`, so that `dist/idc-helper` is the command as a host has it. */
import { execFileSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { layOut } from "./bundle.ts";
import { ROOT, targetOf } from "./project.ts";

const target = targetOf(process.env.IDC_BUILD_ARCH ?? process.arch);
const dist = join(ROOT, "dist");
/** Built aside and swapped in whole, so that a test that runs `dist/idc-helper` never finds half of it. */
const staging = join(ROOT, `.dist.${process.pid}`);

rmSync(staging, { recursive: true, force: true });
await layOut(staging, target);
rmSync(dist, { recursive: true, force: true });
renameSync(staging, dist);
if (target.node === process.arch) process.stdout.write(execFileSync(join(dist, "idc-helper"), ["version"]));
