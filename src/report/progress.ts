/**
 * Shows the steps of a command as they happen: what, how it ended, how long it took; and at a failure what was done,
 * what was not, and that it may be run again.
 */
import { styleText } from "node:util";

/**
 * `ok`: looked at, right. `done`: changed. `kept`: nothing had to be changed. `plan`: would be changed. `note`: it
 * worked, and a person should read this. `FAIL`: it did not work.
 */
export type StepState = "ok" | "done" | "kept" | "plan" | "note" | "FAIL";

export interface StepOutcome {
  state: Exclude<StepState, "FAIL">;
  /** A few words on what was seen or done. */
  detail: string;
  /** Whole sentences or blocks of text (a diff), each on lines of its own. */
  notes?: readonly string[];
}

export interface StepReport {
  step: string;
  title: string;
  state: StepState;
  detail: string;
  notes: readonly string[];
  tookMs: number;
}

const COLOURS = {
  ok: "green",
  done: "green",
  kept: "gray",
  plan: "cyan",
  note: "yellow",
  FAIL: "red",
} as const satisfies Record<StepState, string>;

const INDENT = " ".repeat(8);
const NARROWEST = 40;
const WIDEST = 110;

export interface Screen {
  write(text: string): void;
  isTerminal: boolean;
  /** In characters. */
  columns: number;
}

/**
 * For a command that changes things: where the reader of a pipe goes away (`| head`), it goes on to its end, for what
 * is half done would be half done without anybody's knowing.
 */
export function standardOutput(): Screen {
  const { stdout } = process;
  stdout.removeAllListeners("error");
  stdout.on("error", () => undefined);
  return {
    write: (text) => stdout.write(text),
    isTerminal: stdout.isTTY === true,
    columns: columnsOf(stdout),
  };
}

function columnsOf({ columns = WIDEST }: { columns?: number }): number {
  return Math.min(WIDEST, Math.max(NARROWEST, columns));
}

/** As it is for a program or a file, and in lines that fit on a terminal. */
export function fitted(text: string, stream: NodeJS.WriteStream): string {
  return stream.isTTY ? wrap(text, columnsOf(stream)) : text;
}

/** Nothing is shown: the reports come as JSON at the end. */
export const SILENT: Screen = { write: () => undefined, isTerminal: false, columns: WIDEST };

export class Progress {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  say(text: string): void {
    this.#screen.write(`${wrap(harmless(text), this.#screen.columns)}\n`);
  }

  /** On a terminal only: the line is written over when the step ends. */
  begin(title: string): void {
    if (this.#screen.isTerminal) this.#screen.write(`  ${this.#paint("gray", "…")}     ${title}`);
  }

  /** Takes the line of {@link begin} away, for a question or the step's end. */
  clear(): void {
    if (this.#screen.isTerminal) this.#screen.write("\r\x1b[K");
  }

  end({ title, state, notes, tookMs, ...report }: StepReport): void {
    this.clear();
    const detail = harmless(report.detail);
    const { columns } = this.#screen;
    const word = this.#paint(COLOURS[state], state.padEnd(4));
    const took = `${(tookMs / 1_000).toFixed(1)} s`;
    const gap = " ".repeat(Math.max(2, columns - INDENT.length - title.length - took.length));
    this.#screen.write(`  ${word}  ${title}${this.#paint("gray", gap + took)}\n`);
    if (detail !== "") this.#screen.write(`${indented(wrap(detail, columns - INDENT.length))}\n`);
    for (const note of notes.map(harmless)) {
      // A block of lines (a diff, a policy) is to be copied: it keeps its lines.
      const lines = note.includes("\n") ? note : wrap(note, columns - INDENT.length);
      this.#screen.write(`${indented(lines)}\n`);
    }
  }

  #paint(colour: Parameters<typeof styleText>[0], text: string): string {
    return this.#screen.isTerminal && !process.env.NO_COLOR
      ? styleText(colour, text, { validateStream: false })
      : text;
  }
}

/** What is shown may be another user's (a crontab, a path): nothing in it steers root's terminal. */
export function harmless(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, "?");
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, INDENT);
}

/** Breaks at spaces; what is longer than a line (an ARN, a command) is left whole, so that it can be copied. */
export function wrap(text: string, columns: number): string {
  return text
    .split("\n")
    .map((paragraph) => {
      const lines: string[] = [];
      for (const word of paragraph.split(" ")) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + 1 + word.length <= columns)
          lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(word);
      }
      return lines.join("\n");
    })
    .join("\n");
}
