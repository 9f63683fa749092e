/** What another local user (nobody) finds of ours: to read, to write, to talk to. */
import { BASE_KEY } from "../../aws-emulator/emulator.ts";
import { DAEMON, REQUEST } from "../../systemd/host.ts";
import { Broken, type Ledger } from "./ledger.ts";
import { faultsOf, type RegisteredHost, ROOTS_OWN, RUNTIME, STATE } from "./registered-host.ts";

const LIST = "What another local user cannot do (shown as `nobody`)";
const OURS = `/etc/idc-codedeploy-helper ${STATE} ${RUNTIME} ${ROOTS_OWN} /run/idc-codedeploy-helper.lock /usr/libexec/idc-codedeploy-helper /usr/bin/idc-helper /usr/lib/systemd/system/idc-codedeploy-helper* /usr/lib/systemd/system/codedeploy-agent.service.d /usr/lib/tmpfiles.d/idc-codedeploy-helper.conf /usr/lib/sysusers.d/idc-codedeploy-helper.conf`;
/** Meant for everyone, and without a secret. */
const PUBLIC = [
  /^\/etc\/idc-codedeploy-helper\/(?:config\.yaml|registration\.json)$/,
  /^\/run\/idc-codedeploy-helper\/status\.json$/,
  /^\/run\/idc-codedeploy-helper-agent\/agent\.json$/,
  /^\/usr\//,
];

export async function checkOtherUser(it: RegisteredHost, ledger: Ledger): Promise<void> {
  const { host } = it;
  const { machine } = host;
  const cannot = (what: string, work: () => Promise<string>) => ledger.show(LIST, what, work);
  const find = async (what: string) => {
    const { stdout } = await it.asNobody("sh", "-c", `find ${OURS} ${what} 2>/dev/null`);
    return stdout.split("\n").filter(Boolean);
  };
  const all = (await machine.sh(`find ${OURS}`)).split("\n");
  ledger.count("of our paths looked at by another user", all.length);

  await cannot("write anything of ours", async () => {
    const writable = await find("! -type l -writable");
    if (writable.length > 0) throw new Broken(`${writable.length} writable`, writable);
    return `\`find -writable\` over ${all.length} paths: none`;
  });

  await cannot(
    "read anything of ours but what is public: config, registration record, status, root's answer, programs",
    async () => {
      const readable = await find("-type f -readable");
      const others = readable.filter((path) => !PUBLIC.some((pattern) => pattern.test(path)));
      if (readable.length < PUBLIC.length)
        throw new Broken("nothing readable", ["the search itself is wrong"]);
      if (others.length > 0) throw new Broken(`${others.length} readable`, others);
      return `\`find -readable\`: ${readable.length} files, all of them public`;
    },
  );

  await cannot("find a secret in any file of the host, or in any process's arguments", async () => {
    const credentials = await machine.sh(`cat ${STATE}/credentials`);
    const secrets = [...credentials.matchAll(/^aws_(?:secret_access_key|session_token)\s*=\s*(\S+)$/gm)].map(
      ([, text]) => text ?? "",
    );
    secrets.push(BASE_KEY.secretAccessKey);
    if (secrets.length !== 3) throw new Broken("no session to look for", []);
    const patterns = secrets.join("\n");
    const search =
      "cat >/tmp/patterns; grep -rsIlFf /tmp/patterns /etc /run /var /tmp /opt /home /srv /root | grep -v ^/tmp/patterns; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -cFf /tmp/patterns; rm /tmp/patterns";
    const run = (command: readonly string[]) => machine.run(command, { input: patterns });
    const { stdout } = await run([
      "setpriv",
      "--reuid=nobody",
      "--regid=nogroup",
      "--clear-groups",
      "sh",
      "-c",
      search,
    ]);
    // The same search must find them where they may be read.
    const asRoot = await run(["sh", "-c", search]);
    if (!asRoot.stdout.includes(`${STATE}/credentials`))
      throw new Broken("the search finds nothing", [asRoot.output]);
    if (stdout.trim() !== "0") throw new Broken("found", [stdout]);
    return "`grep -r` for the base key, the session's secret and its token: none (as root: where they belong)";
  });

  await cannot("talk to a socket of ours: there is none", async () => {
    const pid = await host.property(DAEMON, "MainPID");
    const inodes = (
      await machine.sh(`ls -l /proc/${pid}/fd | sed -n 's/.*socket:\\[\\([0-9]*\\)\\].*/\\1/p'`)
    ).split("\n");
    const unix = (await machine.sh("cat /proc/net/unix")).split("\n").map((line) => line.trim().split(/\s+/));
    const faults = unix
      .filter(
        ([, , , , , , inode = "", path = ""]) => /idc/.test(path) || (path !== "" && inodes.includes(inode)),
      )
      .map((fields) => fields.join(" "));
    // A listening one: of TCP in state 0A, of UDP any that is bound.
    for (const [name, isOpen] of [
      ["tcp", /^0A$/],
      ["tcp6", /^0A$/],
      ["udp", /./],
      ["udp6", /./],
    ] as const) {
      const lines = (await machine.sh(`cat /proc/net/${name}`))
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/));
      faults.push(
        ...lines
          .filter((fields) => isOpen.test(fields[3] ?? "") && inodes.includes(fields[9] ?? ""))
          .map((fields) => `${name} ${fields[1]}`),
      );
    }
    faults.push(...(await machine.sh(`find ${OURS} -type s`)).split("\n").filter(Boolean));
    if (faults.length > 0) throw new Broken(`${faults.length} sockets`, faults);
    return `the service's ${inodes.filter(Boolean).length} sockets have no name, abstract or in the file system, and none listens`;
  });

  await cannot("look into our processes or signal them", async () => {
    const pid = await host.property(DAEMON, "MainPID");
    const tried = ["environ", "maps", "mem", "fd", "cwd", "io", "stack"].map((name) => [
      "sh",
      "-c",
      `ls /proc/${pid}/${name}/ 2>/dev/null || head -c 1 /proc/${pid}/${name}`,
    ]);
    tried.push(...["TERM", "KILL", "HUP", "USR2"].map((signal) => ["sh", "-c", `kill -s ${signal} ${pid}`]));
    const done = [];
    for (const command of tried) if ((await it.asNobody(...command)).code === 0) done.push(command.join(" "));
    if (done.length > 0) throw new Broken(`${done.length} of ${tried.length} done`, done);
    return `${tried.length} attempts, refused`;
  });

  await cannot("leave a request for root, or hold one of our locks", async () => {
    const locks = [
      `${ROOTS_OWN}/sync.lock`,
      "/run/idc-codedeploy-helper.lock",
      `${STATE}/run.lock`,
      `${STATE}/refresh.lock`,
    ];
    const tried = [
      ["sh", "-c", `: >${REQUEST}`],
      ["sh", "-c", `ls ${ROOTS_OWN}/requests`],
      ...locks.map((path) => ["flock", "--nonblock", path, "true"]),
    ];
    const done = [];
    for (const command of tried) if ((await it.asNobody(...command)).code === 0) done.push(command.join(" "));
    if (done.length > 0) throw new Broken(`${done.length} of ${tried.length} done`, done);
    return `${tried.length} attempts, refused`;
  });

  await cannot("change anything, or be told a secret, by typing our commands", async () => {
    const before = await it.canaries.look();
    const changing = [
      ["refresh"],
      ["sync-agent"],
      ["deregister", "--yes"],
      ["adopt", "--yes"],
      ["adopt", "--undo", "--yes"],
      ["run"],
    ];
    const asking = [["status"], ["doctor"], ["check-config"], ["version"]];
    const faults: string[] = [];
    for (const command of [...changing, ...asking]) {
      const ended = await it.asNobody("timeout", "60", "idc-helper", ...command);
      faults.push(...faultsOf(command, ended));
      if (ended.code === 0 && changing.includes(command)) faults.push(`${command.join(" ")} was done`);
    }
    faults.push(...(await it.canaries.changesSince(before)));
    if (faults.length > 0) throw new Broken(`${faults.length} faults`, faults);
    return `${changing.length + asking.length} commands: those that change something are refused`;
  });
  ledger.close(LIST, "what another local user cannot do, as listed below", "each tried and refused");
}
