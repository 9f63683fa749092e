/** A session of a role, with credentials that really expire. */
import { plusMs } from "../clock.ts";
import type { World } from "../world.ts";
import { randomSecret } from "./canary.ts";
import { randomId } from "./generated.ts";
import type { Role, Session } from "./principals.ts";
import { createSessionToken } from "./session-token.ts";

export interface NewSession extends Pick<Session, "tags" | "sourceIdentity"> {
  readonly role: Role;
  readonly now: Date;
  readonly name: string;
  readonly durationSeconds: number;
}

/** The role's path is not part of the session's ARN (FACTS, AWS). */
export function openSession(
  world: World,
  { role, now, name, durationSeconds, ...rest }: NewSession,
): Session {
  return {
    kind: "session",
    arn: `arn:aws:sts::${world.directory.account}:assumed-role/${role.name}/${name}`,
    roleArn: role.arn,
    userId: `${role.roleId}:${name}`,
    accessKeyId: randomId("ASIA"),
    secretAccessKey: randomSecret("session key"),
    sessionToken: createSessionToken(world.settings.sessionToken),
    issuedAt: now,
    expiresAt: expiry(plusMs(now, world.clock.realMs(durationSeconds * 1000)), world),
    ...rest,
  };
}

/** Rounded to what Expiration can say, so that the session ends exactly then. */
function expiry(instant: Date, world: World): Date {
  if (hasFractions(world)) return instant;
  return new Date(Math.ceil(instant.getTime() / 1000) * 1000);
}

/** Under a time factor a second is minutes long, so whole seconds would distort the session's length. */
export function hasFractions({ settings, clock }: World): boolean {
  return settings.fractionalExpiration || clock.factor !== 1;
}
