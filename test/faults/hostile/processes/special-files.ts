/** Whatever can lie in a file's place, for each file and a command that reads it. */
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { Case } from "./case.ts";
import { configText, type FileName } from "./scratch.ts";

const MEGABYTES_10 = 10 * 1_024 * 1_024;

const KINDS: Readonly<Record<string, (path: string) => void>> = {
  "a FIFO": (path) => execFileSync("mkfifo", [path]),
  "a directory": (path) => mkdirSync(path),
  "a link to itself": (path) => symlinkSync(path, path),
  "a link to nowhere": (path) => symlinkSync("/nonexistent/x", path),
  "a link to /dev/zero": (path) => symlinkSync("/dev/zero", path),
  "a link to /proc/self/mem": (path) => symlinkSync("/proc/self/mem", path),
  "a link to a FIFO": (path) => {
    execFileSync("mkfifo", [`${path}.fifo`]);
    symlinkSync(`${path}.fifo`, path);
  },
  "a device": (path) => execFileSync("mknod", [path, "c", "1", "5"]),
  "a sparse file of 8 GiB": (path) => {
    const file = openSync(path, "w");
    ftruncateSync(file, 8 * 1_024 ** 3);
    closeSync(file);
  },
  "10 MB of text": (path) => writeFileSync(path, "a: b\n".repeat(MEGABYTES_10 / 5)),
  "binary data": (path) =>
    writeFileSync(path, Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 7_919) % 256))),
  "an empty file": (path) => writeFileSync(path, ""),
};

/** Each file with the commands that read it. */
const READERS: readonly [FileName, readonly (readonly string[])[]][] = [
  ["config", [["check-config"], ["status"], ["refresh"], ["run"], ["sync-agent"]]],
  ["base", [["refresh", "--json"]]],
  ["registration", [["check-config"], ["refresh"]]],
  ["settings", [["sync-agent", "--json"], ["check-config"]]],
  ["agentConfig", [["sync-agent", "--json"]]],
  ["agentLog", [["doctor", "--json"]]],
  ["pidFile", [["sync-agent", "--json"]]],
  ["bundle", [["refresh", "--json"]]],
  [
    "credentials",
    [
      ["refresh", "--json"],
      ["deregister", "--dry-run"],
    ],
  ],
  ["refreshRecord", [["refresh", "--json"]]],
  ["refreshLock", [["refresh", "--json"]]],
  ["runLock", [["refresh", "--json"]]],
  ["status", [["status", "--json"]]],
  ["answer", [["sync-agent", "--json"]]],
  ["syncRecord", [["sync-agent", "--json"]]],
  ["syncLock", [["sync-agent", "--json"]]],
  ["request", [["sync-agent", "--json"]]],
];

export const SPECIAL_FILES: readonly Case[] = READERS.flatMap(([file, commands]) =>
  Object.entries(KINDS).flatMap(([name, put]) =>
    commands.map((command): Case => {
      return {
        group: "what is no file, or too large, in a file's place",
        name: `${name} in place of ${file}: ${command.join(" ")}`,
        argv: command,
        arrange: (host) => {
          const { files } = host;
          if (file === "bundle")
            writeFileSync(
              files.config,
              configText(host).replace("network:\n", `network:\n  ca_bundle: ${files.bundle}\n`),
            );
          rmSync(files[file], { recursive: true, force: true });
          put(files[file]);
        },
        // The directory's name will do: a lock is told by its own file, a result by where it should go.
        places: (host) => [host.files[file], host.directory],
      };
    }),
  ),
);
