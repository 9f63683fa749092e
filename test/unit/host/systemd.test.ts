/** What systemctl prints, read. */
import { describe, expect, it } from "vitest";
import { parseProperties, systemctlMessage } from "../../../src/host/systemd.ts";

describe("parseProperties", () => {
  it("reads values that hold an equals sign, and passes over what is none", () =>
    expect([...parseProperties("LoadState=loaded\nEnvironment=A=1 B=2\n\nnonsense\nUser=")]).toEqual([
      ["LoadState", "loaded"],
      ["Environment", "A=1 B=2"],
      ["User", ""],
    ]));
});

describe("systemctlMessage", () => {
  it("leaves out the line that only repeats the command", () =>
    expect(systemctlMessage(new Error("Command failed: systemctl start x\nUnit x not found.\n"))).toBe(
      "Unit x not found.",
    ));
});
