/** Where each refresh child of the measured `run` asks what is to become of it; and the count of what did. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Emulator } from "../../aws-emulator/emulator.ts";
import type { Fate } from "./fates.ts";
import type { Answer } from "./warm-refresher.ts";

const WARM = fileURLToPath(new URL("warm-refresher.ts", import.meta.url));

export interface DoorOptions {
  emulator: Emulator;
  /** What the children of `run` have. */
  env: NodeJS.ProcessEnv;
  fateOf(number: number): Fate;
  /** After each child that was let in. */
  onBegin(number: number): void;
}

export class RefreshDoor {
  /** Refreshes that began, were real processes, and met a fault, by its name. */
  begun = 0;
  real = 0;
  readonly faults = new Map<string, number>();
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #warm: ChildProcess;
  /** Ends what AWS does wrong in the refresh before: there is one at a time. */
  #endFault: () => void | Promise<void> = () => undefined;
  #trouble: Error | null = null;

  private constructor(options: DoorOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.#warm = fork(WARM, {
      env: options.env,
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    server.on("connection", (socket) => {
      this.#admit(socket).catch((error: Error) => {
        // A child that is gone by now needs no answer.
        if (!socket.destroyed) this.#trouble = error;
        socket.destroy();
      });
    });
  }

  static async open(options: DoorOptions): Promise<RefreshDoor> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RefreshDoor(options, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, each) => sum + each, 0);
  }

  /** @throws what went wrong here, in the campaign itself */
  check(): void {
    if (this.#trouble !== null) throw this.#trouble;
    if (this.#warm.exitCode !== null) throw new Error(`warm-refresher.ts ended with ${this.#warm.exitCode}`);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#warm.kill();
    await this.#endFault();
  }

  async #admit(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    const line = await firstLine(socket);
    const space = line.indexOf(" ");
    const [pid, config] = [Number(line.slice(0, space)), line.slice(space + 1)];
    await this.#endFault();
    this.#endFault = () => undefined;
    this.begun += 1;
    const fate = this.#options.fateOf(this.begun);
    const name = fate.aws?.fault ?? fate.process ?? (fate.killAfterMs === null ? null : "killed on its way");
    if (name !== null) this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
    if (fate.isReal) this.real += 1;
    const { emulator, onBegin } = this.#options;
    onBegin(this.begun);
    if (fate.aws !== null) {
      const { aws } = fate;
      await aws.begin(emulator);
      this.#endFault = () => aws.end(emulator);
    }
    if (fate.process !== null) socket.end(`${fate.process}\n`);
    else if (fate.isReal) this.#sendReal(socket, pid, fate.killAfterMs);
    else {
      const { code, line: answer } = await this.#askWarm(JSON.parse(config));
      socket.end(`answer ${code} ${answer}\n`);
    }
  }

  /** Its connection ends with it, so that no other process is killed under its id. */
  #sendReal(socket: Socket, pid: number, killAfterMs: number | null): void {
    socket.write("real\n");
    if (killAfterMs === null) return;
    const timer = setTimeout(() => process.kill(pid, "SIGKILL"), killAfterMs);
    socket.resume().once("close", () => clearTimeout(timer));
    socket.once("end", () => clearTimeout(timer));
  }

  async #askWarm(config: unknown): Promise<Answer> {
    const answered = once(this.#warm, "message") as Promise<[Answer]>;
    this.#warm.send(config as object);
    const [answer] = await answered;
    return answer;
  }
}

async function firstLine(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    const onData = (more: string) => {
      text += more;
      const end = text.indexOf("\n");
      if (end === -1) return;
      socket.off("data", onData);
      resolve(text.slice(0, end));
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error("a refresh child ended before it asked")));
  });
}
