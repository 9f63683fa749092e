/** The control API at work on a running emulator. */
import type { Gateway } from "../gateway.ts";
import { createRolesAnywhereSession } from "../identity/roles-anywhere.ts";
import { waitForItem } from "../records/wait.ts";
import type { OnPremisesInstance } from "../services/codedeploy/instance-registry.ts";
import { changeSettings } from "../settings.ts";
import { resetWorld } from "../world.ts";
import type { InstanceSpec, Resources } from "./resources.ts";

/** Generous: no test should be decided by how fast the machine is. */
const DEFAULT_WAIT_MS = 30_000;

export interface ServicePorts {
  open(): Promise<void>;
  close(): Promise<void>;
}

export function createResources(gateway: Gateway, ports: ServicePorts): Resources {
  const { world, faults, requests, outages } = gateway;
  let pendingUp: NodeJS.Timeout | undefined;

  const up = async (): Promise<void> => {
    clearTimeout(pendingUp);
    await ports.open();
    outages.end("down");
  };

  return {
    faults,
    keys: {
      setState(accessKeyId, state) {
        world.directory.setKeyState(accessKeyId, state);
        const cause = `key ${accessKeyId}`;
        if (state === "active") outages.end(cause);
        else outages.begin(cause, "sts");
      },
    },
    requests: {
      list: () => requests.list(),
      clear: () => requests.clear(),
      waitFor: (predicate, timeoutMs = DEFAULT_WAIT_MS) =>
        waitForItem({
          known: requests.list(),
          changes: requests.changes,
          predicate,
          timeoutMs,
          what: "a request",
        }),
    },
    outages: { list: () => outages.list(), stsReachable: (at) => outages.isReachable("sts", at) },
    events: {
      queue: (spec) => world.events.add(spec, world.directory.account),
      list: () => world.events.all(),
      get: (id) => world.events.get(id),
      waitFor: (id, states = ["succeeded", "failed"], timeoutMs = DEFAULT_WAIT_MS) =>
        waitForItem({
          known: world.events.all(),
          changes: world.events.changes,
          predicate: (event) => event.id === id && states.includes(event.state),
          timeoutMs,
          what: `the lifecycle event to be ${states.join(" or ")}`,
        }),
    },
    instances: {
      list: () => world.instances.all(),
      put(spec) {
        const instance = instanceFrom(spec, world.directory.account);
        world.instances.put(instance);
        return instance;
      },
      remove: (region, name) => world.instances.remove(region, name),
    },
    users: {
      list: () => world.directory.users(),
      put: (spec) => world.directory.putUser(spec),
      remove: (name) => world.directory.removeUser(name),
    },
    roles: {
      list: () => world.directory.roles(),
      put: (spec) => world.directory.putRole(spec),
      remove: (name) => world.directory.removeRole(name),
    },
    sessions: { list: () => world.directory.sessions() },
    rolesAnywhere: { createSession: (spec) => createRolesAnywhereSession(world, spec) },
    buckets: {
      list: () => world.buckets.list(),
      put: (spec) => world.buckets.put(spec),
      remove: (name) => world.buckets.remove(name),
    },
    settings: {
      get: () => world.settings,
      change(change) {
        world.settings = changeSettings(world.settings, change);
        return world.settings;
      },
    },
    async down(forMs) {
      clearTimeout(pendingUp);
      outages.begin("down", null);
      await ports.close();
      if (forMs !== undefined) pendingUp = setTimeout(() => void up(), forMs);
    },
    up,
    async reset() {
      await up();
      faults.clear();
      resetWorld(world);
      requests.clear();
      outages.clear();
    },
  };
}

function instanceFrom({ name, region, iamSessionArn }: InstanceSpec, account: string): OnPremisesInstance {
  return {
    region,
    name,
    arn: `arn:aws:codedeploy:${region}:${account}:instance/${name}_0123456789`,
    iamSessionArn,
    iamUserArn: null,
    registeredAt: new Date(),
    deregisteredAt: null,
    tags: [],
  };
}
