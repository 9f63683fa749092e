/** Who refreshes one host's credentials, and bare Node as the floor: each once a process, cold. */
import { fileURLToPath } from "node:url";
import { BASE_KEY, type Emulator, ROLE_ARN } from "../../test/aws-emulator/emulator.ts";
import { COMMAND } from "../../test/harness/launch.ts";
import { type ScratchHost, SERIAL } from "../../test/harness/scratch-host.ts";
import { cleanEnvironment } from "../../test/readers/external-process.ts";
import type { Contestant } from "../processes/compare.ts";

/** The Node that is shipped. */
export const NODE = fileURLToPath(new URL("../../dist/node", import.meta.url));
export const OURS = "idc-helper refresh";
export const BOTO3 = "boto3 script";

export interface Site {
  host: ScratchHost;
  endpoint: string;
  /** PEM file; null over HTTP. */
  caBundle: string | null;
}

export function refreshers({ host, endpoint, caBundle }: Site): Contestant[] {
  const env = {
    ...cleanEnvironment(host.directory),
    AWS_ACCESS_KEY_ID: BASE_KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: BASE_KEY.secretAccessKey,
    AWS_DEFAULT_REGION: "ap-northeast-2",
    ...(caBundle === null ? {} : { AWS_CA_BUNDLE: caBundle }),
  };
  const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const into = (name: string) => [endpoint, ROLE_ARN, SERIAL, `${host.directory}/${name}`];
  return [
    // Without --require and the like of whoever runs this.
    { name: "node -e 0 (the floor)", argv: [NODE, "-e", "0"], env: cleanEnvironment(host.directory) },
    { name: OURS, argv: [COMMAND, "refresh", "--config", host.configFile], env: host.env },
    { name: BOTO3, argv: ["/usr/bin/python3", script("script.py"), ...into("by-python")], env },
    {
      name: "Ruby script on aws-sdk-core",
      argv: ["/usr/bin/ruby", script("script.rb"), ...into("by-ruby")],
      env,
    },
    {
      name: "aws sts assume-role",
      argv: [
        "/usr/bin/aws",
        ...["sts", "assume-role", "--endpoint-url", endpoint],
        ...["--role-arn", ROLE_ARN, "--role-session-name", SERIAL],
      ],
      env,
    },
  ];
}

/** Every refresh of a benchmark must have been granted. */
export function checkGranted(emulator: Emulator): void {
  const refused = emulator.requests.list().filter(({ status }) => status !== 200);
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused[0])}`);
}
