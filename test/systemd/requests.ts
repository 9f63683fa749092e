/** The path unit and the root oneshot: no request is lost, and nothing fails for good. */
import { type Check, expectEqual } from "./checks.ts";
import { ANSWER, AS_SERVICE, type Host, REQUEST } from "./host.ts";
import { until } from "./until.ts";

const PATH = "idc-codedeploy-helper-agent.path";
const ONESHOT = "idc-codedeploy-helper-agent.service";
const REQUESTS = 100;

/** Inside, because there it is quicker: leaves each request as the service's user, and waits 20 s for its answer. */
const LOOP = `for n in $(seq ${REQUESTS}); do
  ${AS_SERVICE.join(" ")} sh -euc 'echo "{\\"id\\": \\"$1\\"}" >$2.test; mv $2.test $2' sh loop-$n ${REQUEST}
  tries=0
  until grep -qF '"id": "loop-'$n'"' ${ANSWER}; do
    tries=$((tries + 1)); [ $tries -lt 400 ] || { echo "request $n was not answered"; exit 1; }
    sleep 0.05
  done
done`;

export async function checkRequests(host: Host, check: Check): Promise<void> {
  const { machine } = host;
  await machine.sh(`systemctl start ${PATH}`);

  await check(`${REQUESTS} requests, one after the other, are all answered`, async () => {
    await machine.sh(LOOP);
    expectEqual(await host.property(PATH, "ActiveState"), "active", "the path unit");
  });

  await check("a request left while the oneshot runs is answered too", async () => {
    for (let n = 0; n < 10; n++) {
      await host.leaveRequest(`first-${n}`);
      await until(
        async () => (await host.property(ONESHOT, "ActiveState")) === "activating",
        () => "the oneshot does not start",
        5_000,
      ).catch(() => undefined);
      await host.request(`second-${n}`);
    }
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
      await host.writeConfig("session_duration: for ever\n");
      await host.leaveRequest("unlucky");
      await until(
        async () => (await host.property(ONESHOT, "SubState")) === "stop-post",
        async () => `the oneshot does not wait:\n${await host.journal(ONESHOT)}`,
      );
      await host.writeConfig();
      await host.answerTo("unlucky");
      const starts = (await host.journal(ONESHOT)).split("config.yaml:").length - 1;
      if (starts > 3) throw new Error(`it was started ${starts} times meanwhile`);
      expectEqual(await host.property(PATH, "ActiveState"), "active", "the path unit");
    },
  );
}
