/**
 * What tests may change about the emulated account while it runs. All durations are simulated: the emulator's
 * time factor divides them.
 */
import { z } from "zod";

export const settingsSchema = z.strictObject({
  /** Give `Expiration` with milliseconds, as STS sometimes does (FACTS, AWS). */
  fractionalExpiration: z.boolean().default(false),
  sessionToken: z
    .strictObject({
      length: z.int().min(300).max(4000).default(724),
      /** What the token ends in; base64 padding is what breaks careless INI writers. */
      ending: z.enum(["", "=", "=="]).default("=="),
      /** Each of these occurs in the token at least once. */
      contains: z.string().max(20).default("/+"),
    })
    .prefault({}),
  /** Only registered session ARNs may poll. */
  requireRegistration: z.boolean().default(true),
  /** How long a poll without a command is held; about a minute (issue 69 of the agent, in its logs). */
  pollHoldMs: z.number().min(0).default(60_000),
  /** A command handed out but never acknowledged is handed out again after this. */
  redeliverAfterMs: z.number().min(1).default(60_000),
  /** How long a deregistered instance name stays taken; hours, says FACTS. */
  deregisteredNameBlockedMs: z
    .number()
    .min(0)
    .default(24 * 3_600_000),
  /**
   * How far a client's clock may be off, in real time: five minutes (FACTS, AWS). More stands in for SDKs that
   * correct for a skewed clock, which the stand-in agent does not.
   */
  allowedClockSkewMs: z.number().min(0).default(300_000),
  /** The account's quota of STS requests, in real time (600 in life: FACTS, AWS); null for none. */
  stsRequestsPerSecond: z.number().positive().nullable().default(null),
  /** Names in one page of ListOnPremisesInstances. */
  listPageSize: z.int().min(1).default(100),
  /** Regions whose credential scope is accepted; null for every well-formed one. */
  regions: z.array(z.string()).nullable().default(null),
});

export type Settings = z.infer<typeof settingsSchema>;
export type SettingsChange = z.input<typeof settingsSchema>;

export function defaultSettings(): Settings {
  return settingsSchema.parse({});
}

/** Settings with some of them changed; unknown or unsuitable ones throw. */
export function changeSettings(current: Settings, change: SettingsChange): Settings {
  const sessionToken = { ...current.sessionToken, ...change.sessionToken };
  return settingsSchema.parse({ ...current, ...change, sessionToken });
}
