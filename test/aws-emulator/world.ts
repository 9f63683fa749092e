/** Everything that the emulated account holds; operations read and change it. */
import type { SimulatedClock } from "./clock.ts";
import { Directory } from "./identity/directory.ts";
import { seedDirectory } from "./identity/seed.ts";
import { InstanceRegistry } from "./services/codedeploy/instance-registry.ts";
import { EventQueue } from "./services/commands/event-queue.ts";
import { BucketStore } from "./services/s3/buckets.ts";
import { StsQuota } from "./services/sts/quota.ts";
import type { Settings } from "./settings.ts";
import { defaultSettings } from "./settings.ts";

export interface World {
  readonly clock: SimulatedClock;
  readonly events: EventQueue;
  readonly stsQuota: StsQuota;
  directory: Directory;
  instances: InstanceRegistry;
  buckets: BucketStore;
  settings: Settings;
}

export function createWorld(clock: SimulatedClock, account: string): World {
  return {
    clock,
    events: new EventQueue(),
    stsQuota: new StsQuota(),
    ...freshAccount(account),
    settings: defaultSettings(),
  };
}

/** Back to the seeded account, in place: whoever holds the world sees it. */
export function resetWorld(world: World): void {
  world.events.clear();
  Object.assign(world, freshAccount(world.directory.account), { settings: defaultSettings() });
}

function freshAccount(account: string): Pick<World, "directory" | "instances" | "buckets"> {
  const directory = new Directory(account);
  seedDirectory(directory);
  return { directory, instances: new InstanceRegistry(), buckets: new BucketStore() };
}
