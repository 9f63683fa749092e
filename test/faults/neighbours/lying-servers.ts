/** Servers and proxies on the way to AWS that are not what they should be. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { ServerCertificate } from "../../harness/certificates.ts";

export interface RunningServer {
  port: number;
  close(): Promise<void>;
}

/** What a proxy does once it was asked to CONNECT. */
export type Lie = (client: Socket) => void;

/** @param lie gets the connection after the first that the client says on it */
export async function startLiar(lie: Lie): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).once("data", () => lie(client));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";
const PAGE = "<html><title>Log in</title></html>";

/** Says that the tunnel is there, and is the server itself, with what is behind it on a port of this machine. */
export function playingTheServer(own: ServerCertificate, port: number): Lie {
  return (client) => {
    client.write(ESTABLISHED);
    const inside = new TLSSocket(client, { isServer: true, secureContext: createSecureContext(own) });
    const onward = connect(port, "127.0.0.1");
    for (const socket of [inside, onward]) socket.on("error", () => socket.destroy());
    inside.pipe(onward).pipe(inside);
  };
}

export const LIES: Readonly<Record<string, Lie>> = {
  page: (client) => void client.end(`HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n${PAGE}`),
  redirect: (client) => void client.end("HTTP/1.1 302 Found\r\nlocation: http://proxy.example/login\r\n\r\n"),
  "page in the tunnel": (client) => {
    client.write(ESTABLISHED);
    client.once("data", () => client.write(`HTTP/1.1 200 OK\r\n\r\n${PAGE}`));
  },
  close: (client) => void client.end(),
  "close in the tunnel": (client) => void client.end(ESTABLISHED),
  reset: (client) => void client.resetAndDestroy(),
};
