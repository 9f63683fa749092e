/** Real servers for the network tests: one that answers, and a proxy that tunnels. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach } from "vitest";
import type { ServerIdentity } from "./certificate.ts";

export interface RunningServer {
  port: number;
  /** What was asked of it: `POST /`, or `CONNECT host:port`. */
  requests: string[];
}

/** Servers of the test that is running; they are closed, connections and all, after it. */
export function useServers() {
  const open: { server: Server; sockets: Set<Socket> }[] = [];
  afterEach(async () => {
    for (const { server, sockets } of open.splice(0)) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  async function start(server: Server, requests: string[]): Promise<RunningServer> {
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    });
    open.push({ server, sockets });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, requests };
  }

  return {
    /** @param identity where it speaks TLS */
    answering(listener: RequestListener, identity?: ServerIdentity): Promise<RunningServer> {
      const requests: string[] = [];
      const noted: RequestListener = (request, response) => {
        requests.push(`${request.method} ${request.url}`);
        listener(request, response);
      };
      return start(identity ? createTlsServer(identity, noted) : createServer(noted), requests);
    },

    /** @param status other than 200 to refuse; null to say nothing at all */
    proxy(status: number | null = 200): Promise<RunningServer> {
      const requests: string[] = [];
      const server = createServer((request, response) => {
        requests.push(`${request.method} ${request.url}`);
        response.end("through the proxy");
      });
      server.on("connect", (request, client: Socket) => {
        requests.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
        if (status === null) return;
        if (status !== 200) return void client.end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
        const [host, port] = (request.url ?? "").split(":");
        const upstream = connect(Number(port), host, () => {
          client.write("HTTP/1.1 200 Connection established\r\n\r\n");
          upstream.pipe(client).pipe(upstream);
        });
        upstream.on("error", () => client.destroy());
        client.on("error", () => upstream.destroy());
      });
      return start(server, requests);
    },
  };
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
