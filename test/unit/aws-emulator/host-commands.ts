/** A client of the agent's command service, without any of an agent's behaviour. */
import type { IssuedSession } from "./clients.ts";
import { sendSigned } from "./signed-request.ts";

export interface CommandAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface CommandOptions {
  readonly signal?: AbortSignal;
  /** The agent uses the other one under `:enable_auth_policy:`. */
  readonly service?: "codedeploy-commands" | "codedeploy-commands-secure";
}

const TARGET_PREFIXES = {
  "codedeploy-commands": "CodeDeployCommandService_v20141006",
  "codedeploy-commands-secure": "CodeDeployCommandService",
};

export async function hostCommand(
  url: string,
  { credentials }: Pick<IssuedSession, "credentials">,
  action: string,
  input: object,
  { signal, service = "codedeploy-commands" }: CommandOptions = {},
): Promise<CommandAnswer> {
  const response = await sendSigned(url, {
    credentials,
    service,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `${TARGET_PREFIXES[service]}.${action}`,
    },
    body: JSON.stringify(input),
    ...(signal === undefined ? {} : { signal }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
