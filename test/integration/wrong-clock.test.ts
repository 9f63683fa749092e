/** A host whose clock is off by more than AWS takes a signature for. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "vitest";
import type { RefreshRecord } from "../../src/credentials/record.ts";
import { openScene } from "../harness/scene.ts";
import { ScratchHost } from "../harness/scratch-host.ts";

describe.concurrent("a clock that is off by more than five minutes", () => {
  it.for([
    ["behind AWS's", 3_600, "1 h behind AWS's"],
    ["ahead of AWS's", -9 * 3_600, "9 h ahead of AWS's"],
  ] as const)("%s costs no refresh: it is signed by AWS's, with a warning", async ([, ahead, told], test) => {
    const { expect } = test;
    const { emulator, host } = await openScene(test);
    emulator.faults.set({ kind: "clock-wrong", clockAheadSeconds: ahead });
    const { code, stdout } = await host.command("refresh", "--json");
    expect(code).toBe(0);
    const { warnings } = JSON.parse(stdout);
    expect(warnings).toMatchObject([{ code: "clock_skew", message: expect.stringContaining(told) }]);
    // How long it lasts is told by AWS's clock alone.
    const record: RefreshRecord = JSON.parse(readFileSync(join(host.stateDir, "refresh.json"), "utf8"));
    const lastsS = (record.expiresBootMs - record.issuedBootMs) / 1_000;
    expect(lastsS).toBeGreaterThan(3_590);
    expect(lastsS).toBeLessThanOrEqual(3_602);
    expect(emulator.requests.list().filter(({ action }) => action === "AssumeRole")).toHaveLength(2);
  });

  it("is named when AWS refuses its own time as well, and nobody is asked a third time", async (test) => {
    const { expect } = test;
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.writeHead(403, { "content-type": "text/xml" });
      response.end(
        "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z</Message></Error></ErrorResponse>",
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = new ScratchHost({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    test.onTestFinished(async () => {
      await host.close();
      server.close();
    });
    const { code, stdout } = await host.command("refresh", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ result: "failed", kind: "clock_off" });
    expect(requests).toBe(2);
  });
});
