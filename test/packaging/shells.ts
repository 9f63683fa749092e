/** Completion on real shells, on a real terminal: a Tab typed, and what the shell makes of it. */
import { join } from "node:path";
import { openTerminal, type Terminal } from "../harness/terminal.ts";
import type { Check } from "../systemd/checks.ts";
import type { Workshop } from "./workshop.ts";

interface Shell {
  name: string;
  command: string[];
  /** Typed first, until the shell is ready to complete. */
  setUp: (share: string) => string[];
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    command: ["bash", "--norc", "--noprofile", "-i"],
    setUp: (share) => [
      "bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; PS1='> '",
      `source ${join(share, "bash-completion/completions/idc-helper")}`,
    ],
  },
  {
    name: "zsh",
    command: ["zsh", "-f", "-i"],
    setUp: (share) => [
      "PS1='> '; unset zle_bracketed_paste; setopt no_beep no_prompt_sp; LISTMAX=1000",
      `fpath=(${join(share, "zsh/site-functions")} $fpath); autoload -Uz compinit && compinit -u -D`,
    ],
  },
];

const CASES: readonly { typed: string; offered: string[]; what: string }[] = [
  { typed: "idc-helper re", offered: ["refresh", "register"], what: "the commands that begin so" },
  { typed: "idc-helper doc", offered: ["doctor "], what: "a command that only one can be" },
  { typed: "idc-helper register --s", offered: ["--same-host", "--serial"], what: "a command's own options" },
  { typed: "idc-helper doctor --d", offered: ["--deep"], what: "an option that only one can be" },
  {
    typed: "idc-helper check-config --config /etc/passw",
    offered: ["/etc/passwd"],
    what: "files, for --config",
  },
];

export async function checkShells({ x64 }: Workshop, check: Check): Promise<void> {
  const share = join(x64.staging.directory, "usr/share");
  for (const { name, command, setUp } of SHELLS) {
    for (const { typed, offered, what } of CASES) {
      await check(`in ${name}, Tab after “${typed}” offers ${what}`, async () => {
        const terminal = openTerminal({
          command,
          env: { PATH: process.env.PATH, HOME: "/nonexistent" },
          columns: 120,
        });
        try {
          await complete(terminal, setUp(share), typed, offered);
        } finally {
          await terminal.close();
        }
      });
    }
  }
}

async function complete(
  terminal: Terminal,
  setUp: string[],
  typed: string,
  offered: string[],
): Promise<void> {
  for (const line of setUp) terminal.answer(line);
  // Its echo is not its output: the words are joined by the shell.
  terminal.answer("echo set''-up");
  await terminal.expect("set-up");
  terminal.type(typed);
  await terminal.expect(typed);
  terminal.press("tab");
  for (const each of offered) await terminal.expect(restOf(each, typed));
}

/** A single candidate is put in where the cursor is; several are listed whole. */
function restOf(candidate: string, typed: string): string {
  const begun = typed.slice(typed.lastIndexOf(" ") + 1);
  return candidate.startsWith(begun) ? candidate.slice(begun.length) : candidate;
}
