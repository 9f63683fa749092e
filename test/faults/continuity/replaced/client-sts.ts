/** @aws-sdk/client-sts, in place of which the virtual STS answers: errors of the shapes that the SDK throws. */
import { setTimeout as callLater } from "../globals.ts";
import { host } from "../host.ts";
import { systemCall } from "../virtual-process.ts";
import type { VirtualNetwork } from "./network.ts";

/** Of which AWS knows nothing, whatever it says of itself. */
const WORTHLESS = { token: "worthless", expiresAt: Date.UTC(2100, 0) };

interface Options {
  requestHandler: VirtualNetwork["requestHandler"];
}

export class AssumeRoleCommand {
  readonly input: { RoleArn: string; RoleSessionName: string; DurationSeconds: number };

  constructor(input: AssumeRoleCommand["input"]) {
    this.input = input;
  }
}

export class GetCallerIdentityCommand {}

export class STSClient {
  readonly #handler: Options["requestHandler"];
  /** What is added to the host's clock for the time in the signature: taken from refusals, as the SDK does. */
  #offsetMs = 0;

  constructor({ requestHandler }: Options) {
    this.#handler = requestHandler;
  }

  destroy(): void {}

  async send({ input }: AssumeRoleCommand) {
    systemCall();
    const signedAtMs = Date.now() + this.#offsetMs;
    const latencyMs = host.sts.latencyMs();
    const { limitMs } = this.#handler;
    await wait(Math.min(latencyMs, limitMs));
    if (latencyMs > limitMs) {
      // AWS hears of it all the same.
      host.sts.assumeRole(input.DurationSeconds * 1_000, signedAtMs);
      throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
    }
    systemCall();
    const reply = host.sts.assumeRole(input.DurationSeconds * 1_000, signedAtMs);
    if (reply.kind === "silence") {
      await wait(this.#handler.limitMs);
      throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
    }
    if (reply.kind === "cut") throw Object.assign(new Error(reply.code), { code: reply.code });
    this.#handler.serverTimeMs = Math.floor(host.time.now / 1_000) * 1_000;
    if (reply.kind === "error") {
      this.#offsetMs = this.#handler.serverTimeMs - Date.now();
      throw Object.assign(new Error(reply.message), {
        name: reply.code,
        $fault: reply.status < 500 ? "client" : "server",
        $metadata: { httpStatusCode: reply.status },
        ...(reply.retryAfterMs === null
          ? {}
          : {
              $response: {
                statusCode: reply.status,
                headers: { "retry-after": String(reply.retryAfterMs / 1_000) },
              },
            }),
      });
    }
    const isNonsense = reply.kind === "nonsense";
    if (isNonsense && reply.how === "empty") return {};
    const { token, expiresAt } = isNonsense ? WORTHLESS : reply.session;
    const how = isNonsense ? reply.how : null;
    const name = input.RoleArn.slice(input.RoleArn.lastIndexOf("/") + 1);
    const [, , , , account] = input.RoleArn.split(":");
    return {
      Credentials: {
        AccessKeyId: "ASIAVIRTUAL",
        SecretAccessKey: "virtual",
        ...(how === "no-token" ? {} : { SessionToken: token }),
        ...(how === "no-expiration" ? {} : { Expiration: new Date(how === "expired" ? 0 : expiresAt) }),
      },
      AssumedRoleUser: {
        Arn: `arn:aws:sts::${account}:assumed-role/${name}/${how === "other-session" ? "other" : input.RoleSessionName}`,
      },
    };
  }
}

function wait(delayMs: number): Promise<void> {
  return new Promise((resolve) => void callLater(resolve, delayMs));
}
