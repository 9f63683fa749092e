/** The account's users, keys, roles and sessions. Authentication reads it, AssumeRole adds sessions to it. */
import { randomId } from "./generated.ts";
import type { PermissionPolicy, PermissionPolicyInput, TrustPolicyInput } from "./policy/document.ts";
import { permissionPolicySchema, trustPolicySchema } from "./policy/document.ts";
import type { AccessKey, KeyState, Principal, Role, Session, User } from "./principals.ts";

export interface UserSpec {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly policies?: readonly PermissionPolicyInput[] | undefined;
}

export interface RoleSpec {
  readonly name: string;
  /** Begins and ends with a slash; default `/`. */
  readonly path?: string | undefined;
  readonly maxSessionDurationSeconds?: number | undefined;
  readonly trustPolicy: TrustPolicyInput;
  readonly policies?: readonly PermissionPolicyInput[] | undefined;
}

export class Directory {
  readonly account: string;
  readonly #users = new Map<string, User>();
  readonly #keys = new Map<string, AccessKey>();
  readonly #roles = new Map<string, Role>();
  readonly #sessions = new Map<string, Session>();

  constructor(account: string) {
    this.account = account;
  }

  /**
   * Creates the user with its key, or replaces it; a known key keeps its place, not its state.
   *
   * @throws ZodError at a policy that could not be evaluated
   */
  putUser(spec: UserSpec): User {
    const { name, accessKeyId, secretAccessKey } = spec;
    const policies = parsePolicies(spec.policies);
    const arn = `arn:aws:iam::${this.account}:user/${name}`;
    const userId = this.#users.get(name)?.userId ?? randomId("AIDA");
    const user: User = { kind: "user", name, arn, userId, policies };
    this.#users.set(name, user);
    this.#keys.set(accessKeyId, { accessKeyId, secretAccessKey, userName: name, state: "active" });
    return user;
  }

  removeUser(name: string): void {
    this.#users.delete(name);
    for (const key of this.#keys.values()) if (key.userName === name) this.#keys.delete(key.accessKeyId);
  }

  users(): User[] {
    return [...this.#users.values()];
  }

  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  key(accessKeyId: string): AccessKey | undefined {
    return this.#keys.get(accessKeyId);
  }

  setKeyState(accessKeyId: string, state: KeyState): void {
    const key = this.#keys.get(accessKeyId);
    if (key === undefined) throw new RangeError(`no such access key: ${accessKeyId}`);
    this.#keys.set(accessKeyId, { ...key, state });
  }

  putRole(spec: RoleSpec): Role {
    const { name, path = "/", maxSessionDurationSeconds = 3600 } = spec;
    const policies = parsePolicies(spec.policies);
    const trustPolicy = trustPolicySchema.parse(spec.trustPolicy);
    const arn = `arn:aws:iam::${this.account}:role${path}${name}`;
    const roleId = this.#roles.get(name)?.roleId ?? randomId("AROA");
    const role: Role = { name, arn, roleId, maxSessionDurationSeconds, trustPolicy, policies };
    this.#roles.set(name, role);
    return role;
  }

  removeRole(name: string): void {
    this.#roles.delete(name);
  }

  roles(): Role[] {
    return [...this.#roles.values()];
  }

  roleByArn(arn: string): Role | undefined {
    return this.roles().find((role) => role.arn === arn);
  }

  /** As they are now: a changed policy counts for the sessions that are under way. */
  policiesOf(principal: Principal): readonly PermissionPolicy[] {
    if (principal.kind === "user") return this.#users.get(principal.name)?.policies ?? [];
    return this.roleByArn(principal.roleArn)?.policies ?? [];
  }

  addSession(session: Session): void {
    this.#sessions.set(session.accessKeyId, session);
  }

  session(accessKeyId: string): Session | undefined {
    return this.#sessions.get(accessKeyId);
  }

  sessions(): Session[] {
    return [...this.#sessions.values()];
  }
}

function parsePolicies(policies: readonly PermissionPolicyInput[] = []): PermissionPolicy[] {
  return policies.map((policy) => permissionPolicySchema.parse(policy));
}
