/**
 * The control API over HTTP, unsigned, under `/_emulator/`:
 *
 *     GET POST DELETE  faults          DELETE  faults/ID      PUT  keys/ACCESS_KEY_ID  {"state": …}
 *     GET DELETE       requests        GET     outages        GET  sessions
 *     GET POST         events          GET     events/ID      (?state=succeeded,failed&timeoutMs=… waits)
 *     GET PUT          instances       DELETE  instances/REGION/NAME
 *     GET PUT          users, roles    DELETE  users/NAME, roles/NAME
 *     GET PUT          buckets         DELETE  buckets/NAME   POST roles-anywhere
 *     GET PATCH        settings        POST    down {"forMs": …}, up, reset
 */
import { ZodError } from "zod";
import { faultSpecSchema } from "../faults/fault.ts";
import type { ReceivedRequest } from "../http/received.ts";
import type { Answer } from "../protocols/protocol.ts";
import type { EventState } from "../services/commands/lifecycle-event.ts";
import { bodySchemas } from "./bodies.ts";
import type { Resources } from "./resources.ts";

export const CONTROL_PREFIX = "/_emulator/";

interface ControlRequest {
  /** The path's segments after the resource's name. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
  readonly body: unknown;
}

type Handler = (request: ControlRequest) => unknown;
export type ControlRoutes = Readonly<Record<string, Handler>>;

export function controlRoutes(api: Resources): ControlRoutes {
  return {
    "GET faults": () => api.faults.list(),
    "POST faults": ({ body }) => api.faults.set(faultSpecSchema.parse(body)),
    "DELETE faults": ({ rest }) => api.faults.clear(rest[0] === undefined ? undefined : Number(rest[0])),
    "PUT keys": ({ rest, body }) => api.keys.setState(rest[0] ?? "", bodySchemas.keyState.parse(body).state),
    "GET requests": () => api.requests.list(),
    "DELETE requests": () => api.requests.clear(),
    "GET outages": () => api.outages.list(),
    "GET sessions": () =>
      api.sessions.list().map(({ secretAccessKey: _secret, sessionToken: _token, ...session }) => session),
    "GET events": ({ rest, query }) => readEvents(api, rest[0], query),
    "POST events": ({ body }) => api.events.queue(bodySchemas.event.parse(body)),
    "GET instances": () => api.instances.list(),
    "PUT instances": ({ body }) => api.instances.put(bodySchemas.instance.parse(body)),
    "DELETE instances": ({ rest }) => api.instances.remove(rest[0] ?? "", rest[1] ?? ""),
    "GET users": () => api.users.list(),
    "PUT users": ({ body }) => api.users.put(bodySchemas.user.parse(body)),
    "DELETE users": ({ rest }) => api.users.remove(rest[0] ?? ""),
    "GET roles": () => api.roles.list(),
    "PUT roles": ({ body }) => api.roles.put(bodySchemas.role.parse(body)),
    "DELETE roles": ({ rest }) => api.roles.remove(rest[0] ?? ""),
    "GET buckets": () => api.buckets.list(),
    "PUT buckets": ({ body }) => api.buckets.put(bodySchemas.bucket.parse(body)),
    "DELETE buckets": ({ rest }) => api.buckets.remove(rest[0] ?? ""),
    "POST roles-anywhere": ({ body }) =>
      api.rolesAnywhere.createSession(bodySchemas.rolesAnywhere.parse(body)),
    "GET settings": () => api.settings.get(),
    "PATCH settings": ({ body }) => api.settings.change(body as Parameters<typeof api.settings.change>[0]),
    "POST down": ({ body }) => api.down(bodySchemas.down.parse(body).forMs),
    "POST up": () => api.up(),
    "POST reset": () => api.reset(),
  };
}

export async function serveControl(routes: ControlRoutes, request: ReceivedRequest): Promise<Answer> {
  const segments = request.path.slice(CONTROL_PREFIX.length).split("/").map(decodeURIComponent);
  const [resource = "", ...rest] = segments;
  const handler = routes[`${request.method} ${resource}`];
  if (handler === undefined) return answer(404, { error: `no such control: ${request.method} ${resource}` });
  try {
    const body: unknown = JSON.parse(request.body.toString("utf8") || "{}");
    const result = await handler({ rest, query: new URLSearchParams(request.query), body });
    return result === undefined ? answer(200, {}) : answer(200, result);
  } catch (error) {
    const message = error instanceof ZodError ? error.issues : String(error);
    return answer(400, { error: message });
  }
}

function readEvents(api: Resources, id: string | undefined, query: URLSearchParams): unknown {
  if (id === undefined) return api.events.list();
  const event = api.events.get(id);
  if (event === undefined) throw new RangeError("no such event");
  const states = query.get("state")?.split(",") as EventState[] | undefined;
  return states === undefined
    ? event
    : api.events.waitFor(id, states, Number(query.get("timeoutMs") ?? 30_000));
}

function answer(status: number, body: unknown): Answer {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(body)}\n` };
}
