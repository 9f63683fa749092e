/** The proxy of an old cron job is found, wherever it stands; one that cannot be carried over is never repeated. */
import { describe, expect, test } from "vitest";
import { findOldProxy } from "../../../src/adoption/old-proxy.ts";

const URL_OF = "http://proxy.example:3128";

describe("a proxy is found", () => {
  test.each([
    ["as a setting of the crontab", [`HTTPS_PROXY=${URL_OF}`]],
    ["before the command", [`https_proxy=${URL_OF}/ /opt/x.sh`]],
    ["exported by the script", [`#!/bin/sh\nexport HTTPS_PROXY="${URL_OF}"\n`]],
    ["set in Python", [`os.environ['https_proxy'] = '${URL_OF}'`]],
    ["given to boto3", [`Config(proxies={"http": "http://other:1", "https": "${URL_OF}"})`]],
    ["without a scheme", ["export https_proxy=proxy.example:3128"]],
  ])("%s", (_, texts) => {
    expect(findOldProxy(texts)).toEqual({ kind: "found", url: URL_OF });
  });
});

describe("none is taken", () => {
  test.each([
    ["from a script without one", ["aws sts assume-role"]],
    ["from a comment", [`# export HTTPS_PROXY=${URL_OF}`]],
    ["where AWS is an exception from it", [`HTTPS_PROXY=${URL_OF}`, "NO_PROXY=localhost,.amazonaws.com"]],
    ["where it is switched off", ['export https_proxy=""']],
  ])("%s", (_, texts) => {
    expect(findOldProxy(texts)).toEqual({ kind: "none" });
  });
});

test.each([
  ["http://me:hunter2@proxy.example:3128", "password"],
  ["socks5://me:hunter2@proxy.example:1080", "not an http:// proxy"],
  ["http://$PROXY_HOST:3128", "while the job runs"],
])("%s cannot be carried over, and is not repeated", (value, why) => {
  const found = findOldProxy([`HTTPS_PROXY=${value}`]);
  expect(found).toEqual({ kind: "unusable", why: expect.stringContaining(why) });
  expect(JSON.stringify(found)).not.toContain("hunter2");
});
