/** The sandboxes of the packaged units, from inside: a probe in the unit's place, under every one of its directives. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Check, expectEqual } from "../checks.ts";
import { DAEMON, type Host, ONESHOT } from "../host.ts";

const PROBE = fileURLToPath(new URL("probe.py", import.meta.url));

interface Sandbox {
  unit: string;
  title: string;
  /** systemd-analyze security: 0 is nothing exposed, 10 is all. */
  exposureLimit: number;
  /** What it is for; all else is refused. */
  allowed: readonly string[];
  /** A file of the unit's own user. */
  ownFile: string;
}

const SANDBOXES: readonly Sandbox[] = [
  {
    unit: DAEMON,
    title: "the service",
    exposureLimit: 1.2,
    allowed: ["read-base-credentials", "write-state", "write-requests", "internet-socket"],
    ownFile: "/var/lib/idc-codedeploy-helper/credentials",
  },
  {
    unit: ONESHOT,
    title: "root's oneshot",
    exposureLimit: 1.0,
    allowed: ["write-agent-config", "write-requests", "write-answers"],
    ownFile: "/run/idc-codedeploy-helper-agent/agent.json",
  },
];

export async function checkSandbox(host: Host, check: Check): Promise<void> {
  const { machine } = host;
  // A process that is neither root's nor ours.
  const stranger = await host.property("dbus.service", "MainPID");
  for (const { unit, title, exposureLimit, allowed, ownFile } of SANDBOXES) {
    await check(`the sandbox of ${title}: refused is all that it is not for`, async () => {
      await machine.write("/opt/probe.py", readFileSync(PROBE, "utf8"));
      const text = await machine.sh(`cat /usr/lib/systemd/system/${unit}`);
      await machine.write("/run/systemd/system/probe.service", inPlaceOf(text, ownFile, stranger));
      const command =
        "mkdir -p /run/probe /srv/open; chmod 0777 /srv/open; systemctl daemon-reload; systemctl start probe.service; cat /run/probe/out";
      const found = answers(await machine.sh(command));
      const passed = [...found].filter(([, answer]) => answer === "allowed").map(([name]) => name);
      expectEqual(passed.join("\n"), [...allowed].join("\n"), "what it may do", [...found].join("\n"));
    });
    await check(`systemd-analyze security of ${unit}: at most ${exposureLimit}`, async () => {
      const { stdout } = await machine.exec("systemd-analyze", "security", "--no-pager", unit);
      const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
      console.log(`      systemd-analyze security: ${exposure}`);
      expectEqual(Number(exposure) <= exposureLimit, true, `whether ${exposure} is at most that`, stdout);
    });
  }
  await check("outside of a sandbox the same probe gets everything", async () => {
    const outside = await machine.sh(
      `PROBE_FILE=/etc/hostname PROBE_PROCESS=${stranger} python3 /opt/probe.py; chown root: /etc/hostname`,
    );
    const refused = [...answers(outside)].filter(([, answer]) => answer !== "allowed");
    expectEqual(refused.join("\n"), "", "what is refused");
    await machine.sh(
      "umount /mnt; rm -r /opt/probe.py /srv/open /run/systemd/system/probe.service; systemctl daemon-reload",
    );
  });
}

/** The unit, with the probe for its program. Its output leaves the sandbox through what systemd opened for it. */
function inPlaceOf(unit: string, ownFile: string, stranger: string): string {
  const dropped =
    /^(Type|ExecStart|ExecStartPre|ExecStopPost|ExecReload|Restart\w*|Watchdog\w*|Timeout\w*|Wants|After|Before)=/;
  const kept = unit.split("\n").filter((line) => !dropped.test(line));
  return `${kept.join("\n").replace(/\[Install\][\s\S]*/, "")}
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /opt/probe.py
StandardOutput=file:/run/probe/out
Environment=PROBE_FILE=${ownFile} PROBE_PROCESS=${stranger}
`;
}

function answers(output: string): Map<string, string> {
  return new Map(
    output.split("\n").flatMap((line): [string, string][] => {
      const [, name, answer] = /^(\S+) (allowed|refused .*)$/.exec(line) ?? [];
      return name && answer ? [[name, answer]] : [];
    }),
  );
}
