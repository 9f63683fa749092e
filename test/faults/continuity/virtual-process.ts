/** A process of the virtual host: real code that runs until it ends, or is killed between any two of its system calls. */
import { running } from "./virtual-time.ts";

/** What code of a dead process gets for its next system call. It may catch it; nothing that it does then has an effect. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export class VirtualProcess {
  readonly name: string;
  #isAlive = true;
  /** System calls that are left to it. */
  #left = Number.POSITIVE_INFINITY;
  readonly #onKilled: () => void;

  constructor(name: string, onKilled: () => void = () => undefined) {
    this.name = name;
    this.#onKilled = onKilled;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Runs as this process. A promise of a killed process never settles. */
  run(body: () => Promise<void>): void {
    void running.run(this, () =>
      body().catch((error: unknown) => {
        if (this.#isAlive) throw error;
      }),
    );
  }

  /** SIGKILL before the n-th system call from now. */
  killAtCall(n: number): void {
    this.#left = n;
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#onKilled();
  }

  /** It has ended by itself: what is left of it gets no further. */
  end(): void {
    this.#isAlive = false;
  }

  call(): void {
    if (!this.#isAlive) throw new Killed();
    this.#left -= 1;
    if (this.#left > 0) return;
    this.kill();
    throw new Killed();
  }
}

/** At the start of every system call. The world's own calls are nobody's. */
export function systemCall(): void {
  running.getStore()?.call();
}

/** A function that runs as the process that is running now, and no more once that is dead. */
export function asRunning<Parameters extends unknown[]>(run: (...parameters: Parameters) => void) {
  const process = running.getStore();
  if (process === undefined) return run;
  return (...parameters: Parameters) => {
    if (process.isAlive) running.run(process, () => run(...parameters));
  };
}
