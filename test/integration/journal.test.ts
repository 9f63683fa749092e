/** What journald gets from the service: entries with fields, on a real socket at its usual place. */
import { describe, type ExpectStatic, it } from "vitest";
import { disagreements, documentedEvents } from "../harness/event-docs.ts";
import { openJournalSocket, withoutJournal } from "../harness/journal-socket.ts";
import { openScene, type TestContext } from "../harness/scene.ts";

/** Standard error is the journal's, as systemd says it. */
const CONNECTED = ["sh", "-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"', "sh"];

const documented = documentedEvents();

/** Every entry is held against docs/events.md at the test's end. */
async function openJournaled(
  test: TestContext & { expect: ExpectStatic },
  config = "log: { level: debug, format: journal }\n",
) {
  const scene = await openScene(test, { config });
  const journal = openJournalSocket(scene.host.directory);
  test.onTestFinished(async () => {
    journal.close();
    test.expect(journal.entries().flatMap((entry) => disagreements(entry, documented))).toEqual([]);
  });
  const start = (env: NodeJS.ProcessEnv = {}, prefix: readonly string[] = []) =>
    scene.host.startRun(env, { prefix: [...journal.prefix, ...prefix] });
  return { ...scene, journal, start };
}

describe.concurrent("the journal gets", () => {
  it("each event with its fields, and standard error nothing", async (test) => {
    const { journal, start } = await openJournaled(test);
    const run = start();
    const started = await journal.waitFor("started");
    test.expect(started).toMatchObject({
      PRIORITY: "6",
      SYSLOG_IDENTIFIER: "idc-helper",
      MESSAGE_ID: test.expect.stringMatching(/^[0-9a-f]{32}$/),
      IDC_SERIAL: "serial-ABCDEFG",
      IDC_PID: String(run.pid),
    });
    test.expect(started.MESSAGE).toMatch(/^started version=\S+ serial=serial-ABCDEFG config=/);
    const succeeded = await journal.waitFor("refresh_succeeded");
    test.expect(succeeded.IDC_EXPIRES_AT).toMatch(/^\d{4}-\d\d-\d\dT/);
    test.expect(succeeded.MESSAGE_ID).not.toBe(started.MESSAGE_ID);
    await run.stop();
    test.expect(run.log()).toBe("");
  });

  it("a failed refresh as a warning with the failure's kind", async (test) => {
    const { journal, start, emulator } = await openJournaled(test);
    emulator.faults.set({ kind: "deny" });
    start();
    test.expect(await journal.waitFor("refresh_failed")).toMatchObject({
      PRIORITY: "4",
      IDC_FAILURE_KIND: "denied",
      IDC_FAILURES: "1",
      IDC_NEXT_STEP: test.expect.stringMatching(/./),
      MESSAGE: test.expect.stringMatching(/^refresh_failed kind=denied message="/),
    });
  });

  it("a message of several lines whole, and a line of it to read", async (test) => {
    const { journal, start, host } = await openJournaled(test);
    const run = start();
    await journal.waitFor("refresh_succeeded");
    host.addConfig("session_duration: for ever\nschedule: never\n");
    process.kill(run.pid, "SIGHUP");
    const { MESSAGE, IDC_MESSAGE = "", PRIORITY } = await journal.waitFor("config_rejected");
    test.expect(PRIORITY).toBe("3");
    test.expect(IDC_MESSAGE.split("\n").length).toBeGreaterThan(1);
    test.expect(IDC_MESSAGE).toMatch(/session_duration[\s\S]*schedule/);
    test.expect(MESSAGE).not.toContain("\n");
    test.expect(MESSAGE).toContain(JSON.stringify(IDC_MESSAGE));
  });

  it("the last words of a service that ends", async (test) => {
    const { journal, start } = await openJournaled(test);
    const run = start();
    await journal.waitFor("refresh_succeeded");
    test.expect(await run.stop()).toBe(0);
    await journal.waitFor("stopped");
    test.expect(journal.events().at(-1)).toBe("stopped");
  });

  it("the words of a root oneshot, which ends at once", async (test) => {
    const { journal, host } = await openJournaled(test);
    const { result } = host.start(["sync-agent"], { prefix: journal.prefix });
    test.expect((await result).stderr).toBe("");
    await journal.waitFor("agent_config_repaired");
    const keys = journal.entries().map(({ IDC_KEY }) => IDC_KEY);
    test.expect(keys).toEqual(["iam_session_arn", "aws_credentials_file", "region"]);
  });

  it("what systemd has connected to it, with log.format auto", async (test) => {
    const { journal, start } = await openJournaled(test, "");
    const run = start({}, CONNECTED);
    await journal.waitFor("refresh_succeeded");
    await run.stop();
    test.expect(run.log()).toBe("");
  });
});

describe.concurrent("standard error gets, and the journal does not,", () => {
  it("what a person reads, where the variable of another stream was inherited", async (test) => {
    const { journal, start } = await openJournaled(test, "");
    const run = start({ JOURNAL_STREAM: "8:1" });
    await run.waitForLog("refresh_succeeded");
    test.expect(run.log()).toMatch(/^\d\d:\d\d:\d\d INFO {2}started /m);
    test.expect(journal.entries()).toEqual([]);
  });

  it("lines with the priority before them where the journal is not reachable", async (test) => {
    const { host } = await openScene(test, { config: "log: { format: journal }\n" });
    const run = host.startRun({}, { prefix: withoutJournal(host.directory) });
    await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
    await run.stop();
    const heads = run
      .log()
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")[0]);
    test.expect(heads[0]).toBe("<6>started");
    test.expect(heads).toContain("<6>refresh_succeeded");
    test.expect(heads.at(-1)).toBe("<6>stopped");
  });
});
