/**
 * What the SDKs under today's programs do with a call that fails, as shipped and with no setting of anybody's. boto3 and
 * Ruby are measured against the real ones (today-check.ts).
 */
import type { Nonsense, StsReply } from "./sts.ts";

export interface SdkHabits {
  /** All told. */
  attempts: number;
  connectLimitMs: number;
  readLimitMs: number;
  /** Before the n-th repetition, n from 0. @param random from 0 to 1 */
  delayMs(repetition: number, random: number): number;
  /** Whether a refused time in the signature is tried again, though with the same clock. */
  repeatsWrongTime: boolean;
  /** What the program around it writes down without looking. */
  believes: readonly Nonsense[];
}

/** botocore, retry mode "legacy", its default. */
export const BOTOCORE: SdkHabits = {
  attempts: 5,
  connectLimitMs: 60_000,
  readLimitMs: 60_000,
  delayMs: (repetition, random) => random * 1_000 * 2 ** repetition,
  repeatsWrongTime: false,
  believes: ["no-expiration", "other-session", "expired"],
};

/** aws-sdk-core for Ruby, retry mode "legacy", its default: it corrects the clock in the other modes only. */
export const RUBY_SDK: SdkHabits = {
  attempts: 4,
  connectLimitMs: 15_000,
  readLimitMs: 60_000,
  delayMs: (repetition) => 300 * 2 ** repetition,
  repeatsWrongTime: true,
  believes: ["no-token", "no-expiration", "other-session", "expired"],
};

/** aws_signing_helper ends at its first failure (its pull request 91); its time limit is a guess that is kind to it. */
export const SIGNING_HELPER: SdkHabits = {
  attempts: 1,
  connectLimitMs: 20_000,
  readLimitMs: 20_000,
  delayMs: () => 0,
  repeatsWrongTime: false,
  believes: [],
};

/** Of what is no session: whether the SDK asks again by itself. */
export function isRepeated(habits: SdkHabits, reply: StsReply): boolean {
  if (reply.kind === "cut" || reply.kind === "silence") return true;
  if (reply.kind !== "error") return false;
  if (reply.code === "RequestTimeTooSkewed") return habits.repeatsWrongTime;
  return reply.status >= 500 || reply.code === "Throttling";
}
