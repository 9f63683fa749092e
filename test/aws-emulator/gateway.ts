/**
 * The course of one request: routed, authenticated, recorded, met by a fault or carried out, answered. Control
 * requests never come here.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsError } from "./aws-error.ts";
import { plusMs } from "./clock.ts";
import type { Fault } from "./faults/fault.ts";
import { isLying, isReplacing } from "./faults/fault.ts";
import type { FaultBook } from "./faults/fault-book.ts";
import { lie } from "./faults/lie.ts";
import { replacementFor } from "./faults/replacement.ts";
import type { Wire } from "./http/delivery.ts";
import { deliver } from "./http/delivery.ts";
import type { ReceivedRequest } from "./http/received.ts";
import { header } from "./http/received.ts";
import type { Authentication } from "./identity/authentication.ts";
import { authenticate } from "./identity/authentication.ts";
import { accessDenied, isAllowed } from "./identity/authorization.ts";
import type { JsonObject } from "./json.ts";
import type { Answer } from "./protocols/protocol.ts";
import type { OutageLog } from "./records/outage-log.ts";
import type { RequestLog } from "./records/request-log.ts";
import type { Call } from "./services/operation.ts";
import { checkKnownParameters } from "./services/parameters.ts";
import type { Route, Router } from "./services/routing.ts";
import type { World } from "./world.ts";

export interface Gateway {
  readonly world: World;
  readonly route: Router;
  readonly faults: FaultBook;
  readonly requests: RequestLog;
  readonly outages: OutageLog;
}

interface Exchange {
  readonly request: ReceivedRequest;
  readonly route: Route;
  readonly authentication: Authentication;
  readonly requestId: string;
  readonly now: Date;
  readonly failure: Fault | null;
  readonly clientGone: AbortSignal;
}

interface Outcome {
  readonly answer: Answer;
  readonly errorCode: string | null;
}

export async function serve(gateway: Gateway, request: ReceivedRequest, wire: Wire): Promise<void> {
  const { world, requests, outages } = gateway;
  const route = gateway.route(request);
  const stsReachable = outages.isReachable("sts", new Date());
  const { slow, clockWrong, failure } = gateway.faults.take(route.service, route.action);
  const now = plusMs(world.clock.now(), (clockWrong?.clockAheadSeconds ?? 0) * 1000);
  const { regions, allowedClockSkewMs } = world.settings;
  const expected = { service: route.signingName, regions, allowedClockSkewMs };
  const authentication = authenticate(request, expected, world.directory, now);
  const met = [slow, clockWrong, failure].filter((fault) => fault !== null);
  const n = requests.add({
    service: route.service,
    action: route.action,
    accessKeyId: authentication.accessKeyId,
    principalArn: authentication.principal?.arn ?? null,
    credentials: authentication.verdict,
    credentialsExpireAt: authentication.expiresAt,
    stsReachable,
    params: recordedParameters(route, request),
    fault: met.length === 0 ? null : met.map(({ kind }) => kind).join(" + "),
    userAgent: header(request, "user-agent") ?? null,
  });

  const clientGone = abortedWhenGone(wire);
  for (const { delayMs } of met) await sleep(delayMs);
  if (failure?.kind === "hang") return;
  if (failure?.kind === "reset") {
    wire.tcp.resetAndDestroy();
    return;
  }
  const requestId = randomUUID();
  const exchange = { request, route, authentication, requestId, now, failure, clientGone };
  const { answer, errorCode } = await conclude(gateway, exchange);
  // Nobody is there to be answered: a poll that its agent gave up stays without a status.
  if (clientGone.aborted) {
    requests.update(n, { endedAt: new Date() });
    return;
  }
  requests.update(n, { status: answer.status, errorCode });
  const headers = { ...answer.headers, date: now.toUTCString(), "x-amzn-requestid": requestId };
  await deliver(wire, { ...answer, headers }, failure);
  requests.update(n, { endedAt: new Date() });
}

async function conclude({ world }: Gateway, exchange: Exchange): Promise<Outcome> {
  const { route, failure, authentication, requestId, now } = exchange;
  const { protocol, action, service } = route;
  if (failure !== null && isReplacing(failure)) {
    const { account } = world.directory;
    return replacementFor(failure, { service, action, protocol, authentication, requestId, account });
  }
  try {
    const truth = await carryOut(world, exchange);
    const output = failure !== null && isLying(failure) ? lie(failure, truth, now) : truth;
    return { answer: protocol.encodeOutput(action, output, requestId), errorCode: null };
  } catch (error) {
    const awsError =
      error instanceof AwsError ? error : new AwsError("InternalFailure", `emulator: ${String(error)}`);
    return { answer: protocol.encodeError(awsError, requestId), errorCode: protocol.errorCode(awsError) };
  }
}

async function carryOut(
  { directory, stsQuota, settings }: World,
  { request, route, authentication, now, clientGone }: Exchange,
): Promise<JsonObject> {
  const { principal, error, region } = authentication;
  if (error !== null) throw error;
  const { stsRequestsPerSecond: quota } = settings;
  if (route.service === "sts" && quota !== null && !stsQuota.admits(quota, performance.now()))
    throw new AwsError("Throttling", "Rate exceeded");
  if (principal === null) throw new Error("authenticated without a principal");
  const { action, signingName, protocol, operations } = route;
  const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
  if (operation === undefined || (request.path !== "/" && signingName !== "s3"))
    throw new AwsError("InvalidAction", `Could not find operation ${action}`);
  const parameters = protocol.readParameters(request);
  checkKnownParameters(operation, parameters);
  const call: Call = { action, parameters, principal, region, signingName, now, clientGone };
  const keys = { "aws:RequestedRegion": region };
  for (const permission of operation.permissions(call))
    if (!isAllowed(directory, principal, permission, keys)) throw accessDenied(principal, permission);
  return operation.run(call);
}

/** A one-time password is the one secret that a parameter may hold. */
function recordedParameters({ protocol }: Route, request: ReceivedRequest): JsonObject {
  try {
    const { TokenCode: _secret, ...parameters } = protocol.readParameters(request);
    return parameters;
  } catch {
    return {};
  }
}

function abortedWhenGone({ response }: Wire): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  return controller.signal;
}
