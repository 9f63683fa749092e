/** An answer of STS, or of something in its place, before anything may use it. */
import { describe, expect, test } from "vitest";
import { checkAnswer, type UncheckedAnswer } from "../../../src/credentials/session.ts";
import { Failure } from "../../../src/failure.ts";
import { SESSION } from "./samples.ts";

const now = new Date("2026-11-22T10:00:00Z");
const sessionArn = "arn:aws:sts::123456789012:assumed-role/Role/SN-1";
const GOOD: UncheckedAnswer = { ...SESSION, expiration: new Date("2026-11-22T11:00:00.5Z"), sessionArn };

function refusal(changes: Partial<UncheckedAnswer>): Failure {
  try {
    checkAnswer({ ...GOOD, ...changes }, { sessionArn, now });
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error("it was accepted");
}

test("a good answer is used as it is", () => {
  expect(checkAnswer(GOOD, { sessionArn, now })).toEqual({
    credentials: SESSION,
    sessionArn,
    issuedAt: now,
    expiresAt: GOOD.expiration,
  });
});

test.each([300, 4_000, 8_192])("a token of %s characters is used", (length) => {
  const sessionToken = "aB3/+=".repeat(2_000).slice(0, length);
  expect(checkAnswer({ ...GOOD, sessionToken }, { sessionArn, now }).credentials.sessionToken).toBe(
    sessionToken,
  );
});

const FIELDS = [
  ["AccessKeyId", "accessKeyId"],
  ["SecretAccessKey", "secretAccessKey"],
  ["SessionToken", "sessionToken"],
] as const;

describe.each(FIELDS)("a bad %s is refused by name, and never repeated", (name, field) => {
  test.each([
    ["a newline", "geheim\nx"],
    ["a carriage return", "geheim\rx"],
    ["a null byte", "geheim\0x"],
    ["an escape", "geheim\x1b[0m"],
    ["a delete", "geheim\x7f"],
    ["a double quote", '"geheim"'],
    ["a single quote", "'geheim'"],
    ["a backquote", "`geheim`"],
    ["a backslash", "geheim\\n"],
    ["a semicolon", "geheim;x"],
    ["a hash", "geheim#x"],
    ["a bracket", "[geheim]"],
    ["a space", "geheim x"],
    ["a space at the end", "geheim "],
    ["a tab", "geheim\tx"],
    ["a no-break space", "geheim\u00a0x"],
    ["a line separator", "geheim\u2028x"],
    ["a zero-width space", "geheim\u200bx"],
    ["a right-to-left override", "geheim\u202ex"],
    ["an accent", "gehéim"],
    ["Hangul", "geheim시"],
    ["an emoji", "geheim😀"],
    ["a lone surrogate", "geheim\ud800"],
  ])("%s", (_, value) => {
    const { kind, message, nextStep } = refusal({ [field]: value });
    expect(kind).toBe("bad_answer");
    expect(message).toBe(
      `the answer of STS was not used: its ${name} holds a character that would break the credentials file`,
    );
    expect(`${message} ${nextStep}`).not.toMatch(/geh/);
  });

  test("that is too long", () => {
    const { kind, message } = refusal({ [field]: "geheim".repeat(2_000) });
    expect({ kind, message }).toEqual({
      kind: "bad_answer",
      message: `the answer of STS was not used: its ${name} is 12000 characters long`,
    });
  });

  test.each([undefined, ""])("that is %j", (value) => {
    expect(refusal({ [field]: value })).toMatchObject({
      kind: "bad_answer",
      message: `the answer of STS was not used: it has no ${name}`,
    });
  });
});

describe("an answer is not used", () => {
  const CASES: [string, Partial<UncheckedAnswer>, string][] = [
    ["without an expiry", { expiration: undefined }, "it has no Expiration"],
    ["with an expiry that is no date", { expiration: new Date("soon") }, "its Expiration is no date"],
    [
      "that has expired",
      { expiration: new Date("2026-11-22T09:59:59Z") },
      "2026-11-22T09:59:59.000Z, has already passed",
    ],
    ["that expires at this moment", { expiration: now }, "has already passed"],
    ["without a session", { sessionArn: undefined }, "it has no AssumedRoleUser.Arn"],
    [
      "for another host",
      { sessionArn: `${sessionArn}2` },
      `its session is ${sessionArn}2, but ${sessionArn} was expected`,
    ],
    [
      "for another role",
      { sessionArn: sessionArn.replace("/Role/", "/Admin/") },
      "assumed-role/Admin/SN-1, but",
    ],
    ["for a session in other letters", { sessionArn: sessionArn.toUpperCase() }, "was expected"],
  ];
  test.each(CASES)("%s", (_, changes, message) => {
    const failure = refusal(changes);
    expect(failure.kind).toBe("bad_answer");
    expect(failure.message).toContain(message);
    for (const secret of Object.values(SESSION)) expect(failure.message).not.toContain(secret);
  });

  test("and an ARN that is no text of one line is shown as one, cut", () => {
    const { message } = refusal({ sessionArn: `a\n<6>forged\x1b[0m${"x".repeat(10_000)}` });
    expect(message).toContain("its session is a?<6>forged?[0mxxx");
    expect(message.length).toBeLessThan(400);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });
});
