/** When the stand-in agent reads its credentials again: FACTS' measurements, and what follows from the SDK's source. */
import { describe, expect, test } from "vitest";
import {
  CredentialHolder,
  CredentialsUnreadable,
  type HeldCredentials,
  type Reading,
} from "../../agent/credential-holder.ts";

const START = 1_700_000_000;
const credentials = (name: string): HeldCredentials => ({
  accessKeyId: name,
  secretAccessKey: "secret",
  sessionToken: "token",
});
const read = (name: string): Reading => ({ kind: "read", credentials: credentials(name) });

/** A holder on a file that the test rewrites, with a count of the reads. */
function holderOn(first: Reading) {
  const file = { reading: first, reads: 0 };
  const holder = new CredentialHolder(() => {
    file.reads++;
    return file.reading;
  });
  return { file, holder };
}

/** Seconds of true time after the first read at which a poll each `pollSeconds` reads again. */
function nextReadAfter(pollSeconds: number, wallClock: (trueSeconds: number) => number): number {
  const { file, holder } = holderOn(read("first"));
  holder.refresh(wallClock(0));
  for (let at = pollSeconds; at < 100_000; at += pollSeconds) {
    holder.credentials(wallClock(at));
    if (file.reads > 1) return at;
  }
  throw new Error("never read again");
}

describe("the next read", () => {
  test.each([
    ["a clock that runs true, a poll a second", 1, 0, 1501],
    ["a clock that runs true, a poll a minute", 60, 0, 1560],
    ["a clock stepped back by 600 s (FACTS: 2,160 s)", 60, -600, 2160],
    ["a clock stepped back by nine hours (FACTS: 33,960 s)", 60, -32_400, 33_960],
    ["a clock stepped forward by an hour", 60, 3600, 60],
    ["a clock stepped forward by 1,000 s", 60, 1000, 540],
  ])("%s", (_, pollSeconds, stepSeconds, expected) => {
    const wallClock = (at: number) => START + at + (at === 0 ? 0 : stepSeconds);
    expect(nextReadAfter(pollSeconds, wallClock)).toBe(expected);
  });

  test.each([
    ["1,500 s later it is not due", 1500, false],
    ["1,500.9 s later it is still not due: whole seconds count", 1500.9, false],
    ["1,501 s later it is", 1501, true],
  ])("%s", (_, laterSeconds, due) => {
    const { holder } = holderOn(read("first"));
    holder.refresh(START);
    expect(holder.isDue(START + laterSeconds)).toBe(due);
  });

  test("reckons from the whole second of the last read, not from its fraction", () => {
    const { holder } = holderOn(read("first"));
    holder.refresh(START + 0.9);
    expect(holder.isDue(START + 1501)).toBe(true);
  });
});

describe("the copy it holds", () => {
  test("is the old one until a read is due, whatever happens to the file", () => {
    const { file, holder } = holderOn(read("old"));
    holder.refresh(START);
    file.reading = read("new");
    expect(holder.credentials(START + 1500)).toEqual(credentials("old"));
    expect(holder.credentials(START + 1501)).toEqual(credentials("new"));
    expect(file.reads).toBe(2);
  });

  test("is renewed at once when the service has refused it", () => {
    const { file, holder } = holderOn(read("old"));
    holder.refresh(START);
    file.reading = read("new");
    expect(holder.refresh(START + 10)).toEqual(credentials("new"));
    expect(holder.isDue(START + 1510)).toBe(false);
  });

  test("survives a failed read, which each further request tries again", () => {
    const { file, holder } = holderOn(read("old"));
    holder.refresh(START);
    file.reading = { kind: "unreadable" };
    expect(() => holder.credentials(START + 1501)).toThrow(CredentialsUnreadable);
    expect(() => holder.credentials(START + 1502)).toThrow(CredentialsUnreadable);
    expect(file.reads).toBe(3);
    // A clock stepped back makes the old copy good again.
    expect(holder.credentials(START + 100)).toEqual(credentials("old"));
  });

  test("is lost when the profile lacks a key", () => {
    const { file, holder } = holderOn(read("old"));
    holder.refresh(START);
    file.reading = { kind: "incomplete" };
    expect(() => holder.credentials(START + 1501)).toThrow(CredentialsUnreadable);
    expect(holder.credentials(START + 100)).toBeUndefined();
    file.reading = read("new");
    expect(holder.credentials(START + 1501)).toEqual(credentials("new"));
  });

  test("is missing from the start when the first read fails", () => {
    const { holder } = holderOn({ kind: "unreadable" });
    expect(() => holder.refresh(START)).toThrow(CredentialsUnreadable);
    expect(holder.isDue(START)).toBe(true);
  });
});
