/**
 * On-premises instances by region and name. A deregistered one stays on the list, and its name stays taken,
 * until the time set for it has passed (FACTS, AWS).
 */
import { plusMs } from "../../clock.ts";

export interface InstanceTag {
  readonly Key: string;
  readonly Value: string;
}

export interface OnPremisesInstance {
  readonly region: string;
  readonly name: string;
  readonly arn: string;
  readonly iamSessionArn: string | null;
  readonly iamUserArn: string | null;
  readonly registeredAt: Date;
  readonly deregisteredAt: Date | null;
  readonly tags: readonly InstanceTag[];
}

export class InstanceRegistry {
  readonly #instances = new Map<string, OnPremisesInstance>();

  put(instance: OnPremisesInstance): void {
    this.#instances.set(keyOf(instance.region, instance.name), instance);
  }

  remove(region: string, name: string): boolean {
    return this.#instances.delete(keyOf(region, name));
  }

  find(region: string, name: string): OnPremisesInstance | undefined {
    return this.#instances.get(keyOf(region, name));
  }

  findRegistered(region: string, name: string): OnPremisesInstance | undefined {
    const instance = this.find(region, name);
    return instance?.deregisteredAt === null ? instance : undefined;
  }

  /** The registered instance of this session or user ARN. */
  findByIamArn(region: string, iamArn: string): OnPremisesInstance | undefined {
    return this.inRegion(region).find(
      ({ deregisteredAt, iamSessionArn, iamUserArn }) =>
        deregisteredAt === null && (iamSessionArn === iamArn || iamUserArn === iamArn),
    );
  }

  inRegion(region: string): OnPremisesInstance[] {
    return this.all().filter((instance) => instance.region === region);
  }

  all(): OnPremisesInstance[] {
    return [...this.#instances.values()].toSorted((left, right) => left.name.localeCompare(right.name));
  }

  /** Forgets instances deregistered so long ago that their names are free again. */
  forgetDeregistered(now: Date, blockedMs: number): void {
    for (const [key, { deregisteredAt }] of this.#instances)
      if (deregisteredAt !== null && plusMs(deregisteredAt, blockedMs) <= now) this.#instances.delete(key);
  }
}

function keyOf(region: string, name: string): string {
  return `${region}/${name}`;
}
