/** Nothing that lies in the calling user's ~/.aws/config decides where or how we call. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { HttpRequest } from "@smithy/types";
import { afterEach, expect, test, vi } from "vitest";
import { clientOptions } from "../../../src/aws/client.ts";
import { openNetwork } from "../../../src/aws/network.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";
import { sampleConfig } from "./sample-config.ts";

const scratch = useScratchDirectory();

afterEach(() => vi.unstubAllEnvs());

const STRAY = `[default]
region = us-east-1
endpoint_url = http://127.0.0.1:1
use_fips_endpoint = true
use_dualstack_endpoint = true
max_attempts = 7
retry_mode = adaptive
sdk_ua_app_id = stray
defaults_mode = mobile
`;

test("a stray ~/.aws/config changes neither the place nor the way of a call", async () => {
  const home = scratch("home");
  mkdirSync(join(home, ".aws"), { recursive: true });
  writeFileSync(join(home, ".aws/config"), STRAY);
  vi.stubEnv("HOME", home);
  const network = await openNetwork(sampleConfig(), 1, {});
  const options = clientOptions({
    region: "ap-northeast-2",
    identity: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" },
    caller: { identity: "base", source: "a test" },
    network,
    endpoint: null,
  });
  const asked: { protocol: string; hostname: string; agent: string | undefined }[] = [];
  const client = new STSClient({
    ...options,
    requestHandler: {
      handle: ({ protocol, hostname, headers }: HttpRequest) => {
        asked.push({ protocol, hostname, agent: headers["user-agent"] });
        return Promise.reject(Object.assign(new Error("no"), { name: "TimeoutError" }));
      },
    },
  });
  await expect(client.send(new GetCallerIdentityCommand({}))).rejects.toThrow("no");
  expect(asked).toMatchObject([{ protocol: "https:", hostname: "sts.ap-northeast-2.amazonaws.com" }]);
  expect(asked[0]?.agent).not.toContain("stray");
  expect(asked[0]?.agent).toContain("idc-codedeploy-helper");
});
