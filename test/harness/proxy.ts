/** A forward proxy on 127.0.0.1: plain HTTP in absolute form, HTTPS through CONNECT. It remembers what it was asked. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface RunningProxy {
  url: string;
  port: number;
  /** `POST http://127.0.0.1:1234/`, `CONNECT 127.0.0.1:1234`, in order of arrival. */
  asked: readonly string[];
  close(): Promise<void>;
}

export async function startProxy(options: { refuses?: boolean } = {}): Promise<RunningProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { method, headers, url = "" } = incoming;
    if (options.refuses) {
      answer.writeHead(407).end("who are you?");
      return;
    }
    const onward = request(url, { method, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", ({ url = "" }, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${url}`);
    if (options.refuses) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const [host = "", port] = url.split(":");
    const onward = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [client, onward]) socket.on("error", () => socket.destroy());
    sockets.add(onward);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
