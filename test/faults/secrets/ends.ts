/** Stands in for a test's context where there is none: what was opened is closed, the last first. */
import type { TestContext } from "../../harness/scene.ts";

export class Ends implements TestContext {
  readonly #ends: (() => Promise<void>)[] = [];

  onTestFinished(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}
