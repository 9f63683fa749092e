/** Whoever sets the host up: root on it, with an identity of their own in AWS. */
import { BASE_KEY, OPERATOR_KEY, ROLE_ARN } from "../aws-emulator/emulator.ts";
import { SERIAL } from "../harness/scratch-host.ts";
import { expectEqual } from "./checks.ts";
import { type Host, REGION } from "./host.ts";
import type { Ended } from "./process.ts";

export const ETC = "/etc/idc-codedeploy-helper";

/** The host's base credentials, as they are handed over. */
export const BASE_FILE = `[default]\naws_access_key_id = ${BASE_KEY.accessKeyId}\naws_secret_access_key = ${BASE_KEY.secretAccessKey}\n`;

const IDENTITY = [
  `AWS_ACCESS_KEY_ID=${OPERATOR_KEY.accessKeyId}`,
  `AWS_SECRET_ACCESS_KEY=${OPERATOR_KEY.secretAccessKey}`,
  "HOME=/root",
];

export const REGISTER: readonly string[] = [
  "register",
  ...["--serial", SERIAL],
  ...["--region", REGION],
  ...["--role-arn", ROLE_ARN],
  ...["--tag", "Name=web"],
];

export class Operator {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  helper(args: readonly string[], input = ""): Promise<Ended> {
    const { machine, emulator } = this.#host;
    const env = [...IDENTITY, `AWS_ENDPOINT_URL_S3=${emulator.url}`];
    return machine.run(["idc-helper", ...args], { env, input });
  }

  /** With the base credentials on standard input. @returns what it said */
  async register(): Promise<string> {
    return this.must([...REGISTER, "--base-credentials", "-"], BASE_FILE);
  }

  /** @throws when it fails, with what it said */
  async must(args: readonly string[], input = ""): Promise<string> {
    const { code, output } = await this.helper(args, input);
    expectEqual(code, 0, `the status of idc-helper ${args[0]}`, output);
    return output;
  }

  /** What the configuration management leaves before anybody registers: where AWS is. */
  async pointAtAws(): Promise<void> {
    const { machine, emulator } = this.#host;
    const text = `# of the company\nendpoints: { sts: "${emulator.url}", codedeploy: "${emulator.url}" }\n`;
    await machine.write(`${ETC}/config.yaml`, text);
  }
}
