/** What root looks at is swapped under its hands, thousands of times a second, while its commands run. */
import { SERIAL, SESSION_ARN } from "../../harness/scratch-host.ts";
import { UNIT } from "../../systemd/agent-service.ts";
import { layCronPair, OLD_FILE } from "../../systemd/cron-pair.ts";
import { REGION } from "../../systemd/host.ts";
import { CANARY, HARD_LINKED } from "./canaries.ts";
import { type Ledger, noneOf } from "./ledger.ts";
import { REGISTER_AGAIN, type RegisteredHost, RUNTIME, STATE } from "./registered-host.ts";

const POOL = `${STATE}/.pool`;
/** Of each race: hard links that the attacker may move about, as on a host without fs.protected_hardlinks. */
const POOL_SIZE = 500;

export interface Race {
  seconds: number;
  seed: number;
  /** One after the other, again and again, as long as the race lasts. */
  commands: readonly (readonly string[])[];
  /** Where those may write besides the places of our daily work. */
  allowed: RegExp;
  /** Whether each is run just once. */
  isOnce?: boolean;
}

/** @returns what went wrong */
export async function raceAgainst(it: RegisteredHost, ledger: Ledger, race: Race): Promise<string[]> {
  const { machine } = it.host;
  const faults: string[] = [];
  await machine.sh(
    `mkdir -p ${POOL}; chown idc-helper: ${POOL}; for n in $(seq ${POOL_SIZE}); do ln ${HARD_LINKED.onDisk} ${POOL}/$n; done`,
  );
  const before = await it.canaries.look();
  let isOver = false;
  const attack = it.attack("race", String(race.seconds), String(race.seed)).finally(() => {
    isOver = true;
  });
  const root = (async () => {
    for (let at = 0; race.isOnce ? at < race.commands.length : !isOver; at += 1) {
      const command = race.commands[at % race.commands.length] ?? [];
      ledger.count("runs of root's commands in a race");
      await it.asRoot(command).catch((error: Error) => faults.push(error.message));
    }
  })();
  const [swaps] = await Promise.all([attack, root]);
  ledger.count("swaps", Number(swaps));
  faults.push(...(await it.canaries.changesSince(before, race.allowed)));
  await machine.sh(`rm -rf ${POOL}`);
  // With a link count of one it is a copy, and not one of the links that were laid.
  const copies = await machine.exec(
    "find",
    STATE,
    RUNTIME,
    ...["-type", "f", "-links", "1", "-exec", "grep", "-lF", CANARY, "{}", "+"],
  );
  faults.push(
    ...copies.stdout
      .split("\n")
      .filter(Boolean)
      .map((path) => `root's secret was copied to ${path}`),
  );
  return faults;
}

export async function checkRace(
  it: RegisteredHost,
  ledger: Ledger,
  { seconds, seed }: Pick<Race, "seconds" | "seed">,
): Promise<void> {
  await ledger.promise(
    "root's sync-agent, doctor, refresh and status, and its oneshot, while all of it is swapped under their hands: files changed, made or opened elsewhere, hangs, crashes, secrets told or copied",
    "0",
    async () => {
      await it.stopService();
      const commands = [["sync-agent"], ["doctor"], ["refresh"], ["status"]];
      const faults = await raceAgainst(it, ledger, {
        ...{ seconds, seed, commands },
        allowed: /^\/run\/idc-codedeploy-helper\.lock$/,
      });
      await it.clean();
      return noneOf(faults);
    },
  );
}

/** Where what an operator types may write, besides the places of our daily work. */
const SET_UP =
  /^\/(?:etc\/idc-codedeploy-helper(?:\/|$)|etc\/systemd\/system(?:\/|$)|run\/idc-codedeploy-helper\.lock$|opt\/codedeploy-cron(?:\/|$)|root\/\.aws)/;

/** Deregistration, registration and the way back of an adoption, each in a race of its own; then once more in peace. */
export async function checkRaceOfSetUp(
  it: RegisteredHost,
  ledger: Ledger,
  seed: number,
  rounds: number,
): Promise<void> {
  const race = (command: readonly string[], round: number, seconds: number) =>
    raceAgainst(it, ledger, {
      seconds,
      seed: seed + round,
      commands: [command],
      allowed: SET_UP,
      isOnce: true,
    });

  await ledger.promise("the same while root deregisters this host and registers it again", "0", async () => {
    const faults: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      faults.push(...(await race(["deregister", "--yes"], round, 4)));
      await it.registerAnew();
      faults.push(...(await race(REGISTER_AGAIN, round, 4)));
      await it.registerAnew();
    }
    return noneOf(faults);
  });

  await ledger.promise(
    "the same while root takes an adoption back; and that it succeeds once it is left in peace",
    "0",
    async () => {
      const faults: string[] = [];
      const { host, agent } = it;
      await host.machine.sh(`systemctl stop ${UNIT}`);
      await it.asRoot(["deregister", "--yes"]);
      await it.pointAtAws();
      await layCronPair(host);
      await host.machine.sh(`systemctl start ${UNIT}`);
      await agent.processes();
      for (let round = 0; round < rounds; round += 1) {
        await it.must(["adopt", "--yes"]);
        await host.forgetSyncs();
        faults.push(...(await race(["adopt", "--undo", "--yes"], round, 6)));
        await it.recover();
        await host.forgetSyncs();
        await it.must(["adopt", "--undo", "--yes"]);
        const old = await host.machine.sh(`cat ${OLD_FILE}`);
        if (old.includes(CANARY)) faults.push(`root's secret was copied to ${OLD_FILE}`);
        await it.pointAtAws();
        host.emulator.instances.put({ name: SERIAL, region: REGION, iamSessionArn: SESSION_ARN });
      }
      return noneOf(faults);
    },
  );
}
