/**
 * Has the batches of all kinds tried by processes of the campaign. An input that takes too long, or more memory than a
 * process of ours may have, ends its process; it is reported, and another one goes on with the next batch.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuTimeMs } from "../../harness/processes.ts";
import { readBoard } from "./board.ts";
import type { Kind } from "./kind.ts";

export interface Batch {
  kind: string;
  /** fast-check's: the same seed makes the same inputs. */
  seed: number;
  size: number;
  /** Of the case made by hand that is tried in place of generated ones. */
  corpus: number | null;
}

export interface Complaint {
  what: string;
  input: string;
}

export interface BatchOutcome {
  ran: number;
  complaints: Complaint[];
}

/** One input. Of the processor's time, for the machine may have other things to do; else, what waits for ever. */
const LONGEST_CPU_MS = 15_000;
const LONGEST_WAIT_MS = 240_000;
const LOOK_EVERY_MS = 250;
/** Of the heap. What a whole process takes is measured with the real commands. */
const LARGEST_HEAP_MB = 150;
const BATCH = 250;
const PROGRAM = fileURLToPath(new URL("./member.ts", import.meta.url));

export function batchesOf(kinds: readonly Kind[], scale: "quick" | "full", seed: number): Batch[] {
  return kinds.flatMap(({ name, inputs, corpus: { length } }, index) => {
    const count = inputs[scale];
    const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) => ({
      kind: name,
      seed: (seed + index * 1_000_003 + batch * 7_919) | 0,
      size: Math.min(BATCH, count - batch * BATCH),
      corpus: null,
    }));
    const byHand = Array.from({ length }, (_, corpus) => {
      return { kind: name, seed: 0, size: 1, corpus };
    });
    return [...byHand, ...batches];
  });
}

export interface CrewOptions {
  directory: string;
  members: number;
  signal: AbortSignal;
  /** Told at once: a full run takes long. */
  onComplaint(kind: string, complaint: Complaint): void;
}

/** @returns what became of each kind, by its name */
export async function tryAll(
  batches: readonly Batch[],
  { directory, members, signal, onComplaint }: CrewOptions,
): Promise<Map<string, BatchOutcome>> {
  const queue = [...batches];
  const outcomes = new Map<string, BatchOutcome>();
  const note = (name: string, { ran, complaints }: BatchOutcome) => {
    const before = outcomes.get(name) ?? { ran: 0, complaints: [] };
    for (const complaint of complaints) onComplaint(name, complaint);
    outcomes.set(name, { ran: before.ran + ran, complaints: [...before.complaints, ...complaints] });
  };
  const work = async (number: number) => {
    let member: Member | null = null;
    try {
      for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
        signal.throwIfAborted();
        member ??= new Member(join(directory, `member-${number}`));
        note(batch.kind, await member.perform(batch));
        if (member.isOver) member = null;
      }
    } finally {
      member?.end();
    }
  };
  await Promise.all(Array.from({ length: members }, (_, number) => work(number)));
  return outcomes;
}

class Member {
  readonly #child: ChildProcess;
  readonly #board: string;
  #lastWords = "";
  isOver = false;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#board = join(directory, "board");
    writeFileSync(this.#board, "0\n");
    this.#child = fork(PROGRAM, [directory, this.#board], {
      execArgv: [`--max-old-space-size=${LARGEST_HEAP_MB}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-20_000);
    });
  }

  perform(batch: Batch): Promise<BatchOutcome> {
    const child = this.#child;
    return new Promise((resolve) => {
      const finish = (outcome: BatchOutcome) => {
        clearInterval(watch);
        child.removeAllListeners();
        resolve(outcome);
      };
      const lost = (what: string) => {
        this.isOver = true;
        const where = batch.corpus === null ? `a batch of seed ${batch.seed}` : "made by hand";
        finish({ ran: 0, complaints: [{ what, input: `${readBoard(this.#board).input} (${where})` }] });
      };
      let seen = { sinceMs: 0, cpuMs: 0 };
      const watch = setInterval(() => {
        const { sinceMs } = readBoard(this.#board);
        const cpuMs = cpuTimeMs(child.pid ?? 0).own;
        if (sinceMs !== seen.sinceMs) seen = { sinceMs, cpuMs };
        const isBusy = cpuMs - seen.cpuMs >= LONGEST_CPU_MS;
        if (sinceMs === 0 || (!isBusy && Date.now() - sinceMs < LONGEST_WAIT_MS)) return;
        child.removeAllListeners();
        child.kill("SIGKILL");
        lost(isBusy ? `no end in ${LONGEST_CPU_MS / 1_000} s of work` : "it waits for ever");
      }, LOOK_EVERY_MS);
      child.once("message", (outcome) => finish(outcome as BatchOutcome));
      child.once("close", (code, signal) => {
        const why =
          /FATAL ERROR: .*|^\w*Error: .*(?:\n +at .*){0,6}/m.exec(this.#lastWords)?.[0] ??
          this.#lastWords.slice(0, 500);
        lost(`its process ended (${signal ?? `status ${code}`}): ${why}`);
      });
      child.send(batch);
    });
  }

  /** By force: what it tried last may have left a server or a timer that keeps it alive. */
  end(): void {
    this.#child.removeAllListeners();
    this.#child.kill("SIGKILL");
  }
}
