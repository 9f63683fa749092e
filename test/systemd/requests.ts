/** The path unit and the root oneshot: no request is lost, and nothing fails for good. */
import { type Check, expectEqual } from "./checks.ts";
import { ANSWER, AS_SERVICE, type Host, ONESHOT, PATH_UNIT, REQUEST } from "./host.ts";
import { until } from "./until.ts";

const REQUESTS = 100;
/** Between two runs of the oneshot that fail (its ExecStopPost=). */
const PAUSE_MS = 10_000;

/** In shell, inside, because there it is quicker: leaves request $1 as the service's user. */
const LEAVE = `leave() {
  ${AS_SERVICE.join(" ")} sh -euc 'echo "{\\"id\\": \\"$1\\"}" >$2.test; mv $2.test $2' sh "$1" ${REQUEST}
}`;

const LOOP = `${LEAVE}
for n in $(seq ${REQUESTS}); do
  leave loop-$n
  tries=0
  until grep -qF '"id": "loop-'$n'"' ${ANSWER}; do
    tries=$((tries + 1)); [ $tries -lt 3600 ] || { echo "request $n was not answered"; exit 1; }
    sleep 0.05
  done
done`;

/** Stops the oneshot between taking one request and its end, and leaves another meanwhile. Says whether it could. */
const LEAVE_DURING_RUN = `${LEAVE}
leave first
while [ -e ${REQUEST} ]; do :; done
pid=$(systemctl show --property MainPID --value ${ONESHOT})
[ "$pid" != 0 ] && kill -s STOP "$pid" || { echo missed; exit 0; }
leave second
# systemd has seen it by now.
systemctl show --property ActiveState --value ${ONESHOT}
kill -s CONT "$pid"`;

export async function checkRequests(host: Host, check: Check): Promise<void> {
  const { machine } = host;
  await check(`${REQUESTS} requests, one after the other, are all answered`, async () => {
    await machine.sh(LOOP);
    expectEqual(await host.property(PATH_UNIT, "ActiveState"), "active", "the path unit");
  });

  await check("a request left while the oneshot runs is answered too", async () => {
    await until(
      async () => (await machine.sh(LEAVE_DURING_RUN)) === "activating",
      () => "the oneshot could not be caught between taking a request and its end",
    );
    await host.answerTo("second");
  });

  await check("a request with rubbish in it, a link or a directory is taken away", async () => {
    const plant = async (how: string) => {
      await machine.sh(how);
      await until(
        async () => (await machine.exec("test", "-e", REQUEST, "-o", "-L", REQUEST)).code !== 0,
        async () => `${how}: it is still there\n${await host.journal(ONESHOT)}`,
      );
    };
    await plant(`echo '{"id": 5' >${REQUEST}`);
    await plant(`ln -s /etc/shadow ${REQUEST}`);
    await plant(`mkdir ${REQUEST}`);
    await plant(`mkfifo ${REQUEST}`);
    await host.request();
  });

  await check(
    "with a wrong configuration the oneshot is started slowly, and answers once it is mended",
    async () => {
      const refusals = async () => (await host.journal(ONESHOT)).split("config.yaml:").length - 1;
      const before = await refusals();
      const begun = performance.now();
      await host.writeConfig("session_duration: for ever\n");
      await host.leaveRequest("unlucky");
      await until(
        async () => (await host.property(ONESHOT, "SubState")) === "stop-post",
        async () => `the oneshot does not wait:\n${await host.journal(ONESHOT)}`,
      );
      await host.writeConfig();
      await host.answerTo("unlucky");
      const starts = (await refusals()) - before;
      // One at once, and then one after every ten seconds: a loop makes dozens.
      const allowed = 2 + (performance.now() - begun) / PAUSE_MS;
      if (starts > allowed) throw new Error(`it was started ${starts} times meanwhile`);
      expectEqual(await host.property(PATH_UNIT, "ActiveState"), "active", "the path unit");
    },
  );
}
