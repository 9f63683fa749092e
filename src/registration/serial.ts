/**
 * Which serial `--serial auto` stands for. It becomes role session name and instance name, and cannot be changed
 * later without deregistering, so it names the hardware.
 */

import { DMI_DIRECTORY, MACHINE_ID_FILE } from "../config/paths.ts";
import { isSerial } from "../config/schema.ts";
import { Failure } from "../failure.ts";
import type { Machine } from "../host/machine.ts";

export interface DerivedSerial {
  serial: string;
  /** Where it comes from, and why not from somewhere better. */
  explanation: string;
}

/** The first characters of a machine id that are used: 64 bits, so no two hosts share them. */
const MACHINE_ID_CHARACTERS = 16;

/** @throws Failure `host_not_ready` when nothing on this host names it */
export function deriveSerial({ productSerial, rejectedSerial, machineId }: Machine): DerivedSerial {
  if (productSerial !== null) {
    // Vendors put spaces and slashes in; AWS takes neither.
    const serial = productSerial
      .replaceAll(/\s+/g, "")
      .replaceAll(/[^A-Za-z0-9_+=,.@-]+/g, "-")
      .replaceAll(/^-+|-+$/g, "");
    if (isSerial(serial)) {
      const changed = serial === productSerial ? "" : `, "${productSerial}", without what AWS does not take`;
      return { serial, explanation: `the product serial of this machine (DMI)${changed}` };
    }
  }
  const why =
    rejectedSerial !== null
      ? `its product serial says "${rejectedSerial}", which names nothing`
      : productSerial !== null
        ? `its product serial "${productSerial}" does not make a name that AWS takes`
        : `${DMI_DIRECTORY}/product_serial has none`;
  if (machineId !== null) {
    return {
      serial: `machine-${machineId.slice(0, MACHINE_ID_CHARACTERS)}`,
      explanation: `from the machine id (${MACHINE_ID_FILE}), because ${why}; it changes when the system is installed anew`,
    };
  }
  throw new Failure({
    kind: "host_not_ready",
    message: `no serial can be derived: ${why}, and ${MACHINE_ID_FILE} has no machine id`,
    nextStep: "Give one that names the hardware, such as an asset number: --serial ASSET-000123",
  });
}
