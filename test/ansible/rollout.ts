/** The roll-out itself: tried, done, failed half-way on one of three, mended, and done once more for nothing. */
import { type Check, expectEqual, expectMatch, expectNoMatch } from "../systemd/checks.ts";
import type { Ended } from "../systemd/process.ts";
import { type ControlNode, extra, recapOf } from "./control-node.ts";
import { ALL, BROKEN, difference, type Fleet, FRESH, OLD } from "./fleet.ts";

const AT_ONCE = extra({ idc_helper_batches: "100%" });
const TAGS = "Fleet=idc Name=web";
const CONFIG = "/etc/idc-codedeploy-helper/config.yaml";

export async function checkRollout(node: ControlNode, fleet: Fleet, check: Check): Promise<void> {
  await check(
    "a dry run shows what it would do, and changes nothing: on no host, and not in AWS",
    async () => {
      const before = await Promise.all(ALL.map((serial) => fleet.snapshot(serial)));
      const ended = await node.play("rollout", "--check", "--diff", ...AT_ONCE);
      expectEqual(ended.code, 0, "its status", ended.output);
      for (const [index, serial] of ALL.entries()) {
        expectEqual(
          difference(before[index] ?? "", await fleet.snapshot(serial)),
          "",
          `what has changed on ${serial}`,
        );
        expectMatch(ended.stdout, new RegExp(`\\+serial: ${serial}`), "the config in the diff");
        expectEqual(
          recapOf(ended, serial).changed > 2,
          true,
          `whether it would change ${serial}`,
          ended.output,
        );
      }
      expectMatch(ended.stdout, /\+baseurl = https:/, "the repository in the diff");
      expectMatch(
        ended.stdout,
        /-not registered\n\+registered as arn:aws:sts::.*FRESH01/,
        "the registration in the diff",
      );
      expectMatch(
        ended.stdout,
        /registered as arn.*OLDCRON\n\+tag Fleet=idc\n tag Name=web/,
        "the tags in the diff",
      );
    },
  );

  let ended: Ended = { code: null, stdout: "", output: "" };
  await check("rolled out to three at once: two come through, whatever becomes of the third", async () => {
    ended = await node.play("rollout", "-vvv", "--diff", ...AT_ONCE);
    const end = ended.output.slice(-8_000);
    expectEqual(ended.code === 0, false, "whether it says that all is well", end);
    for (const serial of [FRESH, OLD] as const) {
      expectEqual(recapOf(ended, serial).failed, 0, `failed on ${serial}`, end);
      expectEqual(fleet.tagsOf(serial), TAGS, `the tags of ${serial}`);
      expectMatch(await fleet.machine(serial).sh("idc-helper status"), /^OK/, `the status of ${serial}`);
    }
  });

  await check(
    "the host on the old cron pair is adopted: its entry is out of force, another's is not",
    async () => {
      const crontab = await fleet.machine(OLD).sh("crontab -l");
      expectNoMatch(crontab, /^[^#].*refresh\.sh/m, "the crontab");
      expectMatch(crontab, /^5 4 \* \* \* \/usr\/bin\/true$/m, "the crontab");
      expectMatch(
        await fleet.machine(OLD).sh("idc-helper adopt --dry-run --json"),
        /"kept"/,
        "what adopt says",
      );
    },
  );

  await check("the third failed half-way: registered, in no deployment group, and it says why", async () => {
    expectEqual(recapOf(ended, BROKEN).failed, 1, "failed", ended.output.slice(-8_000));
    expectMatch(
      ended.stdout,
      /serial-BROKEN1: systemctl start codedeploy-agent\.service failed/,
      "what it says",
    );
    expectMatch(ended.stdout, /serial-BROKEN1 did not come through.*no further batch begins/, "what it says");
    expectEqual(fleet.tagsOf(BROKEN), "", "its tags");
  });

  await check("the cause mended, a second run completes it, with its certificate", async () => {
    await fleet.mend();
    const ended = await node.play("rollout", ...AT_ONCE);
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual(fleet.tagsOf(BROKEN), TAGS, "the tags");
    const machine = fleet.machine(BROKEN);
    expectMatch(
      await machine.sh("cat /etc/idc-codedeploy-helper/base-credentials"),
      /^credential_process = /m,
      "it",
    );
    const key = await machine.sh("stat -c '%U:%G %a' /etc/idc-codedeploy-helper/private-key.pem");
    expectEqual(key, "root:idc-helper 640", "owner and mode of the private key");
  });

  await check("one more run, in the batches that are the default, changes nothing", async () => {
    const before = await Promise.all(ALL.map((serial) => fleet.snapshot(serial)));
    const ended = await node.play("rollout");
    expectEqual(ended.code, 0, "its status", ended.output);
    expectEqual(ended.stdout.match(/^PLAY \[Roll/gm)?.length, 3, "the number of batches");
    for (const [index, serial] of ALL.entries()) {
      expectEqual(recapOf(ended, serial).changed, 0, `changed on ${serial}`, ended.output);
      expectEqual(
        difference(before[index] ?? "", await fleet.snapshot(serial)),
        "",
        `what has changed on ${serial}`,
      );
    }
  });

  await check("another config: a dry run shows the difference, a run brings it into force", async () => {
    const { url } = fleet.emulator;
    const config = { endpoints: { sts: url, codedeploy: url }, session_duration: "45m" };
    const changed = [...AT_ONCE, ...extra({ idc_helper_config: config }), "--limit", FRESH, "--diff"];
    const tried = await node.play("rollout", "--check", ...changed);
    expectMatch(tried.stdout, /-session_duration: 1h\n\+session_duration: 45m/, "the diff");
    expectNoMatch(await fleet.machine(FRESH).sh(`cat ${CONFIG}`), /45m/, "the config after a dry run");
    const done = await node.play("rollout", ...changed);
    expectEqual(done.code, 0, "its status", done.output);
    expectMatch(done.stdout, /RUNNING HANDLER .*Reload/, "what it does");
    await fleet.machine(FRESH).sh("idc-helper refresh");
    const last = fleet.emulator.sessions.list().findLast(({ arn }) => arn.endsWith(FRESH));
    const lastsMs = Number(last?.expiresAt) - Number(last?.issuedAt);
    expectEqual(Math.round(lastsMs / 60_000), 45, "how many minutes its session lasts");
    // Back to what the inventory says.
    expectEqual(
      (await node.play("rollout", ...AT_ONCE, "--limit", FRESH)).code,
      0,
      "the status of the way back",
    );
  });
}
