/** What strace recorded of one thread, as a list of calls that can be met again by name and count. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Thread } from "./gated-command.ts";

export interface Call {
  thread: Thread;
  syscall: string;
  /** The how-many-th of this system call on this thread: strace's `when=`. */
  nth: number;
  atSeconds: number;
  /** As strace shows it, with its result. */
  text: string;
  /** Whether it works on a descriptor that was opened for writing. */
  isForWriting: boolean;
  /** Whether it works on a socket or pipe that never makes it wait: then no signal can interrupt it. */
  isNonBlocking: boolean;
}

/** Calls that touch files, sockets or processes; memory, threads and waiting are not asked for. */
export const TRACED = "trace=%file,%desc,%network,%process";

export function readTrace(log: string, thread: Thread): Call[] {
  const counts = new Map<string, number>();
  return readFileSync(log, "latin1")
    .split("\n")
    .flatMap((line) => {
      const [, at, text, syscall] = /^(\d+\.\d+) ((\w+)\(.*)$/.exec(line) ?? [];
      if (at === undefined || text === undefined || syscall === undefined) return [];
      const nth = (counts.get(syscall) ?? 0) + 1;
      counts.set(syscall, nth);
      const call = { thread, syscall, nth, atSeconds: Number(at), text };
      return [{ ...call, isForWriting: false, isNonBlocking: false }];
    });
}

/** Node's and the C library's own: see docs/reliability.md for why each is left out. */
const NOT_OURS_CALLS = /^(mmap|epoll_|io_uring_|eventfd|exit$)/;
const NOT_OURS_THINGS = /<anon_inode:|[<"]\/(sys\/devices\/system\/cpu|usr\/share\/zoneinfo|etc\/localtime)/;
/** Node asks what its standard streams are when it first uses them, and sets them back at its end. */
const STREAM_SETUP = /^(ioctl|fstat|getsockname|getsockopt|fcntl)\([012]</;
const MAKES_THREAD = /^clone3?\(.*CLONE_THREAD/;

/**
 * The calls of one undisturbed run that are ours, in the order of time, from the first that names `directory` (where
 * all files lie that the command works with) to the last.
 */
export function ourCalls(calls: readonly Call[], directory: string): Call[] {
  const inOrder = withDescriptors(calls.toSorted((one, other) => one.atSeconds - other.atSeconds));
  const first = inOrder.findIndex(({ text }) => text.includes(`"${directory}`));
  if (first === -1) throw new Error(`no call in the trace names ${directory}`);
  const made = new Set(inOrder.flatMap(({ syscall, text }) => (syscall === "pipe2" ? pipesIn(text) : [])));
  return inOrder.slice(first).filter(({ syscall, text }) => {
    if (NOT_OURS_CALLS.test(syscall) || NOT_OURS_THINGS.test(text)) return false;
    if (STREAM_SETUP.test(text) || MAKES_THREAD.test(text)) return false;
    // libuv's signal pipes, which are older than the command.
    return syscall === "pipe2" || pipesIn(text).every((pipe) => made.has(pipe));
  });
}

function withDescriptors(calls: readonly Call[]): Call[] {
  const writable = new Set<string>();
  const nonBlocking = new Set<string>();
  return calls.map((call) => {
    const { syscall, text } = call;
    if (/(SOCK|O)_NONBLOCK|FIONBIO, \[1\]/.test(text)) for (const end of endsIn(text)) nonBlocking.add(end);
    const [, opened] = (syscall === "openat" && / = (\d+)</.exec(text)) || [];
    if (opened !== undefined) writable.delete(opened);
    if (opened !== undefined && /O_(WRONLY|RDWR)/.test(text)) writable.add(opened);
    const [, descriptor = ""] = /^\w+\((\d+)</.exec(text) ?? [];
    const isNonBlocking = endsIn(text).some((end) => nonBlocking.has(end));
    return { ...call, isForWriting: writable.has(descriptor), isNonBlocking };
  });
}

/**
 * What a call does to what, without what no two runs have in common: two calls of the same line are the same point
 * of the command, whatever number strace gives them in that run.
 */
export function lineOf(text: string, directory: string): string {
  const [, syscall, descriptor] = /^(\w+)\(\d+<([^>]*)>/.exec(text) ?? [];
  const paths = () => (text.match(/"[^"]*"/g) ?? []).join(" ");
  const line = descriptor === undefined ? `${/^\w+/.exec(text)?.[0]} ${paths()}` : `${syscall} ${descriptor}`;
  return line
    .replaceAll(directory, "@")
    .replace(/(\.tmp\.|\.taken\.)[\w.]*/g, "$1")
    .replace(/\d+/g, "N");
}

/** Standard output or standard error of the command, which is a socket of another number in each run. */
const STREAM = /^\w+\(([12])<(socket:\[\d+\])>/;

/** The file that a call works on, if its name is the same in each run but for {@link namedFor}; else null. */
export function fileOf(text: string): string | null {
  const [, stream] = STREAM.exec(text) ?? [];
  if (stream !== undefined) return `fd ${stream}`;
  const [file] = filesIn(text);
  return file === undefined || /^\/proc\/\d/.test(file) ? null : file;
}

/** Every file that a call names or works on through a descriptor, as `strace -P` matches them. */
export function filesIn(text: string): string[] {
  const [, stream] = STREAM.exec(text) ?? [];
  if (stream !== undefined) return [`fd ${stream}`];
  const [asked = ""] = text.split(/\) += /, 1);
  const [, descriptor] = /^\w+\(\d+<(\/[^>]*)>/.exec(asked) ?? [];
  if (descriptor !== undefined) return [descriptor];
  return (asked.match(/"\/[^"]*"/g) ?? []).map((path) => path.slice(1, -1));
}

/** The same file in a run of another process: temporary names carry its id, and a stream has one of its own. */
export function namedFor(file: string, pid: number): string {
  const [, stream] = /^fd (\d)$/.exec(file) ?? [];
  if (stream !== undefined) return readlinkSync(`/proc/${pid}/fd/${stream}`);
  return file.replace(/(\.tmp\.)\d+\./, `$1${pid}.`);
}

const endsIn = (text: string): string[] => text.match(/\b(pipe|socket):\[\d+\]/g) ?? [];
const pipesIn = (text: string): string[] => text.match(/pipe:\[\d+\]/g) ?? [];
