/** Whoever may register hosts is known to the control node alone: looked for in all that hosts were sent, and on them. */
import { BASE_KEY, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import type { Machine } from "../systemd/machine.ts";
import type { ControlNode } from "./control-node.ts";
import { ALL, type Fleet, OLD } from "./fleet.ts";

export async function checkOperatorsKey(node: ControlNode, fleet: Fleet, check: Check): Promise<void> {
  const { accessKeyId, secretAccessKey } = OPERATOR_KEY;

  await check("nothing that was sent to a host, command or input, holds the operator's key", async () => {
    expectEqual(node.hasSeenBaseKey, true, "whether the search finds the base key, which was sent");
    expectEqual(node.leaks.join("\n---\n"), "", "what holds it");
  });

  await check("the operator's key is on no host: no file, no process, no journal", async () => {
    for (const serial of ALL) {
      const machine = fleet.machine(serial);
      for (const key of [accessKeyId, secretAccessKey]) {
        expectEqual(await whereabouts(machine, key), "", `where it is on ${serial}`);
      }
    }
    // The old pair's own file, which nobody takes away, shows that the search finds a key.
    expectMatch(
      await whereabouts(fleet.machine(OLD), BASE_KEY.secretAccessKey),
      /\/root\/\.aws/,
      "the base key",
    );
  });

  await check("AWS was asked with the operator's key by the control node's boto3 alone", async () => {
    const agents = fleet.emulator.requests
      .list()
      .filter((request) => request.accessKeyId === accessKeyId)
      .map(({ userAgent }) => userAgent ?? "");
    expectEqual(agents.length > 0, true, "whether it was used");
    for (const agent of new Set(agents)) expectMatch(agent, /^Boto3\//, "who used it");
  });
}

async function whereabouts(machine: Machine, key: string): Promise<string> {
  // The key comes by standard input: as an argument it would be found in the search's own process.
  const search = `umask 077; cat >/run/key
grep -rlaF --devices=skip --exclude-dir=proc --exclude-dir=sys -f /run/key / | grep -v '^/run/key$' || true
grep -laF -f /run/key /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null || true
journalctl --output=export | grep -caF -f /run/key | grep -v '^0$' || true
rm /run/key`;
  return machine.sh(search, key);
}
