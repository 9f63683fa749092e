/** Durations, endpoints, role ARNs and partitions, as an operator writes them. */
import { describe, expect, test } from "vitest";
import { parseRoleArn, partitionOf, sessionArn } from "../../../src/aws/arn.ts";
import { formatDuration, parseDuration } from "../../../src/config/duration.ts";
import { isSafeEndpoint } from "../../../src/config/endpoint.ts";

test.each([
  ["0", 0],
  ["0s", 0],
  ["250ms", 250],
  ["90s", 90_000],
  ["15m", 900_000],
  ["1h", 3_600_000],
  ["1h30m", 5_400_000],
  ["1h1m1s1ms", 3_661_001],
  ["007s", 7_000],
  ["", null],
  ["5", null],
  ["s", null],
  ["1.5h", null],
  ["-1h", null],
  ["1m1h", null],
  ["1h 30m", null],
  ["1H", null],
  ["1d", null],
  ["1h\n", null],
  ["9".repeat(30), null],
  [`${"9".repeat(16)}h`, null],
])("the duration %j is %s ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  [0, "0 s"],
  [499, "0 s"],
  [59_400, "59 s"],
  [59_600, "1 min"],
  [61_000, "1 min 1 s"],
  [599_000, "9 min 59 s"],
  [601_000, "10 min"],
  [3_600_000, "1 h"],
  [3_660_000, "1 h 1 min"],
  [86_400_000, "1 d"],
  [90_000_000, "1 d 1 h"],
  [-90_000, "-1 min 30 s"],
])("%s ms reads %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  ["https://sts.ap-northeast-2.amazonaws.com", true],
  ["https://vpce-1.sts.example:8443/path", true],
  ["http://127.0.0.1:4566", true],
  ["http://127.9.9.9", true],
  ["http://localhost:1", true],
  ["http://[::1]:1", true],
  ["http://127.0.0.1.example", false],
  ["http://localhost.example", false],
  ["http://10.0.0.1", false],
  ["https://user@sts.example", false],
  ["https://:x@sts.example", false],
  ["https://sts.example/?x", false],
  ["https://sts.example/#x", false],
  ["ftp://127.0.0.1", false],
  ["sts.example", false],
  ["", false],
])("session credentials may travel to %s: %s", (endpoint, isSafe) => {
  expect(isSafeEndpoint(endpoint)).toBe(isSafe);
});

describe("a role ARN", () => {
  test.each([
    ["arn:aws:iam::123456789012:role/x", "arn:aws:sts::123456789012:assumed-role/x/SN-1"],
    ["arn:aws:iam::123456789012:role/team/sub/x", "arn:aws:sts::123456789012:assumed-role/x/SN-1"],
    ["arn:aws-cn:iam::123456789012:role/x", "arn:aws-cn:sts::123456789012:assumed-role/x/SN-1"],
    [
      "arn:aws-us-gov:iam::123456789012:role/a+=,.@-_Z",
      "arn:aws-us-gov:sts::123456789012:assumed-role/a+=,.@-_Z/SN-1",
    ],
  ])("%s gives the session %s", (role, session) => {
    expect(sessionArn(role, "SN-1")).toBe(session);
  });

  test.each([
    "",
    "arn:aws:iam::123456789012:role/",
    "arn:aws:iam::123456789012:role/a b",
    "arn:aws:iam::123456789012:role//",
    "arn:aws:iam::12345678901:role/x",
    "arn:aws:iam:eu-west-1:123456789012:role/x",
    "arn:aws:sts::123456789012:assumed-role/x/y",
    "arn:gcp:iam::123456789012:role/x",
    ` arn:aws:iam::123456789012:role/x`,
    `arn:aws:iam::123456789012:role/x\n`,
    `arn:aws:iam::123456789012:role/${"x".repeat(65)}`,
    `arn:aws:iam::123456789012:role/${"p/".repeat(1_100)}x`,
  ])("is not %j", (text) => {
    expect(parseRoleArn(text)).toBeNull();
    expect(sessionArn(text, "SN-1")).toBeNull();
  });
});

test.each([
  ["ap-northeast-2", "aws"],
  ["us-east-1", "aws"],
  ["mx-central-1", "aws"],
  ["cn-northwest-1", "aws-cn"],
  ["us-gov-east-1", "aws-us-gov"],
  ["us-iso-east-1", null],
  ["xy-future-1", null],
])("the region %s belongs to %s", (region, partition) => {
  expect(partitionOf(region)).toBe(partition);
});
