/**
 * Is this the machine that was registered? A clone has its twin's serial and would take its deployments, so it gets
 * no credentials.
 */
import { registrationFile } from "../config/paths.ts";
import { Failure } from "../failure.ts";
import { differenceOf, fingerprint, readMachine } from "../host/machine.ts";
import { type Registration, readUsableRegistration } from "./record.ts";

/** @returns what differs, or null where nothing does or nothing can be compared */
export function differenceFromRegistered({ machine }: Registration): "hardware" | "machine id" | null {
  return differenceOf(machine, fingerprint(readMachine()));
}

/**
 * A record that cannot be read is no proof of a clone: credentials matter more.
 *
 * @throws Failure `cloned_machine`
 */
export async function refuseOnClone(configFile: string): Promise<void> {
  const registration = await readUsableRegistration(configFile);
  if (registration === null) return;
  const difference = differenceFromRegistered(registration);
  if (difference !== null) throw clonedMachine(configFile, registration, difference);
}

export function clonedMachine(
  configFile: string,
  { serial, region }: Registration,
  difference: "hardware" | "machine id",
): Failure {
  const what = difference === "hardware" ? "hardware (DMI)" : "machine id";
  return new Failure({
    kind: "cloned_machine",
    message: `this machine is not the one that was registered as ${serial}: its ${what} differs from what ${registrationFile(configFile)} recorded. A clone would take its twin's deployments`,
    nextStep: `If it is a clone, give it a name of its own: idc-helper register --replace --serial NEW-SERIAL --region ${region} --role-arn ARN. If it is the same host with new hardware: idc-helper register --same-host --serial ${serial} --region ${region} --role-arn ARN`,
  });
}
