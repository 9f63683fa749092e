/** What a Node process answers to its debugger, which SIGUSR1 opens: only once everything else has been measured. */
import { once } from "node:events";
import { eventually } from "../../harness/eventually.ts";
import type { Run } from "../../harness/launch.ts";

/** Whatever free port there is; it opens nothing by itself. */
export const INSPECTOR_OPTION = "--inspect-port=127.0.0.1:0";

export class Inspector {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(run: Run): Promise<Inspector> {
    process.kill(run.pid, "SIGUSR1");
    const url = await eventually(
      () => /Debugger listening on (ws:\S+)/.exec(run.log())?.[1],
      () => `no debugger in:\n${run.log()}`,
    );
    const socket = new WebSocket(url);
    await once(socket, "open");
    return new Inspector(socket);
  }

  /** @returns the value of an expression of which JSON can be made */
  async evaluate<T>(expression: string): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<T>((resolve, reject) => {
      const onMessage = ({ data }: MessageEvent) => {
        const message = JSON.parse(String(data));
        if (message.id !== id) return;
        this.#socket.removeEventListener("message", onMessage);
        if (message.result?.exceptionDetails === undefined && message.error === undefined)
          resolve(message.result.result.value);
        else reject(new Error(`${expression}: ${String(data)}`));
      };
      this.#socket.addEventListener("message", onMessage);
    });
    const params = { expression, returnByValue: true, awaitPromise: true };
    this.#socket.send(JSON.stringify({ id, method: "Runtime.evaluate", params }));
    return answered;
  }

  close(): void {
    this.#socket.close();
  }
}
