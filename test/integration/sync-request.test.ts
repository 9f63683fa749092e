/** The request file, which the service's user may write: whatever lies there is taken away and harms nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import type { SyncAnswer } from "../../src/agent/exchange.ts";
import { openScene } from "../harness/scene.ts";
import type { ScratchHost } from "../harness/scratch-host.ts";

const requestOf = ({ agentRuntimeDir }: ScratchHost) => join(agentRuntimeDir, "requests", "sync");

const answerOf = ({ agentRuntimeDir }: ScratchHost): SyncAnswer =>
  JSON.parse(readFileSync(join(agentRuntimeDir, "agent.json"), "utf8"));

const PLANTED: { what: string; plant: (path: string, host: ScratchHost) => void }[] = [
  {
    what: "a link to somebody's file",
    plant: (path, host) => {
      writeFileSync(join(host.directory, "precious"), '{"id":"through-the-link","credentialsSince":null}');
      symlinkSync(join(host.directory, "precious"), path);
    },
  },
  { what: "a link to nowhere", plant: (path) => symlinkSync("/nonexistent/file", path) },
  { what: "a link to a device", plant: (path) => symlinkSync("/dev/zero", path) },
  { what: "a FIFO that nobody writes to", plant: (path) => void execFileSync("mkfifo", [path]) },
  { what: "an empty directory", plant: (path) => void mkdirSync(path) },
  {
    what: "a directory with a file in it",
    plant: (path) => void mkdirSync(join(path, "inner"), { recursive: true }),
  },
  { what: "no JSON", plant: (path) => writeFileSync(path, "\0\u0001{{{") },
  { what: "JSON of another shape", plant: (path) => writeFileSync(path, '[{"id":1}]') },
  { what: "an id that is none", plant: (path) => writeFileSync(path, '{"id":"../../etc/passwd\\n"}') },
  { what: "ten megabytes", plant: (path) => writeFileSync(path, Buffer.alloc(10_000_000, "x")) },
  { what: "nothing", plant: (path) => writeFileSync(path, "") },
];

describe.concurrent("the request to root", () => {
  it("is answered with its own id", async (test) => {
    const { host } = await openScene(test);
    const request = { id: "4d1f0a52-0000-4000-8000-000000000001", credentialsSince: null };
    writeFileSync(requestOf(host), JSON.stringify(request));
    const { code, stdout } = await host.command("sync-agent");
    test.expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    test.expect(answerOf(host)).toMatchObject({ id: request.id, agent: { state: "stopped" } });
    test.expect(existsSync(requestOf(host))).toBe(false);
  });

  it("is not needed: typed by an operator, it answers on the terminal", async (test) => {
    const { host } = await openScene(test);
    const { code, stdout } = await host.command("sync-agent");
    test.expect(code).toBe(0);
    test.expect(stdout).toMatch(/^Agent {4}.*stopped/);
    test.expect(answerOf(host).id).toBeNull();
  });

  it.for(PLANTED)(
    "may be $what: it is taken away, and the agent's config is kept all the same",
    async ({ plant }, test) => {
      const { host } = await openScene(test);
      const path = requestOf(host);
      plant(path, host);
      const { code, stderr } = await host.command("sync-agent");
      test.expect(code).toBe(0);
      test.expect(stderr).not.toContain("unexpectedly");
      test.expect(existsSync(path)).toBe(false);
      test.expect(answerOf(host)).toMatchObject({ id: null, config: { state: "repaired" } });
      const precious = join(host.directory, "precious");
      if (existsSync(precious)) test.expect(readFileSync(precious, "utf8")).toContain("through-the-link");
    },
  );
});
