/** The demo's voice: one line a happening, with the simulated time since the start. */
const COLOURS = { helper: 36, agent: 35, aws: 33, operator: 34, good: 32 } as const;
export type Speaker = keyof typeof COLOURS;

const isTerminal = process.stdout.isTTY;

export class Narrator {
  readonly #startedMs = Date.now();
  readonly #factor: number;

  constructor(factor: number) {
    this.#factor = factor;
  }

  title(text: string): void {
    process.stdout.write(`\n${isTerminal ? `\x1b[1m${text}\x1b[0m` : text}\n`);
  }

  say(speaker: Speaker, text: string): void {
    const minutes = Math.floor(((Date.now() - this.#startedMs) * this.#factor) / 60_000);
    const clock = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
    const name = speaker.padEnd(8);
    const shown = isTerminal ? `\x1b[${COLOURS[speaker]}m${name}\x1b[0m` : name;
    process.stdout.write(`  ${clock.padStart(5)}  ${shown}  ${text}\n`);
  }

  block(text: string): void {
    process.stdout.write(`${text.replace(/^/gm, "    ").trimEnd()}\n`);
  }
}
