/** The file is read by an SDK at any moment: whoever reads it finds one whole file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { prepareCredentialsFile } from "../../src/credentials/credentials-file.ts";
import { renderProfile } from "../../src/credentials/profile-file.ts";
import type { SessionCredentials } from "../../src/credentials/session.ts";

const READER = fileURLToPath(new URL("torn-reader.ts", import.meta.url));
const READERS = 3;
const REWRITES = 2_000;

/** Recognisable by its number, so that a reader knows a mixture of two from one whole. */
function numbered(n: number): SessionCredentials {
  const number = String(n).padStart(16, "0");
  return {
    accessKeyId: `ASIA${number}`,
    secretAccessKey: `${number}${"x".repeat(24)}`,
    sessionToken: `${number}${"y".repeat(700)}==`,
  };
}

interface Reading {
  reads: number;
  torn: number;
}

/** @returns what the readers saw while `rewrite` was called: so often, or until one has seen a torn file */
async function underReaders(
  path: string,
  rewrite: (n: number) => Promise<void>,
  isEnough: (n: number, sawTorn: boolean) => boolean,
): Promise<Reading> {
  await rewrite(0);
  const readers = await Promise.all(Array.from({ length: READERS }, () => startReader(path)));
  for (
    let n = 1;
    !isEnough(
      n - 1,
      readers.some(({ sawTorn }) => sawTorn()),
    );
    n += 1
  )
    await rewrite(n);
  const readings = await Promise.all(readers.map(({ stop }) => stop()));
  return readings.reduce((sum, { reads, torn }) => ({ reads: sum.reads + reads, torn: sum.torn + torn }));
}

async function startReader(path: string): Promise<{ sawTorn(): boolean; stop(): Promise<Reading> }> {
  const reader = spawn(process.execPath, [READER, path], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  reader.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await once(reader.stdout, "data");
  return {
    sawTorn: () => said.includes("torn\n"),
    stop: async () => {
      const ended = once(reader, "close");
      reader.stdin.end();
      await ended;
      return JSON.parse(said.slice(said.indexOf("{")));
    },
  };
}

/** In memory where that is possible: what is looked for is a torn read, not how long a disk takes to sync. */
function scratchFile(): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = mkdtempSync(join(parent, "idc-helper-torn-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, "credentials");
}

it(`${REWRITES} rewrites under ${READERS} looping readers: no torn read`, async () => {
  const path = scratchFile();
  const rewrite = async (n: number) => {
    const file = await prepareCredentialsFile({ path, profile: "default", group: null });
    await file.commit(await file.render(numbered(n)));
  };
  const { reads, torn } = await underReaders(path, rewrite, (n) => n === REWRITES);
  expect(reads).toBeGreaterThan(REWRITES);
  expect(torn).toBe(0);
  expect(readdirSync(join(path, ".."))).toEqual(["credentials"]);
});

it("the same readers do see torn files when one is truncated and rewritten, as the usual scripts do", async () => {
  const path = scratchFile();
  const rewrite = (n: number) => writeFile(path, renderProfile("", "default", numbered(n)));
  const { torn } = await underReaders(path, rewrite, (n, sawTorn) => sawTorn || n === 50 * REWRITES);
  expect(torn).toBeGreaterThan(0);
});
