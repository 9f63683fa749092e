/** A sleep that anything may end early: a signal, a child that finished, a file that changed. */
export class Alarm {
  #wake: (() => void) | null = null;
  #isRung = false;

  /** Ends the sleep under way, or makes the next one end at once. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** @returns after the time, in milliseconds, or as soon as it rings */
  async sleep(ms: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#isRung = false;
  }
}
