/** A request once its body has arrived, with its headers as sent: the signature covers them exactly. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** The query string without its question mark, as sent. */
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly body: Buffer;
  readonly socket: Socket;
}

/** Lower-case names; a header sent several times keeps each value. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

const MAX_BODY_BYTES = 1024 * 1024;

export async function receive(message: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new RangeError(`request body above ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const target = message.url ?? "/";
  const questionMark = target.indexOf("?");
  return {
    method: message.method ?? "GET",
    path: questionMark < 0 ? target : target.slice(0, questionMark),
    query: questionMark < 0 ? "" : target.slice(questionMark + 1),
    headers: collectHeaders(message.rawHeaders),
    body: Buffer.concat(chunks),
    socket: message.socket,
  };
}

export function header(request: ReceivedRequest, name: string): string | undefined {
  return request.headers.get(name)?.join(",");
}

function collectHeaders(raw: readonly string[]): RequestHeaders {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(raw[index + 1] ?? "");
    headers.set(name, values);
  }
  return headers;
}
