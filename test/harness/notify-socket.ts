/** systemd's end of sd_notify(3): a datagram socket in the scratch directory, and what came in through it. */
import { DgramSocket } from "node-unix-socket";
import { eventually } from "./eventually.ts";

export interface NotifySocket {
  /** Every datagram so far, as it came. */
  messages(): readonly string[];
  /** @returns the first datagram with such a line, after the first `skip` datagrams */
  waitFor(line: RegExp, skip?: number): Promise<string>;
  close(): void;
}

export function openNotifySocket(path: string): NotifySocket {
  const messages: string[] = [];
  const socket = new DgramSocket();
  socket.on("data", (data: Buffer) => messages.push(data.toString("utf8")));
  socket.on("error", () => undefined);
  socket.bind(path);
  const fits = (line: RegExp) => (message: string) => message.split("\n").some((each) => line.test(each));
  return {
    messages: () => messages,
    waitFor: (line, skip = 0) =>
      eventually(
        () => messages.slice(skip).find(fits(line)),
        () => `no ${line} among:\n${messages.join("\n---\n")}`,
      ),
    close: () => socket.close(),
  };
}
