/**
 * A command on a real terminal, typed at as a person would: a pseudo-terminal that script(1) of util-linux opens.
 *
 * What the command prints, what the terminal echoes and where lines wrap is what a person would see.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { eventually } from "./eventually.ts";
import { killNow } from "./host-root/ending.ts";

const KEYS = {
  enter: "\r",
  tab: "\t",
  space: " ",
  backspace: "\x7f",
  up: "\x1b[A",
  down: "\x1b[B",
  "ctrl-c": "\x03",
  "ctrl-d": "\x04",
} as const;

export interface TerminalOptions {
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  /** How wide it is; 100 by default. */
  columns?: number;
}

export interface Terminal {
  pid: number;
  /** Everything shown so far, as it came. */
  output(): string;
  /** Waits until the screen shows it, after what earlier calls have found. @returns what was found */
  expect(what: string | RegExp): Promise<string>;
  type(text: string): void;
  press(key: keyof typeof KEYS): void;
  /** `type` and Enter. */
  answer(text: string): void;
  result: Promise<{ code: number | null; output: string }>;
  /** Takes the terminal away, whatever runs on it. */
  close(): Promise<void>;
}

export function openTerminal({ command, env, columns = 100 }: TerminalOptions): Terminal {
  const line = `stty cols ${columns} rows 40; exec ${command.map(quoted).join(" ")}`;
  const child: ChildProcess = spawn("script", ["-qefc", line, "/dev/null"], {
    env: { TERM: "xterm-256color", ...env, SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  let seen = 0;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stdin?.on("error", () => undefined);
  const type = (text: string) => void child.stdin?.write(text);
  const press = (key: keyof typeof KEYS) => type(KEYS[key]);
  const result = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    type,
    press,
    answer: (text) => {
      type(text);
      press("enter");
    },
    expect: async (what) => {
      const found = await eventually(
        () => find(plain(output), what, seen),
        () => `the terminal never showed ${what}:\n${plain(output)}`,
      );
      seen = found.end;
      return found.text;
    },
    result,
    close: async () => {
      await killNow(child);
      await result;
    },
  };
}

/** As a person reads it: without colours and cursor movements, lines ended by a line feed alone. */
export function plain(output: string): string {
  return stripVTControlCharacters(output).replaceAll("\r\n", "\n");
}

function find(text: string, what: string | RegExp, from: number): { text: string; end: number } | undefined {
  const rest = text.slice(from);
  const match = typeof what === "string" ? { index: rest.indexOf(what), 0: what } : what.exec(rest);
  if (match === null || match.index === -1) return undefined;
  return { text: match[0], end: from + match.index + match[0].length };
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
