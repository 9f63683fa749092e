/**
 * The AWS emulator: STS, CodeDeploy, the agent's command service and a little S3 on one port of 127.0.0.1, as strict as AWS
 * where AWS is strict, and as faulty as it is told to be. It has no mercy and no memory beyond its process.
 *
 *     const emulator = await startEmulator({ timeFactor: 60 });
 *     emulator.faults.set({ match: { service: "sts" }, kind: "throttle", times: 2 });
 *     await emulator.requests.waitFor(({ action, status }) => action === "AssumeRole" && status === 200);
 */
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { createClock } from "./clock.ts";
import { createResources } from "./control/create-resources.ts";
import type { Resources } from "./control/resources.ts";
import { controlRoutes } from "./control/routes.ts";
import { FaultBook } from "./faults/fault-book.ts";
import { controlDoor, serviceDoor } from "./front-doors.ts";
import type { Gateway } from "./gateway.ts";
import { Listener } from "./http/listener.ts";
import { DEFAULT_ACCOUNT } from "./identity/seed.ts";
import { OutageLog } from "./records/outage-log.ts";
import { RequestLog } from "./records/request-log.ts";
import { createRouter } from "./services/routing.ts";
import type { World } from "./world.ts";
import { createWorld } from "./world.ts";

export { allow, trust } from "./identity/policy/document.ts";
export { BASE_KEY, DEFAULT_ACCOUNT, OPERATOR_KEY, ROLE_ARN, ROLE_NAME } from "./identity/seed.ts";

/** Certificate and key, and what else is to be odd about the server's TLS. */
export type ServerTls = { readonly key: string; readonly cert: string } & Pick<
  SecureContextOptions,
  "minVersion" | "maxVersion" | "ciphers"
>;

export interface EmulatorOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** A session of DurationSeconds D lasts D / timeFactor seconds; default 1. */
  readonly timeFactor?: number;
  /** PEM; also serves HTTPS, on a port of its own. */
  readonly tls?: ServerTls;
  readonly account?: string;
}

export interface Emulator extends Resources {
  readonly url: string;
  readonly httpsUrl: string | null;
  /** A port for `/_emulator/` that stays open while the others are down. */
  readonly controlUrl: string;
  /** The account itself, for what the methods above do not show. */
  readonly state: World;
  close(): Promise<void>;
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { port = 0, timeFactor = 1, tls, account = DEFAULT_ACCOUNT } = options;
  const world = createWorld(createClock(timeFactor), account);
  const outages = new OutageLog();
  const gateway: Gateway = {
    world,
    outages,
    route: createRouter(world),
    faults: new FaultBook(outages),
    requests: new RequestLog(),
  };

  const http = new Listener(createHttpServer(), port);
  const https = tls === undefined ? null : new Listener(createHttpsServer(tls), 0);
  const control = new Listener(createHttpServer(), 0);
  const services = https === null ? [http] : [http, https];
  const resources = createResources(gateway, {
    open: async () => void (await Promise.all(services.map((listener) => listener.open()))),
    close: async () => void (await Promise.all(services.map((listener) => listener.close()))),
  });
  const routes = controlRoutes(resources);
  for (const listener of services) listener.answerWith(serviceDoor(gateway, routes));
  control.answerWith(controlDoor(routes));
  await Promise.all([...services, control].map((listener) => listener.open()));

  return {
    ...resources,
    url: `http://127.0.0.1:${http.port}`,
    httpsUrl: https === null ? null : `https://127.0.0.1:${https.port}`,
    controlUrl: `http://127.0.0.1:${control.port}`,
    state: world,
    async close() {
      await resources.reset();
      await Promise.all([...services, control].map((listener) => listener.close()));
    },
  };
}
