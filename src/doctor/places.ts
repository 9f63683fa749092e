/** The hosts of AWS that this host must reach, and where each of them is here. */

import type { AgentSettings } from "../agent/settings.ts";
import { regionalHost, type Service, serviceEndpoint } from "../aws/client.ts";
import type { Config } from "../config/config.ts";
import { Failure } from "../failure.ts";

export const PLACE_NAMES = ["sts", "codedeploy", "commands", "s3"] as const;
export type PlaceName = (typeof PLACE_NAMES)[number];

export interface Place {
  title: string;
  url: string;
}

export interface PlaceFacts {
  config: Config;
  env: NodeJS.ProcessEnv;
  /** Needed for `commands` only. */
  settings: AgentSettings | null;
}

/** @throws Failure `config` for an override that is no URL */
export function placeOf(name: PlaceName, { config, env, settings }: PlaceFacts): Place {
  const { region } = config;
  const ofRegion = (service: string) => `https://${regionalHost(service, region)}`;
  const ofService = (service: Service) => serviceEndpoint(service, config, env) ?? ofRegion(service);
  switch (name) {
    case "sts":
      return { title: "STS", url: ofService("sts") };
    case "codedeploy":
      return { title: "CodeDeploy", url: ofService("codedeploy") };
    case "commands": {
      const service = settings?.enableAuthPolicy ? "codedeploy-commands-secure" : "codedeploy-commands";
      const url = settings?.deployControlEndpoint ?? ofRegion(service);
      return { title: "the agent's command service", url: checked(url, ":deploy_control_endpoint:") };
    }
    case "s3": {
      const url = env.AWS_ENDPOINT_URL_S3 || ofRegion("s3");
      return { title: "S3", url: checked(url, "AWS_ENDPOINT_URL_S3") };
    }
  }
}

function checked(url: string, name: string): string {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? "")) return url;
  const message = `${name} is neither an http:// nor an https:// URL`;
  throw new Failure({ kind: "config", message, nextStep: "Correct it, or take it out." });
}
