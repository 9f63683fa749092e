/** What whoever has the user idc-helper can do, each shown by doing it, and what not, each tried and refused. */
import type { Status } from "../../../src/report/status.ts";
import { BASE_KEY } from "../../aws-emulator/emulator.ts";
import { UNIT } from "../../systemd/agent-service.ts";
import { AGENT_CONFIG, DAEMON, REQUEST } from "../../systemd/host.ts";
import { until } from "../../systemd/until.ts";
import { CANARY, SECRET } from "./canaries.ts";
import { Broken, type Ledger } from "./ledger.ts";
import { type RegisteredHost, RUNTIME, STATE } from "./registered-host.ts";

const CAN = "What a stolen `idc-helper` user can do";
const CANNOT = "What it cannot do";
const BASE_FILE = "/etc/idc-codedeploy-helper/base-credentials";
const TRACE = "/var/log/aws/trace.jsonl";
const BAD_KEY = "ASIABADBADBADBADBADB";

export async function checkStolenUser(it: RegisteredHost, ledger: Ledger): Promise<void> {
  await checkCan(it, ledger);
  await checkCannot(it, ledger);
}

async function checkCan(it: RegisteredHost, ledger: Ledger): Promise<void> {
  const { host, agent } = it;
  const { machine } = host;
  const can = (what: string, work: () => Promise<string>) => ledger.show(CAN, what, work);
  const agentPollsWith = (key: string) =>
    until(
      async () => (await machine.exec("grep", "-q", `"poll_error".*${key}`, TRACE)).code === 0,
      () => agent.describe(),
    );

  await can("read the base credentials, and use them from anywhere until they are changed", async () => {
    const { stdout } = await it.asService(`cat ${BASE_FILE}`);
    if (!stdout.includes(BASE_KEY.secretAccessKey)) throw new Broken("not readable", [stdout]);
    return `\`cat ${BASE_FILE}\``;
  });

  await can("read the session that the agent uses, and be this host to CodeDeploy for its hour", async () => {
    const { stdout } = await it.asService(`cat ${STATE}/credentials`);
    if (!stdout.includes("aws_session_token")) throw new Broken("not readable", [stdout]);
    return `\`cat ${STATE}/credentials\``;
  });

  await can("hang or end the service; systemd brings it back", async () => {
    const pid = await host.property(DAEMON, "MainPID");
    const restarts = Number(await host.property(DAEMON, "NRestarts"));
    await it.asService(`kill -s STOP ${pid}; kill -s KILL ${pid}`);
    await host.waitForProperty(DAEMON, "NRestarts", String(restarts + 1));
    await host.waitForProperty(DAEMON, "SubState", "running");
    return "SIGSTOP and SIGKILL to its main process; running again afterwards";
  });

  await can(
    "hand the agent bad credentials while it holds the service up: no deployment reaches the host meanwhile. What was deployed runs on, and an event that waits is delivered afterwards",
    async () => {
      const application = await agent.deployApplication();
      const pid = await host.property(DAEMON, "MainPID");
      const bad = `[default]\naws_access_key_id = ${BAD_KEY}\naws_secret_access_key = bad\naws_session_token = bad\n`;
      await it.asService(`kill -s STOP ${pid}; cat >${STATE}/credentials`, bad);
      await machine.sh(`systemctl reload ${UNIT}`);
      await agentPollsWith(BAD_KEY);
      const event = host.queueEvent("true");
      await it.asService(`kill -s CONT ${pid}`);
      const { state } = await host.emulator.events.waitFor(event);
      if (state !== "succeeded") throw new Broken(`the event ${state}`, [await agent.describe()]);
      if (!(await agent.isAlive(application))) throw new Broken("the application is gone", []);
      return "a made-up key in the file: the agent's polls are refused; once the service goes on, an event succeeds";
    },
  );

  await can(
    "have the agent, which follows links, take a file that only root may read for its credentials. Its key id and session token go to AWS, as with every request, and are told to nobody here",
    async () => {
      const pid = await host.property(DAEMON, "MainPID");
      await it.asService(`kill -s STOP ${pid}; ln -sfn ${SECRET} ${STATE}/credentials`);
      await machine.sh(`systemctl reload ${UNIT}`);
      await agentPollsWith(CANARY);
      const search = `grep -rlF ${CANARY} ${STATE} ${RUNTIME} /var/log/aws/codedeploy-agent 2>/dev/null`;
      const told = await it.asService(search);
      if (told.stdout !== "") throw new Broken("it is told", [told.stdout]);
      await it.asService(`kill -s CONT ${pid}`);
      const event = host.queueEvent("true");
      const { state } = await host.emulator.events.waitFor(event);
      if (state !== "succeeded") throw new Broken(`the event ${state}`, [await agent.describe()]);
      return "a link to root's own credentials: the agent polls with them and is refused; once the service goes on, an event succeeds";
    },
  );

  await can("have the agent reload, gracefully, and at most every five minutes", async () => {
    const least = ledger.findings.find(({ what }) => what.startsWith("between two reloads"));
    if (least === undefined || !least.isMet) throw new Broken("see the flood", []);
    return `the flood above: ${least.found}`;
  });

  await can("keep a drift of the agent's config from being mended, for as long as it says so", async () => {
    const pid = await host.property(DAEMON, "MainPID");
    await it.asService(`kill -s STOP ${pid}`);
    const lie = async (id: string) => {
      const request = JSON.stringify({ id, credentialsSince: null, inForce: "something else" });
      await it.asService(
        `cat >${REQUEST}.lie; chmod 644 ${REQUEST}.lie; mv ${REQUEST}.lie ${REQUEST}`,
        request,
      );
      return host.answerTo(id);
    };
    await lie("before-the-drift");
    await host.breakAgentConfig();
    const answer = await lie("after-the-drift");
    if (answer.config.state !== "unknown")
      throw new Broken(answer.config.state, [JSON.stringify(answer.config)]);
    const mended = await host.request();
    if (mended.config.state !== "repaired")
      throw new Broken("not mended afterwards", [JSON.stringify(mended)]);
    await machine.sh(`grep -q 'region: ap-northeast-2' ${AGENT_CONFIG}`);
    await it.asService(`kill -s CONT ${pid}`);
    return 'a request with a wrong `inForce`: the answer says "unknown"; the next honest request has it mended';
  });

  await can("say what it likes in `status.json` (`doctor` asks AWS and systemd as well)", async () => {
    const real: Status = JSON.parse(await machine.sh(`cat ${RUNTIME}/status.json`));
    await it.stopService();
    const agent = { ...real.agent, state: "running", config_match: "matches", reload: "not_needed" };
    const now = new Date().toISOString();
    const lie = JSON.stringify({
      ...real,
      agent,
      pid: 1,
      state: "fresh",
      next_refresh_at: now,
      warnings: [],
    });
    await it.asService(`cat >${RUNTIME}/status.json`, lie);
    const status = await it.asRoot(["status"]);
    const doctor = await it.asRoot(["doctor"]);
    await it.recover();
    if (!status.stdout.startsWith("OK")) throw new Broken("not believed", [status.output]);
    if (!/FAIL {2}Runs/.test(doctor.stdout)) throw new Broken("doctor believes it", [doctor.output]);
    return "with the service stopped: `status` says OK, `doctor` that the service does not run";
  });

  await can("fill the file systems that its two directories lie on", async () => {
    const size = await it.asService(
      `for d in ${STATE} ${RUNTIME}; do head -c 64M /dev/zero >$d/full; stat -c %s $d/full; rm $d/full; done`,
    );
    if (size.stdout.trim() !== "67108864\n67108864") throw new Broken("a quota", [size.output]);
    return "64 MiB into each: no quota";
  });
  ledger.close(CAN, "what a stolen `idc-helper` user can do, as listed below", "each shown by doing it");
}

async function checkCannot(it: RegisteredHost, ledger: Ledger): Promise<void> {
  const { agent } = it;
  const { master, worker } = await agent.processes();
  const before = await it.canaries.look();
  const attempts = (await it.attack("attempt", String(master), String(worker))).split("\n");
  ledger.count("attempts of a stolen user", attempts.length);
  for (const { what, pattern } of REFUSED) {
    await ledger.show(CANNOT, what, async () => {
      const tried = attempts.filter((line) => pattern.test(line));
      const done = tried.filter((line) => !/: refused E\w+$/.test(line));
      if (tried.length === 0) throw new Broken("never tried", attempts);
      if (done.length > 0) throw new Broken(`${done.length} of ${tried.length} done`, done);
      const codes = new Set(tried.map((line) => line.replace(/^.* refused /, "")));
      return `${tried.length} attempts: ${[...codes].sort().join(", ")}`;
    });
  }
  await ledger.show(CANNOT, "start, stop, restart or reload anything through systemd", async () => {
    const commands = [
      ...["reload", "restart", "stop", "kill"].map((verb) => `${verb} ${UNIT}`),
      ...["restart", "stop"].map((verb) => `${verb} ${DAEMON}`),
      ...["daemon-reload", "start idc-codedeploy-helper-agent.service", "set-environment A=B"],
    ];
    const done: string[] = [];
    for (const command of commands) {
      const { code } = await it.asService(`systemctl --no-ask-password ${command} </dev/null`);
      if (code === 0) done.push(command);
    }
    if (done.length > 0) throw new Broken(`${done.length} done`, done);
    return `${commands.length} commands of systemctl, refused`;
  });
  await ledger.show(
    CANNOT,
    "change anything but its own two directories and the requests, by all of these attempts",
    async () => {
      const changes = await it.canaries.changesSince(before);
      const now = await agent.processes();
      if (now.master !== master || now.worker !== worker) changes.push("the agent's processes are others");
      if (changes.length > 0) throw new Broken(`${changes.length} changes`, changes);
      return "every other file of the machine compared before and after";
    },
  );
  ledger.close(CANNOT, "what it cannot do, as listed below", "each tried and refused");
}

/** Each line of attacker.py's attempts belongs to one of these. */
const REFUSED: readonly { what: string; pattern: RegExp }[] = [
  {
    what: "write, replace or remove our config, base credentials, registration, programs and units, the agent's config, settings and pid file, root's answers, records and locks",
    pattern: /^(?:write|replace|remove) /,
  },
  { what: "make a file beside any of them, or where systemd looks for units", pattern: /^make a file in / },
  {
    what: "read what is root's alone, root's record among it, or list the requests",
    pattern: /^(?:read \/|list )/,
  },
  {
    what: "signal the agent or the first process of the host, or look into the agent's memory and environment",
    pattern: /^(?:signal|read the) /,
  },
  {
    what: "make a device, give a file away to root, or move a directory that root looks into",
    pattern: /^(?:make a device|give|move) /,
  },
  {
    what: "link root's files into its directories, where `fs.protected_hardlinks` is 1 (systemd's default; without it root is not misled either, see above)",
    pattern: /^link /,
  },
];
