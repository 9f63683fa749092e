/**
 * `node test/ansible/run.ts`: the collection rolled out to three booted machines at once by Debian's ansible-core: a fresh
 * one, one on the old cron pair, and one whose agent cannot start at first. Needs root, as the tests on a booted host do.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireLock } from "../../src/host/lock.ts";
import { OPERATOR_KEY, startEmulator } from "../aws-emulator/emulator.ts";
import { Tally } from "../readers/tally.ts";
import { AgentOnHost, UNIT } from "../systemd/agent-service.ts";
import { baseRoot, cacheDirectory } from "../systemd/base-root.ts";
import { checksInto, expectEqual, expectMatch } from "../systemd/checks.ts";
import { layCronPair } from "../systemd/cron-pair.ts";
import { Host } from "../systemd/host.ts";
import { LATER, makePackages, PACKAGE } from "../systemd/package/repository.ts";
import { checkRequirements } from "../systemd/requirements.ts";
import { ControlNode, type Member, recapOf } from "./control-node.ts";

const [FRESH, OLD, BROKEN] = ["serial-FRESH01", "serial-OLDCRON", "serial-BROKEN1"] as const;

checkRequirements();
process.umask(0o022);
mkdirSync(cacheDirectory(), { recursive: true });
const lock = acquireLock(join(cacheDirectory(), "lock"));
if (lock === null) throw new Error(`another run of these tests uses ${cacheDirectory()}: one at a time`);
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
const tally = new Tally();
const check = checksInto(tally, interruption.signal);
const directory = mkdtempSync(join(tmpdir(), "idc-ansible-"));
const ends: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
try {
  const root = await baseRoot(interruption.signal);
  const packages = await makePackages(directory);
  const emulator = await startEmulator();
  ends.push(() => emulator.close());
  emulator.settings.change({ pollHoldMs: 500 });
  const start = async (serial: string): Promise<Member> => {
    const host = await Host.startBare(root, directory, (end) => ends.push(end), packages, emulator);
    await new AgentOnHost(host).place("root");
    return { serial, host };
  };
  const members = await Promise.all([FRESH, OLD, BROKEN].map(start));
  const hostOf = (serial: string): Host => {
    const found = members.find((member) => member.serial === serial);
    if (found === undefined) throw new Error(serial);
    return found.host;
  };
  for (const { host } of members) await host.machine.sh("rm -f /etc/yum.repos.d/idc-codedeploy-helper.repo");
  await layCronPair(hostOf(OLD), OLD);
  await hostOf(OLD).machine.sh(`systemctl start ${UNIT}`);
  const broken = "/etc/systemd/system/codedeploy-agent.service.d/broken.conf";
  await hostOf(BROKEN).machine.write(broken, "[Service]\nExecStartPre=/bin/false\n");
  await hostOf(BROKEN).machine.sh("systemctl daemon-reload");
  const tagsOf = (serial: string) =>
    emulator.instances
      .list()
      .find(({ name }) => name === serial)
      ?.tags.map(({ Key, Value }) => `${Key}=${Value}`)
      .sort()
      .join(" ");

  const node = new ControlNode(directory);
  const collection = await node.installCollection();
  node.writeInventory(members);

  await check("ansible-lint finds nothing", async () => {
    const { code, output } = await node.lint(collection);
    expectEqual(code, 0, "its status", output);
  });

  await check("a dry run of the roll-out changes nothing, on hosts and in AWS", async () => {
    const { code, output } = await node.play("rollout", "--check", "--diff");
    expectEqual(code, 0, "its status", output);
    for (const { host } of members) {
      expectEqual((await host.machine.exec("test", "-e", "/usr/bin/idc-helper")).code, 1, "test -e", output);
    }
    expectEqual(emulator.instances.list().length, 1, "the number of instances");
  });

  await check(
    "rolled out to three at once: two come through, one fails half-way and gets no tags",
    async () => {
      const ended = await node.play("rollout");
      expectEqual(recapOf(ended, FRESH).failed, 0, "failed of the fresh host", ended.output);
      expectEqual(recapOf(ended, OLD).failed, 0, "failed of the old host", ended.output);
      expectEqual(recapOf(ended, BROKEN).failed, 1, "failed of the broken host", ended.output);
      expectEqual(tagsOf(FRESH), "Fleet=idc Name=web", "the tags");
      expectEqual(tagsOf(BROKEN), "", "the tags of the broken host");
      const crontab = await hostOf(OLD).machine.sh("crontab -l");
      expectEqual(/^[^#].*refresh\.sh/m.test(crontab), false, "whether the old entry is in force");
    },
  );

  await check("mended, the third comes through at a second run", async () => {
    await hostOf(BROKEN).machine.sh(`rm ${broken}; systemctl daemon-reload`);
    const ended = await node.play("rollout");
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual(tagsOf(BROKEN), "Fleet=idc Name=web", "the tags");
  });

  await check("one more run changes nothing", async () => {
    const ended = await node.play("rollout");
    for (const { serial } of members) {
      expectEqual(recapOf(ended, serial).changed, 0, `changed on ${serial}`, ended.output);
    }
  });

  await check("the operator's key is on no host, and only the control node has used it", async () => {
    for (const { host } of members) {
      const search = `grep -rlsF -e ${OPERATOR_KEY.secretAccessKey} -e ${OPERATOR_KEY.accessKeyId} /etc /root /run /tmp /var /opt || true`;
      expectEqual(await host.machine.sh(search), "", "files with it");
    }
    const users = emulator.requests
      .list()
      .filter(({ accessKeyId }) => accessKeyId === OPERATOR_KEY.accessKeyId)
      .map(({ userAgent }) => userAgent ?? "");
    expectEqual(users.length > 0, true, "whether it was used");
    for (const agent of new Set(users)) expectMatch(agent, /^Boto3\//, "who used it");
  });

  await check("upgraded one at a time; a host that is not well stops what follows", async () => {
    node.writeInventory(members, "later");
    await hostOf(OLD).machine.sh("systemctl stop idc-codedeploy-helper.service");
    const gate = JSON.stringify({
      idc_helper_batches: 1,
      idc_helper_max_fail_percentage: 0,
      idc_helper_health_retries: 2,
      idc_helper_health_delay: 1,
    });
    const ended = await node.play("upgrade", "-e", gate);
    expectEqual(ended.code === 0, false, "whether it went through", ended.output);
    const version = (serial: string) =>
      hostOf(serial).machine.sh(`rpm -q --queryformat '%{VERSION}' ${PACKAGE}`);
    expectEqual(await version(FRESH), LATER, "the first host's version", ended.output);
    expectEqual((await version(BROKEN)) === LATER, false, "whether the last host was touched", ended.output);
  });

  await check("taken out: deregistered from the control node, and nothing of ours is left", async () => {
    const ended = await node.play("deregister", "-e", `idc_helper_hosts=${FRESH}`);
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual((await hostOf(FRESH).machine.exec("test", "-e", "/usr/bin/idc-helper")).code, 1, "test -e");
    const instance = emulator.instances.list().find(({ name }) => name === FRESH);
    expectEqual(instance?.tags.length ?? 0, 0, "its tags");
  });
} finally {
  for (const end of ends.reverse()) await end();
  lock.release();
}
console.log(tally.summary());
process.exit(tally.exitCode);
