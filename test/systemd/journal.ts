/** What an operator finds in the journal: fields to search by, the problems alone, each event explained. */
import { MESSAGE_IDS } from "../../src/report/message-ids.ts";
import { disagreements, documentedEvents } from "../harness/event-docs.ts";
import { type Check, expectEqual, expectMatch, expectNoMatch } from "./checks.ts";
import { DAEMON, type Host, ONESHOT } from "./host.ts";
import { until } from "./until.ts";

type Entry = Readonly<Record<string, string>>;

/** Short-lived, so that journald may look a sender up that has ended: how often that may be tried. */
const ONESHOT_RUNS = 20;
/** journalctl takes a translation for a locale that the host has: here C's under another name, in Debian's place. */
const MAKE_KOREAN_LOCALE = "cp -r /usr/lib/locale/C.utf8 /usr/lib/locale/ko_KR.utf8";
const CREDENTIALS = "/var/lib/idc-codedeploy-helper/credentials";
const IN_KOREAN = ["env", "-u", "LC_ALL", "LANG=ko_KR.UTF-8"];

export async function checkJournal(host: Host, check: Check): Promise<void> {
  const { machine } = host;
  const entries = async (...matches: string[]): Promise<Entry[]> => {
    const options = ["--no-pager", "--all", "--output=json", ...matches];
    const { stdout } = await machine.exec("journalctl", ...options);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Entry);
  };
  const ofRun = async () => `_SYSTEMD_INVOCATION_ID=${await host.property(DAEMON, "InvocationID")}`;
  const waitFor = async (...matches: string[]): Promise<Entry> =>
    until(
      async () => (await entries(await ofRun(), ...matches)).at(-1),
      async () => `nothing of ${matches} in the journal:\n${await host.journal(DAEMON)}`,
    );
  const explained = async (event: string, ...prefix: string[]) => {
    const command = [...prefix, "journalctl", "--no-pager", "-x", "-n", "1", `IDC_EVENT=${event}`];
    return (await machine.run(command)).stdout;
  };

  const cursor = await machine.sh("journalctl --lines=0 --show-cursor");
  const sinceBeginning = `--after-cursor=${cursor.replace(/^-- cursor: /, "")}`;

  await check("both catalogs are taken by journalctl without a word", async () => {
    const { code, output } = await machine.exec("journalctl", "--update-catalog");
    expectEqual(`${code} ${output}`, "0 ", "status and output of journalctl --update-catalog");
  });

  await check("every event has its text in English and in Korean", async () => {
    await machine.sh(MAKE_KOREAN_LOCALE);
    const ids = Object.values(MESSAGE_IDS);
    const dump = ["journalctl", "--dump-catalog", ...ids];
    const english = (await machine.exec(...dump)).stdout;
    const korean = (await machine.run([...IN_KOREAN, ...dump])).stdout;
    for (const text of [english, korean]) {
      expectEqual(
        text.match(/^Defined-By: idc-codedeploy-helper$/gm)?.length,
        ids.length,
        "the texts' number",
      );
    }
    expectNoMatch(english, /\p{Script=Hangul}/u, "the English texts");
    const subjects = korean.match(/^Subject: .*\p{Script=Hangul}.*$/gmu);
    expectEqual(subjects?.length, ids.length, "the Korean subjects' number", korean);
  });

  await check("journalctl IDC_EVENT= finds an event, with its fields, under the service's unit", async () => {
    await host.writeConfig();
    await machine.sh(`systemctl stop ${DAEMON}; rm -f ${CREDENTIALS}; systemctl start ${DAEMON}`);
    const entry = await waitFor("IDC_EVENT=refresh_succeeded");
    expectEqual(entry._SYSTEMD_UNIT, DAEMON, "_SYSTEMD_UNIT");
    expectEqual(entry._TRANSPORT, "journal", "_TRANSPORT");
    expectEqual(entry.PRIORITY, "6", "PRIORITY");
    expectMatch(entry.IDC_EXPIRES_AT ?? "", /^\d{4}-\d\d-\d\dT/, "IDC_EXPIRES_AT");
  });

  await check("a failure is found by its kind", async () => {
    const fault = host.emulator.faults.set({ kind: "deny" });
    await machine.sh(`systemctl kill --signal=USR2 --kill-who=main ${DAEMON}`);
    const entry = await waitFor("IDC_EVENT=refresh_failed", "IDC_FAILURE_KIND=denied");
    host.emulator.faults.clear(fault.id);
    expectEqual(entry.PRIORITY, "4", "PRIORITY");
    expectMatch(entry.MESSAGE ?? "", /^refresh_failed kind=denied message="AWS denies AssumeRole/, "MESSAGE");
  });

  await check("journalctl -x explains it, with the failure's kind in the subject", async () => {
    const text = await explained("refresh_failed");
    expectMatch(text, /Subject: Credentials could not be renewed: denied$/m, "journalctl -x");
    expectMatch(text, /Everything at once: idc-helper doctor$/m, "journalctl -x");
  });

  await check("and does so in Korean where that is the language", async () => {
    const text = await explained("refresh_failed", ...IN_KOREAN);
    expectMatch(text, /Subject: 자격 증명을 갱신하지 못했습니다: denied$/m, "journalctl -x");
    expectMatch(text, /한 번에 모두 점검: idc-helper doctor$/m, "journalctl -x");
  });

  await check("an error of several lines is whole in its field", async () => {
    await host.writeConfig("session_duration: for ever\nschedule: never\n");
    await machine.sh(`systemctl reload ${DAEMON}`);
    const { PRIORITY, MESSAGE = "", IDC_MESSAGE = "" } = await waitFor("IDC_EVENT=config_rejected");
    await host.writeConfig();
    expectEqual(PRIORITY, "3", "PRIORITY");
    expectNoMatch(MESSAGE, /\n/, "MESSAGE");
    expectMatch(IDC_MESSAGE, /session_duration.*\n[\s\S]*schedule/, "IDC_MESSAGE");
  });

  await check("journalctl -p warning shows exactly the problems", async () => {
    const problems = await entries(await ofRun(), "--priority=warning");
    const found = [...new Set(problems.map(({ IDC_EVENT }) => IDC_EVENT))];
    const all = await entries(await ofRun());
    const wanted = all.filter(({ PRIORITY }) => Number(PRIORITY) <= 4).map(({ IDC_EVENT }) => IDC_EVENT);
    expectEqual(found.join(), [...new Set(wanted)].join(), "the problems");
    expectMatch(found.join(), /refresh_failed.*config_rejected/, "the problems");
    expectNoMatch(found.join(), /started|succeeded|reloaded|undefined/, "the problems");
  });

  await check("the last words of a service that is stopped are its unit's", async () => {
    const run = await ofRun();
    await machine.sh(`systemctl stop ${DAEMON}`);
    const last = (await entries(run)).filter(({ IDC_EVENT }) => IDC_EVENT !== undefined).at(-1);
    expectEqual(last?.IDC_EVENT, "stopped", "the last event");
    expectEqual(last?._SYSTEMD_UNIT, DAEMON, "_SYSTEMD_UNIT");
  });

  await check(
    `what root's oneshot mends is in the journal, ${ONESHOT_RUNS} times of ${ONESHOT_RUNS}`,
    async () => {
      await host.request();
      const before = (await entries("IDC_EVENT=agent_config_repaired", "IDC_KEY=region")).length;
      for (let run = 0; run < ONESHOT_RUNS; run += 1) {
        await host.breakAgentConfig();
        await host.request();
      }
      const found = (await entries("IDC_EVENT=agent_config_repaired", "IDC_KEY=region")).slice(before);
      expectEqual(found.length, ONESHOT_RUNS, "the number of agent_config_repaired");
      const units = found.map(({ _SYSTEMD_UNIT }) => _SYSTEMD_UNIT);
      expectEqual(
        units.filter((unit) => unit === ONESHOT).length,
        ONESHOT_RUNS,
        "those under its unit",
        units.join(),
      );
    },
  );

  await check("every entry has the fields that docs/events.md says", async () => {
    const documented = documentedEvents();
    const ours = await entries(sinceBeginning, "SYSLOG_IDENTIFIER=idc-helper");
    const faults = ours
      .filter(({ IDC_EVENT }) => IDC_EVENT !== undefined)
      .flatMap((entry) => disagreements(entry, documented));
    expectEqual([...new Set(faults)].join("; "), "", "what differs");
    const others = ours.filter(({ IDC_EVENT }) => IDC_EVENT === undefined).map(({ MESSAGE }) => MESSAGE);
    expectEqual(others.join("\n"), "", "lines without an event");
  });

  await check("a service that cannot reach the journal's socket is heard all the same", async () => {
    const drop = `/run/systemd/system/${DAEMON}.d/no-journal.conf`;
    await machine.write(drop, "[Service]\nInaccessiblePaths=/run/systemd/journal/socket\n");
    await host.writeConfig("odd_key: 1\n");
    await machine.sh(`systemctl daemon-reload; systemctl restart ${DAEMON}`);
    const heard = await until(
      async () => {
        const found = await entries(await ofRun(), "_TRANSPORT=stdout");
        return found.some(({ MESSAGE = "" }) => MESSAGE.startsWith("config_unknown_key ")) && found;
      },
      () => host.journal(DAEMON),
    );
    const events = heard.map(({ PRIORITY, MESSAGE = "" }) => `${PRIORITY} ${MESSAGE.split(" ")[0]}`);
    expectEqual(events.slice(0, 2).join(), "6 started,4 config_unknown_key", "the first events");
    await host.writeConfig();
    await machine.sh(`rm ${drop}; systemctl daemon-reload; systemctl stop ${DAEMON}`);
  });
}
