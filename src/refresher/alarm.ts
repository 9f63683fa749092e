/** A sleep that anything may end early: a signal, a child that finished, a file that changed. */
export class Alarm {
  #wake: (() => void) | null = null;
  #isRung = false;

  /** Ends the sleep under way, or makes the next one end at once. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /**
   * @param dueMs when something is to be done, in milliseconds from now
   * @param tickMs when to look round at the latest, whatever is due
   * @returns after the shorter of them, or as soon as it rings
   */
  async sleep(dueMs: number, tickMs: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(dueMs, tickMs));
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
