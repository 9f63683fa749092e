/**
 * What tells this machine from another: its hardware's identity as the firmware gives it (DMI), and the machine id
 * of its operating system.
 *
 * A clone of a virtual machine carries our files, serial included, and would take its twin's deployments (FACTS); its
 * hypervisor gives it another DMI identity. What cannot be read is null, and null is never a difference.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DMI_DIRECTORY, MACHINE_ID_FILE } from "../config/paths.ts";
import { readKernelFile } from "./kernel-file.ts";

export interface Machine {
  /** The serial that the vendor gave the machine; null where it is junk, unreadable or not there. */
  productSerial: string | null;
  /** Lower case. */
  productUuid: string | null;
  machineId: string | null;
  /** Why the serial is not usable: what was found there instead. */
  rejectedSerial: string | null;
}

/** What is kept of a machine to know it again: nothing that names it to others (machine-id(5) asks not to show it). */
export interface MachineFingerprint {
  productUuid: string | null;
  productSerial: string | null;
  machineId: string | null;
}

export function readMachine(): Machine {
  const serial = readLine(join(DMI_DIRECTORY, "product_serial"));
  const uuid = readLine(join(DMI_DIRECTORY, "product_uuid"))?.toLowerCase() ?? null;
  const machineId = readLine(MACHINE_ID_FILE);
  return {
    productSerial: serial === null || isJunk(serial) ? null : serial,
    rejectedSerial: serial !== null && isJunk(serial) ? serial : null,
    productUuid: uuid === null || isJunk(uuid) ? null : uuid,
    machineId: machineId !== null && /^[0-9a-f]{32}$/.test(machineId) ? machineId : null,
  };
}

/** What vendors leave where nobody filled in a serial; lower case, without spaces and punctuation. */
const JUNK = new Set(
  `tobefilledbyoem tobefilledbythevendor tobefilled filledbyoem oem notspecified notapplicable notavailable notset na
  none null nil empty unknown undefined default defaultstring systemserialnumber serialnumber serial sernum
  productserialnumber chassisserialnumber baseboardserialnumber 0123456789 1234567890 123456789 12345678 1234567
  012345678 0123456789abcdef 123456789abcdef test invalid unfilled notprovided nodata tbd tba oemserial systemserial sn
  03000200040005000006000700080009 00020003000400050006000700080009 12345678123456789012345678901234
  12345678123456780123456789abcdef 123456781234567890abcddeefaabbcc`.split(/\s+/),
);

/** Of text or a UUID: placeholders, and runs of one character or one pair, such as all zeros or `fefefefe…`. */
export function isJunk(value: string): boolean {
  const bare = value.toLowerCase().replace(/[^a-z0-9]/g, "");
  return bare.length < 3 || JUNK.has(bare) || /^(?:(.)\1*|(..)\2{7,})$/.test(bare);
}

export function fingerprint({ productUuid, productSerial, machineId }: Machine): MachineFingerprint {
  return {
    productUuid: hashed(productUuid),
    productSerial: hashed(productSerial),
    machineId: hashed(machineId),
  };
}

/**
 * Hardware tells first. Only where it cannot be compared does the operating system's id: a system that was set up
 * anew on the same hardware is the same host.
 *
 * @returns which part differs, or null for the same machine, or one of which nothing can be compared
 */
export function differenceOf(
  recorded: MachineFingerprint,
  current: MachineFingerprint,
): "hardware" | "machine id" | null {
  const comparable = (["productUuid", "productSerial"] as const).filter(
    (key) => recorded[key] !== null && current[key] !== null,
  );
  if (comparable.length > 0) {
    // A UUID decides by itself: a serial may have been corrected by a firmware update.
    return comparable[0] !== undefined && recorded[comparable[0]] !== current[comparable[0]]
      ? "hardware"
      : null;
  }
  const isOther =
    recorded.machineId !== null && current.machineId !== null && recorded.machineId !== current.machineId;
  return isOther ? "machine id" : null;
}

function hashed(value: string | null): string | null {
  return value === null ? null : createHash("sha256").update(`idc-codedeploy-helper ${value}`).digest("hex");
}

/** Serial and UUID are root's to read (0400), unless our tmpfiles rule has let the service's group do so. */
function readLine(path: string): string | null {
  return readKernelFile(path, { maxBytes: 4_096 }) || null;
}
