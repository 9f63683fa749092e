/** `refresh`, broken off: on a host that has credentials, and on one that has none yet. */
import { existsSync, readFileSync } from "node:fs";
import { sha256 } from "../../../src/credentials/record.ts";
import { BASE_KEY, startEmulator } from "../../aws-emulator/emulator.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import { type Bench, type Known, once, type Subject } from "./bench.ts";
import { GATE_ENV } from "./gated-command.ts";
import { exposedSecrets, leftovers, sessionFiles } from "./invariants.ts";
import type { Tried } from "./points.ts";
import { KeptDirectory, stateOfDirectory } from "./scratch-state.ts";

export const REFRESH = refreshSubject("credentials are there", true);
export const FIRST_REFRESH = refreshSubject("the first on its host", false);

function refreshSubject(situation: string, hasCredentials: boolean): Subject {
  const known: Known = new Map();
  return {
    command: "refresh",
    situation,
    open: () => open(hasCredentials, known),
    statesLeft: async () => known.size,
  };
}

async function open(hasCredentials: boolean, known: Known): Promise<Bench> {
  const emulator = await startEmulator();
  const host = new ScratchHost({ endpoint: emulator.url });
  const current = () =>
    existsSync(host.credentialsFile) ? readFileSync(host.credentialsFile, "utf8") : null;
  if (hasCredentials) await host.command("refresh");
  const before = current();
  const start = new KeptDirectory(host.directory);

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

  const state = () => {
    const named: [string, string][] = before === null ? [] : [[before, "the old session"]];
    const newest = sessionFiles(emulator).at(-1);
    if (newest !== undefined && newest !== before) named.push([newest, "the new session"]);
    const hashes = named.map(([text, name]) => [sha256(text), name] as const);
    return stateOfDirectory(host.directory, [[host.directory, "@"], ...named, ...hashes]);
  };

  const faultsOfNextRun = async (): Promise<string[]> => {
    const next = await host.command("refresh");
    const faults = next.code === 0 ? [] : [`the next refresh failed: ${next.stderr}`];
    return [...faults, ...faultsOfFiles(next), ...leftovers(host.directory)];
  };

  return {
    directory: host.directory,
    prepare: async () => start.restore(),
    start: () => host.start(["refresh"], { env: GATE_ENV }),
    judge: async (tried) => {
      const faults = faultsOfFiles(tried);
      return [...faults, ...(await once(known, state(), faultsOfNextRun))];
    },
    close: async () => {
      start.remove();
      await host.close();
      await emulator.close();
    },
  };
}
