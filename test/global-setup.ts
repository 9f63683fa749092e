/** Builds `dist/` once, so that every test starts the very command that is shipped. */
import { execFileSync } from "node:child_process";

export function setup(): void {
  execFileSync(process.execPath, ["packaging/build.ts"], { stdio: ["ignore", "ignore", "inherit"] });
}
