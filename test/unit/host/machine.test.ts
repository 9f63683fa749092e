/** What tells a machine from another, and what vendors leave where a serial should be. */
import { describe, expect, it } from "vitest";
import { differenceOf, fingerprint, isJunk, type Machine } from "../../../src/host/machine.ts";

const JUNK = [
  "To be filled by O.E.M.",
  "To Be Filled By O.E.M.",
  "TO BE FILLED BY THE VENDOR",
  "Filled by OEM",
  "O.E.M.",
  "OEM",
  "Not Specified",
  "Not Applicable",
  "Not Available",
  "Not Set",
  "Not Provided",
  "N/A",
  "n.a.",
  "NA",
  "None",
  "NULL",
  "nil",
  "Empty",
  "Unknown",
  "undefined",
  "Default",
  "Default string",
  "System Serial Number",
  "Serial Number",
  "Chassis Serial Number",
  "BaseBoard Serial Number",
  "Product Serial Number",
  "SerNum",
  "S/N",
  "INVALID",
  "Test",
  "TBD",
  "No data",
  "0",
  "00",
  "00000000",
  "0000-0000-0000",
  "FFFFFFFF",
  "XXXXXXX",
  "xxxxxxxxxx",
  "1111111",
  "..........",
  "-",
  " ",
  "",
  "1234567",
  "12345678",
  "123456789",
  "1234567890",
  "012345678",
  "0123456789",
  "0123456789ABCDEF",
  "00000000-0000-0000-0000-000000000000",
  "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
  "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
  "03000200-0400-0500-0006-000700080009",
  "12345678-1234-5678-90AB-CDDEEFAABBCC",
];

const GOOD = [
  "VMware-42 1c 5e 0d 9a 77 31 c4-8f 02 6b d5 10 e3 aa 94",
  "7XK2Q93",
  "CZ3001ABCD",
  "ec2e1916-9099-7caf-fd21-012345abcdef",
  "0d5e1c42-779a-c431-8f02-6bd510e3aa94",
  "None-1",
  "100",
];

const MACHINE: Machine = {
  productSerial: "7XK2Q93",
  productUuid: "0d5e1c42-779a-c431-8f02-6bd510e3aa94",
  machineId: "4c1f7b0e9d3a45f1a6e2c8d05b7f9e13",
  rejectedSerial: null,
};
const prints = (changes: Partial<Machine> = {}) => fingerprint({ ...MACHINE, ...changes });

describe("isJunk", () => {
  it.each(JUNK)("takes %j for no serial", (value) => expect(isJunk(value)).toBe(true));
  it.each(GOOD)("takes %j for one", (value) => expect(isJunk(value)).toBe(false));
});

describe("fingerprint", () => {
  it("keeps nothing that could be read back", () => {
    const text = JSON.stringify(prints());
    for (const value of [MACHINE.productSerial, MACHINE.productUuid, MACHINE.machineId])
      expect(text).not.toContain(value ?? "?");
    expect(prints({ productSerial: null }).productSerial).toBeNull();
  });
});

describe("differenceOf", () => {
  const UNKNOWN = { productUuid: null, productSerial: null };

  it("knows the machine again", () => expect(differenceOf(prints(), prints())).toBeNull());

  it("sees another UUID, whatever else is the same", () =>
    expect(differenceOf(prints(), prints({ productUuid: "11111111-2222-3333-4444-555555555555" }))).toBe(
      "hardware",
    ));

  it("takes a serial that a firmware update has corrected for no difference", () =>
    expect(differenceOf(prints(), prints({ productSerial: "7XK2Q94" }))).toBeNull());

  it("goes by the serial where there is no UUID", () => {
    const before = prints({ productUuid: null });
    expect(differenceOf(before, prints({ productSerial: "OTHER-1" }))).toBe("hardware");
    expect(differenceOf(before, prints())).toBeNull();
  });

  it("takes a system that was set up anew on the same hardware for the same host", () =>
    expect(differenceOf(prints(), prints({ machineId: `${"f".repeat(31)}0` }))).toBeNull());

  it("goes by the machine id where the hardware cannot be compared", () => {
    const other = prints({ ...UNKNOWN, machineId: `${"f".repeat(31)}0` });
    expect(differenceOf(prints(UNKNOWN), other)).toBe("machine id");
    expect(differenceOf(prints(), prints(UNKNOWN))).toBeNull();
  });

  it("takes what cannot be read for no difference", () => {
    const nothing = prints({ ...UNKNOWN, machineId: null });
    expect(differenceOf(nothing, prints())).toBeNull();
    expect(differenceOf(prints(), nothing)).toBeNull();
  });
});
