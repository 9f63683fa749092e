/** What a listening port answers: the services and the control API on one, the control API alone on another. */
import type { ControlRoutes } from "./control/routes.ts";
import { CONTROL_PREFIX, serveControl } from "./control/routes.ts";
import type { Gateway } from "./gateway.ts";
import { serve } from "./gateway.ts";
import { deliver } from "./http/delivery.ts";
import type { Door } from "./http/listener.ts";

export function serviceDoor(gateway: Gateway, routes: ControlRoutes): Door {
  const control = controlDoor(routes);
  return (request, wire) =>
    request.path.startsWith(CONTROL_PREFIX) ? control(request, wire) : serve(gateway, request, wire);
}

export function controlDoor(routes: ControlRoutes): Door {
  return async (request, wire) => {
    const answer = await serveControl(routes, request);
    // "down" by way of a service port closes the very connection that its answer would take.
    if (!wire.response.destroyed) await deliver(wire, answer, null);
  };
}
