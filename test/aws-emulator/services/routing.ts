/** Which service and action a request is for, by its shape; the credential scope must then agree. */
import type { ServiceName } from "../faults/fault.ts";
import type { ReceivedRequest } from "../http/received.ts";
import { header } from "../http/received.ts";
import { jsonProtocol } from "../protocols/json-1-1.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { queryProtocol, readForm } from "../protocols/query.ts";
import { s3Protocol } from "../protocols/rest-s3.ts";
import type { World } from "../world.ts";
import { codedeployOperations } from "./codedeploy/operations.ts";
import { commandOperations, PLAIN_SIGNING_NAME, SECURE_SIGNING_NAME } from "./commands/operations.ts";
import type { Operations } from "./operation.ts";
import { s3Operations } from "./s3/operations.ts";
import { stsOperations } from "./sts/operations.ts";

export interface Route {
  readonly service: ServiceName;
  readonly signingName: string;
  readonly protocol: Protocol;
  readonly operations: Operations;
  readonly action: string;
}

export type Router = (request: ReceivedRequest) => Route;

export function createRouter(world: World): Router {
  const commands = { service: "codedeploy-commands", operations: commandOperations(world) } as const;
  const jsonServices = new Map([
    [
      "CodeDeploy_20141006",
      { service: "codedeploy", signingName: "codedeploy", operations: codedeployOperations(world) } as const,
    ],
    ["CodeDeployCommandService_v20141006", { ...commands, signingName: PLAIN_SIGNING_NAME }],
    ["CodeDeployCommandService", { ...commands, signingName: SECURE_SIGNING_NAME }],
  ]);
  const sts = { service: "sts", signingName: "sts", operations: stsOperations(world) } as const;

  const s3 = { service: "s3", signingName: "s3", operations: s3Operations(world) } as const;

  return (request) => {
    const [prefix = "", action = ""] = (header(request, "x-amz-target") ?? "").split(".");
    const jsonService = jsonServices.get(prefix);
    if (jsonService !== undefined) return { ...jsonService, protocol: jsonProtocol, action };
    // STS and the JSON services have one path each, and the JSON services take POST alone.
    if (request.path !== "/" && request.method !== "POST") {
      const action = { GET: "GetObject", HEAD: "HeadObject" }[request.method] ?? request.method;
      return { ...s3, protocol: s3Protocol, action };
    }
    return { ...sts, protocol: queryProtocol, action: readForm(request).get("Action") ?? "" };
  };
}
