/** CodeDeploy's calls on on-premises instances, as an operator may make them. One attempt each, no retries. */
import {
  AddTagsToOnPremisesInstancesCommand,
  BatchGetOnPremisesInstancesCommand,
  CodeDeployClient,
  DeregisterOnPremisesInstanceCommand,
  GetOnPremisesInstanceCommand,
  type InstanceInfo,
  ListOnPremisesInstancesCommand,
  RegisterOnPremisesInstanceCommand,
  RemoveTagsFromOnPremisesInstancesCommand,
} from "@aws-sdk/client-codedeploy";
import { Failure } from "../failure.ts";
import { type Connection, callContext, clientOptions } from "./client.ts";
import { classifyAwsError } from "./failure.ts";

export interface Tag {
  key: string;
  value: string;
}

export interface Instance {
  name: string;
  arn: string;
  /** The session that may poll for it; null for one registered with an IAM user. */
  sessionArn: string | null;
  userArn: string | null;
  tags: Tag[];
  registeredAt: Date | null;
  /** Set for hours after it was deregistered, in which its name stays taken (FACTS); null while it is registered. */
  deregisteredAt: Date | null;
}

/** BatchGetOnPremisesInstances takes no more names (API reference). */
const LARGEST_BATCH = 100;
/** What answers with one more page for ever is not CodeDeploy. */
const MOST_PAGES = 1_000;

export class CodeDeploy {
  readonly #client: CodeDeployClient;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#client = new CodeDeployClient(clientOptions(connection));
  }

  /** @returns null for a name that is not known; @throws Failure */
  async get(name: string): Promise<Instance | null> {
    try {
      return await this.#call("GetOnPremisesInstance", name, async () => {
        const { instanceInfo } = await this.#client.send(
          new GetOnPremisesInstanceCommand({ instanceName: name }),
        );
        return instanceInfo === undefined ? null : interpret(instanceInfo);
      });
    } catch (error) {
      if (error instanceof Failure && error.kind === "not_registered") return null;
      throw error;
    }
  }

  async register(name: string, sessionArn: string): Promise<void> {
    await this.#call("RegisterOnPremisesInstance", name, () =>
      this.#client.send(
        new RegisterOnPremisesInstanceCommand({ instanceName: name, iamSessionArn: sessionArn }),
      ),
    );
  }

  async addTags(name: string, tags: readonly Tag[]): Promise<void> {
    await this.#call("AddTagsToOnPremisesInstances", name, () =>
      this.#client.send(
        new AddTagsToOnPremisesInstancesCommand({ instanceNames: [name], tags: tags.map(wireTag) }),
      ),
    );
  }

  async removeTags(name: string, tags: readonly Tag[]): Promise<void> {
    await this.#call("RemoveTagsFromOnPremisesInstances", name, () =>
      this.#client.send(
        new RemoveTagsFromOnPremisesInstancesCommand({ instanceNames: [name], tags: tags.map(wireTag) }),
      ),
    );
  }

  async deregister(name: string): Promise<void> {
    await this.#call("DeregisterOnPremisesInstance", name, () =>
      this.#client.send(new DeregisterOnPremisesInstanceCommand({ instanceName: name })),
    );
  }

  /**
   * The registered instance of a session or user ARN, found by looking at all of them: the service has no other way.
   *
   * @throws Failure, `denied` where the operator may not list
   */
  async findByArn(arn: string): Promise<Instance | null> {
    for await (const names of this.#registeredNames()) {
      for (let at = 0; at < names.length; at += LARGEST_BATCH) {
        const instanceNames = names.slice(at, at + LARGEST_BATCH);
        const instances = await this.#call("BatchGetOnPremisesInstances", arn, async () => {
          const { instanceInfos = [] } = await this.#client.send(
            new BatchGetOnPremisesInstancesCommand({ instanceNames }),
          );
          return instanceInfos.map(interpret);
        });
        const found = instances.find(({ sessionArn, userArn }) => sessionArn === arn || userArn === arn);
        if (found !== undefined) return found;
      }
    }
    return null;
  }

  async *#registeredNames(): AsyncGenerator<string[]> {
    let nextToken: string | undefined;
    const seen = new Set<string>();
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const page = await this.#call("ListOnPremisesInstances", "*", async () => {
        const { instanceNames = [], ...rest } = await this.#client.send(
          new ListOnPremisesInstancesCommand({
            registrationStatus: "Registered",
            ...(nextToken === undefined ? {} : { nextToken }),
          }),
        );
        return { names: instanceNames.map(textOf), nextToken: rest.nextToken };
      });
      yield page.names;
      ({ nextToken } = page);
      if (!nextToken) return;
      // Who comes by one again goes round for ever.
      if (seen.has(nextToken)) break;
      seen.add(nextToken);
    }
    throw new Failure({
      kind: "bad_answer",
      message: `the pages of ListOnPremisesInstances have no end: ${seen.size === MOST_PAGES ? `${MOST_PAGES} came` : "one leads back to another"}`,
      nextStep: "See what answers in place of CodeDeploy: the proxy, or endpoints.codedeploy.",
    });
  }

  close(): void {
    this.#client.destroy();
  }

  async #call<T>(action: string, resource: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw classifyAwsError(error, callContext("codedeploy", this.#connection, { action, resource }));
    }
  }
}

/** The SDK hands on whatever JSON there is. @throws TypeError, which is a bad answer then */
function interpret(info: InstanceInfo): Instance {
  return {
    name: textOf(info.instanceName ?? ""),
    arn: textOf(info.instanceArn ?? ""),
    sessionArn: info.iamSessionArn ? textOf(info.iamSessionArn) : null,
    userArn: info.iamUserArn ? textOf(info.iamUserArn) : null,
    tags: (info.tags ?? []).map(({ Key, Value }) => ({ key: textOf(Key ?? ""), value: textOf(Value ?? "") })),
    registeredAt: timeOf(info.registerTime),
    deregisteredAt: timeOf(info.deregisterTime),
  };
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
}

function timeOf(value: Date | undefined): Date | null {
  if (value === undefined || value === null) return null;
  if (Number.isNaN(value.getTime())) throw new TypeError("not a time");
  return value;
}

function wireTag({ key, value }: Tag) {
  return { Key: key, Value: value };
}
