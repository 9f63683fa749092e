/**
 * `node block-log.ts IMAGE MOUNTPOINT LOG`: shows IMAGE as the file MOUNTPOINT (FUSE) and notes in LOG each write and
 * each flush that reaches it, in order, with its bytes: what dm-log-writes does, for kernels that are built without.
 *
 * Under a loop device these are the block writes of the file system on it. A process of its own, and synchronous:
 * it must answer while the campaign waits for the file system that it answers for.
 */
import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** From linux/fuse.h; whatever else is asked is answered with ENOSYS. */
const OP = {
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
} as const;
const ENOSYS = 38;
const IN_HEADER = 40;
const MAX_WRITE = 128 * 1_024;
const DIRECT_IO = 1;
const REGULAR_FILE = 0o100600;

const [, , image = "", mountpoint = "", logFile = ""] = process.argv;
const disk = openSync(image, "r+");
const log = openSync(logFile, "a");
const { size } = fstatSync(disk);
const fuse = openSync("/dev/fuse", "r+");
const { status, stderr } = spawnSync(
  "mount",
  ["-i", "-t", "fuse", "-o", `fd=3,rootmode=100600,user_id=0,group_id=0`, "block-log", mountpoint],
  { stdio: ["ignore", "ignore", "pipe", fuse] },
);
if (status !== 0) throw new Error(`${mountpoint} cannot be mounted: ${stderr}`);
process.stdout.write("ready\n");

const request = Buffer.alloc(IN_HEADER + MAX_WRITE + 4_096);
for (;;) {
  const length = receive();
  if (length === 0) break;
  const opcode = request.readUInt32LE(4);
  if (opcode === OP.forget || opcode === OP.batchForget || opcode === OP.interrupt) continue;
  answer(opcode);
}

/** @returns 0 once it has been unmounted */
function receive(): number {
  for (;;) {
    try {
      return readSync(fuse, request);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENODEV") return 0;
      if (code !== "EINTR" && code !== "EAGAIN" && code !== "ENOENT") throw error;
    }
  }
}

function answer(opcode: number): void {
  const body = bodyOf(opcode);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + (body?.length ?? 0), 0);
  head.writeInt32LE(body === null ? -ENOSYS : 0, 4);
  request.copy(head, 8, 8, 16);
  writeSync(fuse, body === null ? head : Buffer.concat([head, body]));
}

function bodyOf(opcode: number): Buffer | null {
  switch (opcode) {
    case OP.init:
      return initialised();
    case OP.getattr:
    case OP.setattr:
      return attributes();
    case OP.open:
      return opened();
    case OP.read:
      return blocks();
    case OP.write:
      return written();
    case OP.fsync:
      note("flush", 0, Buffer.alloc(0));
      return Buffer.alloc(0);
    case OP.flush:
    case OP.release:
    case OP.destroy:
      return Buffer.alloc(0);
    default:
      return null;
  }
}

function initialised(): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  out.writeUInt32LE(request.readUInt32LE(IN_HEADER + 8), 8);
  out.writeUInt32LE(MAX_WRITE, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

function attributes(): Buffer {
  const out = Buffer.alloc(104);
  out.writeBigUInt64LE(3_600n, 0);
  out.writeBigUInt64LE(1n, 16);
  out.writeBigUInt64LE(BigInt(size), 24);
  out.writeBigUInt64LE(BigInt(size / 512), 32);
  out.writeUInt32LE(REGULAR_FILE, 76);
  out.writeUInt32LE(1, 80);
  out.writeUInt32LE(4_096, 96);
  return out;
}

function opened(): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt32LE(DIRECT_IO, 8);
  return out;
}

function blocks(): Buffer {
  const out = Buffer.alloc(request.readUInt32LE(IN_HEADER + 16));
  readSync(disk, out, 0, out.length, Number(request.readBigUInt64LE(IN_HEADER + 8)));
  return out;
}

function written(): Buffer {
  const offset = Number(request.readBigUInt64LE(IN_HEADER + 8));
  const length = request.readUInt32LE(IN_HEADER + 16);
  const data = request.subarray(IN_HEADER + 40, IN_HEADER + 40 + length);
  writeSync(disk, data, 0, length, offset);
  note("write", offset, data);
  const out = Buffer.alloc(8);
  out.writeUInt32LE(length, 0);
  return out;
}

/** One line for each: what, where, and the bytes. */
function note(what: "write" | "flush", offset: number, data: Buffer): void {
  writeSync(log, `${what} ${offset} ${data.toString("base64")}\n`);
}

closeSync(log);
