/** What the checks look at: packages built from this checkout, side by side, and a throw-away key. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildDeb } from "../../packaging/deb.ts";
import { ROOT, sourceDateEpoch, type Target, targetOf } from "../../packaging/project.ts";
import { buildRpm, rpmFile } from "../../packaging/rpm.ts";
import { SigningKey } from "../../packaging/signing.ts";
import { type Staging, stage } from "../../packaging/staging.ts";

export const run = promisify(execFile);

export const X64 = targetOf("x86_64");
export const ARM64 = targetOf("aarch64");

export interface Built {
  target: Target;
  staging: Staging;
  /** Unsigned. */
  rpm: string;
}

export interface Workshop {
  /** Scratch, gone at the end. */
  directory: string;
  x64: Built;
  arm64: Built;
  /** x86_64 once more, from a copy of the checkout elsewhere, with another umask and time zone. */
  again: string;
  deb: string;
  key: SigningKey;
  /** A later version of x86_64, to upgrade to; packed loosely. */
  later: string;
}

export const LATER = "99.0.0";

/** Takes some minutes, nearly all of it xz. */
export async function openWorkshop(directory: string): Promise<Workshop> {
  const started = performance.now();
  // A commit made while this runs must not part the builds.
  process.env.SOURCE_DATE_EPOCH = String(sourceDateEpoch());
  const copy = await copyCheckout(directory);
  const [x64, arm64] = await Promise.all([buildOne(directory, X64), buildOne(directory, ARM64)]);
  const [again, deb, later] = await Promise.all([
    buildElsewhere(copy),
    buildDeb(X64, x64.staging.directory, join(directory, "deb")),
    buildRpm(X64, x64.staging.directory, directory, { version: LATER, payload: "w1.gzdio" }),
  ]);
  console.log(`packages built in ${Math.round((performance.now() - started) / 1_000)} s`);
  return { directory, x64, arm64, again, deb, later, key: await throwAwayKey(directory) };
}

async function buildOne(directory: string, target: Target): Promise<Built> {
  const staging = await stage(join(directory, "staging", target.rpm), target);
  return { target, staging, rpm: await buildRpm(target, staging.directory, join(directory, "rpm")) };
}

async function copyCheckout(directory: string): Promise<string> {
  const copy = join(directory, "another", "checkout");
  mkdirSync(copy, { recursive: true });
  const isLeftOut = (name: string) => /^(\.git|\.dist\..*|dist|build|coverage)$/.test(name);
  cpSync(ROOT, copy, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    filter: (from) => !isLeftOut(from.slice(ROOT.length + 1)),
  });
  return copy;
}

async function buildElsewhere(checkout: string): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${join(checkout, "node_modules/.bin")}:${process.env.PATH}`,
    TZ: "Asia/Seoul",
    LC_ALL: "C.UTF-8",
    IDC_SIGNING_KEY: "",
  };
  await run("/bin/sh", ["-c", "umask 077; exec node packaging/rpm.ts x86_64"], { cwd: checkout, env });
  return join(checkout, "build/packages", rpmFile(X64));
}

/** Rights nobody to anything: made here, gone with the directory. */
export async function throwAwayKey(directory: string): Promise<SigningKey> {
  const home = join(directory, "gnupg");
  mkdirSync(home, { mode: 0o700 });
  const env = { ...process.env, GNUPGHOME: home };
  const name = "Throw-away test key <test@localhost>";
  // RSA: rpm of RHEL 8 knows no other kind for sure.
  const options = ["--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"];
  await run("gpg", [...options, "--quick-generate-key", name, "rsa3072", "sign", "never"], { env });
  const file = join(directory, "signing-key.asc");
  const { stdout } = await run("gpg", [...options, "--armor", "--export-secret-keys"], { env });
  writeFileSync(file, stdout, { mode: 0o600 });
  await run("gpgconf", ["--kill", "all"], { env });
  return new SigningKey(file);
}

export function sameBytes(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other));
}
