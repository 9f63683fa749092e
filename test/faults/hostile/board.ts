/**
 * What a process of the campaign is at, in a file: it is there also when the process hangs, or has died for want of
 * memory.
 */
import { openSync, readFileSync, writeSync } from "node:fs";

const END = "\n<end>\n";

export class Board {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, "w", 0o600);
  }

  begin(input: string): void {
    writeSync(this.#descriptor, `${Date.now()}\n${input}${END}`, 0);
  }

  end(): void {
    writeSync(this.#descriptor, `0${" ".repeat(16)}\n`, 0);
  }
}

export interface Notice {
  /** By the wall clock; 0 while nothing is tried. */
  sinceMs: number;
  input: string;
}

export function readBoard(path: string): Notice {
  const text = readFileSync(path, "utf8");
  const lineEnd = text.indexOf("\n");
  const end = text.indexOf(END);
  return { sinceMs: Number(text.slice(0, lineEnd)) || 0, input: text.slice(lineEnd + 1, end) };
}
