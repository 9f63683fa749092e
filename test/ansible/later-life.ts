/** What comes after the roll-out: upgrades in batches with a gate, the way back, and the end. */
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { DAEMON } from "../systemd/host.ts";
import { LATER, PACKAGE, VERSION } from "../systemd/package/repository.ts";
import { type ControlNode, extra, recapOf } from "./control-node.ts";
import { ALL, BROKEN, difference, type Fleet, FRESH, OLD } from "./fleet.ts";

const ONE_BY_ONE = extra({ idc_helper_batches: 1 });
/** The unwell host stays so: nothing is waited for. */
const IMPATIENT = extra({ idc_helper_health_retries: 1 });
/** What may be left: what packages of others and Ansible itself keep, and a user that owns nothing. */
const NOT_OURS = "/proc /sys /var/cache/dnf /root/.ansible /run/systemd";

export async function checkLaterLife(
  node: ControlNode,
  fleet: Fleet,
  check: Check,
  publishLater: () => void,
): Promise<void> {
  const versions = async () => {
    const query = `rpm -q --queryformat '%{VERSION}' ${PACKAGE}`;
    return (await Promise.all(ALL.map((serial) => fleet.machine(serial).sh(query)))).join(" ");
  };

  await check("with nothing newer published, an upgrade changes nothing", async () => {
    const ended = await node.play("upgrade", ...ONE_BY_ONE);
    expectEqual(ended.code, 0, "its status", ended.output);
    for (const serial of ALL)
      expectEqual(recapOf(ended, serial).changed, 0, `changed on ${serial}`, ended.output);
  });

  await check(
    "upgraded one by one, also right after publishing; an unwell host stops what follows",
    async () => {
      publishLater();
      await fleet.machine(OLD).sh(`systemctl stop ${DAEMON}`);
      const ended = await node.play("upgrade", ...ONE_BY_ONE, ...IMPATIENT);
      expectEqual(ended.code === 0, false, "whether it says that all is well", ended.output);
      expectMatch(
        ended.stdout,
        /serial-OLDCRON is not well: CRITICAL.*See there: idc-helper doctor/,
        "what it says",
      );
      expectEqual(await versions(), `${LATER} ${LATER} ${VERSION}`, "the versions", ended.output);
    },
  );

  await check("the host made well, the upgrade goes on where it stopped", async () => {
    await fleet.machine(OLD).sh(`systemctl start ${DAEMON}`);
    const ended = await node.play("upgrade", ...ONE_BY_ONE);
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual(await versions(), `${LATER} ${LATER} ${LATER}`, "the versions");
    expectEqual(recapOf(ended, FRESH).changed, 0, "changed on the first", ended.output);
    expectEqual(recapOf(ended, BROKEN).changed, 1, "changed on the last", ended.output);
  });

  await check("a version that is named is installed, also an older one", async () => {
    const back = [...extra({ idc_helper_version: VERSION }), "--limit", BROKEN];
    const ended = await node.play("upgrade", ...ONE_BY_ONE, ...back);
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual(await versions(), `${LATER} ${LATER} ${VERSION}`, "the versions");
  });

  await check("a dry run of taking hosts out changes nothing", async () => {
    const before = await fleet.snapshot(FRESH);
    const ended = await node.play("deregister", "--check", "--diff", ...extra({ idc_helper_hosts: FRESH }));
    expectEqual(ended.code, 0, "its status", ended.output);
    expectMatch(
      ended.stdout,
      /-registered as arn.*FRESH01\n-tag Fleet=idc\n-tag Name=web\n\+not registered/,
      "the diff",
    );
    expectEqual(difference(before, await fleet.snapshot(FRESH)), "", "what has changed");
  });

  await check(
    "taken out: deregistered from the control node, and nothing of ours is left on a host",
    async () => {
      const ended = await node.play("deregister", ...extra({ idc_helper_hosts: ALL.join(",") }));
      expectEqual(ended.code, 0, "its status", ended.output);
      for (const serial of ALL) {
        expectEqual(fleet.tagsOf(serial), null, `the tags of ${serial}`);
        const pruned = NOT_OURS.split(" ").map((path) => `-path ${path} -prune -o`);
        const names =
          "\\( -name '*idc-helper*' -o -name '*idc-codedeploy*' -o -name codedeploy.onpremises.yml* \\)";
        const left = await fleet.machine(serial).sh(`find / -xdev ${pruned.join(" ")} ${names} -print`);
        expectEqual(left, "", `what is left on ${serial}`);
      }
    },
  );

  await check("taken out once more, nothing changes", async () => {
    const ended = await node.play("deregister", ...extra({ idc_helper_hosts: ALL.join(",") }));
    expectEqual(ended.code, 0, "its status", ended.output);
    for (const serial of ALL)
      expectEqual(recapOf(ended, serial).changed, 0, `changed on ${serial}`, ended.output);
  });
}
