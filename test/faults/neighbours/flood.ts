/** Requests by the thousand, while a deployment is at work: how often the agent is reloaded, and what becomes of it. */
import { randomUUID } from "node:crypto";
import { ONESHOT, PATH_UNIT } from "../../systemd/host.ts";
import { until } from "../../systemd/until.ts";
import { Broken, type Ledger, noneOf } from "./ledger.ts";
import type { RegisteredHost } from "./registered-host.ts";

/** docs/design.md; src/agent/reload-upkeep.ts. */
const LEAST_BETWEEN_RELOADS_S = 300;

const MOST_ROUNDS = 40;

export interface Flood {
  /** How long requests come while an event is in progress, and how long afterwards, in seconds. */
  duringEvent: number;
  afterwards: number;
  /** Between two requests once the first thousands are through, in milliseconds. */
  pauseMs: number;
  seed: number;
}

export async function checkFlood(
  it: RegisteredHost,
  ledger: Ledger,
  { duringEvent, afterwards, pauseMs, seed }: Flood,
): Promise<void> {
  const { host, agent } = it;
  const { machine, emulator } = host;
  const application = await agent.deployApplication();
  const before = await agent.processes();
  const reloadsBefore = (await it.reloads()).length;
  const event = host.queueEvent("touch /tmp/begun; while [ ! -e /tmp/go-on ]; do sleep 0.1; done");
  await until(
    async () => (await machine.exec("test", "-e", "/tmp/begun")).code === 0,
    () => agent.describe(),
  );
  const flood = async (seconds: number, pause: number) => {
    const counted: Record<string, number> = JSON.parse(
      await it.attack("flood", String(seconds), String(seed), String(pause)),
    );
    ledger.count(
      "requests of a flood",
      Object.values(counted).reduce((sum, each) => sum + each, 0),
    );
  };

  await ledger.promise(
    "reloads that a flood brings about while a lifecycle event is in progress",
    "0",
    async () => {
      await flood(duringEvent, 1);
      const reloads = (await it.reloads()).length - reloadsBefore;
      const worker = (await agent.look())?.worker;
      if (worker !== before.worker)
        throw new Broken("the worker was replaced", [`${before.worker} -> ${worker}`]);
      return noneOf(Array.from({ length: reloads }, () => "a reload"));
    },
  );

  await ledger.promise("that event", "succeeds", async () => {
    await machine.sh("touch /tmp/go-on");
    const { state } = await emulator.events.waitFor(event);
    if (state !== "succeeded") throw new Broken(state, [await agent.describe()]);
    return state;
  });

  await ledger.promise(
    "between two reloads, with a flood that asks for nothing else",
    `at least ${LEAST_BETWEEN_RELOADS_S} s`,
    async () => {
      let at: number[] = [];
      // On a busy machine no run of the oneshot may have come to its end meanwhile.
      for (let rounds = 0; at.length === 0 && rounds < MOST_ROUNDS; rounds += 1) {
        await flood(afterwards, pauseMs);
        at = (await it.reloads()).slice(reloadsBefore);
      }
      if (at.length === 0) throw new Broken("no reload at all", [JSON.stringify(await host.answer())]);
      const gaps = at.slice(1).map((each, index) => each - (at[index] ?? 0));
      const least = Math.min(...gaps);
      if (least < LEAST_BETWEEN_RELOADS_S) throw new Broken(`${least.toFixed(1)} s`, [at.join(", ")]);
      return gaps.length === 0 ? "one reload in all" : `${least.toFixed(1)} s (${at.length} reloads)`;
    },
  );

  await ledger.promise(
    "what was deployed, the agent's master and our path unit afterwards",
    "as before",
    async () => {
      const after = await agent.processes();
      const faults: string[] = [];
      if (after.master !== before.master)
        faults.push(`the master was replaced: ${before.master} -> ${after.master}`);
      if (!(await agent.isAlive(application))) faults.push(`the application ${application} is gone`);
      const path = await host.property(PATH_UNIT, "ActiveState");
      if (path !== "active") faults.push(`the path unit is ${path}`);
      const id = randomUUID();
      if ((await host.request(id)).id !== id) faults.push("a real request is not answered");
      if (faults.length > 0) throw new Broken("harmed", faults);
      return "as before";
    },
  );
  const runs =
    (await host.journal(ONESHOT, "--lines=all")).match(/Starting idc-|Starting Keep the AWS/g)?.length ?? 0;
  ledger.count("runs of root's oneshot", runs);
  await machine.sh("rm -f /tmp/begun /tmp/go-on");
}
