/** Where the CodeDeploy agent may be installed from: what it gives is run as root. */
import { describe, expect, it } from "vitest";
import { agentSource } from "../../../src/agent/install.ts";

describe("agentSource", () => {
  it.each([
    ["ap-northeast-2", "https://aws-codedeploy-ap-northeast-2.s3.ap-northeast-2.amazonaws.com"],
    ["cn-north-1", "https://aws-codedeploy-cn-north-1.s3.cn-north-1.amazonaws.com.cn"],
    ["us-gov-west-1", "https://aws-codedeploy-us-gov-west-1.s3.us-gov-west-1.amazonaws.com"],
  ])("is the bucket of %s", (region, base) => expect(agentSource(undefined, region)).toEqual({ base }));

  it.each([
    ["https://mirror.example/agent/", "https://mirror.example/agent"],
    ["/srv/agent/", "/srv/agent"],
    ["file:///srv/the%20agent", "/srv/the agent"],
  ])("may be %s", (given, base) => expect(agentSource(given, "us-east-1")).toEqual({ base }));

  it.each([
    "http://mirror.example/agent",
    "https://me:word@mirror.example/agent",
    "https://mirror.example/agent?token=1",
    "file://mirror/agent",
    "srv/agent",
    "s3://bucket/agent",
    "",
  ])("may not be %j", (given) => expect(agentSource(given, "us-east-1")).toBeNull());
});
