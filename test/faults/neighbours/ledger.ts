/** What was promised and what became of it, row by row. */
import type { Finding } from "../campaign.ts";

/** A promise that was not kept, with how to see it again. */
export class Broken extends Error {
  readonly found: string;

  constructor(found: string, detail: readonly string[]) {
    super(detail.slice(0, 20).join("\n  "));
    this.found = found;
  }
}

/** One thing that somebody can do, or cannot, and what showed it. */
export interface Shown {
  what: string;
  by: string;
}

export class Ledger {
  readonly findings: Finding[] = [];
  readonly #lists = new Map<string, Shown[]>();
  /** How much was tried, by what it is called. */
  readonly #counts = new Map<string, number>();

  count(what: string, number = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + number);
  }

  get tried(): string {
    return [...this.#counts].map(([what, number]) => `${number.toLocaleString("en")} ${what}`).join(", ");
  }

  /** @param work says what was found, or throws {@link Broken} */
  async promise(what: string, target: string, work: () => Promise<string>): Promise<void> {
    try {
      this.findings.push({ what, target, found: await work(), isMet: true });
    } catch (error) {
      const found = error instanceof Broken ? error.found : "it could not be tried";
      const detail = error instanceof Error ? error.message : String(error);
      this.findings.push({ what, target, found, isMet: false, detail });
    }
  }

  /** A promise with a row of its own in a list of the document. @param work says what showed it */
  async show(list: string, what: string, work: () => Promise<string>): Promise<void> {
    const before = this.findings.length;
    await this.promise(what, list, async () => {
      const by = await work();
      this.#lists.set(list, [...(this.#lists.get(list) ?? []), { what, by }]);
      return by;
    });
    // The list tells it; a table of its own would repeat it.
    if (this.findings[before]?.isMet) this.findings.length = before;
  }

  /** One row for a whole list: how many of its lines were shown. */
  close(list: string, what: string, target: string): void {
    const shown = this.#lists.get(list)?.length ?? 0;
    const failed = this.findings.filter(({ target: of, isMet }) => of === list && !isMet).length;
    const found = failed === 0 ? `all ${shown}` : `${shown}; ${failed} not`;
    this.findings.push({
      what,
      target,
      found,
      isMet: failed === 0 && shown > 0,
      detail: "see the rows above",
    });
  }

  /** The lists in Markdown. */
  get lists(): string {
    return [...this.#lists]
      .map(([title, rows]) => {
        const lines = rows.map(({ what, by }) => `| ${what} | ${by} |`);
        return `${title}:\n\n| | shown by |\n|---|---|\n${lines.join("\n")}`;
      })
      .join("\n\n");
  }
}

/** @throws Broken where there are faults */
export function noneOf(faults: readonly string[], what = ""): string {
  if (faults.length > 0) throw new Broken(`${faults.length}`, faults);
  return what === "" ? "0" : `0 (${what})`;
}
