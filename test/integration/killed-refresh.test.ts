/** `refresh` killed at any moment: the file is whole, and what the killed one left is cleaned by the next. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import type { Emulator } from "../aws-emulator/emulator.ts";
import { openScene } from "../harness/scene.ts";
import type { ScratchHost } from "../harness/scratch-host.ts";

/** In each of several hosts side by side, so that the moments are spread under load as well. */
const HOSTS = [1, 2, 3, 4, 5];
const KILLS = 10;
/** A refresh lasts about as long on an idle machine. */
const LIFE_MS = 350;

function isOneOfAws(host: ScratchHost, emulator: Emulator): boolean {
  const file = readFileSync(host.credentialsFile, "utf8");
  return emulator.sessions.list().some(({ accessKeyId, secretAccessKey, sessionToken }) => {
    return (
      file ===
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\naws_session_token = ${sessionToken}\n`
    );
  });
}

const leftovers = ({ stateDir }: ScratchHost) =>
  readdirSync(stateDir).filter((name) => name.includes(".tmp."));

describe.concurrent("a killed refresh", () => {
  it.for(HOSTS)(`${KILLS} times at random moments never leaves half a file (host %i)`, async (_, test) => {
    const { emulator, host } = await openScene(test);
    await host.command("refresh");
    for (let n = 0; n < KILLS; n += 1) {
      const refresh = host.start(["refresh"]);
      await sleep(Math.random() * LIFE_MS);
      refresh.process.kill("SIGKILL");
      await refresh.result;
      test.expect(isOneOfAws(host, emulator)).toBe(true);
    }
    test.expect((await host.command("refresh")).code).toBe(0);
    test.expect(isOneOfAws(host, emulator)).toBe(true);
    test.expect(leftovers(host)).toEqual([]);
  });

  it("leaves temporary files, which the next refresh removes", async (test) => {
    const { emulator, host } = await openScene(test);
    emulator.faults.set({ kind: "slow", delayMs: 60_000, times: 1 });
    const refresh = host.start(["refresh"]);
    await emulator.requests.waitFor(({ fault }) => fault === "slow");
    refresh.process.kill("SIGKILL");
    await refresh.result;
    test.expect(leftovers(host)).toHaveLength(1);
    // As one that is killed while it writes its record leaves it.
    writeFileSync(join(host.stateDir, ".refresh.json.tmp.1.0123456789ab"), "{");
    test.expect((await host.command("refresh")).code).toBe(0);
    test.expect(leftovers(host)).toEqual([]);
  });
});
