/**
 * Whether the host's base credentials may read what they need not: reads only, and only with `--deep`, because each
 * attempt is an entry in CloudTrail.
 */
import { CodeDeployClient, ListOnPremisesInstancesCommand } from "@aws-sdk/client-codedeploy";
import { type Connection, callContext, clientOptions } from "../aws/client.ts";
import { CodeDeploy } from "../aws/codedeploy.ts";
import { classifyAwsError } from "../aws/failure.ts";
import { Failure } from "../failure.ts";

/**
 * @returns the calls that were allowed
 * @throws Failure where an attempt ended with neither yes nor no
 */
export async function probeRights(connection: Connection, serial: string): Promise<string[]> {
  const attempts: [action: string, attempt: () => Promise<unknown>][] = [
    ["codedeploy:ListOnPremisesInstances", () => list(connection)],
    ["codedeploy:GetOnPremisesInstance", () => get(connection, serial)],
  ];
  const allowed: string[] = [];
  for (const [action, attempt] of attempts) {
    try {
      await attempt();
      allowed.push(action);
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== "denied") throw error;
    }
  }
  return allowed;
}

async function list(connection: Connection): Promise<void> {
  const client = new CodeDeployClient(clientOptions(connection));
  try {
    await client.send(new ListOnPremisesInstancesCommand({}));
  } catch (error) {
    const call = { action: "ListOnPremisesInstances", resource: "*" };
    throw classifyAwsError(error, callContext("codedeploy", connection, call));
  } finally {
    client.destroy();
  }
}

async function get(connection: Connection, serial: string): Promise<void> {
  const codedeploy = new CodeDeploy(connection);
  try {
    await codedeploy.get(serial);
  } finally {
    codedeploy.close();
  }
}
