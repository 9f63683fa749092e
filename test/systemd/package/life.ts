/** A host's whole life with the package: installed, registered, through all that happens to a host, and removed. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { documentedCommands } from "../../harness/documented-commands.ts";
import { documentedFiles } from "../../packaging/files.ts";
import { AgentOnHost, UNIT } from "../agent-service.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../checks.ts";
import { AGENT_CONFIG, DAEMON, type Host, ONESHOT, PATH_UNIT, TIME_FACTOR } from "../host.ts";
import { ETC } from "../operator.ts";
import { until } from "../until.ts";
import { CREDENTIALS, InstalledHost, OUR_UNITS } from "./installed-host.ts";
import { PackageServer } from "./package-server.ts";
import { LATER, PACKAGE, VERSION } from "./repository.ts";
import { checkSandbox } from "./sandbox.ts";

const OUTAGE_MINUTES = 40;
const NINE_HOURS_S = 9 * 3_600;
/** The service asks again each minute. */
const NEXT_LOOK_LIMIT_MS = 300_000;

/** @param packages as {@link makePackages} makes them */
export async function checkLife(host: Host, check: Check, packages: string): Promise<void> {
  const server = await PackageServer.start(join(packages, "now"));
  try {
    await server.introduceTo(host.machine);
    await checkAll(new InstalledHost(host, new AgentOnHost(host)), check, () => {
      server.directory = join(packages, "later");
    });
  } finally {
    server.stop();
  }
}

/** @param publishLater puts the later version on the company's server */
async function checkAll(it: InstalledHost, check: Check, publishLater: () => void): Promise<void> {
  await checkBeginning(it, check);
  await checkSandbox(it.host, check);
  await checkWithAgent(it, check);
  await checkSimulated(it, check);
  await checkAccidents(it, check);
  publishLater();
  await checkVersions(it, check);
  await checkEnd(it, check);
}

async function checkBeginning(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent, operator } = it;
  const { machine } = host;

  await check("the README's way to install it (dnf, HTTPS, gpgcheck=1), and nothing starts", async () => {
    const said = await machine.sh(`exec 2>&1; ${documentedCommands("README.md", "install")}`);
    expectNoMatch(said, /scriptlet failed|non-fatal|error:/i, "what dnf said");
    expectEqual(await it.installedVersion(), VERSION, "the version");
    expectMatch(await machine.sh("rpm -q gpg-pubkey --qf '%{SUMMARY}\\n'"), /Throw-away/, "rpm's keys");
    for (const unit of [DAEMON, PATH_UNIT]) {
      expectEqual(await host.property(unit, "UnitFileState"), "disabled", `UnitFileState of ${unit}`);
      expectEqual(await host.property(unit, "ActiveState"), "inactive", `ActiveState of ${unit}`);
    }
  });

  await check("what rpm recorded of the files is what lies there", async () => {
    const { stdout } = await machine.exec("rpm", "-V", PACKAGE);
    expectEqual(stdout.trim(), "", "rpm -V");
  });

  await check("a host that is not registered boots clean, with the service enabled or not", async () => {
    await machine.sh(`systemctl enable --quiet ${DAEMON}`);
    await machine.powerOff();
    await machine.boot();
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    expectEqual(await host.property(DAEMON, "ConditionResult"), "no", "ConditionResult");
    expectMatch((await machine.exec("idc-helper", "status")).output, /register/, "what status says");
    await machine.sh(`systemctl disable --quiet ${DAEMON}`);
  });

  await check("register: one command, and the agent polls with our credentials", async () => {
    await operator.pointAtAws();
    await agent.place("root");
    await it.makeClockMovable();
    expectMatch(await operator.register(), /worker \d+ polls as\s+arn:aws:sts/, "what register says");
    await machine.sh(`systemctl enable --quiet ${UNIT}`);
    await it.expectNoHarm();
  });

  await check("idc-helper's man pages and completion are there for whoever asks", async () => {
    const pages =
      "man --where idc-helper; man --where idc-codedeploy-helper.yaml; man --where 8 idc-codedeploy-helper.service";
    expectEqual((await machine.sh(pages)).split("\n").length, 3, "the number of pages that man finds");
    const complete =
      ". /usr/share/bash-completion/bash_completion; _comp_load idc-helper 2>/dev/null || __load_completion idc-helper; complete -p idc-helper";
    expectMatch(await machine.sh(`bash -c '${complete}'`), /idc-helper$/, "complete -p");
  });
}

async function checkWithAgent(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent, operator } = it;
  const { machine, emulator } = host;

  await check(
    "a reboot after its credentials have expired: the agent's first poll is with new ones",
    async () => {
      // Sessions of half a minute, for once.
      emulator.state.clock.factor = 120;
      await machine.sh("idc-helper refresh");
      const lastOnes = emulator.sessions.list().at(-1);
      await machine.powerOff();
      emulator.state.clock.factor = 1;
      await until(
        async () => lastOnes !== undefined && lastOnes.expiresAt < new Date(),
        () => "the session does not expire",
      );
      const switchedOn = new Date();
      await machine.boot();
      await it.pollWithNewerThan(switchedOn);
      await it.expectNoHarm();
    },
  );

  await check("a config that is broken by hand is mended, and the agent loads it", async () => {
    await it.deployApplication();
    const before = await agent.processes();
    await host.forgetSyncs();
    await host.breakAgentConfig();
    await agent.successorOf(before);
    expectNoMatch(await machine.sh(`cat ${AGENT_CONFIG}`), /us-east-1/, "the agent's config");
    await it.expectNoHarm();
  });

  await check(
    "a deployment runs: the reload is put off, done when it is over, and nothing that was deployed is hurt",
    async () => {
      const before = await agent.processes();
      const event = await it.beginEvent();
      await host.forgetSyncs();
      await host.breakAgentConfig();
      await until(
        async () => (await host.answer())?.reload.state === "deferred",
        async () =>
          `it is not deferred:\n${JSON.stringify(await host.answer())}\n${await host.journal(ONESHOT)}`,
      );
      expectNoMatch(await machine.sh(`cat ${AGENT_CONFIG}`), /us-east-1/, "the agent's config");
      // The service takes notice, and asks again by itself.
      await machine.sh("idc-helper refresh");
      await it.waitForStatus(({ agent: { reload } }) => reload === "deferred", "the deferred reload");
      expectEqual((await agent.look())?.worker, before.worker, "the worker");
      await it.endEvent(event);
      await until(
        async () => (await agent.look())?.worker !== before.worker,
        async () => `it is never done:\n${await host.journal(ONESHOT)}`,
        NEXT_LOOK_LIMIT_MS,
      );
      await agent.successorOf(before);
      await it.expectNoHarm();
    },
  );

  await check("doctor finds nothing wrong", async () => {
    const said = await operator.must(["doctor"]);
    expectNoMatch(said, /^ *(fail|FAIL)\b/m, "what doctor says");
  });
}

async function checkSimulated(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent } = it;
  const { machine, emulator } = host;

  await check(
    `STS is down for ${OUTAGE_MINUTES} minutes, and no poll is made with what has expired`,
    async () => {
      await it.simulateTime();
      await it.sessionNewerThan(new Date());
      // Right after a refresh: what was issued then outlives the outage, if only just.
      const begun = new Date();
      const outage = emulator.faults.set({ match: { service: "sts" }, kind: "error-500" });
      await sleep((OUTAGE_MINUTES * 60_000) / TIME_FACTOR);
      expectEqual(
        emulator.sessions.list().some(({ issuedAt }) => issuedAt > begun),
        false,
        "whether there were new sessions in the outage",
      );
      emulator.faults.clear(outage.id);
      await it.pollWithNewerThan(begun);
      expectMatch(await host.journal(DAEMON), /refresh_failed .*kind=server_error/, "the journal");
      await it.expectNoHarm();
    },
  );

  await check(
    "the clock is set back nine hours: the agent does not sleep through its next file",
    async () => {
      // SDKs correct for a wrong clock; the stand-in agent does not.
      emulator.settings.change({ allowedClockSkewMs: 10 * 3_600_000 });
      const before = await agent.processes();
      const stepped = new Date();
      await it.stepClock(-NINE_HOURS_S);
      await agent.successorOf(before);
      await it.pollWithNewerThan(stepped);
      // Until all that it had before the step has long expired.
      await sleep(3_600_000 / TIME_FACTOR);
      await it.pollWithNewerThan(new Date());
      expectMatch(await host.journal(DAEMON), /clock_changed /, "the journal");
      await it.expectNoHarm();
    },
  );

  await check("the clock is put right again, and all goes on", async () => {
    await it.stepClock(0);
    await it.pollWithNewerThan(new Date());
    await it.expectNoHarm();
    emulator.settings.change({ allowedClockSkewMs: 300_000 });
    await it.liveInRealTime();
    const moment = new Date();
    await machine.sh("idc-helper refresh");
    await it.pollWithNewerThan(moment);
  });
}

async function checkAccidents(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent, operator } = it;
  const { machine } = host;

  await check("kill -9: the service comes back, and the agent does not notice", async () => {
    const before = await agent.processes();
    const file = await machine.sh(`sha256sum ${CREDENTIALS}`);
    const pid = await host.property(DAEMON, "MainPID");
    await machine.sh(`kill -9 ${pid}`);
    await until(
      async () => ![pid, "0"].includes(await host.property(DAEMON, "MainPID")),
      () => "it does not come back",
    );
    await host.waitForProperty(DAEMON, "SubState", "running");
    expectEqual(await machine.sh(`sha256sum ${CREDENTIALS}`), file, "the credentials file");
    expectEqual((await agent.look())?.worker, before.worker, "the worker");
    await it.expectNoHarm();
  });

  await check("a service that is stopped by SIGSTOP is brought back by the watchdog", async () => {
    const dropIn = `/run/systemd/system/${DAEMON}.d/90-watchdog.conf`;
    await machine.write(dropIn, "[Service]\nWatchdogSec=10s\nRestartSec=1s\n");
    await machine.sh(`systemctl daemon-reload; systemctl restart ${DAEMON}`);
    const pid = await host.property(DAEMON, "MainPID");
    await machine.sh(`kill -STOP ${pid}`);
    await until(
      async () => ![pid, "0"].includes(await host.property(DAEMON, "MainPID")),
      () => "it does not come back",
    );
    await host.waitForProperty(DAEMON, "SubState", "running");
    expectMatch(await host.journal(DAEMON), /Watchdog timeout/, "the journal");
    await machine.sh(`rm ${dropIn}; systemctl daemon-reload; systemctl restart ${DAEMON}`);
    await it.expectNoHarm();
  });

  await check(
    "the disk is full: the old file stays whole, the journal says so, and it is made good",
    async () => {
      const file = await machine.sh(`sha256sum ${CREDENTIALS}`);
      await machine.exec("dd", "if=/dev/zero", "of=/var/filler", "bs=1M");
      await machine.exec("dd", "if=/dev/zero", "of=/var/filler-2", "bs=512");
      const { code, output } = await operator.helper(["refresh"]);
      expectEqual(code === 0, false, "whether refresh succeeded", output);
      expectMatch(output, /no space|disk is full|ENOSPC/i, "what refresh says");
      expectEqual(await machine.sh(`sha256sum ${CREDENTIALS}`), file, "the credentials file");
      await it.freeDisk();
      const mended = new Date();
      await operator.must(["refresh"]);
      await it.pollWithNewerThan(mended);
      expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
      await it.expectNoHarm();
    },
  );

  await check(
    "an agent that was stopped by hand stays stopped, and is used again when it is started",
    async () => {
      await machine.sh(`systemctl stop ${UNIT}`);
      it.forgetApplication();
      await operator.must(["refresh"]);
      await host.request();
      expectEqual(await host.property(UNIT, "ActiveState"), "inactive", "ActiveState");
      await it.waitForStatus(({ agent: { state } }) => state === "stopped", "the agent's state");
      await machine.sh(`systemctl start ${UNIT}`);
      await it.waitForStatus(({ agent: { state } }) => state === "running", "the agent's state");
      await agent.processes();
      await it.deployApplication();
      await it.expectNoHarm();
    },
  );
}

async function checkVersions(it: InstalledHost, check: Check): Promise<void> {
  const { host, agent } = it;
  const { machine } = host;
  const mainPid = () => host.property(DAEMON, "MainPID");
  const later = `/srv/packages/later/${PACKAGE}-${LATER}-1.x86_64.rpm`;

  await check("an upgrade that breaks off on a full disk leaves the old version at work", async () => {
    const before = await mainPid();
    // Too little for Node, of more than 90 MB.
    await it.fillDisk(30);
    const { code, output } = await machine.exec("rpm", "-U", "--ignoresize", later);
    await it.freeDisk();
    expectEqual(code === 0, false, "whether rpm succeeded", output);
    expectMatch(output, /No space left|cpio/i, "what rpm said");
    expectEqual(await it.installedVersion(), VERSION, "the version");
    expectEqual(await mainPid(), before, "MainPID");
    expectEqual((await machine.exec("rpm", "-V", PACKAGE)).stdout.trim(), "", "rpm -V");
    const moment = new Date();
    await machine.sh("idc-helper refresh");
    await it.pollWithNewerThan(moment);
    await it.expectNoHarm();
  });

  for (const [command, version] of [
    ["upgrade", LATER],
    ["downgrade", VERSION],
  ] as const) {
    await check(
      `${command} while the host is busy and a deployment runs: the service is restarted, the agent does not notice`,
      async () => {
        const before = await agent.processes();
        const oldPid = await mainPid();
        const event = await it.beginEvent();
        const load = "for n in 1 2 3 4; do (while :; do :; done) & done; wait";
        await machine.sh(`systemd-run --quiet --unit=test-load sh -c '${load}'`);
        await machine.sh("rm -f /tmp/watched");
        const watching = machine.sh(
          `while [ ! -e /tmp/watched ]; do stat -c '%.9Y %s' ${CREDENTIALS} 2>&1; done | uniq`,
        );
        const said = await it.dnf(command, "--refresh", PACKAGE);
        await machine.sh("touch /tmp/watched; systemctl stop test-load");
        const seen = (await watching).split("\n");
        expectNoMatch(said, /scriptlet failed|non-fatal|error:|left running/i, "what dnf said");
        expectEqual(await it.installedVersion(), version, "the version");
        expectEqual((await machine.exec("rpm", "-V", PACKAGE)).stdout.trim(), "", "rpm -V");
        expectEqual((await mainPid()) === oldPid, false, "whether it is the old process");
        expectEqual(await host.property(DAEMON, "SubState"), "running", "SubState");
        expectEqual(await host.property(PATH_UNIT, "ActiveState"), "active", "the path unit's ActiveState");
        expectEqual(seen.join("\n"), [...seen].sort().join("\n"), "the file's times, as they came");
        expectNoMatch(seen.join("\n"), /No such|^\S+ 0$/m, "the credentials file, as it was seen");
        await it.endEvent(event);
        const after = await agent.look();
        expectEqual(
          `${after?.master} ${after?.worker}`,
          `${before.master} ${before.worker}`,
          "master and worker",
        );
        await it.expectNoHarm();
      },
    );
  }
}

async function checkEnd(it: InstalledHost, check: Check): Promise<void> {
  const { host, operator } = it;
  const { machine } = host;

  await check("doctor is green after all that", async () => {
    await operator.must(["doctor"]);
  });

  await check("deregister takes back what register did", async () => {
    await operator.must(["deregister", "--yes"]);
    expectEqual(await host.property(DAEMON, "ActiveState"), "inactive", "ActiveState");
    expectEqual((await machine.sh(`ls -A ${ETC}`)).trim(), "config.yaml.example", `what is left in ${ETC}`);
  });

  await check("dnf remove leaves nothing but what the docs say", async () => {
    const said = await it.dnf("remove", PACKAGE, "--noautoremove");
    expectNoMatch(said, /scriptlet failed|non-fatal|error:/i, "what dnf said");
    for (const unit of OUR_UNITS) {
      expectEqual(await host.property(unit, "LoadState"), "not-found", `LoadState of ${unit}`);
    }
    const left = await machine.sh(
      `find / -xdev \\( -path /proc -o -path /srv -o -path /var/cache -o -path /var/log \\) -prune -o -name '*idc-*helper*' -print`,
    );
    const ours = left
      .split("\n")
      .filter(
        (path) =>
          !/^\/(etc\/yum\.repos\.d|var\/lib\/dnf|etc\/systemd\/system\/idc-codedeploy-helper[^/]*\.d$)/.test(
            path,
          ),
      );
    expectEqual(ours.join("\n"), "", "what is left");
    const gone = documentedFiles("x64").filter((path) => path.includes(PACKAGE));
    const { stdout } = await machine.exec("sh", "-c", `ls -d ${gone.join(" ")} 2>/dev/null`);
    expectEqual(stdout.trim(), "", "files of the package that are left");
    expectMatch(await machine.sh("getent passwd idc-helper"), /^idc-helper:/, "the user");
  });
}
