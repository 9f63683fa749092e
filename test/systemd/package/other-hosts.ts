/** Hosts that are not like most: an agent of an init script, one that is another user's, base credentials by systemd. */
import { documentedCommands } from "../../harness/documented-commands.ts";
import { SERIAL } from "../../harness/scratch-host.ts";
import { AgentOnHost, type Flavour, UNIT } from "../agent-service.ts";
import { type Check, expectEqual, expectMatch } from "../checks.ts";
import { DAEMON, type Host, REGION } from "../host.ts";
import { BASE_FILE, ETC } from "../operator.ts";
import { CREDENTIALS, InstalledHost } from "./installed-host.ts";
import { PACKAGE } from "./repository.ts";

const AGENTS: readonly { flavour: Flavour; label: string; owner: string }[] = [
  { flavour: "sysv", label: "an agent of an init script", owner: "idc-helper:idc-helper 600" },
  { flavour: "codedeploy", label: "an agent that runs as codedeploy", owner: "idc-helper:codedeploy 640" },
];

const PAGE = "docs/base-credentials.md";

export async function checkOtherHosts(host: Host, check: Check): Promise<void> {
  const it = new InstalledHost(host, new AgentOnHost(host));
  await it.dnf("install", PACKAGE);
  for (const { flavour, label, owner } of AGENTS) await checkAgent(it, check, flavour, label, owner);
  await checkCredentialsBySystemd(it, check);
}

async function checkAgent(
  it: InstalledHost,
  check: Check,
  flavour: Flavour,
  label: string,
  owner: string,
): Promise<void> {
  const { host, agent, operator } = it;
  const { machine, emulator } = host;

  await check(`${label}: registered with one command, it polls with our credentials`, async () => {
    await agent.remove();
    await agent.place(flavour);
    await operator.pointAtAws();
    expectMatch(await operator.register(), /worker \d+ polls as\s+arn:aws:sts/, "what register says");
    expectEqual(await machine.sh(`stat -c '%U:%G %a' ${CREDENTIALS}`), owner, "owner and mode");
    expectEqual(await host.property(UNIT, "CanReload"), "yes", "CanReload");
  });

  await check(`${label}: its config is mended by itself, the application lives on`, async () => {
    await it.deployApplication();
    const before = await agent.processes();
    await host.forgetSyncs();
    await host.breakAgentConfig();
    await agent.successorOf(before);
    await operator.must(["doctor"]);
    await it.expectNoHarm();
  });

  await check(`${label}: it polls with the next credentials after a reboot`, async () => {
    it.forgetApplication();
    await machine.sh(flavour === "sysv" ? `systemctl enable ${UNIT} 2>&1 || true` : "true");
    await machine.powerOff();
    await machine.boot();
    if ((await host.property(UNIT, "ActiveState")) !== "active") await machine.sh(`systemctl start ${UNIT}`);
    await operator.must(["refresh"]);
    await agent.processes();
    await it.expectNoHarm();
  });

  await check(`${label}: deregistered, and nothing of register is left`, async () => {
    await operator.must(["deregister", "--yes"]);
    const dropIns = await machine.exec("sh", "-c", `cat /etc/systemd/system/${DAEMON}.d/*`);
    expectEqual(dropIns.stdout, "", "drop-ins");
    // The name stays taken for a while, as in AWS.
    emulator.instances.remove(REGION, SERIAL);
  });
}

/** The recipes of the page, word by word. */
async function checkCredentialsBySystemd(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent, operator } = it;
  const { machine } = host;

  await check(
    "base credentials by systemd (LoadCredential=): the documented recipe, and no file in /etc",
    async () => {
      await agent.remove();
      await agent.place("root");
      await operator.pointAtAws();
      await operator.register();
      await machine.write("/root/base-credentials", BASE_FILE, "0600");
      await machine.sh(documentedCommands(PAGE, "plain"));
      await checkWithout(it);
    },
  );

  await check("the same, encrypted (LoadCredentialEncrypted=)", async () => {
    await machine.write("/root/base-credentials", BASE_FILE, "0600");
    await machine.sh(documentedCommands(PAGE, "encrypted"));
    expectEqual(
      await machine.sh("grep -rlc aws_secret /etc/credstore* 2>/dev/null || true"),
      "",
      "plain files",
    );
    await checkWithout(it);
  });
}

async function checkWithout({ host, operator }: InstalledHost): Promise<void> {
  const { machine, emulator } = host;
  expectEqual((await machine.exec("test", "-e", `${ETC}/base-credentials`)).code, 1, "status of test -e");
  const before = emulator.sessions.list().length;
  await machine.sh(`systemctl restart ${DAEMON}`);
  await machine.sh("idc-helper refresh");
  expectEqual(emulator.sessions.list().length > before, true, "whether it got credentials");
  await operator.must(["doctor"]);
}
