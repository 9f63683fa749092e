/**
 * Session credentials: what AssumeRole gives, and what must be true of them before anything may use them.
 */
import { Failure } from "../failure.ts";

export interface SessionCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

export interface IssuedSession {
  credentials: SessionCredentials;
  sessionArn: string;
  issuedAt: Date;
  expiresAt: Date;
}

/** An AssumeRole answer as it arrived: nothing about it is taken for granted. */
export interface UncheckedAnswer {
  accessKeyId: string | undefined;
  secretAccessKey: string | undefined;
  sessionToken: string | undefined;
  expiration: Date | undefined;
  sessionArn: string | undefined;
}

/**
 * No real credential holds one of these, and the readers of the file take them amiss: the Ruby SDK starts a
 * comment at ` ;`, none of them strips quotes (FACTS). So such a value is refused, never escaped.
 */
const BREAKS_THE_FILE = /[\p{Cc}\p{Cf}\s"'`;\\[\]#]|[^\x21-\x7e]/u;
const LONGEST_VALUE = 8_192;

export interface Expectation {
  sessionArn: string;
  /** The instant of the answer, on the clock that `expiration` is compared with. */
  now: Date;
}

/** @throws Failure `bad_answer` naming the field, never its value */
export function checkAnswer(answer: UncheckedAnswer, { sessionArn, now }: Expectation): IssuedSession {
  const credentials = {
    accessKeyId: field("AccessKeyId", answer.accessKeyId),
    secretAccessKey: field("SecretAccessKey", answer.secretAccessKey),
    sessionToken: field("SessionToken", answer.sessionToken),
  };
  const expiresAt = answer.expiration;
  if (expiresAt === undefined) throw badAnswer("it has no Expiration");
  if (Number.isNaN(expiresAt.getTime())) throw badAnswer("its Expiration is no date");
  if (expiresAt <= now) throw badAnswer(`its Expiration, ${expiresAt.toISOString()}, has already passed`);
  if (answer.sessionArn === undefined) throw badAnswer("it has no AssumedRoleUser.Arn");
  if (answer.sessionArn !== sessionArn) {
    throw badAnswer(`its session is ${printable(answer.sessionArn)}, but ${sessionArn} was expected`);
  }
  return { credentials, sessionArn, issuedAt: now, expiresAt };
}

/** Whether a value may stand in the file as it is. */
export function isPlainValue(value: string): boolean {
  return value !== "" && value.length <= LONGEST_VALUE && !BREAKS_THE_FILE.test(value);
}

function field(name: string, value: string | undefined): string {
  if (value === undefined || value === "") throw badAnswer(`it has no ${name}`);
  if (value.length > LONGEST_VALUE) throw badAnswer(`its ${name} is ${value.length} characters long`);
  if (BREAKS_THE_FILE.test(value)) {
    throw badAnswer(`its ${name} holds a character that would break the credentials file`);
  }
  return value;
}

function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, "?");
}

function badAnswer(what: string): Failure {
  return new Failure({
    kind: "bad_answer",
    message: `the answer of STS was not used: ${what}`,
    nextStep: "See what answers in place of STS: the proxy, or endpoints.sts in the configuration.",
  });
}
