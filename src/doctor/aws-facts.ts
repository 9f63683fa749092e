/**
 * Facts of AWS, as it answers from here. AssumeRole is called once and what it gives is thrown away; nothing is written,
 * here or there.
 */
import { stat } from "node:fs/promises";
import { type BaseCredentials, loadBaseCredentials } from "../aws/base-credentials.ts";
import { type Connection, serviceEndpoint } from "../aws/client.ts";
import { CodeDeploy, type Instance } from "../aws/codedeploy.ts";
import { type Agents, openAgents, openNetwork } from "../aws/network.ts";
import { loadOperatorCredentials } from "../aws/operator.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import {
  type AssumedRole,
  assumeRole,
  DURATION_EVERY_ROLE_ALLOWS_MS,
  getCallerIdentity,
} from "../aws/sts.ts";
import { errorCode, Failure } from "../failure.ts";
import { scaledLimit } from "../host/service-environment.ts";
import type { AgentFacts } from "./agent-facts.ts";
import type { ExaminationOptions } from "./examination.ts";
import { Unmet } from "./finding.ts";
import { type HostFacts, isHidden } from "./host-facts.ts";
import { once } from "./once.ts";
import { type Place, type PlaceName, placeOf } from "./places.ts";
import { findWay, type Way } from "./ways.ts";

/** AssumeRole as `refresh` does it: a role that does not allow the duration is asked for an hour. */
export interface Assumed {
  role: AssumedRole;
  isShorter: boolean;
}

const CHAIN_LIMIT_MS = 15_000;

export class AwsFacts {
  readonly #host: HostFacts;
  readonly #agent: AgentFacts;
  readonly #options: ExaminationOptions;
  readonly #ways = new Map<PlaceName, Promise<Way>>();

  constructor(host: HostFacts, agent: AgentFacts, options: ExaminationOptions) {
    this.#host = host;
    this.#agent = agent;
    this.#options = options;
  }

  /** Our environment, with the proxy and endpoints that the service itself would use. */
  readonly env = once(async (): Promise<NodeJS.ProcessEnv> => {
    const { env } = this.#options;
    const service = await this.#host.serviceEnvironment();
    if (service === null) return env;
    const isProxy = (name: string) => /^(?:https?|no)_proxy$/i.test(name);
    const own = Object.entries(env).filter(([name]) => !isProxy(name));
    const others = [...service].filter(([name]) => isProxy(name) || name.startsWith("AWS_ENDPOINT_URL"));
    return { ...Object.fromEntries(own), ...Object.fromEntries(others) };
  });

  /** @throws Failure `config` */
  readonly agents = once(
    async (): Promise<Agents> => openAgents(await this.#host.config(), await this.env()),
  );

  readonly place = async (name: PlaceName): Promise<Place> => {
    const needed = { config: await this.#host.config(), env: await this.env() };
    return placeOf(name, { ...needed, settings: name === "commands" ? await this.#agent.settings() : null });
  };

  /** @throws Unmet */
  way(name: PlaceName): Promise<Way> {
    const known = this.#ways.get(name) ?? this.#findWay(name);
    this.#ways.set(name, known);
    return known;
  }

  async #findWay(name: PlaceName): Promise<Way> {
    const { network } = await this.#host.config();
    const agents = await this.agents().catch(cannotBeUsed);
    const place = await this.place(name).catch(cannotBeUsed);
    return findWay(place, agents, scaledLimit(network.requestTimeoutMs, this.#options.factor));
  }

  /** @throws Unmet */
  async #needs(name: PlaceName): Promise<void> {
    const { kind, place } = await this.way(name);
    if (kind !== "open") throw new Unmet(`${place.title} cannot be reached`);
  }

  /** What the host calls AssumeRole with. @throws Unmet, Failure */
  readonly base = once(async (): Promise<BaseCredentials> => {
    const config = await this.#host.config();
    const { file, isDefault } = config.baseCredentials;
    if (await isHidden(file)) throw new Unmet("the base credentials may not be read by this user");
    if (isDefault && !(await exists(file)))
      throw new Unmet("the service finds its base credentials in the SDK's own chain, which only it has");
    const network = await openNetwork(config, this.#options.factor, await this.env()).catch(cannotBeUsed);
    return loadBaseCredentials(config, network.requestHandler);
  });

  /** @throws Unmet */
  readonly #usableBase = async (): Promise<BaseCredentials> => {
    return this.base().catch((error: unknown) => {
      throw error instanceof Failure ? new Unmet("there are no usable base credentials") : error;
    });
  };

  /** One for each call: a client that is closed closes its network, and with it what others have under way. */
  async #connectAsBase(service: "sts" | "codedeploy"): Promise<Connection> {
    await this.#needs(service);
    const base = await this.#usableBase();
    const config = await this.#host.config();
    const network = await openNetwork(config, this.#options.factor, await this.env());
    const caller = { identity: "base", source: base.source } as const;
    const endpoint = serviceEndpoint(service, config, await this.env());
    return { region: config.region, identity: base.identity, caller, network, endpoint };
  }

  /** CodeDeploy as the base credentials may call it. @throws Unmet */
  connectAsBase(): Promise<Connection> {
    return this.#connectAsBase("codedeploy");
  }

  /** Whose the base credentials are. @throws Unmet, Failure */
  readonly caller = once(
    async (): Promise<CallerIdentity> => getCallerIdentity(await this.#connectAsBase("sts")),
  );

  /** @throws Unmet, Failure */
  readonly assumed = once(async (): Promise<Assumed> => {
    await this.caller().catch((error: unknown) => {
      throw error instanceof Failure ? new Unmet("AWS does not accept the base credentials") : error;
    });
    const config = await this.#host.config();
    const base = await this.base();
    const ask = async (durationMs: number) => {
      const { network, endpoint } = await this.#connectAsBase("sts");
      return assumeRole({ config, base, network, durationMs, endpoint });
    };
    const wanted = config.sessionDurationMs;
    try {
      return { role: await ask(wanted), isShorter: false };
    } catch (error) {
      const isDuration =
        error instanceof Failure &&
        error.kind === "role_or_duration_not_allowed" &&
        /duration/i.test(error.message);
      if (!isDuration || wanted <= DURATION_EVERY_ROLE_ALLOWS_MS) throw error;
      return { role: await ask(DURATION_EVERY_ROLE_ALLOWS_MS), isShorter: true };
    }
  });

  /** What AWS says of this host to an operator; null where it knows none of that name. @throws Unmet, Failure */
  readonly instance = once(async (): Promise<Instance | null> => {
    const config = await this.#host.config();
    await this.#needs("codedeploy");
    const network = await openNetwork(config, this.#options.factor, await this.env());
    const { profile } = this.#options;
    const { requestHandler } = network;
    const { identity, source } = await inTime(
      loadOperatorCredentials({ profile, region: config.region, requestHandler }),
    );
    const endpoint = serviceEndpoint("codedeploy", config, await this.env());
    const caller = { identity: "operator", source } as const;
    const codedeploy = new CodeDeploy({ region: config.region, identity, caller, network, endpoint });
    try {
      return await codedeploy.get(config.serial);
    } finally {
      codedeploy.close();
    }
  });
}

/** An SDK's chain may end at a metadata service that does not answer. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const why = new Failure({
      kind: "operator_credentials_missing",
      message: "the AWS SDK's chain did not find operator's credentials in time",
      nextStep: "Name a profile with --profile.",
    });
    timer = setTimeout(() => reject(why), CHAIN_LIMIT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function cannotBeUsed(error: unknown): never {
  throw error instanceof Failure ? new Unmet("the proxy, the CAs or the endpoints cannot be used") : error;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => errorCode(error) !== "ENOENT",
  );
}
