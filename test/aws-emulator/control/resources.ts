/**
 * What tests do to the emulator and ask of it: the typed half of the control API. `routes.ts` gives the same
 * over HTTP.
 */
import type { Fault, FaultSpec } from "../faults/fault.ts";
import type { RoleSpec, UserSpec } from "../identity/directory.ts";
import type { KeyState, Role, Session, User } from "../identity/principals.ts";
import type { RolesAnywhereSpec } from "../identity/roles-anywhere.ts";
import type { Outage } from "../records/outage-log.ts";
import type { RequestRecord } from "../records/request-log.ts";
import type { OnPremisesInstance } from "../services/codedeploy/instance-registry.ts";
import type { EventSpec, EventState, LifecycleEvent } from "../services/commands/lifecycle-event.ts";
import type { Bucket, BucketSpec } from "../services/s3/buckets.ts";
import type { Settings, SettingsChange } from "../settings.ts";

export interface InstanceSpec {
  readonly name: string;
  readonly region: string;
  readonly iamSessionArn: string;
}

export interface Resources {
  readonly faults: {
    set(spec: FaultSpec): Fault;
    list(): Fault[];
    /** Ends one fault, or all. */
    clear(id?: number): void;
  };
  readonly keys: {
    /** "expired" answers ExpiredToken, "invalid" InvalidClientTokenId, until "active" again. */
    setState(accessKeyId: string, state: KeyState): void;
  };
  readonly requests: {
    list(): RequestRecord[];
    clear(): void;
    /** The first record, old or new, that satisfies the predicate; asked again when a record changes. */
    waitFor(predicate: (record: RequestRecord) => boolean, timeoutMs?: number): Promise<RequestRecord>;
  };
  readonly outages: {
    list(): Outage[];
    stsReachable(at: Date): boolean;
  };
  readonly events: {
    queue(spec: EventSpec): LifecycleEvent;
    list(): LifecycleEvent[];
    get(id: string): LifecycleEvent | undefined;
    /** Resolves when the event is in one of the states; default: succeeded or failed. */
    waitFor(id: string, states?: readonly EventState[], timeoutMs?: number): Promise<LifecycleEvent>;
  };
  readonly instances: {
    list(): OnPremisesInstance[];
    /** Registers without the service's checks, as if done long ago. */
    put(spec: InstanceSpec): OnPremisesInstance;
    /** Forgets the instance; its name is free at once. */
    remove(region: string, name: string): boolean;
  };
  readonly users: { list(): User[]; put(spec: UserSpec): User; remove(name: string): void };
  readonly roles: { list(): Role[]; put(spec: RoleSpec): Role; remove(name: string): void };
  readonly sessions: { list(): Session[] };
  readonly rolesAnywhere: {
    /** What its credential helper gets for a certificate; throws AccessDenied where the role trusts it not. */
    createSession(spec: RolesAnywhereSpec): Session;
  };
  readonly buckets: { list(): Bucket[]; put(spec: BucketSpec): Bucket; remove(name: string): boolean };
  readonly settings: { get(): Settings; change(change: SettingsChange): Settings };
  /** Refuses connections to the service ports, for good or for so many real milliseconds. */
  down(forMs?: number): Promise<void>;
  up(): Promise<void>;
  /** The seeded account, no faults, no records, ports open. */
  reset(): Promise<void>;
}
