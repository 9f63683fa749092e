/** Puts an answer on the wire, whole or in one of the ways in which networks and servers fail. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Fault } from "../faults/fault.ts";
import type { Answer } from "../protocols/protocol.ts";

/** `tcp` lies below TLS where there is TLS: only it can be reset. */
export interface Wire {
  readonly response: ServerResponse;
  readonly tcp: Socket;
}

/** Delivers the answer as the fault has it; resolves when no more will be sent. */
export async function deliver(wire: Wire, answer: Answer, fault: Fault | null): Promise<void> {
  const { response, tcp } = wire;
  if (fault?.kind === "huge-body") return sendHugeBody(response, answer, fault.megabytes);
  const body = Buffer.from(answer.body, "utf8");
  const half = body.subarray(0, Math.floor(body.length / 2));
  const sent = fault?.kind === "truncated" ? half : body;
  response.writeHead(answer.status, { ...answer.headers, "content-length": sent.length });
  if (fault?.kind === "hang-mid-body" || fault?.kind === "reset-mid-body") {
    await new Promise<void>((resolve) => response.write(half, () => resolve()));
    // The client should have read the first half before the reset throws away what is still in flight.
    if (fault.kind === "reset-mid-body") setTimeout(() => tcp.resetAndDestroy(), 20);
    return;
  }
  await new Promise<void>((resolve) => response.end(sent, () => resolve()));
}

/** Filler inside an XML comment: a client that reads it all to parse it pays for it. */
async function sendHugeBody(response: ServerResponse, answer: Answer, megabytes: number): Promise<void> {
  response.writeHead(answer.status, { ...answer.headers });
  const block = Buffer.alloc(64 * 1024, "x");
  const filler = function* (): Generator<Buffer> {
    yield Buffer.from("<!-- ");
    for (let sent = 0; sent < megabytes * 1024 * 1024; sent += block.length) yield block;
  };
  // A client that hangs up has seen enough.
  await pipeline(Readable.from(filler()), response).catch(() => undefined);
}
