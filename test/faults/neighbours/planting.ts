/** What root finds in the places that the service's user may write, kind by kind, while each of its commands runs. */
import { randomUUID } from "node:crypto";
import { ONESHOT, PATH_UNIT, REQUEST } from "../../systemd/host.ts";
import { until } from "../../systemd/until.ts";
import { HARD_LINKED } from "./canaries.ts";
import { type Ledger, noneOf } from "./ledger.ts";
import {
  BASE_FILE,
  REGISTER_AGAIN,
  type RegisteredHost,
  ROOTS_OWN,
  RUNTIME,
  STATE,
} from "./registered-host.ts";

const IN_STATE = ["credentials", "refresh.json", "run.json", "refresh.lock", "run.lock"].map(
  (name) => `${STATE}/${name}`,
);
const STATUS = `${RUNTIME}/status.json`;
/** Names of temporary files as our writers choose them, of a process that is gone. */
const TEMPORARY = [
  `${STATE}/.credentials.tmp.1.0123456789ab`,
  `${STATE}/.refresh.json.tmp.1.0123456789ab`,
  `${RUNTIME}/.status.json.tmp.1.0123456789ab`,
  `${ROOTS_OWN}/requests/.new.1`,
  `${ROOTS_OWN}/requests/.taken.0123456789ab`,
];
const KEPT = [...IN_STATE, STATUS, ...TEMPORARY];

/** As attacker.py has them; the last one needs a host that does without fs.protected_hardlinks, so root lays it. */
const KINDS = [
  "link to root's secret",
  "link to root's config",
  "link to root's directory",
  "link to a place where root could make a file",
  "link to a device",
  "FIFO",
  "socket",
  "directory with a file in it",
  "sparse file of 8 GiB",
  "rubbish",
  "hard link to root's secret",
] as const;
type Kind = (typeof KINDS)[number];

/** Where what an operator types may write, besides the places of our daily work. */
const SET_UP =
  /^\/(?:etc\/idc-codedeploy-helper(?:\/|$)|etc\/systemd\/system\/|run\/idc-codedeploy-helper\.lock$)/;

const LOOKING: readonly (readonly string[])[] = [["sync-agent"], ["doctor"], ["refresh"]];
const LOOKING_MORE: readonly (readonly string[])[] = [
  ["status"],
  ["sync-agent", "--json"],
  ["status", "--json"],
  ["doctor", "--json"],
  ["doctor", "--deep"],
  ["deregister", "--dry-run"],
];

const HOST_LOCK = /^\/run\/idc-codedeploy-helper\.lock$/;

async function lay(it: RegisteredHost, kind: Kind, paths: readonly string[]): Promise<void> {
  if (kind !== "hard link to root's secret") {
    await it.attack("plant", kind, ...paths);
    return;
  }
  const link = (path: string) =>
    `ln -f ${path.startsWith("/run/") ? HARD_LINKED.inMemory : HARD_LINKED.onDisk} ${path}`;
  await it.host.machine.sh(paths.map(link).join("\n"));
}

export async function checkPlanting(it: RegisteredHost, ledger: Ledger, isFull: boolean): Promise<void> {
  // It would mend what is laid there before root comes to it.
  await it.stopService();
  const names = isFull
    ? "sync-agent, status, doctor, refresh and deregister --dry-run"
    : "sync-agent, doctor and refresh";
  await ledger.promise(
    `root's ${names} with links, FIFOs, sockets, hard links, directories, links to devices and rubbish in every place that idc-helper may write: files changed, made or opened anywhere else, hangs, crashes, secrets told`,
    "0",
    async () => noneOf(isFull ? await eachPlace(it, ledger) : await everyPlaceAtOnce(it, ledger)),
  );
  await ledger.promise(
    "the same in place of the request: what root's oneshot did not take away, changed or opened elsewhere",
    "0",
    async () => noneOf(await requestsOf(it, ledger)),
  );
  await ledger.promise(
    "the same while root registers this host again and deregisters it: the same",
    "0",
    async () => {
      const faults: string[] = [];
      const kinds = isFull ? KINDS : (["hard link to root's secret"] as const);
      for (const kind of kinds) faults.push(...(await lifeOver(it, ledger, kind)));
      return noneOf(faults);
    },
  );
}

/** Which kind it was is for the full campaign to tell. */
async function everyPlaceAtOnce(it: RegisteredHost, ledger: Ledger): Promise<string[]> {
  const before = await it.canaries.look();
  const faults: string[] = [];
  for (const kind of KINDS)
    faults.push(...(await runOver(it, ledger, { kind, paths: KEPT, commands: LOOKING })));
  return [...faults, ...(await it.canaries.changesSince(before, HOST_LOCK))];
}

/** Also place by place, so that no fault hides behind another's early end. */
async function eachPlace(it: RegisteredHost, ledger: Ledger): Promise<string[]> {
  const faults: string[] = [];
  for (const kind of KINDS) {
    const together = [{ kind, paths: KEPT, commands: [...LOOKING, ...LOOKING_MORE] }];
    const oneByOne = KEPT.map((path) => ({ kind, paths: [path], commands: LOOKING }));
    for (const laid of [together, oneByOne]) {
      const before = await it.canaries.look();
      for (const each of laid) faults.push(...(await runOver(it, ledger, each)));
      const how = laid === together ? "at every place" : "at one place after the other";
      faults.push(
        ...(await it.canaries.changesSince(before, HOST_LOCK)).map((change) => `${kind} ${how}: ${change}`),
      );
    }
  }
  return faults;
}

interface Laid {
  kind: Kind;
  paths: readonly string[];
  commands: readonly (readonly string[])[];
}

function describe({ kind, paths }: Laid): string {
  return `${kind} at ${paths.length === 1 ? paths[0] : "every place"}`;
}

async function runOver(it: RegisteredHost, ledger: Ledger, laid: Laid): Promise<string[]> {
  const faults: string[] = [];
  await it.clean();
  await lay(it, laid.kind, laid.paths);
  for (const command of laid.commands) {
    ledger.count("runs of root's commands over what was planted");
    await it.asRoot(command).catch((error: Error) => faults.push(error.message));
  }
  faults.push(...(await it.rootsFiles()).map((path) => `root left ${path}`));
  await it.clean();
  return faults.map((fault) => `${describe(laid)}: ${fault}`);
}

/** One kind after the other where the request lies, and a real one after each: it must be answered. */
async function requestsOf(it: RegisteredHost, ledger: Ledger): Promise<string[]> {
  const { host } = it;
  const faults: string[] = [];
  const before = await it.canaries.look();
  for (const kind of KINDS) {
    ledger.count("things planted for the oneshot");
    await lay(it, kind, [REQUEST]);
    // As systemd sees it, which a link to nowhere does not wake: that lies there until the next request replaces it.
    const isThere = async () => (await host.machine.exec("test", "-e", REQUEST)).code === 0;
    await until(
      async () => !(await isThere()),
      async () => `${kind}: it is still there\n${await host.journal(ONESHOT)}`,
    ).catch((error: Error) => faults.push(error.message));
    const id = randomUUID();
    if ((await host.request(id)).id !== id) faults.push(`${kind}: the next request was not answered`);
  }
  if ((await host.property(PATH_UNIT, "ActiveState")) !== "active") faults.push("the path unit has given up");
  return [...faults, ...(await it.canaries.changesSince(before))];
}

/** Registered again over what was planted, then deregistered over it, then registered anew. */
async function lifeOver(it: RegisteredHost, ledger: Ledger, kind: Kind): Promise<string[]> {
  const told = (fault: string) => `${kind}: ${fault}`;
  const faults: string[] = [];
  const { machine } = it.host;
  for (const command of [REGISTER_AGAIN, ["deregister", "--yes"]]) {
    await it.stopService();
    await it.clean();
    await lay(it, kind, KEPT);
    const before = await it.canaries.look();
    ledger.count("runs of root's commands over what was planted");
    await it.asRoot(command, BASE_FILE).catch((error: Error) => faults.push(told(error.message)));
    faults.push(...(await it.canaries.changesSince(before, SET_UP)).map(told));
    // A registration may have started the service again, which writes as itself.
    faults.push(...(await it.rootsFiles()).map((path) => told(`root left ${path}`)));
  }
  await it.stopService();
  await it.clean();
  const present = await machine.exec("test", "-e", "/etc/idc-codedeploy-helper/config.yaml");
  if (present.code === 0) {
    faults.push(told("deregister did not come to its end"));
  }
  await it.pointAtAws();
  await it.register();
  return faults;
}
