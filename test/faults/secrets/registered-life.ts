/**
 * A host's whole life under `log.level: debug`, every command and every failure of it that has to do with secrets, with
 * all that is said and written collected: register, refreshes, doctor, status, drift, deregister.
 */
import { chmodSync } from "node:fs";
import { BASE_KEY, OPERATOR_KEY } from "../../aws-emulator/emulator.ts";
import { fixedSecret } from "../../aws-emulator/identity/canary.ts";
import { setOwner } from "../../harness/host-root/layout.ts";
import {
  BASE_CREDENTIALS_FILE,
  CONFIG_FILE,
  ON_PREMISES_CONFIG_FILE,
  operatorEnv,
} from "../../harness/host-root.ts";
import { type HostScene, openHostScene } from "../../harness/host-scene.ts";
import { type JournalSocket, openJournalSocket } from "../../harness/journal-socket.ts";
import { iniOf, REGISTER } from "../../integration/register-scene.ts";
import type { Scale } from "../campaign.ts";
import { type CoreFindings, examineCores } from "./cores.ts";
import { type DiskFindings, examineDisk } from "./disk.ts";
import { Ends } from "./ends.ts";
import type { Evidence } from "./evidence.ts";
import { type MemorySearch, memoryHolds, searchMemory } from "./memory.ts";
import { ODD_ANSWERS, ODD_BASES, ODD_CONFIGS, type OddBase, SIGNER } from "./odd-inputs.ts";
import type { Row } from "./permission-table.ts";

const DEBUG = "log: { level: debug, format: journal }\n";
const GIVEN = "/root/base.ini";

export interface RegisteredLife {
  disk: DiskFindings;
  memory: MemorySearch;
  /** Whether what the service does hold was found in it, by the same way of reading. */
  isOwnTextFound: boolean;
  /** The refresh child's, which holds base credentials at that moment. */
  childMemory: MemorySearch;
  cores: CoreFindings;
  refreshes: number;
}

export async function liveRegistered(
  evidence: Evidence,
  rows: readonly Row[],
  scale: Scale,
): Promise<RegisteredLife> {
  const ends = new Ends();
  try {
    const scene = await openHostScene(ends, { agentTimeFactor: 60 });
    const { host } = scene;
    const journal = openJournal(scene);
    host.write(GIVEN, iniOf(BASE_KEY), { mode: 0o600 });
    host.write(CONFIG_FILE, DEBUG);
    const before = host.snapshot();
    await registerBadly(evidence, scene, scale);
    await evidence.must(host, [...REGISTER, "--base-credentials", GIVEN, "--yes"], { env: operatorEnv() });
    await lookAround(evidence, scene);
    const refreshes = await refreshBadly(evidence, scene, scale);
    await drift(evidence, scene);
    await misconfigure(evidence, scene);
    const { childMemory, ...memory } = await examineMemory(scene);
    const cores = await examineCores(scene, evidence);
    const disk = examineDisk(host, before, rows);
    await evidence.must(host, ["deregister", "--yes"], { env: operatorEnv() });
    const after = examineDisk(host, before, rows);
    takeLogs(evidence, scene, journal);
    journal.close();
    return {
      disk: {
        ...disk,
        leaks: [...disk.leaks, ...after.leaks, ...after.holders.filter((path) => !path.endsWith(".bak"))],
      },
      ...memory,
      childMemory,
      cores,
      refreshes,
    };
  } finally {
    await ends.close();
  }
}

function openJournal({ host }: HostScene): JournalSocket {
  const journal = openJournalSocket(host.path("/run/systemd"));
  chmodSync(host.path("/run/systemd/journal"), 0o755);
  setOwner(host.path("/run/systemd/journal/socket"), { mode: 0o777 });
  return journal;
}

function takeLogs(evidence: Evidence, { host }: HostScene, journal: JournalSocket): void {
  const entries = journal.entries();
  if (entries.length === 0) throw new Error("the service wrote nothing to the journal");
  evidence.take(
    `the journal (${entries.length} entries)`,
    entries.map((entry) => Object.values(entry).join("\n")).join("\n"),
  );
  for (const unit of [host.services.helper, host.services.requests, host.services.agent])
    evidence.take(`what ${unit.name} printed`, unit.log);
}

/** In the quick run every other one. */
function some<T>(all: readonly T[], scale: Scale, offset: number): T[] {
  return all.filter((_, index) => scale === "full" || index % 2 === offset);
}

function layBase({ host }: HostScene, path: string, { text, program }: OddBase): void {
  host.write(path, text, { mode: 0o640, group: path === GIVEN ? "root" : "idc-helper" });
  if (program !== undefined) host.write(SIGNER, program, { mode: 0o755 });
}

async function registerBadly(evidence: Evidence, scene: HostScene, scale: Scale): Promise<void> {
  const { host } = scene;
  const path = "/root/odd.ini";
  for (const [index, odd] of some(ODD_BASES, scale, 0).entries()) {
    layBase(scene, path, odd);
    const how = { env: operatorEnv(), why: odd.what };
    if (scale === "full" || index % 2 === 0)
      await evidence.run(host, [...REGISTER, "--base-credentials", path, "--yes"], how);
    if (scale === "full" || index % 2 === 1) {
      const args = [...REGISTER, "--base-credentials", "-", "--yes", "--json"];
      await evidence.run(host, args, { ...how, input: odd.text });
    }
  }
  // What a test leaves for the command is not the command's doing.
  host.remove(path);
  host.remove(SIGNER);
  const swapped = { accessKeyId: OPERATOR_KEY.secretAccessKey, secretAccessKey: OPERATOR_KEY.accessKeyId };
  const wrong = { ...OPERATOR_KEY, secretAccessKey: fixedSecret("operator", "/wrong") };
  for (const key of [swapped, wrong])
    await evidence.run(host, [...REGISTER, "--base-credentials", GIVEN, "--yes"], {
      env: operatorEnv(key),
      why: "an operator's key that is none",
    });
}

async function lookAround(evidence: Evidence, { host }: HostScene): Promise<void> {
  for (const args of [
    ["doctor"],
    ["doctor", "--json"],
    ["doctor", "--deep"],
    ["status"],
    ["status", "--json"],
  ])
    await evidence.run(host, args);
  await evidence.must(host, ["check-config"]);
  await evidence.must(host, ["refresh"]);
  await evidence.run(host, ["refresh", "--json"], { as: "idc-helper" });
  await evidence.run(host, ["status"], { as: "deploy" });
  await evidence.run(host, ["doctor"], { as: "deploy" });
}

/** By the service, whose log is the journal, and typed; base credentials first, then what STS answers. */
async function refreshBadly(evidence: Evidence, scene: HostScene, scale: Scale): Promise<number> {
  const { host, emulator } = scene;
  const good = host.read(BASE_CREDENTIALS_FILE);
  for (const [index, odd] of some(ODD_BASES, scale, 1).entries()) {
    layBase(scene, BASE_CREDENTIALS_FILE, odd);
    await refreshByService(scene);
    await evidence.run(host, index % 2 === 0 ? ["refresh", "--json"] : ["refresh"], {
      as: "idc-helper",
      why: odd.what,
    });
    if (scale === "full" || index % 4 === 0) await evidence.run(host, ["doctor"], { why: odd.what });
  }
  host.write(BASE_CREDENTIALS_FILE, good, { mode: 0o640, group: "idc-helper" });
  host.remove(SIGNER);
  await refreshByService(scene);
  for (const [index, answer] of ODD_ANSWERS.entries()) {
    const fault = emulator.faults.set({ ...answer, match: { action: "AssumeRole" } });
    const why = `STS: ${answer.kind} ${answer.code ?? answer.field ?? ""}`;
    if (scale === "full" || index % 2 === 0) await refreshByService(scene);
    if (scale === "full" || index % 2 === 1)
      await evidence.run(host, index % 4 < 2 ? ["refresh", "--json"] : ["refresh"], {
        as: "idc-helper",
        why,
      });
    emulator.faults.clear(fault.id);
  }
  await evidence.run(host, ["status"]);
  await refreshByService(scene);
  await evidence.must(host, ["status"]);
  return host.status()?.last_attempt?.number ?? 0;
}

/** One attempt of the service, to its end. */
async function refreshByService({ host }: HostScene): Promise<void> {
  const before = host.status()?.last_attempt?.number ?? 0;
  process.kill(host.services.helper.mainPid, "SIGUSR2");
  await host.waitForStatus(
    ({ last_attempt }) => (last_attempt?.number ?? 0) > before && last_attempt?.result != null,
    "a further attempt",
  );
}

/** An IAM user's key comes back into the agent's config, and root's command keeps what it replaces. */
async function drift(evidence: Evidence, { host }: HostScene): Promise<void> {
  const path = ON_PREMISES_CONFIG_FILE;
  const old = host.read(path);
  host.write(path, `${old}aws_access_key_id: AKIAOLD\naws_secret_access_key: ${fixedSecret("IAM user")}\n`);
  await evidence.run(host, ["sync-agent"]);
  host.write(path, `iam_user_arn: [\naws_secret_access_key: ${fixedSecret("IAM user")}\n`);
  await evidence.run(host, ["sync-agent", "--json"]);
  await evidence.run(host, ["doctor"], { why: "after a drift" });
}

async function misconfigure(evidence: Evidence, { host }: HostScene): Promise<void> {
  const good = host.read(CONFIG_FILE);
  for (const more of ODD_CONFIGS) {
    host.write(CONFIG_FILE, good + more);
    await evidence.run(host, ["check-config"], { why: "a secret in the config" });
  }
  process.kill(host.services.helper.mainPid, "SIGHUP");
  await evidence.run(host, ["doctor"], { why: "a secret in the config" });
  host.write(CONFIG_FILE, good);
}

async function examineMemory({ host, emulator }: HostScene) {
  const { mainPid } = host.services.helper;
  const memory = searchMemory(mainPid);
  const isOwnTextFound =
    memoryHolds(mainPid, "credentials_foreign") || memoryHolds(mainPid, "refresh_succeeded");
  emulator.faults.set({ kind: "slow", delayMs: 8_000, match: { action: "AssumeRole" }, times: 1 });
  const launched = host.start(["refresh", "--json"], { as: "idc-helper" });
  await emulator.requests.waitFor(({ fault }) => fault === "slow");
  // Its time limit does not count while it is looked at.
  process.kill(launched.pid, "SIGSTOP");
  const childMemory = searchMemory(launched.pid);
  launched.process.kill("SIGKILL");
  await launched.result;
  emulator.faults.clear();
  return { memory, isOwnTextFound, childMemory };
}
