/**
 * Unix datagrams, which Node has no socket for: what systemd (sd_notify) and the journal listen to.
 *
 * The native addon is used in one way only, found by reading and tracing it (node-unix-socket 0.2.7): a length beyond
 * the buffer aborts the process, so it is always the buffer's own; sendmsg(2) happens within the call and tells its end
 * before it returns, unless the receiver's queue is full; and a socket that once waited for a full queue turns the
 * event loop for ever afterwards, so each datagram has a socket of its own, closed when it is done.
 */
import { errorText } from "../failure.ts";

export const QUEUE_FULL = "the receiver's queue is full";

export interface Datagrams {
  /**
   * Waits while the receiver's queue is full.
   *
   * @throws an error that says why it cannot be sent
   */
  send(address: string, bytes: Buffer): Promise<void>;
  /** Sent when this returns, or never. @returns null when it was sent, else why not ({@link QUEUE_FULL} or another) */
  sendNow(address: string, bytes: Buffer): string | null;
}

type Socket = InstanceType<typeof import("node-unix-socket").DgramSocket>;

/** Loads the addon, which costs some milliseconds and is of use to the service and the root oneshot only. */
export async function openDatagrams(): Promise<Datagrams> {
  const { DgramSocket } = await import("node-unix-socket");
  const open = () => {
    const socket = new DgramSocket();
    socket.on("error", () => undefined);
    return socket;
  };
  return {
    send: async (address, bytes) => {
      const socket = open();
      try {
        await new Promise<void>((resolve, reject) => {
          begin(socket, address, bytes, (error) => (error ? reject(error) : resolve()));
        });
      } finally {
        socket.close();
      }
    },
    sendNow: (address, bytes) => {
      try {
        const socket = open();
        try {
          return ended(socket, address, bytes);
        } finally {
          socket.close();
        }
      } catch (error) {
        return errorText(error);
      }
    },
  };
}

function ended(socket: Socket, address: string, bytes: Buffer): string | null {
  let outcome: string | null = QUEUE_FULL;
  begin(socket, address, bytes, (error) => {
    outcome = error ? errorText(error) : null;
  });
  return outcome;
}

function begin(socket: Socket, address: string, bytes: Buffer, done: (error?: Error) => void): void {
  socket.sendTo(bytes, 0, bytes.length, address, done);
}
