/** The checks' outcomes as they come: one line each, and the sum at the end. */
export class Tally {
  #passed = 0;
  #failed = 0;

  /** Records one check; `fault` says what was wrong, or is undefined when nothing was. */
  record(check: string, fault: string | undefined): void {
    if (fault === undefined) this.#passed++;
    else this.#failed++;
    console.log(fault === undefined ? `ok    ${check}` : `FAIL  ${check}: ${fault}`);
  }

  summary(): string {
    return `${this.#passed} passed, ${this.#failed} failed`;
  }

  get exitCode(): number {
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}
