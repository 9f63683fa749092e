/** No secret may be found where others can look: streams, log, status, arguments and environments. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { BASE_KEY, type Emulator, OPERATOR_KEY } from "../aws-emulator/emulator.ts";
import { eventually } from "../harness/eventually.ts";
import { openJournalSocket } from "../harness/journal-socket.ts";
import { commandLineOf, descendantsOf, environmentOf } from "../harness/processes.ts";
import { openScene } from "../harness/scene.ts";
import type { ScratchHost } from "../harness/scratch-host.ts";

/** Any eight characters of a secret in a row give it away, so its beginning and its end are looked for. */
function secretsOf(emulator: Emulator): string[] {
  const sessions = emulator.sessions.list();
  const whole = [
    BASE_KEY.secretAccessKey,
    ...sessions.flatMap(({ secretAccessKey, sessionToken }) => [secretAccessKey, sessionToken]),
  ];
  return whole.flatMap((secret) => [secret.slice(0, 16), secret.slice(-16)]);
}

const secretsIn = (text: string, emulator: Emulator) =>
  secretsOf(emulator).filter((secret) => text.includes(secret));

/** Every file of the host but the two that are there to hold secrets. */
function otherFiles(host: ScratchHost): string[] {
  return readdirSync(host.directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== host.credentialsFile && path !== host.baseFile);
}

describe.concurrent("no secret leaves the two files that hold one", () => {
  it.for(["human", "json", "journal"])(
    "not in a %s log at level debug, and not in status",
    async (format, test) => {
      const { emulator, host } = await openScene(test, {
        config: `log: { level: debug, format: ${format} }\n`,
      });
      const journal = openJournalSocket(host.directory);
      test.onTestFinished(() => journal.close());
      const run = host.startRun({}, { prefix: journal.prefix });
      await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
      emulator.faults.set({ kind: "ini-syntax-in-token" });
      process.kill(run.pid, "SIGUSR2");
      await host.waitForStatus(({ failure }) => failure?.kind === "bad_answer", "a bad answer");
      await run.stop();
      const status = await host.command("status", "--json");

      const log = run.log() + JSON.stringify(journal.entries());
      test.expect(log).toMatch(/refresh_succeeded/);
      test.expect(secretsIn(log + status.stdout + status.stderr, emulator)).toEqual([]);
      const leaks = otherFiles(host).filter(
        (path) => secretsIn(readFileSync(path, "latin1"), emulator).length > 0,
      );
      test.expect(leaks).toEqual([]);
      test.expect(statSync(host.credentialsFile).mode & 0o777).toBe(0o600);
      // The check itself finds what is there to be found.
      test.expect(secretsIn(readFileSync(host.credentialsFile, "latin1"), emulator)).not.toEqual([]);
    },
  );

  it.for(["missing-field", "newline-in-token", "ini-syntax-in-token", "wrong-session-arn"] as const)(
    "not when STS answers with %s",
    async (kind, test) => {
      const { emulator, host } = await openScene(test);
      emulator.faults.set({ kind });
      const human = await host.command("refresh");
      const json = await host.command("refresh", "--json");
      test.expect([human.code, json.code]).toEqual([1, 1]);
      test.expect(emulator.sessions.list()).toHaveLength(2);
      test.expect(secretsIn(human.stdout + human.stderr + json.stdout + json.stderr, emulator)).toEqual([]);
    },
  );

  it("not when id and secret were copied the wrong way round, and AWS quotes the id", async (test) => {
    const { host } = await openScene(test);
    const { accessKeyId, secretAccessKey } = BASE_KEY;
    host.writeBaseCredentials({ accessKeyId: secretAccessKey, secretAccessKey: accessKeyId });
    const { code, stdout, stderr } = await host.command("refresh", "--json");
    test.expect([code, JSON.parse(stdout).kind]).toEqual([1, "base_credentials_invalid"]);
    test.expect(stdout).toContain("***");
    test.expect(stdout + stderr).not.toContain(secretAccessKey.slice(0, 12));
  });

  it("not in the arguments or the environment of any process, while a refresh is under way", async (test) => {
    const { emulator, host } = await openScene(test);
    const run = host.startRun();
    await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
    emulator.faults.set({ kind: "slow", delayMs: 1_500 });
    process.kill(run.pid, "SIGUSR2");
    await emulator.requests.waitFor(({ fault }) => fault === "slow");
    const children = await eventually(
      () => {
        const found = descendantsOf(run.pid);
        return found.length > 0 && found;
      },
      () => "no refresh child",
    );
    const seen = [run.pid, ...children].map((pid) => commandLineOf(pid) + environmentOf(pid)).join("\n");
    test.expect(seen).toContain("--resolved-config");
    await host.waitForStatus(
      ({ last_attempt }) => last_attempt?.number === 2 && last_attempt.result === "issued",
      "it",
    );
    test.expect(secretsIn(seen, emulator)).toEqual([]);
  });

  it("not in the environment of the host's tools, where an operator has theirs in their own", async (test) => {
    const { host } = await openScene(test);
    const bin = join(host.directory, "bin");
    const inherited = join(host.directory, "inherited");
    mkdirSync(bin);
    const flock = `#!/bin/sh\nenv >>'${inherited}'\nPATH=\${PATH#*:} exec flock "$@"\n`;
    writeFileSync(join(bin, "flock"), flock, { mode: 0o755 });
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      AWS_ACCESS_KEY_ID: OPERATOR_KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: OPERATOR_KEY.secretAccessKey,
      HTTPS_PROXY: "http://me:pa55word@127.0.0.1:9",
      NO_PROXY: "127.0.0.1",
    };
    test.expect((await host.start(["refresh"], { env }).result).code).toBe(0);
    const seen = readFileSync(inherited, "utf8");
    test.expect(seen).toContain("PATH=");
    test.expect(seen).not.toMatch(/AWS_SECRET|pa55word/);
  });

  it("not in a core file: there is none, though the shell allows it", async (test) => {
    const { host } = await openScene(test);
    const allowing = ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"];
    const run = host.startRun({}, { prefix: allowing });
    await host.waitForStatus(({ state }) => state === "fresh", "the first credentials");
    test.expect(readFileSync(`/proc/${run.pid}/limits`, "utf8")).toMatch(/^Max core file size +0 /m);
  });
});
