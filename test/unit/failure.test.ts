/** How the system's errors are named to a person. */
import { describe, expect, test } from "vitest";
import { errorCode, errorText } from "../../src/failure.ts";

/** As Node throws them for what libuv has no name for. */
function unnamed(errno: number, call: string): Error {
  const name = `Unknown system error -${errno}`;
  return Object.assign(new Error(`${name}: ${name}, ${call}`), { code: name, errno: -errno });
}

describe("a system error", () => {
  test("that libuv has no name for gets the kernel's: a used-up quota is not unknown", () => {
    const error = unnamed(122, "write '/var/lib/x'");
    expect([errorCode(error), errorText(error)]).toEqual(["EDQUOT", "EDQUOT, write '/var/lib/x'"]);
  });

  test("that has no name anywhere stays as it is", () => {
    const error = unnamed(4_000, "write");
    expect([errorCode(error), errorText(error)]).toEqual(["Unknown system error -4000", error.message]);
  });

  test("that has a name keeps it", () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    expect([errorCode(error), errorText(error)]).toEqual(["ENOSPC", error.message]);
  });
});
