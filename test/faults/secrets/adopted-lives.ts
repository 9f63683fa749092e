/** Hosts that are taken over from a cron job and from an IAM user's key, and given back: both hold secrets of their own. */
import { ROLE_ARN } from "../../aws-emulator/emulator.ts";
import { fixedSecret } from "../../aws-emulator/identity/canary.ts";
import { CONFIG_FILE, operatorEnv } from "../../harness/host-root.ts";
import type { HostScene } from "../../harness/host-scene.ts";
import { openCronHost, openUserHost, PLACES, SCRIPT } from "../../integration/adopt-scene.ts";
import { type DiskFindings, examineDisk } from "./disk.ts";
import { Ends } from "./ends.ts";
import type { Evidence } from "./evidence.ts";
import type { Row } from "./permission-table.ts";

const DEBUG = "log: { level: debug }\n";

export async function liveAdoptedFromCron(evidence: Evidence, rows: readonly Row[]): Promise<DiskFindings[]> {
  return live(evidence, rows, ["adopt"], false, async (ends) => {
    const scene = await openCronHost(ends, { place: PLACES["root's crontab (RHEL)"] });
    const { host, place } = scene;
    const key = `AWS_SECRET_ACCESS_KEY=${fixedSecret("base")}`;
    // The manifest keeps the line as it stood, and with it this key.
    host.write(place.crontab, `*/30 * * * * ${key} ${SCRIPT} --token ${fixedSecret("foreign")}\n`, {
      mode: 0o600,
    });
    return scene;
  });
}

export async function liveAdoptedFromUser(evidence: Evidence, rows: readonly Row[]): Promise<DiskFindings[]> {
  const args = [
    "adopt",
    "--serial",
    "SN-4711",
    "--role-arn",
    ROLE_ARN,
    "--base-credentials",
    "/root/base.ini",
  ];
  return live(evidence, rows, args, true, (ends) => openUserHost(ends));
}

async function live(
  evidence: Evidence,
  rows: readonly Row[],
  args: readonly string[],
  isForGood: boolean,
  open: (ends: Ends) => Promise<HostScene>,
): Promise<DiskFindings[]> {
  const ends = new Ends();
  try {
    const { host, emulator } = await open(ends);
    host.write(CONFIG_FILE, DEBUG);
    const before = host.snapshot();
    const env = operatorEnv();
    await evidence.run(host, [...args, "--dry-run"], { env });
    // Broken off in the middle: what it has kept by then is on the disk.
    const denied = emulator.faults.set({ kind: "deny", match: { action: "AssumeRole" } });
    await evidence.run(host, [...args, "--yes"], { env, why: "STS denies" });
    emulator.faults.clear(denied.id);
    await evidence.must(host, [...args, "--yes"], { env });
    const adopted = examineDisk(host, before, rows);
    for (const look of [["doctor"], ["status"], ["adopt", "--json"]]) await evidence.run(host, look, { env });
    // Refused where the old name was given up: AWS keeps it taken.
    await evidence.run(host, ["adopt", "--undo", "--dry-run"], { env });
    const undo = await evidence.run(host, ["adopt", "--undo", "--yes", "--json"], { env });
    if (undo.code !== (isForGood ? 1 : 0)) throw new Error(`adopt --undo ended with ${undo.code}`);
    const undone = examineDisk(host, before, rows);
    for (const unit of [host.services.helper, host.services.requests, host.services.agent])
      evidence.take(`what ${unit.name} printed`, unit.log);
    return [adopted, undone];
  } finally {
    await ends.close();
  }
}
