/** Standard error that takes nothing: the command does its work all the same, and its exit status says so. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { openScene } from "../harness/scene.ts";

/** Each prints the command's exit status instead of what the command prints. */
const SINKS = {
  "a full disk": '"$@" >/dev/null 2>/dev/full; echo $?',
  "a pipe that nobody reads": '{ { sleep 1; "$@"; echo $? >&3; } 2>&1 >/dev/null | true; } 3>&1',
};

describe.concurrent("sync-agent, whose warnings cannot be written", () => {
  it.for(Object.entries(SINKS))("to %s, mends the agent's config", async ([, script], test) => {
    const { host } = await openScene(test);
    const config = join(host.agentDirectory, "codedeploy.onpremises.yml");
    writeFileSync(config, "region: x\n");
    const { stdout } = await host.start(["sync-agent"], { prefix: ["sh", "-c", script, "sh"] }).result;
    test.expect(stdout).toBe("0\n");
    test.expect(readFileSync(config, "utf8")).toContain("ap-northeast-2");
  });
});
