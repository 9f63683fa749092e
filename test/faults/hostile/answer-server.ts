/** A server that answers as it is told to: what stands between us and AWS may be anything. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server } from "node:net";

/** An HTTP answer, as bytes: a proper server would not send most of these. */
export interface Answer {
  status: string;
  headers: readonly (readonly [string, string])[];
  body: Uint8Array;
  /**
   * `endless`: the body again and again, chunked. `drip`: the same, slowly.
   *
   * `whole`: with its length. `chunked`. `cut`: fewer bytes than it says. `stalled`: not the end. `none`: no length, and
   * the connection stays open. `bare`: the body alone, without status and headers. `silent`: nothing.
   */
  delivery: "endless" | "drip" | "whole" | "chunked" | "cut" | "stalled" | "none" | "bare" | "silent";
}

export interface AnswerServer {
  port: number;
  /** How many connections came to the place that redirects lead to. */
  elsewhere(): number;
  elsewherePort: number;
  answer: Answer;
  close(): void;
}

export async function openAnswerServer(): Promise<AnswerServer> {
  const open = new Set<Socket>();
  const listen = async (onRequest: (socket: Socket) => void): Promise<{ server: Server; port: number }> => {
    const server = createServer((socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => socket.destroy());
      let request = Buffer.alloc(0);
      socket.on("data", (bytes) => {
        request = Buffer.concat([request, bytes]);
        if (!isWhole(request)) return;
        request = Buffer.alloc(0);
        onRequest(socket);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { server, port: (server.address() as AddressInfo).port };
  };
  let strays = 0;
  const other = await listen((socket) => {
    strays += 1;
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const main = await listen((socket) => send(socket, state.answer));
  const state: AnswerServer = {
    port: main.port,
    elsewherePort: other.port,
    elsewhere: () => strays,
    answer: { status: "200 OK", headers: [], body: new Uint8Array(), delivery: "whole" },
    close: () => {
      for (const socket of open) socket.destroy();
      main.server.close();
      other.server.close();
    },
  };
  return state;
}

/** Headers, and as much body as they say. */
function isWhole(request: Buffer): boolean {
  const end = request.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const length = /^content-length: *(\d+)/im.exec(request.toString("latin1", 0, end))?.[1] ?? "0";
  return request.length >= end + 4 + Number(length);
}

function send(socket: Socket, { status, headers, body, delivery }: Answer): void {
  if (delivery === "silent") return;
  if (delivery === "bare") return void socket.end(body);
  const length: Record<string, string> = {
    whole: `Content-Length: ${body.length}\r\n`,
    cut: `Content-Length: ${body.length + 100}\r\n`,
    endless: "Transfer-Encoding: chunked\r\n",
    drip: "Transfer-Encoding: chunked\r\n",
    stalled: `Content-Length: ${body.length + 100}\r\n`,
    chunked: "Transfer-Encoding: chunked\r\n",
  };
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // latin1: one character a byte, as HTTP has it; the words keep their strange bytes.
  socket.write(Buffer.from(`HTTP/1.1 ${status}\r\n${lines}${length[delivery] ?? ""}\r\n`, "latin1"));
  if (delivery === "endless" || delivery === "drip") return void keepSending(socket, body, delivery);
  if (delivery === "chunked") {
    socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(body);
    return void socket.end("\r\n0\r\n\r\n");
  }
  socket.write(body);
  if (delivery === "whole" || delivery === "cut") socket.end();
}

const DRIP_EVERY_MS = 100;

/** For as long as anybody takes it. */
function keepSending(socket: Socket, body: Uint8Array, delivery: "endless" | "drip"): void {
  const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]);
  if (delivery === "drip") {
    const timer = setInterval(() => socket.write(chunk), DRIP_EVERY_MS);
    socket.on("close", () => clearInterval(timer));
    return;
  }
  const more = () => {
    while (!socket.destroyed && socket.write(chunk)) {
      // Until its buffer is full.
    }
  };
  socket.on("drain", more);
  more();
}
