/** `--serial auto`: a name for the hardware, in the characters that AWS takes. */
import { describe, expect, it } from "vitest";
import type { Machine } from "../../../src/host/machine.ts";
import { deriveSerial } from "../../../src/registration/serial.ts";

const MACHINE: Machine = {
  productSerial: null,
  rejectedSerial: null,
  productUuid: null,
  machineId: "4c1f7b0e9d3a45f1a6e2c8d05b7f9e13",
};
const derived = (changes: Partial<Machine>) => deriveSerial({ ...MACHINE, ...changes });

describe("deriveSerial", () => {
  it.each([
    ["7XK2Q93", "7XK2Q93"],
    ["CZ 3001 ABCD", "CZ3001ABCD"],
    ["AB/12#34", "AB-12-34"],
    ["/12#", "12"],
    ["VMware-42 1c 5e 0d 9a 77 31 c4-8f 02 6b d5 10 e3 aa 94", "VMware-421c5e0d9a7731c4-8f026bd510e3aa94"],
  ])("makes %j the name %j", (productSerial, serial) => {
    const { serial: made, explanation } = derived({ productSerial });
    expect(made).toBe(serial);
    expect(explanation.includes("without what AWS does not take")).toBe(serial !== productSerial);
  });

  it.each(["i-0abc", "###", "x".repeat(65)])("falls back where %j makes no name", (productSerial) =>
    expect(derived({ productSerial })).toEqual({
      serial: "machine-4c1f7b0e9d3a45f1",
      explanation: `from the machine id (/etc/machine-id), because its product serial "${productSerial}" does not make a name that AWS takes; it changes when the system is installed anew`,
    }),
  );

  it("says so where there is no product serial at all", () =>
    expect(derived({}).explanation).toContain("because /sys/class/dmi/id/product_serial has none"));

  it("gives up where nothing names the machine", () =>
    expect(() => derived({ machineId: null })).toThrow(
      "no serial can be derived: /sys/class/dmi/id/product_serial has none, and /etc/machine-id has no machine id",
    ));
});
