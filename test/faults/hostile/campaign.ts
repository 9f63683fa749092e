/**
 * The campaign `hostile`: whatever is put before the program (files, answers, arguments, environment, the machine), it
 * neither crashes nor hangs nor takes much memory, it says what is wrong and where, and it writes no file that the
 * agent could not read. See docs/reliability.md.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Campaign, CampaignOptions, CampaignOutcome, Finding } from "../campaign.ts";
import { type BatchOutcome, batchesOf, type Complaint, tryAll } from "./crew.ts";
import { KINDS } from "./kinds.ts";
import { allCases } from "./processes/cases.ts";
import { LARGEST_BYTES, type ProcessOutcome, tryProcesses } from "./processes/try-processes.ts";
import { checkReaders } from "./readers.ts";

const MEGABYTE = 1_024 * 1_024;
/** Of the cases for real processes, the quick scale tries each n-th. */
const QUICK_STEP = 24;

export const campaign: Campaign = {
  title: "Hostile input: files, answers, arguments, environment, the machine",
  async run({ scale, seed, directory, signal }: CampaignOptions): Promise<CampaignOutcome> {
    if (process.geteuid?.() !== 0)
      throw new Error("this campaign needs root, for its mount namespaces and devices");
    const members = Math.min(availableParallelism(), 4);
    const told = (place: string, { what, input }: Complaint) =>
      console.log(`  ${place}: ${what.slice(0, 700)}\n    ${input.slice(0, 700)}`);
    const isQuick = scale === "quick";
    const kinds = await tryAll(batchesOf(KINDS, scale, seed), {
      directory: join(directory, "kinds"),
      members,
      signal,
      onComplaint: told,
    });
    const cases = allCases(seed, isQuick ? 10 : 100).filter(
      (_, index) => !isQuick || index % QUICK_STEP === seed % QUICK_STEP,
    );
    const processes = await tryProcesses(cases, {
      directory: join(directory, "processes"),
      slots: members,
      signal,
      onComplaint: (complaint) => told("process", complaint),
    });
    const readers = await checkReaders(seed, isQuick ? 300 : 5_000, directory);
    const inputs = [...kinds.values()].reduce((sum, { ran }) => sum + ran, 0);
    return {
      tried: `${inputs.toLocaleString("en")} inputs in ${KINDS.length} kinds, and ${cases.length} real commands`,
      findings: [...findingsOf(kinds, processes), ...readers],
      more: tableOf(kinds, processes),
    };
  },
};

function findingsOf(kinds: ReadonlyMap<string, BatchOutcome>, processes: ProcessOutcome): Finding[] {
  const complaints = [...kinds.values()].flatMap((outcome) => outcome.complaints);
  const promise = (what: string, all: readonly Complaint[], isIt: (text: string) => boolean): Finding => {
    const broken = all.filter((complaint) => isIt(complaint.what));
    const detail = broken.map(({ what: why, input }) => `${why}\n${input}`.slice(0, 600)).slice(0, 5);
    return {
      what,
      target: "0",
      found: `${broken.length}`,
      isMet: broken.length === 0,
      detail: detail.join("\n"),
    };
  };
  const isHang = (text: string) => /no end|waits for ever/.test(text);
  const isMemory = (text: string) => /heap|MiB of memory|array length/.test(text);
  const isCrash = (text: string) =>
    /^thrown|not foreseen|a stack|signal|process ended|exit status \d+:/.test(text);
  const isOther = (text: string) => !isHang(text) && !isMemory(text) && !isCrash(text);
  const every = [...complaints, ...processes.complaints];
  const mebibytes = Math.ceil(processes.peak.bytes / MEGABYTE);
  return [
    promise(
      "crashes: an error that was not foreseen, a stack, an end by a signal",
      every,
      (text) => isCrash(text) && !isMemory(text),
    ),
    promise(
      "hangs: an input that takes 15 s of work (in a real command: 5 min) or waits for ever",
      every,
      isHang,
    ),
    promise("inputs that take all memory (a heap of 150 MB)", every, isMemory),
    promise(
      "messages without a place or with control characters, values that cannot be, files that the agent cannot use",
      every,
      isOther,
    ),
    {
      what: `largest memory of a real command (${processes.peak.name})`,
      target: "at most 150 MiB",
      found: `${mebibytes} MiB`,
      isMet: processes.peak.bytes <= LARGEST_BYTES,
    },
  ];
}

function tableOf(kinds: ReadonlyMap<string, BatchOutcome>, { groups }: ProcessOutcome): string {
  const rows = KINDS.map(({ name, title, corpus }) => {
    const { ran = 0, complaints = [] } = kinds.get(name) ?? {};
    return `| ${title} | ${(ran - corpus.length).toLocaleString("en")} | ${corpus.length} | ${complaints.length} |`;
  });
  const commands = [...groups].map(
    ([group, { ran, peakBytes }]) => `| ${group} | ${ran} | ${Math.ceil(peakBytes / MEGABYTE)} MiB |`,
  );
  return [
    "Inputs by kind, against the code that reads them:\n",
    "| input | generated | by hand | faults |\n|---|---|---|---|",
    ...rows,
    "\nReal commands, and the most memory that one of them took:\n",
    "| hostile was | commands | memory |\n|---|---|---|",
    ...commands,
  ].join("\n");
}
