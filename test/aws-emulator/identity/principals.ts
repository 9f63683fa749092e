/** Who exists in the emulated account: users with keys, roles, and the sessions that roles were assumed for. */
import type { PermissionPolicy, TrustPolicy } from "./policy/document.ts";

export interface User {
  readonly kind: "user";
  readonly name: string;
  readonly arn: string;
  readonly userId: string;
  readonly policies: readonly PermissionPolicy[];
}

/** Long-lived keys do not expire in AWS; "expired" stands for base credentials that came from elsewhere. */
export type KeyState = "active" | "expired" | "invalid";

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userName: string;
  readonly state: KeyState;
}

export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly roleId: string;
  readonly maxSessionDurationSeconds: number;
  readonly trustPolicy: TrustPolicy;
  readonly policies: readonly PermissionPolicy[];
}

export interface Session {
  readonly kind: "session";
  readonly arn: string;
  readonly roleArn: string;
  /** `AROA…:session-name`, which is AssumedRoleId and GetCallerIdentity's UserId. */
  readonly userId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Session tags. All of ours are transitive: they go on into sessions of roles that this one assumes. */
  readonly tags: Readonly<Record<string, string>>;
  /** Once set, it goes on likewise. */
  readonly sourceIdentity: string | null;
}

export type Principal = User | Session;
