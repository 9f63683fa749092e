/** The graceful reload, whatever kind of service the agent is: a new worker, and nothing else has changed. */
import { dirname } from "node:path";
import { type AgentOnHost, type Flavour, UNIT } from "./agent-service.ts";
import { type Check, expectEqual } from "./checks.ts";
import { ANSWER, DAEMON, type Host, ONESHOT, REQUEST } from "./host.ts";
import { until } from "./until.ts";

const REQUESTS = dirname(REQUEST);
const KINDS: readonly { flavour: Flavour; label: string }[] = [
  { flavour: "root", label: "agent as root" },
  { flavour: "codedeploy", label: "agent as codedeploy" },
  { flavour: "sysv", label: "agent of an init script" },
];

export async function checkGracefulReload(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  await checkReaderGroup(host, agent, check);
  for (const { flavour, label } of KINDS) await checkKind(flavour, label, host, agent, check);
}

async function checkReaderGroup(host: Host, agent: AgentOnHost, check: Check): Promise<void> {
  const { machine } = host;
  await check("with a reader group, another user's agent may read the credentials and no more", async () => {
    await agent.remove();
    await host.useReaderGroup();
    const inState = (file: string) => `/var/lib/idc-codedeploy-helper/${file}`;
    const found = await machine.sh(`stat -c '%U:%G %a' ${inState("credentials")}`);
    expectEqual(found, "idc-helper:codedeploy 640", "owner and mode");
    const asAgent = async (...command: string[]) => {
      const become = ["setpriv", "--reuid=codedeploy", "--regid=codedeploy", "--clear-groups"];
      return (await machine.run([...become, ...command])).code === 0;
    };
    expectEqual(await asAgent("cat", inState("credentials")), true, "whether it may read the credentials");
    expectEqual(await asAgent("ls", REQUESTS), false, "whether it may list the requests");
    const base = "/etc/idc-codedeploy-helper/base-credentials";
    expectEqual(await asAgent("cat", base), false, "whether it may read the base credentials");
  });

  await check("the requests of a service with that group still reach root", async () => {
    await machine.sh(`rm -f ${ANSWER}; systemctl start ${DAEMON}`);
    await until(
      async () => (await host.answer())?.id,
      async () => `no answer to its request:\n${await host.journal(ONESHOT)}`,
    );
    await machine.sh(`systemctl stop ${DAEMON}`);
  });
}

async function checkKind(
  flavour: Flavour,
  label: string,
  host: Host,
  agent: AgentOnHost,
  check: Check,
): Promise<void> {
  const { machine } = host;
  let application = 0;

  await check(`${label}: runs, with our reload in force`, async () => {
    const { master } = await agent.install(flavour);
    expectEqual(await host.property(UNIT, "CanReload"), "yes", "CanReload");
    expectEqual(await host.property(UNIT, "MainPID"), flavour === "sysv" ? "0" : String(master), "MainPID");
    const commands = (await host.property(UNIT, "ExecReload")).split("argv[]=").slice(1);
    expectEqual(commands.length, 1, "the number of ExecReload= commands");
    application = await agent.deployApplication();
  });

  await check(
    `${label}: its config is mended and its worker replaced, the application lives on`,
    async () => {
      const before = await agent.processes();
      await host.breakAgentConfig();
      const answer = await host.request();
      expectEqual(answer.config.state, "repaired", "the config");
      await agent.expectReloaded(before, answer);
      expectEqual(await agent.isAlive(application), true, "whether the application lives");
      expectEqual((await host.request()).reload.state, "not_needed", "the next run's reload");
    },
  );

  await check(`${label}: an event in progress defers the reload, and succeeds`, async () => {
    const before = await agent.processes();
    await host.forgetSyncs();
    const event = host.queueEvent("while [ ! -e /tmp/go-on ]; do sleep 0.1; done");
    await until(
      async () =>
        (await machine.exec("sh", "-c", "ls /opt/codedeploy-agent/deployment-root/ongoing-deployment/*"))
          .code === 0,
      () => "the event does not start",
    );
    await host.breakAgentConfig();
    const answer = await host.request();
    expectEqual(answer.config.state, "repaired", "the config");
    expectEqual(answer.reload.state, "deferred", "the reload", JSON.stringify(answer, null, 1));
    expectEqual((await agent.look())?.worker, before.worker, "the worker");
    await machine.sh("touch /tmp/go-on");
    expectEqual((await host.endOfEvent(event)).state, "succeeded", "the event");
    await agent.expectReloaded(before, await host.request());
    await machine.sh("rm /tmp/go-on");
  });

  await check(
    `${label}: systemctl reload by hand lets an event finish, then replaces the worker`,
    async () => {
      const before = await agent.processes();
      const event = host.queueEvent("touch /tmp/begun; while [ ! -e /tmp/go-on ]; do sleep 0.1; done");
      await until(
        async () => (await machine.exec("test", "-e", "/tmp/begun")).code === 0,
        () => "the event does not start",
      );
      await machine.sh(`systemctl reload ${UNIT}`);
      expectEqual((await agent.look())?.worker, before.worker, "the worker");
      await machine.sh("touch /tmp/go-on");
      expectEqual((await host.endOfEvent(event)).state, "succeeded", "the event");
      await agent.successorOf(before);
      expectEqual(await agent.isAlive(application), true, "whether the application lives");
      await machine.sh("rm -f /tmp/go-on /tmp/begun");
    },
  );

  await check(`${label}: a stop by hand is final`, async () => {
    await machine.sh(`systemctl stop ${UNIT}`);
    const answer = await host.request();
    expectEqual(answer.agent.state, "stopped", "the agent's state");
    expectEqual(await host.property(UNIT, "ActiveState"), "inactive", "ActiveState");
  });
}
