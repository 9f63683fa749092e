/** Who exists in the emulated account: users with keys, roles, and the sessions that roles were assumed for. */

/** One allowed action on one resource; `*` in either stands for any run of characters. */
export interface Grant {
  readonly action: string;
  readonly resource: string;
}

export interface User {
  readonly kind: "user";
  readonly name: string;
  readonly arn: string;
  readonly userId: string;
  readonly grants: readonly Grant[];
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
  /** ARNs that the trust policy names: users, sessions, roles (for their sessions), or the account's root. */
  readonly trusts: readonly string[];
  readonly grants: readonly Grant[];
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
  readonly grants: readonly Grant[];
}

export type Principal = User | Session;
