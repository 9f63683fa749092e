/**
 * One listening port on 127.0.0.1 that can be closed so that connections are refused, and opened again under
 * the same number.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Wire } from "./delivery.ts";
import type { ReceivedRequest } from "./received.ts";
import { receive } from "./received.ts";

/** Answers one request. What it throws is a bug of the emulator: the client sees its connection cut. */
export type Door = (request: ReceivedRequest, wire: Wire) => Promise<void>;

export class Listener {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  #port: number;

  constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
    // A client that opens a connection and says nothing is its own concern; hangs are ordered as faults.
    server.requestTimeout = 0;
    server.on("connection", (socket: Socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      socket.on("error", () => socket.destroy());
    });
  }

  answerWith(door: Door): void {
    this.#server.on("request", (message, response) => {
      const tcp = this.#tcpSocketOf(message.socket);
      receive(message)
        .then((request) => door(request, { response, tcp }))
        .catch(() => tcp.destroy());
    });
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on and cuts those there are. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  /** The TCP socket of a connection, which under TLS is not the one that requests arrive on. */
  #tcpSocketOf(socket: Socket): Socket {
    const { remotePort } = socket;
    return [...this.#connections].find((each) => each.remotePort === remotePort) ?? socket;
  }
}
