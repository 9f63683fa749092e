/** `idc-helper doctor` on a healthy host: everything passes, for root and as far as an unprivileged user sees. */
import { describe, it } from "vitest";
import { openHealthyHost } from "./doctor-host.ts";

describe("doctor on a healthy host", () => {
  it("passes every check", async (test) => {
    const { examine } = await openHealthyHost(test);
    const answer = await examine();
    test.expect(answer.troubles).toEqual({});
    test.expect(answer.verdict).toBe("OK");
    test.expect(answer.code).toBe(0);
  });
});
