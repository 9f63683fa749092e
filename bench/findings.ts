/** What every benchmark hands back: figures, and those among them that were promised. */

/** One promise and the figure that was measured. */
export interface Finding {
  what: string;
  /** For people: "at most 1.2". */
  target: string;
  found: string;
  isMet: boolean;
}

export interface Outcome {
  findings: Finding[];
  /** Tables and pictures for the document, in Markdown. */
  more: string;
}

export interface Bench {
  title: string;
  /** @param signal ends it early */
  run(options: { directory: string; signal: AbortSignal }): Promise<Outcome>;
}

export function atMost(what: string, limit: number, found: number, unit = ""): Finding {
  return {
    what,
    target: `at most ${limit}${unit}`,
    found: `${rounded(found)}${unit}`,
    isMet: found <= limit,
  };
}

export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}

export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "never";
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}
