/**
 * A process of the campaign that tries inputs of one kind after the other against the real code:
 * `node member.ts DIRECTORY BOARD`, started by crew.ts.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { Board } from "./board.ts";
import type { Batch, BatchOutcome } from "./crew.ts";
import { type Judge, type Judgement, type Kind, told } from "./kind.ts";
import { KINDS } from "./kinds.ts";

const [, , directory = "", boardFile = ""] = process.argv;
const board = new Board(boardFile);
const judges = new Map<string, Judge<unknown>>();

async function judgeOf({ name, open }: Kind): Promise<Judge<unknown>> {
  const own = join(directory, name);
  mkdirSync(own, { recursive: true });
  const judge = judges.get(name) ?? (await open(own));
  judges.set(name, judge);
  return judge;
}

/** @returns what is wrong, an error that was thrown included */
async function tried(judge: Judge<unknown>, input: unknown): Promise<Judgement> {
  board.begin(shown(input));
  try {
    return await judge(input);
  } catch (error) {
    return `thrown: ${told(error)}`;
  } finally {
    board.end();
  }
}

function shown(input: unknown): string {
  const text = fc.stringify(input);
  return text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length} characters)` : text;
}

async function perform({ kind, seed, size, corpus }: Batch): Promise<BatchOutcome> {
  const found = KINDS.find(({ name }) => name === kind);
  if (found === undefined) throw new Error(`there is no kind ${kind}`);
  const judge = await judgeOf(found);
  if (corpus !== null) {
    const input = found.corpus[corpus];
    const what = await tried(judge, input);
    return { ran: 1, complaints: what === null ? [] : [{ what, input: shown(input) }] };
  }
  const property = fc.asyncProperty(found.arbitrary, async (input) => {
    const wrong = await tried(judge, input);
    if (wrong !== null) throw new Error(wrong);
  });
  const details = await fc.check(property, { seed, numRuns: size });
  if (!details.failed) return { ran: details.numRuns, complaints: [] };
  const [input] = details.counterexample ?? [];
  const what = details.errorInstance instanceof Error ? details.errorInstance.message : "it failed";
  const where = `seed ${seed}, path ${details.counterexamplePath}`;
  return { ran: details.numRuns, complaints: [{ what, input: `${shown(input)} (${where})` }] };
}

process.on("message", async (batch: Batch) => process.send?.(await perform(batch)));
