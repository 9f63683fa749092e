/**
 * On a booted systemd, where the directories, users, limits and the journal are the real ones: a registered host with a
 * deployment, refreshes, drift and failures; then its whole disk and its whole journal.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../../src/host/lock.ts";
import { fixedSecret } from "../../aws-emulator/identity/canary.ts";
import { baseRoot, cacheDirectory } from "../../systemd/base-root.ts";
import { AGENT_CONFIG, DAEMON, ONESHOT } from "../../systemd/host.ts";
import { checkBootingRequirements } from "../../systemd/requirements.ts";
import { until } from "../../systemd/until.ts";
import type { Finding } from "../campaign.ts";
import { RegisteredHost } from "../neighbours/registered-host.ts";
import type { Evidence } from "./evidence.ts";
import { none } from "./findings.ts";
import { NEEDLE_BYTES } from "./forms.ts";
import { ODD_ANSWERS } from "./odd-inputs.ts";
import { disagreement, type Entry, type Row } from "./permission-table.ts";

/** Another run of the tests on a booted machine ends at some time. */
const LOCK_WAIT_MS = 20 * 60_000;
const OURS = ["/etc/idc-codedeploy-helper", "/var/lib/idc-codedeploy-helper", "/run/idc-codedeploy-helper"]
  .concat("/run/idc-codedeploy-helper-agent", "/run/idc-codedeploy-helper.lock")
  .concat(AGENT_CONFIG);
/** What the package brings, which docs/package.md lists. */
const PACKAGED = /\/config\.yaml\.example$/;
/** The files that may hold a secret here. */
const HOLDERS =
  /^\/(?:etc\/idc-codedeploy-helper\/base-credentials|var\/lib\/idc-codedeploy-helper\/credentials|etc\/codedeploy-agent\/conf\/codedeploy\.onpremises\.yml\.[^/]+\.bak)$/;

export async function examineBooted(
  rows: readonly Row[],
  directory: string,
  signal: AbortSignal,
  evidence: Evidence,
): Promise<Finding[]> {
  checkBootingRequirements("Secrets");
  mkdirSync(cacheDirectory(), { recursive: true });
  const lock = acquireLock(join(cacheDirectory(), "lock"), { waitMs: LOCK_WAIT_MS });
  if (lock === null) throw new Error(`another run of the tests on a booted machine uses ${cacheDirectory()}`);
  const ends: (() => Promise<void>)[] = [];
  try {
    const it = await RegisteredHost.start(await baseRoot(signal), directory, (end) => ends.push(end));
    return await examine(it, rows, evidence);
  } finally {
    for (const end of ends.reverse()) await end();
    lock.release();
  }
}

async function examine(it: RegisteredHost, rows: readonly Row[], evidence: Evidence): Promise<Finding[]> {
  const { host } = it;
  const { machine, emulator } = host;
  await machine.sh(
    `echo 'log: { level: debug }' >>/etc/idc-codedeploy-helper/config.yaml; systemctl reload ${DAEMON}`,
  );
  for (const answer of ODD_ANSWERS) {
    const fault = emulator.faults.set({ ...answer, match: { action: "AssumeRole" }, times: 1 });
    await machine.sh(`systemctl kill --signal=USR2 --kill-who=main ${DAEMON}`);
    await until(
      async () => !emulator.faults.list().some(({ id }) => id === fault.id),
      () => host.journal(DAEMON),
    );
  }
  for (const args of [["refresh"], ["doctor"], ["doctor", "--json"], ["status"]]) {
    const { output } = await machine.exec("idc-helper", ...args);
    evidence.take(`idc-helper ${args.join(" ")} on a booted machine`, output);
  }
  const key = `aws_secret_access_key: ${fixedSecret("IAM user")}`;
  await machine.sh(`cat >>${AGENT_CONFIG}`, `${key}\n`);
  await host.request();
  const limits = await coreLimits(it);
  const journal = await machine.exec("journalctl", "--all", "--no-pager", "--output=export");
  evidence.take("the whole journal of a booted machine", journal.stdout);
  const entries = await entriesOn(it);
  const holders = await filesWithSecrets(it);
  return [
    none(
      `on a booted machine: files and directories that are not as docs/permissions.md has them (${entries.length} compared)`,
      entries.flatMap((entry) => disagreement(rows, entry) ?? []),
    ),
    none(
      `on a booted machine: files of /etc, /var, /run, /tmp, /root, /home and /opt with a secret besides ${holders.filter((path) => HOLDERS.test(path)).length} that may`,
      holders.filter((path) => !HOLDERS.test(path)),
    ),
    none("on a booted machine: processes and units of ours that may leave a core file", limits),
    {
      what: "on a booted machine: the journal that was searched",
      target: "at least 100 kB",
      found: `${Math.round(journal.stdout.length / 1_000)} kB`,
      isMet: journal.stdout.length >= 100_000,
    },
  ];
}

async function coreLimits({ host }: RegisteredHost): Promise<string[]> {
  const pid = await host.property(DAEMON, "MainPID");
  const { stdout } = await host.machine.exec("grep", "^Max core file size", `/proc/${pid}/limits`);
  const units = await Promise.all(
    [DAEMON, ONESHOT].map(async (unit) => ({ unit, limit: await host.property(unit, "LimitCORE") })),
  );
  return [
    ...(/size\s+0\s+0\s/.test(stdout) ? [] : [`run: ${stdout.trim()}`]),
    ...units.filter(({ limit }) => limit !== "0").map(({ unit, limit }) => `${unit}: LimitCORE=${limit}`),
  ];
}

async function entriesOn({ host }: RegisteredHost): Promise<Entry[]> {
  const { stdout } = await host.machine.exec("find", ...OURS, "-printf", "%y %U %u:%g %m %p\\n");
  return stdout
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [, type, owner = "", mode = "", path = ""] = /^(\S) \d+ (\S+) (\d+) (.*)$/.exec(line) ?? [];
      if (type === undefined || PACKAGED.test(path)) return [];
      const kind = type === "d" ? "directory" : type === "f" ? "file" : "other";
      return [{ path, kind, owner, mode: mode.padStart(4, "0") } satisfies Entry];
    });
}

/** The needles on standard input, not on the disk that is searched, nor among arguments. */
async function filesWithSecrets({ host }: RegisteredHost): Promise<string[]> {
  const { stdout } = await host.machine.run(
    ["grep", "-rlaF", "-f", "-", "/etc", "/var", "/run", "/tmp", "/root", "/home", "/opt"],
    {
      input: NEEDLE_BYTES.filter((bytes) => !bytes.includes(0))
        .map(String)
        .join("\n"),
    },
  );
  return stdout.trim().split("\n").filter(Boolean);
}
