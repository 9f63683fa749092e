/** Reloads that do not go as they should: bounded, reported, and harmless to what the agent has deployed. */
import { type AgentOnHost, UNIT } from "./agent-service.ts";
import { type Check, expectEqual, expectMatch } from "./checks.ts";
import { type Host, TIME_FACTOR } from "./host.ts";
import { until } from "./until.ts";

const NO_RELOAD = "[Service]\nExecReload=\n";
const HANGING_RELOAD = "[Service]\nExecReload=\nExecReload=/bin/sleep 100000\nTimeoutStartSec=infinity\n";
const DEAF_WORKER = "[Service]\nEnvironment=NODE_OPTIONS=--require=/opt/stand-in/deaf-worker.cjs\n";

export async function checkOddReloads(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine } = host;

  await check("our reload is not in force: root's agent is signalled by the oneshot itself", async () => {
    const before = await agent.install("root", NO_RELOAD);
    expectEqual(await host.property(UNIT, "CanReload"), "no", "CanReload");
    await host.breakAgentConfig();
    await agent.expectReloaded(before, await host.request());
  });

  await check(
    "our reload is not in force, and the agent is another user's: reported, with what to do",
    async () => {
      const before = await agent.install("codedeploy", NO_RELOAD);
      await host.breakAgentConfig();
      const { reload } = await host.request();
      expectEqual(reload.state, "failed", "the reload", JSON.stringify(reload));
      expectMatch(reload.detail, /may not be signalled \(EPERM\)/, "the detail");
      expectMatch(reload.nextStep, /systemctl daemon-reload/, "the next step");
      expectEqual((await agent.look())?.worker, before.worker, "the worker");
    },
  );

  await check(
    "a reload that hangs is ended after its limit, reported, and leaves no job behind",
    async () => {
      const before = await agent.install("root", HANGING_RELOAD);
      await host.breakAgentConfig();
      const { reload } = await host.sync();
      expectEqual(reload.state, "failed", "the reload", JSON.stringify(reload));
      expectMatch(reload.detail, /did not end within 10 s; its ExecReload= was ended/, "the detail");
      expectMatch(await machine.sh("systemctl list-jobs"), /No jobs running/, "systemctl list-jobs");
      expectEqual(await host.property(UNIT, "ActiveState"), "active", "ActiveState");
      const now = await agent.look();
      expectEqual(`${now?.master} ${now?.worker}`, `${before.master} ${before.worker}`, "master and worker");
    },
  );

  await check("somebody else's reload that is under way is waited for, not ended", async () => {
    await host.forgetSyncs();
    await machine.sh(`systemctl reload --no-block ${UNIT}`);
    await host.waitForProperty(UNIT, "ActiveState", "reloading");
    await host.breakAgentConfig("eu-west-1");
    const { reload } = await host.sync();
    expectEqual(reload.state, "deferred", "the reload", JSON.stringify(reload));
    expectMatch(reload.detail, /somebody else/, "the detail");
    expectEqual(await host.property(UNIT, "ActiveState"), "reloading", "ActiveState");
    await machine.sh(`systemctl kill --kill-who=control --signal=KILL ${UNIT}`);
  });

  await check(
    "a main process that is not the agent's master is not taken for it: only the worker is signalled",
    async () => {
      const before = await agent.install("wrapped");
      const main = Number(await host.property(UNIT, "MainPID"));
      expectEqual(main === before.master, false, "whether the main process is the master");
      await host.breakAgentConfig();
      await agent.expectReloaded(before, await host.request());
      expectEqual(Number(await host.property(UNIT, "MainPID")), main, "the main process");
    },
  );

  await check(
    "a worker that forgot the signal is asked once more, when five minutes have passed",
    async () => {
      const before = await agent.install("root", `${DEAF_WORKER}Environment=DEAF_TO_SIGNALS=1\n`);
      await host.breakAgentConfig();
      expectEqual((await host.sync()).reload.state, "under_way", "the first run's reload");
      const { reload } = await until(
        async () => {
          const answer = await host.sync();
          return answer.reload.state === "under_way" ? null : answer;
        },
        () => "it is not asked again",
      );
      expectEqual(reload.state, "done", "the reload", JSON.stringify(reload));
      // The same master: it was not restarted.
      await agent.successorOf(before);
    },
  );

  await checkDeafWorker(host, agent, check);
}

/** A reload that brings no new worker: ten minutes, which the time factor makes ten seconds. */
async function checkDeafWorker(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine } = host;
  let application = 0;

  await check("a worker that does not end is given its time", async () => {
    const before = await agent.install("root", DEAF_WORKER);
    application = await agent.deployApplication();
    await host.breakAgentConfig();
    const { reload } = await host.sync();
    expectEqual(reload.state, "under_way", "the reload", JSON.stringify(reload));
    expectMatch(reload.detail, new RegExp(`worker ${before.worker} ends after`), "the detail");
  });

  await check("after that it is not restarted while an application lives in its control group", async () => {
    const before = await agent.processes();
    const { reload } = await until(
      async () => {
        const answer = await host.sync();
        return answer.reload.state === "failed" ? answer : null;
      },
      async () => `the worker is never given up: ${JSON.stringify((await host.sync()).reload)}`,
    );
    expectMatch(
      reload.detail,
      /was asked to end and does not, and a restart is not safe: 1 other process /,
      "the detail",
    );
    expectMatch(reload.detail, new RegExp(`\\(process ${application}\\)`), "the detail");
    expectEqual((await host.sync()).reload.detail, reload.detail, "the next run's detail");
    expectEqual(await agent.isAlive(application), true, "whether the application lives");
    expectEqual((await agent.look())?.worker, before.worker, "the worker");
  });

  await check("once the group holds the agent alone it is restarted", async () => {
    const before = await agent.processes();
    await machine.sh(`kill ${application}`);
    await until(
      async () => !(await agent.isAlive(application)),
      () => "the application does not end",
    );
    const answer = await until(
      async () => {
        const found = await host.sync();
        return found.reload.state === "restarted" ? found : null;
      },
      async () => `no restart: ${JSON.stringify((await host.sync()).reload)}`,
    );
    // Its unit is up as soon as its start command returns, a moment before the master is.
    expectMatch(answer.agent.state, /^(running|starting)$/, "the agent's state");
    const after = await agent.processes();
    expectEqual(after.master === before.master, false, "whether the master is the old one");
    expectEqual((await host.sync()).reload.state, "not_needed", "the next run's reload");
  });
}

/** The checks above name limits as the time factor makes them. */
if (TIME_FACTOR !== 60) throw new Error("the limits in these checks are those of a time factor of 60");
