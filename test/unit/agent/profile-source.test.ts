/** What the agent makes of a credentials file: the parser of the SDK for Ruby, and the path it caches for ever. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { profileSource, readProfile } from "../../agent/profile-source.ts";
import { parseRubyIni } from "../../agent/ruby-ini.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agent-profile-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const complete = (key: string) =>
  `[default]\naws_access_key_id = ${key}\naws_secret_access_key = s\naws_session_token = t==\n`;

describe("the INI reader", () => {
  const profile = (content: string, name = "default") =>
    Object.fromEntries(parseRubyIni(content).get(name) ?? []);

  test.each([
    ["a value ending in ==", "[default]\na = C==\n", { a: "C==" }],
    ["a quoted value, whose quotes stay", '[default]\na="C=="\n', { a: '"C=="' }],
    ["a value cut at a comment", "[default]\na = b ;c\n", { a: "b" }],
    ["a semicolon without a space before it", "[default]\na = b;c\n", { a: "b;c" }],
    ["a hash, which starts no comment", "[default]\na = b #c\n", { a: "b #c" }],
    ["carriage returns", "[default]\r\na = b\r\n", { a: "b" }],
    ["no newline at the end", "[default]\na=b", { a: "b" }],
    ["the last of two equal keys", "[default]\na=b\na=c\n", { a: "c" }],
    ["keys before any profile", "a=b\n[default]\nc=d\n", { c: "d" }],
    ["a header with a comment", "[default] # mine\na=b\n", { a: "b" }],
    ["nested values", "[default]\ns3 =\n  a = b\n", { s3: new Map([["a", "b"]]) }],
  ])("reads %s", (_, content, expected) => {
    expect(profile(content)).toEqual(expected);
  });

  test("knows a profile by its name with or without the word profile", () => {
    expect(profile("[profile deploy]\na=b\n", "deploy")).toEqual({ a: "b" });
  });
});

describe("a profile", () => {
  test.each([
    ["a missing file", undefined, "unreadable"],
    ["an empty file", "", "unreadable"],
    ["another profile only", "[other]\naws_access_key_id = a\naws_secret_access_key = s\n", "unreadable"],
    ["a profile without keys", "[default]\n", "unreadable"],
    ["a profile without a secret", "[default]\naws_access_key_id = a\n", "incomplete"],
    ["a profile with both keys", complete("a"), "read"],
  ])("from %s", (_, content, kind) => {
    const path = join(directory, "credentials");
    if (content !== undefined) writeFileSync(path, content);
    expect(readProfile(path, "default").kind).toBe(kind);
  });

  test("is the one that AWS_PROFILE names", () => {
    const path = join(directory, "credentials");
    writeFileSync(path, complete("a").replace("default", "deploy"));
    expect(profileSource(path, { HOME: directory, AWS_PROFILE: "deploy" })()).toMatchObject({ kind: "read" });
    expect(profileSource(path, { HOME: directory })()).toEqual({ kind: "unreadable" });
  });
});

describe("a rewritten file", () => {
  const keyAfterRewrite = (path: string, environment: Record<string, string>) => {
    writeFileSync(path, complete("old"));
    const source = profileSource(path, environment);
    source();
    writeFileSync(path, complete("new"));
    const reading = source();
    return reading.kind === "read" ? reading.credentials.accessKeyId : reading.kind;
  };

  test("is read anew", () => {
    expect(keyAfterRewrite(join(directory, "credentials"), { HOME: directory })).toBe("new");
  });

  test("is never read again where the SDK looks by default", () => {
    mkdirSync(join(directory, ".aws"));
    expect(keyAfterRewrite(join(directory, ".aws", "credentials"), { HOME: directory })).toBe("old");
  });

  test("is never read again where AWS_SHARED_CREDENTIALS_FILE points", () => {
    const path = join(directory, "credentials");
    expect(keyAfterRewrite(path, { AWS_SHARED_CREDENTIALS_FILE: path })).toBe("old");
  });
});
