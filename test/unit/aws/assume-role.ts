/** AssumeRole against a server of the test's own, with all that lies between. */
import type { RequestListener } from "node:http";
import { openNetwork } from "../../../src/aws/network.ts";
import { assumeRole } from "../../../src/aws/sts.ts";
import type { Config } from "../../../src/config/config.ts";
import { Failure } from "../../../src/failure.ts";
import { sampleConfig } from "./sample-config.ts";

export const ARN = "arn:aws:sts::123456789012:assumed-role/Role/SN-1";

const answer = (expiration = new Date(Date.now() + 3_600_000).toISOString()) =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>${ARN}</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s/+x</SecretAccessKey><SessionToken>t==</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
export const sts: RequestListener = (_, response) => {
  response.setHeader("content-type", "text/xml");
  response.end(answer());
};

export type NetworkConfig = Partial<Config["network"]>;

export async function call(endpoint: string, network: NetworkConfig = {}, env: NodeJS.ProcessEnv = {}) {
  const config = sampleConfig({ network: { ...sampleConfig().network, ...network } });
  const base = { identity: { accessKeyId: "AKIAX", secretAccessKey: "geheim" }, source: "the test" };
  return assumeRole({
    config,
    base,
    network: await openNetwork(config, 1, env),
    durationMs: 3_600_000,
    endpoint,
  });
}

export async function failureOf(...args: Parameters<typeof call>): Promise<Failure> {
  const error = await call(...args).catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error(`expected a Failure, not ${String(error)}`);
}

export const url = (port: number, scheme = "http") => `${scheme}://127.0.0.1:${port}`;
