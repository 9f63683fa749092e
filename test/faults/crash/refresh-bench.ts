/** `refresh`, broken off: on a host that has credentials, and on one that has none yet. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { sha256 } from "../../../src/credentials/record.ts";
import { BASE_KEY, startEmulator } from "../../aws-emulator/emulator.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import type { Bench, Subject } from "./bench.ts";
import { GATE_ENV } from "./gated-command.ts";
import { exposedSecrets, leftovers, sessionFiles } from "./invariants.ts";
import type { Tried } from "./points.ts";

export const REFRESH: Subject = {
  command: "refresh",
  situation: "credentials are there",
  open: () => open(true),
};
export const FIRST_REFRESH: Subject = {
  command: "refresh",
  situation: "the first on its host",
  open: () => open(false),
};

async function open(hasCredentials: boolean): Promise<Bench> {
  const emulator = await startEmulator();
  const host = new ScratchHost({ endpoint: emulator.url });
  let before: string | null = null;

  const current = () =>
    existsSync(host.credentialsFile) ? readFileSync(host.credentialsFile, "utf8") : null;

  const faultsOfFiles = ({ code }: Pick<Tried, "code">): string[] => {
    const faults: string[] = [];
    const file = current();
    const sessions = sessionFiles(emulator);
    if (file !== before && (file === null || !sessions.includes(file))) {
      faults.push("the credentials file is neither the old one nor one of AWS's");
    }
    if (code === 0) {
      if (file !== sessions.at(-1)) faults.push("it said that it was done, and the file is not the newest");
      if (file !== null && host.record()?.sha256 !== sha256(file)) faults.push("done, and not recorded");
    }
    const secrets = [BASE_KEY.secretAccessKey, ...emulator.sessions.list().map((one) => one.secretAccessKey)];
    return [...faults, ...exposedSecrets(host.directory, secrets)];
  };

  return {
    directory: host.directory,
    prepare: async () => {
      if (!hasCredentials) {
        rmSync(host.stateDir, { recursive: true });
        mkdirSync(host.stateDir, { mode: 0o750 });
      } else if (current() === null) await host.command("refresh");
      before = current();
    },
    start: () => host.start(["refresh"], { env: GATE_ENV }),
    judge: async (tried) => {
      const faults = [...faultsOfFiles(tried)];
      const next = await host.command("refresh");
      if (next.code !== 0) faults.push(`the next refresh failed: ${next.stderr}`);
      faults.push(...faultsOfFiles(next), ...leftovers(host.directory));
      return faults;
    },
    close: async () => {
      await host.close();
      await emulator.close();
    },
  };
}
