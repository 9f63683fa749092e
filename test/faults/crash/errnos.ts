/**
 * Which of the campaign's errors each system call can return, from its page in section 2 of the Linux manual, and
 * EIO besides wherever a path has to be looked up on a disk. A call that is not here can return none of them
 * (lseek, kill, getsockname …): it is killed at, and nothing is injected.
 */
import { operatorText } from "./program.ts";
import type { Call } from "./trace.ts";

/** The campaign's own, in the order of its table. */
export const ERRNOS = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EMFILE", "EINTR", "ENOMEM"] as const;

const DISK = ["ENOSPC", "EDQUOT", "EIO"];
const LOOK_UP = ["EACCES", "EIO", "ENOMEM"];
const CHANGE = [...LOOK_UP, "EROFS"];
const GROW = [...CHANGE, "ENOSPC", "EDQUOT"];
const SEND = ["EACCES", "EINTR", "ENOMEM"];

const OF_FILES: Readonly<Record<string, readonly string[]>> = {
  access: CHANGE,
  chdir: LOOK_UP,
  chmod: CHANGE,
  clone: ["ENOMEM"],
  clone3: ["ENOMEM"],
  close: [...DISK, "EINTR"],
  connect: ["EACCES", "EINTR"],
  dup: ["EMFILE"],
  dup3: ["EMFILE", "EINTR"],
  faccessat2: CHANGE,
  fchmod: CHANGE,
  fchown: CHANGE,
  fdatasync: [...DISK, "EROFS", "EINTR"],
  flock: ["EINTR"],
  fstat: ["ENOMEM"],
  fsync: [...DISK, "EROFS", "EINTR"],
  ftruncate: ["EACCES", "EINTR", "EIO", "EROFS"],
  getdents64: ["EIO"],
  lchown: CHANGE,
  link: GROW,
  mkdir: GROW,
  newfstatat: LOOK_UP,
  pipe2: ["EMFILE"],
  pread64: ["EIO", "EINTR"],
  pwrite64: [...DISK, "EINTR"],
  read: ["EIO", "EINTR"],
  readlink: LOOK_UP,
  readv: ["EIO", "EINTR"],
  recvfrom: ["EINTR", "ENOMEM"],
  recvmsg: ["EINTR", "ENOMEM"],
  rename: GROW,
  rmdir: CHANGE,
  sendmsg: SEND,
  sendto: SEND,
  socket: ["EACCES", "EMFILE", "ENOMEM"],
  socketpair: ["EMFILE"],
  stat: LOOK_UP,
  statx: LOOK_UP,
  symlink: GROW,
  unlink: CHANGE,
  utimensat: CHANGE,
  wait4: ["EINTR"],
  write: [...DISK, "EINTR"],
  writev: [...DISK, "EINTR"],
};

/**
 * No disk is behind a socket, a pipe or a file of /proc, and their close(2) does not fail on Linux. Here an injected
 * EINTR would be another thing besides: the call is left out, and the other end waits for ever.
 */
const OF_SOCKETS: Readonly<Record<string, readonly string[]>> = {
  close: [],
  read: ["EINTR", "ENOMEM"],
  readv: ["EINTR", "ENOMEM"],
  write: ["EINTR", "ENOMEM"],
  writev: ["EINTR", "ENOMEM"],
};
const OF_PIPES: Readonly<Record<string, readonly string[]>> = {
  close: [],
  read: ["EINTR"],
  write: ["EINTR"],
};
const OF_KERNEL_FILES: Readonly<Record<string, readonly string[]>> = { close: [], read: ["ENOMEM"] };
const KERNEL_FILE = /^\/(proc|sys|dev)\//;

type Descriptor = "socket" | "pipe" | "kernel" | "file" | "none";

/**
 * The errors that can make a difference to `register` and `adopt`: EINTR, after which libuv tries again, and those that
 * they, their libraries included, name anywhere. To it any other is an error like the next, but for the name in the message.
 */
export function errnosToldApart(): Set<string> {
  const program = operatorText();
  const isNamed = (errno: string) => new RegExp(`\\b${errno}\\b`).test(program);
  return new Set(ERRNOS.filter((errno) => errno === "EINTR" || isNamed(errno)));
}

export function errnosOf(call: Call): readonly string[] {
  const [, path = ""] = /^(?:openat|access|readlink|statx?|\w+at2?)\([^"]*"([^"]*)"/.exec(call.text) ?? [];
  const isOnDisk = !KERNEL_FILE.test(path);
  // Nothing interrupts a call that does not wait.
  const isWaiting = !call.isNonBlocking && !call.text.includes("WNOHANG");
  return possibleErrnos(call).filter((errno) => {
    return (errno !== "EIO" || isOnDisk) && (errno !== "EINTR" || (isOnDisk && isWaiting));
  });
}

function possibleErrnos({ syscall, text, isForWriting }: Call): readonly string[] {
  if (syscall === "openat") return errnosOfOpen(text);
  const usual = OF_FILES[syscall] ?? [];
  switch (descriptorOf(text)) {
    case "socket":
      return OF_SOCKETS[syscall] ?? usual;
    case "pipe":
      return OF_PIPES[syscall] ?? usual;
    case "kernel":
      return OF_KERNEL_FILES[syscall] ?? usual;
    default:
      // Only what was written can fail to reach the disk; a FUSE file system may fail at any close.
      return syscall === "close" && !isForWriting ? ["EIO", "EINTR"] : usual;
  }
}

function descriptorOf(text: string): Descriptor {
  const [, thing] = /^\w+\(\d+<([^>]*)/.exec(text) ?? [];
  if (thing === undefined) return "none";
  if (/^(socket|UNIX|TCP)/.test(thing)) return "socket";
  if (thing.startsWith("pipe:")) return "pipe";
  return KERNEL_FILE.test(thing) ? "kernel" : "file";
}

function errnosOfOpen(text: string): readonly string[] {
  const looking = [...LOOK_UP, "EMFILE", "EINTR"];
  const writing = /O_(WRONLY|RDWR|CREAT)/.test(text) ? ["EROFS"] : [];
  const creating = text.includes("O_CREAT") ? ["ENOSPC", "EDQUOT"] : [];
  return [...looking, ...writing, ...creating];
}
