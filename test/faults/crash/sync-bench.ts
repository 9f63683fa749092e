/** `sync-agent`, broken off: asked by a request, on a host whose agent's config has drifted. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "../../aws-emulator/emulator.ts";
import { fixedSecret } from "../../aws-emulator/identity/canary.ts";
import { ScratchHost } from "../../harness/scratch-host.ts";
import { type Bench, type Known, once, type Subject } from "./bench.ts";
import { GATE_ENV } from "./gated-command.ts";
import { exposedSecrets, leftovers, readJson } from "./invariants.ts";
import { KeptDirectory, stateOfDirectory } from "./scratch-state.ts";

/** As `aws deploy register` leaves it: the key in it is a secret, which the backup then holds too. */
const SECRET = fixedSecret("IAM user");
export const DRIFTED = `---
region: ap-northeast-2
iam_user_arn: arn:aws:iam::123456789012:user/web-01
aws_access_key_id: AKIAIDCWEB0100000001
aws_secret_access_key: ${SECRET}
`;
const CONFIG_NAME = "codedeploy.onpremises.yml";

const known: Known = new Map();

export const SYNC_AGENT: Subject = {
  command: "sync-agent",
  situation: "asked to, and the agent's config has drifted",
  open: () => open(known),
  statesLeft: async () => known.size,
};

async function open(known: Known): Promise<Bench> {
  const emulator = await startEmulator();
  const host = new ScratchHost({ endpoint: emulator.url });
  const configFile = join(host.agentDirectory, CONFIG_NAME);
  const drift = () => writeFileSync(configFile, DRIFTED, { mode: 0o600 });
  const request = join(host.agentRuntimeDir, "requests", "sync");
  drift();
  await host.command("sync-agent");
  const wanted = readFileSync(configFile, "utf8");
  if (wanted === DRIFTED) throw new Error("sync-agent does not mend the agent's config");

  const backups = () => readdirSync(host.agentDirectory).filter((name) => name.endsWith(".bak"));
  const faultsOfFiles = (): string[] => {
    const faults = exposedSecrets(host.directory, [SECRET]).filter((fault) => !fault.startsWith(configFile));
    const config = readFileSync(configFile, "utf8");
    if (config !== DRIFTED && config !== wanted) faults.push("the agent's config is neither old nor new");
    for (const name of backups()) {
      if (readFileSync(join(host.agentDirectory, name), "utf8") !== DRIFTED)
        faults.push(`${name} is not what the config was`);
    }
    if (config === wanted && backups().length === 0) faults.push("the old config is nowhere kept");
    for (const name of readdirSync(host.agentRuntimeDir).filter((name) => /^\w+\.json$/.test(name))) {
      readJson(join(host.agentRuntimeDir, name));
    }
    return faults;
  };

  for (const name of backups()) rmSync(join(host.agentDirectory, name));
  drift();
  writeFileSync(request, JSON.stringify({ id: "asked", credentialsSince: null, inForce: null }));
  const start = new KeptDirectory(host.directory);

  const faultsOfNextRun = async (): Promise<string[]> => {
    const next = await host.command("sync-agent");
    const faults = next.code === 0 ? [] : [`the next sync-agent failed: ${next.stderr}`];
    faults.push(...faultsOfFiles(), ...leftovers(host.directory));
    if (readFileSync(configFile, "utf8") !== wanted)
      faults.push("the next sync-agent did not mend the config");
    return faults;
  };

  return {
    directory: host.directory,
    prepare: async () => start.restore(),
    start: () => host.start(["sync-agent"], { env: GATE_ENV }),
    judge: async () => {
      const state = stateOfDirectory(host.directory, [[host.directory, "@"]]);
      return [...faultsOfFiles(), ...(await once(known, state, faultsOfNextRun))];
    },
    close: async () => {
      start.remove();
      await host.close();
      await emulator.close();
    },
  };
}
